"""The k smallest of each row of a matrix that is there."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Timing, cases
from peers import Peer


@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize(("metric", "peer", "n", "dtype"), cases("topk", ["euclidean"]))
def test_topk(
    timing: Timing, benchmark: Any, metric: str, peer: Peer, n: int, dtype: str, k: int
) -> None:
    benchmark.group = f"top-{k} of rows of {n:,} distances"
    timing(peer, "topk", metric, n, dtype=dtype, k=k)
