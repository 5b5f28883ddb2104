"""All rows of blocks within a radius: against one index, or blocks against blocks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import dask.array as da
import numpy as np
from dask import delayed
from numpy.typing import ArrayLike, NDArray

from lookalike.dask.arrays import Rows, check_sides, joined, rows_of
from lookalike.dask.databases import Database, IndexLike, asked_for, check_index, database, opened
from lookalike.dask.threads import threads_of_task
from lookalike.distance.arguments import RowError, radius_limit
from lookalike.distance.blocks import radius_transposed
from lookalike.distance.index import Index
from lookalike.distance.merging import merge_radius
from lookalike.distance.metrics import AnyMetric, Metric
from lookalike.distance.neighbors import radius_neighbors as radius_in_memory
from lookalike.distance.results import RadiusNeighbors

__all__ = ["radius_neighbors"]

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""`RadiusNeighbors` as it goes from task to task."""


def radius_neighbors(
    x: da.Array | ArrayLike,
    y: da.Array | ArrayLike | Index | None = None,
    *,
    radius: float,
    metric: AnyMetric = "correlation",
    p: float | None = None,
    w: ArrayLike | None = None,
    V: ArrayLike | None = None,
    VI: ArrayLike | None = None,
    include_self: bool = False,
    index: IndexLike = None,
) -> tuple[da.Array, da.Array, da.Array]:
    """Find all rows of `y` within `radius` of every row of `x`, exactly, in blocks.

    Parameters
    ----------
    x, y, metric, p, w, V, VI, include_self, index
        As for `lookalike.dask.knn`.
    radius : float
        As for `lookalike.radius_neighbors`.

    Returns
    -------
    indptr, indices, distances : dask.array.Array
        (n + 1,) int64, and int64 and float64 in chunks of unknown sizes: what
        ``lookalike.radius_neighbors(x.compute(), …)`` returns, to the bit.

    Raises
    ------
    ValueError, TypeError
        As `lookalike.dask.knn`; also if `radius` is negative or NaN.

    Examples
    --------
    >>> import dask, dask.array as da, lookalike.dask
    >>> x = da.from_array([[0.0], [1.0], [5.0]], chunks=(2, 1))
    >>> near = lookalike.dask.radius_neighbors(x, radius=1, metric="l1")
    >>> dask.compute(*near)[:2]
    (array([0, 1, 2, 2]), array([1, 0]))
    """
    limit = radius_limit(radius)
    queries = rows_of(x, "x")
    chosen = asked_for(metric, {"p": p, "w": w, "V": V, "VI": VI}, y, queries)
    among = queries if y is None or isinstance(y, Index) else rows_of(y, "y")
    check_sides(queries, among, y is None, bool(include_self))
    if isinstance(y, Index):
        if index is not None:
            raise ValueError("index must be None where y is an Index")
        check_index(y, None, queries.columns, chosen)
        found = _by_index(delayed(y, traverse=False), queries, None, limit, chosen, False)
    elif index is not None and index is not False:
        held, own = database(index, among, chosen), y is None and not include_self
        found = _by_index(held, queries, len(among), limit, chosen, own)
    else:
        found = _by_blocks(queries, among, limit, chosen, y is None, bool(include_self))
    indptr = da.concatenate((da.zeros(1, dtype=np.int64), _ends(found, queries.sizes)))
    unknown = [np.nan] * len(found)
    indices = joined([near[1] for near in found], unknown, None, np.int64)
    distances = joined([near[2] for near in found], unknown, None, np.float64)
    return indptr, indices, distances


def _ends(found: list[Any], sizes: tuple[int, ...]) -> da.Array:
    """Return where each row's neighbours end among those of all blocks."""
    ends, last = delayed(_ends_of), delayed(_last)
    before, out = delayed(0), []
    for near in found:
        out.append(ends(before, near[0]))
        before = last(before, near[0])
    return joined(out, sizes, None, np.int64)


def _ends_of(before: int, indptr: NDArray[np.int64]) -> NDArray[np.int64]:
    return before + indptr[1:]


def _last(before: int, indptr: NDArray[np.int64]) -> int:
    return before + int(indptr[-1])


def _by_index(
    held: Any, queries: Rows, rows: int | None, radius: float, metric: Metric, own: bool
) -> list[Any]:
    task = delayed(_searched, traverse=False)
    return [
        task(held, block, start, queries.label(number), rows, radius, metric, own)
        for number, (block, start) in enumerate(zip(queries.blocks, queries.starts, strict=True))
    ]


def _searched(
    held: Database,
    rows: NDArray[Any],
    start: int,
    label: str,
    total: int | None,
    radius: float,
    metric: Metric,
    own: bool,
) -> Found:
    index = opened(held)
    check_index(index, total, rows.shape[1], metric)
    exclude = np.arange(start, start + len(rows)) if own else None
    try:
        near = index.radius_neighbors(
            rows, radius=radius, exclude=exclude, threads=threads_of_task()
        )
    except RowError as error:
        raise error.renamed(label, start + error.row) from None
    return near.indptr, near.indices, near.distances


def _by_blocks(
    queries: Rows,
    among: Rows,
    radius: float,
    metric: Metric,
    itself: bool,
    include_self: bool,
) -> list[Any]:
    """Return what each block finds in all; among themselves each pair is compared once."""
    task = delayed(_found, traverse=False)
    sides = [
        [
            (block, rows.starts[number], rows.label(number))
            for number, block in enumerate(rows.blocks)
        ]
        for rows in (queries, among)
    ]
    parts: list[list[Any]] = [[] for _ in queries.blocks]
    if not itself:
        for number, asking in enumerate(sides[0]):
            parts[number] = [task(asking, asked, radius, metric, None) for asked in sides[1]]
    else:
        turned = delayed(_turned, traverse=False)
        for number, asking in enumerate(sides[0]):
            parts[number].append(task(asking, asking, radius, metric, include_self))
        for a, b in combinations(range(len(queries.blocks)), 2):
            near = task(sides[0][a], sides[0][b], radius, metric, None)
            parts[a].append(near)
            starts = queries.starts[a], queries.starts[b]
            parts[b].append(turned(near, *starts, queries.sizes[b]))
    return [delayed(_merged, traverse=False)(each) for each in parts]


def _found(
    asking: tuple[NDArray[Any], int, str],
    asked: tuple[NDArray[Any], int, str],
    radius: float,
    metric: Metric,
    itself: bool | None,
) -> Found:
    """Search one block in another, or among itself, where `itself` is `include_self`."""
    queries, rows = asking[0], asked[0]
    try:
        near = radius_in_memory(
            queries,
            rows if itself is None else None,
            radius=radius,
            metric=metric,
            include_self=bool(itself),
            threads=threads_of_task(),
        )
    except RowError as error:
        _, start, label = (asking, asked)[error.side]
        raise error.renamed(label, start + error.row) from None
    return near.indptr, near.indices + asked[1], near.distances


def _turned(near: Found, first: int, start: int, size: int) -> Found:
    """Return what the rows asked find among those that asked."""
    indptr, indices, distances = near
    found = radius_transposed(RadiusNeighbors(indptr, indices - start, distances), size)
    return found.indptr, found.indices + first, found.distances


def _merged(parts: list[Found]) -> Found:
    near = merge_radius([RadiusNeighbors(*part) for part in parts])
    return near.indptr, near.indices, near.distances
