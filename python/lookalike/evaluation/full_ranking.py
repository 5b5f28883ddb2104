"""Measures of the whole ranking, down to the last relevant image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance import cdist, topk
from lookalike.distance.metrics import AnyMetric, Metric
from lookalike.evaluation.query_set import ByCategory, QuerySet, means_over_categories

__all__ = ["FullRanking", "rank_fully"]

BLOCK = 2**22  # distances at a time: some 100 MiB with their order


@dataclass(frozen=True)
class FullRanking:
    """Measures that need every image's place.

    Attributes
    ----------
    r_precision : dict of dict
        ``[metric][category]``: precision among the R nearest, where it equals recall.
    average_precision : dict of dict
        ``[metric][category]``: mean of the precision at the places of all R relevant images.
    mean_r_precision, mean_average_precision : dict
        ``[metric]``: means over the categories.
    curves : dict of dict
        ``[metric][category]``: (R,) float64 array, the mean precision at which the r-th relevant
        image is found. Its recall is r / R, the same for all queries of a category, so nothing is
        interpolated.
    """

    r_precision: ByCategory
    average_precision: ByCategory
    mean_r_precision: dict[AnyMetric, float]
    mean_average_precision: dict[AnyMetric, float]
    curves: dict[AnyMetric, dict[Any, NDArray[np.float64]]]


def rank_fully(
    features: NDArray[Any],
    queries: QuerySet,
    metrics: Mapping[AnyMetric, Metric],
    threads: int | None,
    report: Callable[[int], object],
) -> FullRanking:
    """Rank all images for every query, under every metric.

    Memory stays bounded: the distances of some queries at a time, never n × n.
    """
    r_precision: ByCategory = {}
    average_precision: ByCategory = {}
    curves: dict[AnyMetric, dict[Any, NDArray[np.float64]]] = {}
    names = queries.labels.categories
    for number, (metric, chosen) in enumerate(metrics.items()):
        sums = {code: np.zeros(queries.labels.counts[code]) for code in queries.present}
        first = np.empty(len(queries.rows))
        mean = np.empty(len(queries.rows))
        step = max(1, BLOCK // len(features))
        for start in range(0, len(queries.rows), step):
            block = slice(start, start + step)
            places = _places_of_relevant(features, queries, block, chosen, threads)
            for code, (rows, found) in places.items():
                precision = np.arange(1, found.shape[1] + 1) / (found + 1)
                mean[start + rows] = precision.mean(axis=1)
                first[start + rows] = (found < found.shape[1]).mean(axis=1)
                sums[code][: found.shape[1]] += precision.sum(axis=0)
            report(number * len(features) + min(start + step, len(queries.rows)))
        r_precision[metric] = queries.by_category(first)
        average_precision[metric] = queries.by_category(mean)
        curves[metric] = {
            names[code]: sums[code][: queries.labels.counts[code] - (not queries.include_self)]
            / queries.counts[code]
            for code in queries.present
        }
    return FullRanking(
        r_precision,
        average_precision,
        means_over_categories(r_precision),
        means_over_categories(average_precision),
        curves,
    )


def _places_of_relevant(
    features: NDArray[Any], queries: QuerySet, block: slice, metric: Metric, threads: int | None
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return, for each category in the block, its queries and the places of their R relevant."""
    rows, codes = queries.rows[block], queries.codes[block]
    distances = cdist(features[rows], features, metric, dtype=np.float64, threads=threads)
    order = topk(distances, len(features), threads=threads).indices
    if not queries.include_self:
        others = order != rows[:, None]
        order = order[others].reshape(len(rows), -1)
    relevant = queries.labels.codes[order] == codes[:, None]
    places = np.nonzero(relevant)[1]  # R for each query, in its order
    owners = np.repeat(codes, queries.relevant[block])
    return {
        int(code): (
            np.flatnonzero(codes == code),
            places[owners == code].reshape(np.count_nonzero(codes == code), -1),
        )
        for code in np.unique(codes)
    }
