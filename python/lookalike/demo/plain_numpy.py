"""The seven distances and a sort as one writes them in NumPy, for `lookalike demo` to time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLAIN", "scaled_seconds"]

Rows = NDArray[np.float64]


def _one_by_one(
    distance: Callable[[Rows, Rows], Rows],
) -> Callable[[Rows, Rows], Rows]:
    """Return a function of many queries, made of one that broadcasts a query over all rows."""
    return lambda queries, rows: np.stack([distance(query, rows) for query in queries])


def _canberra(u: Rows, rows: Rows) -> Rows:
    difference, total = np.abs(u - rows), np.abs(u) + np.abs(rows)
    terms = np.divide(difference, total, out=np.zeros_like(total), where=total > 0)
    distances: Rows = terms.sum(axis=1)
    return distances


def _cosine(queries: Rows, rows: Rows) -> Rows:
    lengths = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(rows, axis=1)
    distances: Rows = 1 - queries @ rows.T / lengths
    return distances


def _centred(rows: Rows) -> Rows:
    centred: Rows = rows - rows.mean(axis=1, keepdims=True)
    return centred


PLAIN: dict[str, Callable[[Rows, Rows], Rows]] = {
    "manhattan": _one_by_one(lambda u, rows: np.abs(u - rows).sum(axis=1)),
    "euclidean": _one_by_one(lambda u, rows: np.sqrt(((u - rows) ** 2).sum(axis=1))),
    "cosine": _cosine,
    "braycurtis": _one_by_one(
        lambda u, rows: np.abs(u - rows).sum(axis=1) / np.abs(u + rows).sum(axis=1)
    ),
    "canberra": _one_by_one(_canberra),
    "chebyshev": _one_by_one(lambda u, rows: np.abs(u - rows).max(axis=1)),
    "correlation": lambda queries, rows: _cosine(_centred(queries), _centred(rows)),
}
"""Distances, (q, n) float64, of queries from rows without zero rows, by metric."""


def scaled_seconds(
    features: NDArray[np.float32], metric: str, queries: NDArray[np.int64], k: int
) -> tuple[float, NDArray[np.int64]]:
    """Time the search for the `k` nearest of some rows and scale it to all rows.

    Returns
    -------
    seconds : float
        How long all rows take, if each takes as long as these.
    indices : (q, k) int64 array
        The neighbours that were found, the row itself among them.
    """
    rows = features.astype(np.float64)
    started = time.perf_counter()
    distances = PLAIN[metric](rows[queries], rows)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
    seconds = time.perf_counter() - started
    return seconds * len(features) / len(queries), indices
