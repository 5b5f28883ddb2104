"""Precision and recall averaged as the paper averages them, from hits counted in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric
from lookalike.evaluation.query_set import ByCategory, QuerySet, means_over_categories

__all__ = ["Averages", "averages"]


@dataclass(frozen=True)
class Averages:
    """Precision and recall averaged from the hits of single queries.

    Attributes
    ----------
    precision, recall : dict of dict
        ``[metric][category]``: (10) and (11).
    mean_precision, mean_recall : dict
        ``[metric]``: means over the categories, (12) and (13).
    micro_precision, micro_recall : dict
        ``[metric]``: means over all queries, in which large categories weigh more. Not in the
        paper.
    """

    precision: ByCategory
    recall: ByCategory
    mean_precision: dict[AnyMetric, float]
    mean_recall: dict[AnyMetric, float]
    micro_precision: dict[AnyMetric, float]
    micro_recall: dict[AnyMetric, float]


def averages(queries: QuerySet, hits: Mapping[AnyMetric, NDArray[Any]], k: int) -> Averages:
    """Return the averages of hits among the `k` nearest of every query, (q,) for every metric.

    R is the same for all queries of a category, so its recall is the sum of the hits over R times
    the number of queries: whole numbers divided once.
    """
    names, counts = queries.labels.categories, queries.counts.tolist()
    size = queries.labels.counts - (not queries.include_self)
    relevant = size.tolist()
    precision: ByCategory = {}
    recall: ByCategory = {}
    micro_precision, micro_recall = {}, {}
    for metric, values in hits.items():
        # Sums of whole numbers below 2**53 are exact in float64.
        sums = np.bincount(queries.codes, weights=values, minlength=len(names)).tolist()
        precision[metric] = {names[c]: sums[c] / (k * counts[c]) for c in queries.present}
        recall[metric] = {names[c]: sums[c] / (relevant[c] * counts[c]) for c in queries.present}
        micro_precision[metric] = sum(sums) / (k * len(queries.rows))
        micro_recall[metric] = sum(sums[c] / relevant[c] for c in queries.present) / len(
            queries.rows
        )
    return Averages(
        precision,
        recall,
        means_over_categories(precision),
        means_over_categories(recall),
        micro_precision,
        micro_recall,
    )
