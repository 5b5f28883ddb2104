"""The nearest rows of blocks: against one index, or blocks against blocks."""

from __future__ import annotations

from typing import Any, Literal, SupportsIndex, Unpack

import dask.array as da
import numpy as np
from dask import delayed
from numpy.typing import ArrayLike, NDArray

from lookalike.dask.arrays import Rows, check_sides, joined, rows_of
from lookalike.dask.databases import Database, IndexLike, check_index, database, opened
from lookalike.dask.threads import threads_of_task
from lookalike.distance.arguments import (
    RowError,
    check_k,
    checked_matrix,
    row_error,
    whole_number,
)
from lookalike.distance.blocks import Block, across, within
from lookalike.distance.index import Index
from lookalike.distance.matrices import require_finite
from lookalike.distance.merging import merge
from lookalike.distance.metrics import AnyMetric, Metric, Parameters, as_metric, complete
from lookalike.distance.neighbors import knn as knn_in_memory
from lookalike.distance.own_rows import wants_itself_first
from lookalike.distance.results import Neighbors

__all__ = ["knn"]

Found = tuple[NDArray[np.float64], NDArray[np.int64]]
"""`Neighbors` as they go from task to task."""


def knn(
    x: da.Array | ArrayLike,
    y: da.Array | ArrayLike | Index | None = None,
    *,
    k: SupportsIndex = 100,
    metric: AnyMetric = "correlation",
    include_self: bool | Literal["first"] = False,
    index: IndexLike = None,
    **parameters: Unpack[Parameters],
) -> tuple[da.Array, da.Array]:
    """Find the `k` nearest rows of `y` for every row of `x`, exactly, in blocks.

    Parameters
    ----------
    x : (n, d) dask.array.Array
        The rows whose neighbours are wanted, in chunks of whole rows.
    y : (m, d) dask.array.Array, array_like or Index, optional
        The rows to choose from; by default `x` itself, each pair of blocks compared once.
    k, metric, include_self, p, w, V, VI
        As for `lookalike.knn`; a `V` or `VI` must be given.
    index : Index, path or True, optional
        An index of the rows to choose from, against which each block of `x` is searched, where
        every worker has room for their codes: one in memory, the path of one that was saved where
        every worker can read it, or True: one is made by a task and goes to each worker. By default
        blocks are compared with blocks, and no task has more than two.

    Returns
    -------
    distances, indices : dask.array.Array
        (n, k) each, float64 and int64, in the chunks of `x`: what
        ``lookalike.knn(x.compute(), …)`` returns, to the bit.

    Raises
    ------
    ValueError
        As `lookalike.knn`; also if chunks are of unknown sizes or divide the columns, or the
        `index` is of other rows or another metric. A value that is not finite is an error of the
        computation, which names the block and the row.
    TypeError
        As `lookalike.knn`.

    Examples
    --------
    >>> import dask.array as da, numpy as np, lookalike as la, lookalike.dask
    >>> x = da.random.default_rng(0).random((300, 16), chunks=(100, 16))
    >>> distances, indices = lookalike.dask.knn(x, k=5)
    >>> np.array_equal(indices.compute(), la.knn(x.compute(), k=5).indices)
    True
    """
    count = whole_number(k, "k")
    chosen = complete(as_metric(metric, **parameters), None)
    first = wants_itself_first(include_self)
    queries = rows_of(x, "x")
    chosen.specification(queries.columns)  # parameters of another length are refused
    if isinstance(y, Index):
        if index is not None:
            raise ValueError("index must be None where y is an Index")
        check_index(y, None, queries.columns, chosen)
    among = queries if y is None or isinstance(y, Index) else rows_of(y, "y")
    check_sides(queries, among, y is None, bool(include_self))
    available = len(y) if isinstance(y, Index) else len(among)
    others = y is None and not include_self
    what = "the other rows of x" if others else ""
    check_k(count, len(queries), available - others, None, what)
    wanted = count - first
    if wanted == 0 or not len(queries):  # nothing else is wanted, but the rows are looked at
        task = delayed(_nothing, traverse=False)
        found = [
            task(rows, start, queries.label(number), chosen)
            for number, (rows, start) in enumerate(zip(queries.blocks, queries.starts, strict=True))
        ]
    elif isinstance(y, Index):
        found = _by_index(delayed(y, traverse=False), queries, None, wanted, chosen, False)
    elif index is not None and index is not False:
        held = database(index, among, chosen)
        own = y is None and (first or not include_self)
        found = _by_index(held, queries, len(among), wanted, chosen, own)
    elif y is None:
        found = _triangle(queries, wanted, chosen, include_self is True)
    else:
        found = _by_blocks(queries, among, wanted, chosen)
    if first:
        found = [
            delayed(_first, traverse=False)(near, start)
            for near, start in zip(found, queries.starts, strict=True)
        ]
    distances = joined([near[0] for near in found], queries.sizes, count, np.float64)
    indices = joined([near[1] for near in found], queries.sizes, count, np.int64)
    return distances, indices


def _by_index(
    held: Any, queries: Rows, rows: int | None, k: int, metric: Metric, own: bool
) -> list[Any]:
    task = delayed(_searched, traverse=False)
    return [
        task(held, block, start, queries.label(number), rows, k, metric, own)
        for number, (block, start) in enumerate(zip(queries.blocks, queries.starts, strict=True))
    ]


def _searched(
    held: Database,
    rows: NDArray[Any],
    start: int,
    label: str,
    total: int | None,
    k: int,
    metric: Metric,
    own: bool,
) -> Found:
    """Search a block of rows in an index; `own` leaves each out of its own list."""
    index = opened(held)
    check_index(index, total, rows.shape[1], metric)
    exclude = np.arange(start, start + len(rows)) if own else None
    try:
        near = index.knn(rows, k, exclude=exclude, threads=threads_of_task())
    except RowError as error:
        raise row_error(label, error.side, error.why, start + error.row) from None
    return near.distances, near.indices


def _by_blocks(queries: Rows, among: Rows, k: int, metric: Metric) -> list[Any]:
    """Return what each block of queries finds in each block of the others, merged."""
    task, merged = delayed(_found, traverse=False), delayed(_merged, traverse=False)
    out = []
    for number, rows in enumerate(queries.blocks):
        asking = rows, queries.starts[number], queries.label(number)
        parts = [
            task(asking, (block, among.starts[place], among.label(place)), k, metric)
            for place, block in enumerate(among.blocks)
            if among.sizes[place]
        ]
        out.append(merged(parts, k))
    return out


def _found(
    asking: tuple[NDArray[Any], int, str],
    asked: tuple[NDArray[Any], int, str],
    k: int,
    metric: Metric,
) -> Found:
    queries, rows = asking[0], asked[0]
    try:
        near = knn_in_memory(
            queries, rows, k=min(k, len(rows)), metric=metric, threads=threads_of_task()
        )
    except RowError as error:
        _, start, label = (asking, asked)[error.side]
        raise row_error(label, error.side, error.why, start + error.row) from None
    return near.distances, near.indices + asked[1]


def _merged(parts: list[Any], k: int) -> Found:
    near = merge(parts, k, threads=threads_of_task())
    return near.distances, near.indices


def _triangle(rows: Rows, k: int, metric: Metric, include_self: bool) -> list[Any]:
    """Return what each block keeps after all have met.

    They meet in rounds, in each of which every block meets one other, so that half as many tasks as
    there are blocks run at a time, each with the bounds of all rounds before. In the first round
    neighbouring blocks are searched as one, which serves them among themselves as well.
    """
    met, together = (delayed(task, nout=2, traverse=False) for task in (_met, _together))
    alone = delayed(_alone, traverse=False)
    blocks = [
        delayed(_block, traverse=False)(each, start, rows.label(number))
        for number, (each, start) in enumerate(zip(rows.blocks, rows.starts, strict=True))
    ]
    first, *others = rounds(len(blocks))
    kept: list[Any] = [None for _ in blocks]
    for a, b in first:
        kept[a], kept[b] = together(blocks[a], blocks[b], k, metric, include_self)
    if len(blocks) % 2:
        kept[-1] = alone(blocks[-1], k, metric, include_self)
    for pairs in others:
        for a, b in pairs:
            kept[a], kept[b] = met(blocks[a], blocks[b], kept[a], kept[b], metric)
    return kept


def rounds(count: int) -> list[list[tuple[int, int]]]:
    """Return all pairs of so many in rounds: nobody meets two others in one.

    The first round is of neighbours, and of an odd number the last is left over.
    """
    ring = [*range(count), *([-1] if count % 2 else [])]
    half, found = len(ring) // 2, []
    for _ in range(max(1, len(ring) - 1)):
        pairs = zip(ring[:half], reversed(ring[half:]), strict=True)
        found.append([pair for pair in pairs if min(pair) >= 0])
        ring[1:] = ring[-1:] + ring[1:-1]
    seats = [each for pair in found[0] for each in pair]
    place = {each: new for new, each in enumerate(seats)}
    place |= {each: count - 1 for each in range(count) if each not in place}
    seated = [[(place[a], place[b]) for a, b in pairs] for pairs in found]
    return [[(min(pair), max(pair)) for pair in pairs] for pairs in seated]


def _block(rows: NDArray[Any], start: int, label: str) -> Block:
    return Block(checked_matrix(rows, label), start, label)


def _alone(block: Block, k: int, metric: Metric, include_self: bool) -> Neighbors:
    threads = threads_of_task() or 0
    return within(block, k, metric.specification(), include_self=include_self, threads=threads)


def _together(
    one: Block, other: Block, k: int, metric: Metric, include_self: bool
) -> tuple[Neighbors, Neighbors]:
    """Search two blocks that follow each other as one."""
    split = len(one.rows)
    both = Block(np.concatenate((one.rows, other.rows)), one.first)
    try:
        near = _alone(both, k, metric, include_self)
    except RowError as error:
        label = one.name if error.row < other.first else other.name
        raise row_error(label, error.side, error.why, error.row) from None
    distances, indices = near
    return (
        Neighbors(distances[:split], indices[:split]),
        Neighbors(distances[split:], indices[split:]),
    )


def _met(
    one: Block, other: Block, mine: Neighbors, theirs: Neighbors, metric: Metric
) -> tuple[Neighbors, Neighbors]:
    return across(
        one, other, (mine, theirs), metric.specification(), threads=threads_of_task() or 0
    )


def _nothing(rows: NDArray[Any], start: int, label: str, metric: Metric) -> Found:
    """Return lists of no neighbours for a block, whose values are checked."""
    try:
        if len(rows):
            require_finite(checked_matrix(rows, label), label, threads_of_task(), metric)
    except RowError as error:
        raise row_error(label, error.side, error.why, start + error.row) from None
    return np.empty((len(rows), 0)), np.empty((len(rows), 0), np.int64)


def _first(near: Found, start: int) -> Found:
    """Put the rows of a block in front of their neighbours."""
    n = len(near[0])
    own = np.arange(start, start + n)[:, None]
    return np.concatenate((np.zeros((n, 1)), near[0]), 1), np.concatenate((own, near[1]), 1)
