"""Self-join: the 100 nearest rows of every row."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Timing, cases
from peers import METRICS, Peer


@pytest.mark.parametrize(("metric", "peer", "n", "dtype"), cases("knn", METRICS))
def test_self_join(
    timing: Timing, benchmark: Any, metric: str, peer: Peer, n: int, dtype: str
) -> None:
    benchmark.group = f"{metric}: self-join top-100, n = {n:,}"
    timing(peer, "knn", metric, n, dtype=dtype)
