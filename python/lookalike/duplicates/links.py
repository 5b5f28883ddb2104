"""Which images may be the same picture, in memory that grows with the images, not the pairs.

All links of 10,000 frames of one scene would be 50 million pairs. So no list of links is ever made:
each block of pairs joins what it links, and is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.distance import knn, radius_neighbors
from lookalike.distance.few_pairs import few_pairs
from lookalike.distance.metrics import AnyMetric
from lookalike.progress import Progress

__all__ = ["Joined", "bits_apart", "join_near"]

NEAREST = 32
PAIRS_AT_ONCE = 1 << 23
"""Pairs found at once: their rows and distances take 128 MiB."""

Rows = npt.NDArray[np.int64]
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint16)


class Joined:
    """A partition of images into those that are linked, directly or through others.

    Attributes
    ----------
    label : (n,) int64 array
        Of each image, the lowest of those it is joined with.

    Examples
    --------
    >>> joined = Joined(5)
    >>> joined.join(np.array([4]), np.array([1]))
    >>> joined.join(np.array([1]), np.array([3]))
    >>> joined.label
    array([0, 1, 2, 1, 1])
    """

    def __init__(self, count: int) -> None:
        self.label: Rows = np.arange(count)

    def join(self, left: Rows, right: Rows) -> None:
        """Join the two ends of each link."""
        while True:
            # The lower of two linked labels is hung on the other; then all look one further up.
            a, b = self.label[left], self.label[right]
            lower = np.minimum(a, b)
            found = self.label.copy()
            np.minimum.at(found, a, lower)
            np.minimum.at(found, b, lower)
            while not np.array_equal(further := found[found], found):
                found = further
            if np.array_equal(found, self.label):
                return
            self.label = found

    def groups(self) -> list[list[int]]:
        """Return the images that are joined with others, in ascending order."""
        order = np.argsort(self.label, kind="stable")
        starts = np.flatnonzero(np.diff(self.label[order], prepend=-1))
        return [some.tolist() for some in np.split(order, starts[1:]) if len(some) > 1]


def join_near(
    joined: Joined,
    which: Rows,
    rows: npt.NDArray[Any],
    radius: float,
    metric: AnyMetric,
    linked: Callable[[Rows, Rows], npt.NDArray[np.bool_]],
    progress: Progress = None,
) -> None:
    """Join the images whose rows lie within `radius` of each other and that `linked` confirms.

    Parameters
    ----------
    which : (m,) int64 array
        The images that the rows are of.
    rows : (m, d) array
        What is compared.
    linked : callable(left, right)
        Says of pairs of images, given as arrays, which are to be joined.

    Notes
    -----
    All pairs within the radius are taken if they are no more than the 32 nearest of every row. Of
    more, the nearest are: whose 32nd lies beyond the radius has shown all its links. Only two of
    the others, in whose neighbourhood it is crowded, can have a link that was not seen; those are
    searched within the radius, as many at once as may find `PAIRS_AT_ONCE` pairs, and against those
    alone that they are not joined with.
    """
    if len(rows) < 2:
        return

    def join(left: Rows, right: Rows) -> None:
        left, right = which[left], which[right]
        apart = joined.label[left] != joined.label[right]
        left, right = left[apart], right[apart]
        kept = linked(left, right)
        joined.join(left[kept], right[kept])

    few = few_pairs(rows, radius, metric, NEAREST * len(rows), progress)
    if few is not None:
        row = np.repeat(np.arange(len(rows)), np.diff(few.indptr))
        nearest = np.arange(len(row)) - few.indptr[row] < NEAREST
        for some in (nearest, ~nearest):  # whom the nearest have joined is not compared again
            join(row[some], few.indices[some])
        return
    near = knn(rows, k=NEAREST, metric=metric, progress=progress)
    row, place = np.nonzero(near.distances <= radius)
    join(row, near.indices[row, place])
    crowded = np.flatnonzero(near.distances[:, -1] <= radius)
    del near
    # Those that are joined already lie side by side, the largest such run first.
    label = joined.label[which[crowded]]
    _, inverse, sizes = np.unique(label, return_inverse=True, return_counts=True)
    crowded = crowded[np.lexsort((inverse, -sizes[inverse]))]
    label = joined.label[which[crowded]]
    dense = rows[crowded]
    start = 0
    while start < len(crowded):
        run = start + int(np.argmin(np.append(label[start:] == label[start], False)))
        end = start + max(1, PAIRS_AT_ONCE // (len(crowded) - start))
        # Of one run, pairs of its own say nothing new.
        first = run if end <= run else start
        end = min(end, len(crowded))
        if first < len(crowded):
            found = radius_neighbors(dense[start:end], dense[first:], radius=radius, metric=metric)
            left = np.repeat(np.arange(start, end), np.diff(found.indptr))
            join(crowded[left], crowded[found.indices + first])
        start = end


def bits_apart(hashes: npt.NDArray[np.uint8], left: Rows, right: Rows) -> npt.NDArray[np.int64]:
    """Return in how many bits the hashes of pairs differ.

    Parameters
    ----------
    hashes : (n, b) uint8 array
        Of each image, its hash of 8·b bits.
    left, right : (m,) int64 array
        The pairs.

    Examples
    --------
    >>> bits_apart(np.array([[0], [7]], np.uint8), np.array([0]), np.array([1]))
    array([3])
    """
    apart = np.empty(len(left), np.int64)
    for start in range(0, len(left), 1 << 20):
        block = slice(start, start + (1 << 20))
        apart[block] = _BITS[hashes[left[block]] ^ hashes[right[block]]].sum(axis=1)
    return apart
