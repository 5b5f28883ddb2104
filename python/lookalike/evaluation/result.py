"""What is known of the k nearest neighbours of labelled images under several metrics.

Equation numbers are the paper's. Hits are counted in integers and summed exactly; every average of
a category is one division of two integers, every average over categories NumPy's mean of those.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric, metric_label
from lookalike.evaluation.averages import Averages, averages
from lookalike.evaluation.full_ranking import FullRanking
from lookalike.evaluation.query_set import ByCategory, QuerySet
from lookalike.evaluation.ranked_measures import RankedMeasures
from lookalike.evaluation.ranking import Ranking

__all__ = ["Result"]


class Result(RankedMeasures):
    """The numbers of an `Evaluation`, which says what each is."""

    def __init__(
        self,
        queries: QuerySet,
        rankings: Mapping[AnyMetric, Ranking],
        ks: tuple[int, ...],
        full: FullRanking | None,
        k: int,
        skipped: Mapping[AnyMetric, str] | None = None,
    ) -> None:
        super().__init__(queries, rankings, k)
        self.ks = ks
        self.full = full
        self.skipped = dict(skipped or {})

    @property
    def metrics(self) -> tuple[AnyMetric, ...]:  # noqa: D102 - described above, as are the next
        return tuple(self._rankings)

    @property
    def include_self(self) -> bool:  # noqa: D102
        return self._queries.include_self

    @property
    def categories(self) -> tuple[Any, ...]:  # noqa: D102
        names = self._queries.labels.categories
        return tuple(names[code] for code in self._queries.present)

    @property
    def counts(self) -> dict[Any, int]:  # noqa: D102
        known = self._queries.labels
        return dict(zip(known.categories, known.counts.tolist(), strict=True))

    @property
    def images(self) -> int:
        """How many images the database has."""
        return len(self._queries.labels.codes)

    @property
    def queries(self) -> int:  # noqa: D102
        return len(self._queries.rows)

    @property
    def left_out(self) -> int:  # noqa: D102
        return self.images - self.unlabelled - self.queries

    @property
    def unlabelled(self) -> int:  # noqa: D102
        return self._queries.labels.unlabelled

    @cached_property
    def _averages(self) -> Averages:
        return averages(self._queries, {m: self.hits(m) for m in self.metrics}, self.k)

    @property
    def precision(self) -> ByCategory:  # noqa: D102
        return self._averages.precision

    @property
    def recall(self) -> ByCategory:  # noqa: D102
        return self._averages.recall

    @property
    def mean_precision(self) -> dict[AnyMetric, float]:  # noqa: D102
        return self._averages.mean_precision

    @property
    def mean_recall(self) -> dict[AnyMetric, float]:  # noqa: D102
        return self._averages.mean_recall

    @property
    def micro_precision(self) -> dict[AnyMetric, float]:  # noqa: D102
        return self._averages.micro_precision

    @property
    def micro_recall(self) -> dict[AnyMetric, float]:  # noqa: D102
        return self._averages.micro_recall

    @cached_property
    def tie_averaged(self) -> Averages:
        """The averages expected if images at the same distance came in random order.

        Where the k-th and the next image tie, which of them is retrieved depends on the order of
        the database alone.
        """
        expected = {m: r.expected_hits(self.k) for m, r in self._rankings.items()}
        return averages(self._queries, expected, self.k)

    @cached_property
    def tie_share(self) -> dict[AnyMetric, float]:
        """``[metric]``: share of the queries whose k-th and (k+1)-th distances are equal."""
        return {m: float(r.tied[:, self.k - 1].mean()) for m, r in self._rankings.items()}

    @property
    def query_rows(self) -> NDArray[np.int64]:
        """Rows of the queries in the database, (q,) int64, ascending."""
        return self._queries.rows

    @property
    def label_codes(self) -> NDArray[np.int64]:
        """Categories of all images as positions in `counts`, (n,) int64; −1 without a label."""
        return self._queries.labels.codes

    @property
    def query_relevant(self) -> NDArray[np.int64]:
        """R of every query, (q,) int64: what its recall divides by."""
        return self._queries.relevant

    @property
    def query_categories(self) -> NDArray[np.int64]:
        """Positions in `categories` of every query's, (q,) int64."""
        return np.searchsorted(self._queries.present, self._queries.codes)

    def hits(self, metric: AnyMetric) -> NDArray[np.int64]:
        """Count the relevant among the k nearest of every query, (q,) int64.

        Divided by `k` it is the precision (8) of a query, by `query_relevant` its recall (9).
        """
        return self._ranking(metric).hits(self.k)

    def neighbors(self, metric: AnyMetric) -> NDArray[np.int32]:
        """Return the rows of the k nearest of every query, (q, k) int32, nearest first."""
        return self._ranking(metric).indices[:, : self.k]

    def neighbor_codes(self, metric: AnyMetric) -> NDArray[np.int64]:
        """Return their categories as positions in `counts`, (q, k) int64; −1 without a label."""
        return self.label_codes[self.neighbors(metric)]

    def precision_curve(self, metric: AnyMetric) -> NDArray[np.float64]:
        """Return the mean precision over the categories at 1, 2, …, k neighbours, (k,) float64."""
        of = self._queries
        order = np.argsort(of.codes, kind="stable")
        counts = of.counts[of.present]
        starts = np.cumsum(counts) - counts
        found = self._ranking(metric).relevant[order, : self.k]
        hits = np.add.reduceat(found, starts, axis=0, dtype=np.int64)
        curves = np.cumsum(hits, axis=1) / counts[:, None] / np.arange(1, self.k + 1)
        curve: NDArray[np.float64] = curves.mean(axis=0)
        return curve

    def confusion(self, metric: AnyMetric) -> NDArray[np.int64]:
        """Count what the queries of a category retrieve, (C, C') int64.

        Row i, column j: how many of the k nearest of all queries of ``categories[i]`` are of the
        j-th category of ``counts``; the last column counts those without a label. C' is one more
        than the number of all categories, C that of those with queries.
        """
        rows, columns, counts = self.confusion_pairs(metric)
        table = np.zeros((len(self._queries.present), len(self.counts) + 1), np.int64)
        table[rows, columns] = counts
        return table

    def confusion_pairs(
        self, metric: AnyMetric
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of `confusion` that are not zero, as rows, columns and counts.

        With thousands of categories the whole table would be large and nearly empty.
        """
        width = len(self._queries.labels.categories) + 1
        found = self.neighbor_codes(metric) % width  # −1 becomes the last column
        found += self.query_categories[:, None] * width
        places, counts = np.unique(found, return_counts=True)
        return places // width, places % width, counts

    @property
    def best_metric(self) -> AnyMetric:
        """The metric of the highest mean precision; the first of several."""
        return max(self.mean_precision, key=self.mean_precision.__getitem__)

    @property
    def best(self) -> dict[Any, AnyMetric]:
        """``[category]``: the metric of the highest precision; the first of several."""
        return {
            category: max(self.metrics, key=lambda m: self.precision[m][category])
            for category in self.categories
        }

    def at(self, k: int) -> Self:
        """Return the same evaluation at another number of neighbours; nothing is searched again.

        Parameters
        ----------
        k : int
            A number from 1 to the largest that was searched.
        """
        count = operator.index(k)
        most = self.ks[-1]
        if not 1 <= count <= most:
            raise ValueError(f"k must be from 1 to {most}, the most searched for, got {count}")
        return type(self)(self._queries, self._rankings, self.ks, self.full, count, self.skipped)

    def __repr__(self) -> str:
        best = self.best_metric
        return (
            f"<{type(self).__name__} of {self.images} images, {len(self.categories)} categories, "
            f"k={self.k}: best {metric_label(best)}, "
            f"mean precision {self.mean_precision[best]:.4f}>"
        )
