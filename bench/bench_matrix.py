"""All pairs: the square matrix of distances."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Timing, cases
from peers import METRICS, Peer


@pytest.mark.parametrize(
    ("metric", "peer", "n", "dtype"), cases("matrix", METRICS, ("float32", "float64"))
)
def test_matrix(
    timing: Timing, benchmark: Any, metric: str, peer: Peer, n: int, dtype: str
) -> None:
    benchmark.group = f"{metric}: all pairs, n = {n:,}, {dtype}"
    timing(peer, "matrix", metric, n, dtype=dtype)
