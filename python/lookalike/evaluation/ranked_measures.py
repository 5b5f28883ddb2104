"""Measures of the places that hits have among the k nearest, as other tools define them.

Each is a number of every query, averaged by category, over the categories, and over all queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric, metric_label
from lookalike.evaluation.query_set import ByCategory, QuerySet, means_over_categories
from lookalike.evaluation.ranking import Ranking

__all__ = ["OF_QUERIES", "RankedMeasures"]

OF_QUERIES: Mapping[str, Callable[[Ranking, int, NDArray[np.int64]], NDArray[Any]]] = {
    "precision": lambda ranking, k, relevant: ranking.hits(k) / k,
    "recall": lambda ranking, k, relevant: ranking.hits(k) / relevant,
    "average_precision": lambda ranking, k, relevant: (
        ranking.precision_at_hits(k) / np.minimum(k, relevant)
    ),
    "average_precision_over_r": lambda ranking, k, relevant: (
        ranking.precision_at_hits(k) / relevant
    ),
    "reciprocal_rank": lambda ranking, k, relevant: ranking.reciprocal_rank(k),
    "hit_rate": lambda ranking, k, relevant: (ranking.hits(k) > 0).astype(np.float64),
    "ndcg": lambda ranking, k, relevant: ranking.ndcg(k, relevant),
}
"""Measures of every query, (q,), of a ranking, k and R."""


class RankedMeasures:
    """The part of a `Result` that looks at the places of hits."""

    def __init__(self, queries: QuerySet, rankings: Mapping[AnyMetric, Ranking], k: int) -> None:
        self._queries = queries
        self._rankings = rankings
        self.k = k

    def per_query(self, measure: str, metric: AnyMetric) -> NDArray[np.float64]:
        """Return a measure of every query, (q,) float64, in the order of `query_rows`.

        Parameters
        ----------
        measure : str
            precision, recall, average_precision, average_precision_over_r, reciprocal_rank,
            hit_rate or ndcg.
        metric : str or Metric
        """
        if measure not in OF_QUERIES:
            raise ValueError(f"measure must be one of {', '.join(OF_QUERIES)}, got {measure!r}")
        return OF_QUERIES[measure](self._ranking(metric), self.k, self._queries.relevant)

    @cached_property
    def average_precision(self) -> ByCategory:
        """``[metric][category]``: AP@k, the precision at each hit summed, over min(k, R)."""
        return self._by_category("average_precision")

    @cached_property
    def mean_average_precision(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of `average_precision` over the categories."""
        return means_over_categories(self.average_precision)

    @cached_property
    def micro_average_precision(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of AP@k over min(k, R) over all queries."""
        return self._micro("average_precision")

    @cached_property
    def average_precision_over_r(self) -> ByCategory:
        """``[metric][category]``: AP@k, the precision at each hit summed, over R."""
        return self._by_category("average_precision_over_r")

    @cached_property
    def mean_average_precision_over_r(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of `average_precision_over_r` over the categories."""
        return means_over_categories(self.average_precision_over_r)

    @cached_property
    def micro_average_precision_over_r(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of AP@k over R over all queries: what others call MAP@k."""
        return self._micro("average_precision_over_r")

    @cached_property
    def reciprocal_rank(self) -> ByCategory:
        """``[metric][category]``: 1 over the place of the first hit, 0 without one."""
        return self._by_category("reciprocal_rank")

    @cached_property
    def mean_reciprocal_rank(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of `reciprocal_rank` over the categories."""
        return means_over_categories(self.reciprocal_rank)

    @cached_property
    def micro_reciprocal_rank(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean over all queries: what others call MRR@k."""
        return self._micro("reciprocal_rank")

    @cached_property
    def hit_rate(self) -> ByCategory:
        """``[metric][category]``: share of the queries that have a hit, success@k."""
        return self._by_category("hit_rate")

    @cached_property
    def mean_hit_rate(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of `hit_rate` over the categories."""
        return means_over_categories(self.hit_rate)

    @cached_property
    def micro_hit_rate(self) -> dict[AnyMetric, float]:
        """``[metric]``: share of all queries that have a hit."""
        return self._micro("hit_rate")

    @cached_property
    def ndcg(self) -> ByCategory:
        """``[metric][category]``: nDCG@k, gains 0 and 1, an ideal list of min(k, R) hits."""
        return self._by_category("ndcg")

    @cached_property
    def mean_ndcg(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of `ndcg` over the categories."""
        return means_over_categories(self.ndcg)

    @cached_property
    def micro_ndcg(self) -> dict[AnyMetric, float]:
        """``[metric]``: mean of nDCG@k over all queries."""
        return self._micro("ndcg")

    def _by_category(self, measure: str) -> ByCategory:
        of = self._queries
        return {m: of.by_category(self.per_query(measure, m)) for m in self._rankings}

    def _micro(self, measure: str) -> dict[AnyMetric, float]:
        return {m: float(self.per_query(measure, m).mean()) for m in self._rankings}

    def _ranking(self, metric: AnyMetric) -> Ranking:
        if metric not in self._rankings:
            known = ", ".join(map(metric_label, self._rankings))
            raise ValueError(f"metric must be one of {known}, got {metric!r}")
        return self._rankings[metric]
