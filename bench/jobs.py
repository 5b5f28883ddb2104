"""One job for one peer, ready to be timed: the rows prepared, the slice chosen, the check at hand.

The script and the pytest suites both time jobs made here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from accuracy import Errors, matrix_errors, neighbor_errors, true_distances
from brute_force import Array
from features import features
from peers import CORES, NumPy, Peer

WHAT = ("knn", "matrix", "batch", "topk")
SAMPLE = 16  # queries of each result that are checked
NEW_ROWS = 1000  # queries that are no rows of the database


@dataclass
class Job:
    """What is timed and what its time stands for."""

    run: Callable[[], Any]
    check: Callable[[Any], Errors]
    pairs: float  # element pairs of the whole job, features included
    scale: float = 1.0  # the whole job over the part that `run` does
    preparation: float = 0.0  # seconds, once, outside the clock
    notes: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        return "; ".join(filter(None, self.notes))


@lru_cache(maxsize=4)
def rows_and_queries(n: int, dtype: str, kind: str = "photos") -> tuple[Array, Array]:
    """Give n rows, and 1,000 further ones to query them with."""
    rows, new = features(n, kind), features(NEW_ROWS, kind, seed=1)
    return rows.astype(dtype, copy=False), new.astype(dtype, copy=False)


def can(peer: Peer, what: str, metric: str, dtype: str = "float32") -> bool:
    """Tell whether a peer offers a job at all."""
    if what == "topk":
        return type(peer).topk is not Peer.topk
    offered = peer.matrix_metrics if what == "matrix" else peer.search_metrics
    return metric in offered and dtype in peer.dtypes


def job(
    peer: Peer,
    what: str,
    metric: str,
    n: int,
    *,
    k: int = 100,
    queries: int = 32,
    dtype: str = "float32",
    budget: float = 10.0,
    kind: str = "photos",
) -> Job:
    """Make a job: `what` is a self-join, a square matrix, a batch of queries, or top-k of a matrix.

    A self-join or matrix that would take a peer more than `budget` seconds is timed on the first
    queries and scaled: in all of them the cost is linear in queries. lookalike is never sliced.
    """
    rows, new = rows_and_queries(n, dtype, kind)
    if what == "topk":
        return _topk_job(peer, rows, k)
    subject = peer.subject(rows, metric)
    peer.index(peer.prepare(subject[:256], metric), metric)  # imports and first calls cost no one
    start = time.perf_counter()
    prepared = peer.prepare(subject, metric)
    index = prepared if what == "matrix" else peer.index(prepared, metric)
    preparation = time.perf_counter() - start
    notes = [peer.note(metric)]
    if what == "matrix" and peer.upper_triangle:
        notes.append("upper triangle only")

    if what == "batch":
        asked = peer.subject(new[:queries], metric)
        batch = peer.prepare(asked, metric)
        truth = _truth(asked[:SAMPLE], subject, metric)
        return Job(
            run=lambda: peer.search(index, batch, k, metric),
            check=lambda found: neighbor_errors(found[0][:SAMPLE], found[1][:SAMPLE], truth()),
            pairs=queries * rows.size,
            preparation=preparation,
            notes=notes,
        )

    def on(count: int) -> Any:
        part = prepared if count == n else prepared[:count]
        if what == "matrix":
            return peer.matrix(part, prepared, metric)
        return (
            peer.self_join(index, part, k, metric)
            if count == n
            else peer.search(index, part, k, metric)
        )

    count = n if peer.name == "lookalike" else affordable(on, n, budget)
    if count < n:
        notes.append(f"{count:,} of {n:,} queries timed, time scaled")
    # Spread over what was computed: the first rows alone would be one category.
    sample = np.linspace(0, count - 1, min(SAMPLE, count)).astype(int)
    truth = _truth(subject[sample], subject, metric)

    def check(found: Any) -> Errors:
        if what == "knn":
            return neighbor_errors(found[0][sample], found[1][sample], truth())
        values = found[sample].astype(np.float64)
        if peer.upper_triangle and count == n:
            values[np.arange(n) < sample[:, None]] = np.nan
        return matrix_errors(values, truth())

    return Job(
        run=lambda: on(count),
        check=check,
        pairs=n * rows.size,
        scale=n / count,
        preparation=preparation,
        notes=notes,
    )


def affordable(on: Callable[[int], Any], n: int, budget: float) -> int:
    """Find how many queries fit the time: few first, four times as many while that is quick."""
    count = min(n, 8 * CORES)
    while True:
        start = time.perf_counter()
        on(count)
        seconds = time.perf_counter() - start
        if count == n or seconds > budget / 20:
            break
        count = min(n, 4 * count)
    if seconds * n / count <= budget:
        return n
    return min(n, max(8 * CORES, int(count * budget / 4 / seconds) // CORES * CORES))


def _truth(queries: Array, rows: Array, metric: str) -> Callable[[], Array]:
    """Postpone the reference to the check, so that it disturbs no clock."""
    return lambda: true_distances(queries, rows, metric)


def _topk_job(peer: Peer, rows: Array, k: int) -> Job:
    """Take the distances of 2,000 rows at most: every row of a matrix costs the same."""
    queries = rows[:2000]
    distances = NumPy().matrix(queries, rows, "euclidean")
    sample = slice(0, SAMPLE)
    return Job(
        run=lambda: peer.topk(distances, k),
        check=lambda found: neighbor_errors(
            found[0][sample], found[1][sample], distances[sample].astype(np.float64)
        ),
        pairs=distances.size,
        notes=["" if peer.name == "lookalike" else "argpartition, then a sort of the k"],
    )
