"""Batches of new queries against a database that is there."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Timing, cases
from peers import METRICS, Peer

ROUNDS = {1: 30, 32: 10, 1000: 3}


@pytest.mark.parametrize("queries", list(ROUNDS))
@pytest.mark.parametrize(("metric", "peer", "n", "dtype"), cases("batch", METRICS))
def test_batch(
    timing: Timing, benchmark: Any, metric: str, peer: Peer, n: int, dtype: str, queries: int
) -> None:
    benchmark.group = f"{metric}: {queries:,} queries top-100, n = {n:,}"
    timing(peer, "batch", metric, n, dtype=dtype, queries=queries, rounds=ROUNDS[queries])
