"""The nearest neighbours of rows that come in blocks, two of which are in memory at a time.

Every block keeps the `k` nearest that its rows have found so far; -1 at infinity stands where there
are fewer. A block is first compared in itself (`within`), then with each other block once
(`across`), which serves the rows of both. The distances that a row has kept are handed on, and what
cannot be among the nearest with these is not computed. When all pairs of blocks have met, in any
order, what they keep is the answer of one search to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike import _core
from lookalike.distance.arguments import NamingRows
from lookalike.distance.merging import merge_short
from lookalike.distance.metrics import Specification
from lookalike.distance.results import Neighbors, RadiusNeighbors

__all__ = ["Block", "across", "radius_transposed", "within"]


class Block(NamedTuple):
    """Consecutive rows, and the number of the first among all."""

    rows: NDArray[Any]
    first: int
    name: str = "X"  # for errors


def within(
    block: Block,
    k: int,
    metric: Specification,
    *,
    include_self: bool = False,
    threads: int = 0,
    report: Callable[[float], object] | None = None,
) -> Neighbors:
    """Return the `k` nearest that the rows of a block have in it."""
    rows = block.rows
    count = min(k, len(rows) - (not include_self))
    if not len(rows):
        return Neighbors(np.empty((0, k)), np.empty((0, k), np.int64))
    with NamingRows(block.name, block.name, block.first):
        if count < 1:
            _core.knn(rows, rows, metric, 1, False, None, threads, None)  # its values are checked
            return Neighbors(np.full((1, k), np.inf), np.full((1, k), -1, np.int64))
        distances, indices, _ = _core.knn(
            rows, None, metric, count, include_self, None, threads, report
        )
    return merge_short([Neighbors(distances, indices + block.first)], k, threads)


def across(
    one: Block,
    other: Block,
    kept: tuple[Neighbors, Neighbors],
    metric: Specification,
    *,
    threads: int = 0,
    report: Callable[[float], object] | None = None,
) -> tuple[Neighbors, Neighbors]:
    """Return what the rows of two blocks keep once they have found each other."""
    split, k = len(one.rows), kept[0].distances.shape[1]
    if not split or not len(other.rows):
        return kept
    together = np.concatenate((one.rows, other.rows))
    before = np.concatenate([near.distances for near in kept])
    count = min(k, max(split, len(other.rows)))
    with NamingRows(one.name, other.name):
        distances, indices, _ = _core.knn_across(
            together, split, metric, count, before, threads, report
        )
    places = np.where(indices < split, indices + one.first, indices - split + other.first)
    places[indices < 0] = -1
    sides = slice(split), slice(split, None)
    first, second = (
        merge_short([before, Neighbors(distances[side], places[side])], k, threads)
        for before, side in zip(kept, sides, strict=True)
    )
    return first, second


def radius_transposed(near: RadiusNeighbors, columns: int) -> RadiusNeighbors:
    """Return the same pairs, asked from the other side."""
    rows = np.repeat(np.arange(len(near.indptr) - 1), np.diff(near.indptr))
    order = np.lexsort((rows, near.distances, near.indices))
    counts = np.bincount(near.indices, minlength=columns)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return RadiusNeighbors(indptr, rows[order], near.distances[order])
