"""The ranked list of every query under one metric, and where its distances tie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance import Neighbors, cdist, knn
from lookalike.distance.metrics import Metric
from lookalike.evaluation.labels import EncodedLabels
from lookalike.progress import Progress

__all__ = ["Ranker", "Ranking"]

FIRST_LOOK = 32  # neighbours beyond the k-th that are looked at first for the end of its ties
BLOCK = 2**22  # distances at a time: 32 MiB


@dataclass(frozen=True)
class Ranking:
    """The `k` nearest of every query.

    Attributes
    ----------
    indices : (q, k) int32 array
        Rows of the neighbours in the database, nearest first.
    relevant : (q, k) bool array
        Whether each neighbour is of the query's category.
    tied : (q, k) bool array
        Whether the one after a neighbour is at the same distance; after the last of the list comes
        the first outside it.
    beyond, beyond_relevant : (q,) int64 arrays
        How many images outside the list are at the distance of its last, and how many of those
        are relevant.
    """

    indices: NDArray[np.int32]
    relevant: NDArray[np.bool_]
    tied: NDArray[np.bool_]
    beyond: NDArray[np.int64] = field(repr=False)
    beyond_relevant: NDArray[np.int64] = field(repr=False)

    def hits(self, k: int) -> NDArray[np.int64]:
        """Count the relevant among the `k` nearest, (q,)."""
        counts: NDArray[np.int64] = self.relevant[:, :k].sum(axis=1, dtype=np.int64)
        return counts

    def expected_hits(self, k: int) -> NDArray[np.float64]:
        """Average the hits over all orders of the images tied at the `k`-th place, (q,) float64.

        Of a block of t images at one distance, r of them relevant, of which the list takes s, it
        takes s·r/t relevant ones in the mean.
        """
        expected = self.hits(k).astype(np.float64)
        rows = np.flatnonzero(self.tied[:, k - 1])
        tied, relevant = self.tied[rows], self.relevant[rows]
        length = tied.shape[1]
        start = k - 1 - _run_of_true(tied[:, : k - 1][:, ::-1])
        end = k - 1 + _run_of_true(tied[:, k - 1 :])  # the place of the last one tied, from 0
        outside = end == length
        sums = np.zeros((len(rows), length + 1), np.int64)
        np.cumsum(relevant, axis=1, out=sums[:, 1:])
        each = np.arange(len(rows))
        before = sums[each, start]
        after = sums[each, np.minimum(end + 1, length)]
        block = np.where(outside, length + self.beyond[rows], end + 1) - start
        block_relevant = after - before + np.where(outside, self.beyond_relevant[rows], 0)
        expected[rows] = before + (k - start) * block_relevant / block
        return expected

    def precision_at_hits(self, k: int) -> NDArray[np.float64]:
        """Sum the precision at each relevant place, (q,): AP before it is divided."""
        hits = self.relevant[:, :k]
        precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
        sums: NDArray[np.float64] = (precision * hits).sum(axis=1)
        return sums

    def reciprocal_rank(self, k: int) -> NDArray[np.float64]:
        """Divide 1 by the place of the first relevant, 0 where there is none, (q,)."""
        hits = self.relevant[:, :k]
        rank: NDArray[np.float64] = hits.any(axis=1) / (hits.argmax(axis=1) + 1)
        return rank

    def ndcg(self, k: int, relevant: NDArray[np.int64]) -> NDArray[np.float64]:
        """Normalise the discounted gain by that of a list that begins with min(k, R) hits, (q,)."""
        discounts = 1 / np.log2(np.arange(2, k + 2))
        # Both are summed from the first place on, so that a perfect list has exactly 1.
        ideal = np.cumsum(discounts)[np.minimum(k, relevant) - 1]
        gained = np.cumsum(self.relevant[:, :k] * discounts, axis=1)[:, -1]
        normalised: NDArray[np.float64] = gained / ideal
        return normalised


def _run_of_true(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length of the run of True that each row begins with."""
    closed = np.concatenate([rows, np.zeros((len(rows), 1), bool)], axis=1)
    lengths: NDArray[np.int64] = np.argmin(closed, axis=1)
    return lengths


@dataclass(frozen=True)
class Ranker:
    """Ranks the images of a database by their distance from some of them."""

    features: NDArray[Any]
    labels: EncodedLabels
    metric: Metric
    include_self: bool
    threads: int | None

    @property
    def available(self) -> int:
        """How many images a query can retrieve."""
        return len(self.features) - (not self.include_self)

    def nearest(self, queries: NDArray[np.int64], k: int, progress: Progress = None) -> Neighbors:
        """Find the `k` nearest of some rows among all rows."""
        if 2 * len(queries) > len(self.features):  # a self-join computes every pair once
            found = knn(
                self.features,
                k=k,
                metric=self.metric,
                include_self=self.include_self,
                threads=self.threads,
                progress=progress,
            )
            if len(queries) == len(self.features):
                return found
            return Neighbors(found.distances[queries], found.indices[queries], len(self.features))
        return knn(
            self.features[queries],
            self.features,
            k=k,
            metric=self.metric,
            exclude=None if self.include_self else queries,
            threads=self.threads,
            progress=progress,
        )

    def rank(self, queries: NDArray[np.int64], k: int, progress: Progress = None) -> Ranking:
        """Rank the `k` nearest of some rows: which they are, which are relevant, where they tie."""
        depth = min(k + 1, self.available)  # one more shows whether the k-th place is tied
        found = self.nearest(queries, depth, progress)
        indices = found.indices[:, :k].astype(np.int32)
        tied = np.zeros(indices.shape, bool)
        before, after = found.distances[:, : depth - 1], found.distances[:, 1:depth]
        np.equal(before, after, out=tied[:, : depth - 1])
        relevant = self.labels.codes[indices] == self.labels.codes[queries, None]
        beyond = np.zeros((2, len(queries)), np.int64)
        rows = np.flatnonzero(tied[:, k - 1])
        if len(rows):
            beyond[:, rows] = self._tied_beyond(queries[rows], found.distances[rows, k - 1], k)
        return Ranking(indices, relevant, tied, *beyond)

    def _tied_beyond(
        self, queries: NDArray[np.int64], last: NDArray[np.float64], k: int
    ) -> NDArray[np.int64]:
        """Count the images behind the k-th at its distance `last`, and the relevant ones, (2, q).

        Few ties are long: somewhat longer lists hold most of them, all distances the others.
        """
        depth = min(k + FIRST_LOOK, self.available)
        found = self.nearest(queries, depth)
        own = self.labels.codes[queries, None]
        tied = found.distances == last[:, None]
        relevant = tied & (self.labels.codes[found.indices] == own)
        counts = np.stack([tied[:, k:].sum(axis=1), relevant[:, k:].sum(axis=1)])
        longer = np.flatnonzero(tied[:, -1]) if depth < self.available else np.empty(0, np.int64)
        step = max(1, BLOCK // len(self.features))
        for start in range(0, len(longer), step):
            rows = longer[start : start + step]
            asking = queries[rows]
            distances = cdist(
                self.features[asking],
                self.features,
                self.metric,
                dtype=np.float64,
                threads=self.threads,
            )
            everywhere = distances == last[rows, None]
            if not self.include_self:
                everywhere[np.arange(len(rows)), asking] = False
            counts[0, rows] = everywhere.sum(axis=1) - tied[rows, :k].sum(axis=1)
            everywhere &= self.labels.codes == own[rows]
            counts[1, rows] = everywhere.sum(axis=1) - relevant[rows, :k].sum(axis=1)
        return counts
