"""Results that were found apart, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import thread_count, whole_number
from lookalike.distance.results import Neighbors, RadiusNeighbors

__all__ = ["merge", "merge_radius", "merge_short"]


def merge(
    parts: Sequence[tuple[ArrayLike, ArrayLike]], k: SupportsIndex, *, threads: int | None = None
) -> Neighbors:
    """Find the `k` nearest of what several searches of the same queries found.

    Parameters
    ----------
    parts : sequence of Neighbors, or of (distances, indices)
        Each is the answer of one search for the same n queries among other rows, its ``indices``
        counted as in the result; their numbers of columns may differ. An index of −1 ends a row
        early.
    k : int
        From 1 to the number of neighbours that each row has in all parts together.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.

    Returns
    -------
    Neighbors
        ``distances`` and ``indices``, each (n, k), by distance, then by index: to the bit what one
        search among all rows returns, if each part holds the `k` nearest of its rows, or all.

    Raises
    ------
    ValueError
        If there is no part, their numbers of rows differ, a row has fewer than `k` neighbours, is
        not in order, or has a neighbour twice.
    TypeError
        If a part is not two arrays of numbers.

    Examples
    --------
    >>> import numpy as np, lookalike as la
    >>> X = np.random.default_rng(0).random((1000, 16))
    >>> first, second = (la.knn(X[:5], half, k=3) for half in (X[:600], X[600:]))
    >>> near = la.merge([first, (second.distances, second.indices + 600)], 3)
    >>> np.array_equal(near.indices, la.knn(X[:5], X, k=3).indices)
    True
    """
    checked = [_checked(part, p) for p, part in enumerate(parts)]
    if not checked:
        raise ValueError("parts must be at least one, got none")
    for p, (distances, _) in enumerate(checked):
        if len(distances) != len(checked[0][0]):
            raise ValueError(
                f"parts must have as many rows each: part 0 has {len(checked[0][0])}, "
                f"part {p} has {len(distances)}"
            )
    count, most = whole_number(k, "k"), sum(part[0].shape[1] for part in checked)
    if not 1 <= count <= most:
        raise ValueError(f"k must be from 1 to {most} (the columns of all parts), got {count}")
    return _merged(checked, count, False, thread_count(threads))


def merge_short(parts: Sequence[Neighbors], k: int, threads: int = 0) -> Neighbors:
    """Merge as `merge`, but for rows with fewer neighbours: −1 at infinity ends their lists."""
    return _merged([tuple(part) for part in parts], k, True, threads)


def merge_radius(parts: Sequence[RadiusNeighbors]) -> RadiusNeighbors:
    """Put together what several searches within one radius found for the same queries."""
    if len(parts) == 1:
        return parts[0]
    counts = [np.diff(part.indptr) for part in parts]
    rows = np.concatenate([np.repeat(np.arange(len(each)), each) for each in counts])
    distances = np.concatenate([part.distances for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    order = np.lexsort((indices, distances, rows))
    indptr = np.concatenate(([0], np.cumsum(np.sum(counts, axis=0)))).astype(np.int64)
    return RadiusNeighbors(indptr, indices[order], distances[order])


def _checked(part: Any, place: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        distances, indices = part
        distances, indices = np.asarray(distances), np.asarray(indices)
    except (TypeError, ValueError):
        raise TypeError(f"part {place} must be distances and indices, got {part!r:.60}") from None
    if distances.dtype != np.float64 or indices.dtype.kind not in "iu":
        raise TypeError(
            f"part {place} must be float64 distances and integer indices, got "
            f"{distances.dtype} and {indices.dtype}"
        )
    if distances.ndim != 2 or distances.shape != indices.shape:
        raise ValueError(
            f"part {place} must be two matrices of one shape, got {distances.shape} and "
            f"{indices.shape}"
        )
    return np.ascontiguousarray(distances), np.ascontiguousarray(indices, np.int64)


def _merged(parts: Any, k: int, short: bool, threads: int) -> Neighbors:
    try:
        return Neighbors(*_core.merge(parts, k, short, threads))
    except ArithmeticError as error:
        why, part, row = error.args
        raise ValueError(
            (
                f"part {part} row {row} must be ordered by distance, then by index, without NaN",
                f"parts must not have a row in common: row {row} has a neighbour twice",
                f"k must be at most the number of neighbours in all parts, got {k}: row {row} "
                "has fewer",
            )[why]
        ) from None
