"""How far a difference between metrics can be trusted: a paired, stratified bootstrap."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric
from lookalike.progress import Progress, reporting

if TYPE_CHECKING:
    from lookalike.evaluation.result import Result

__all__ = ["Comparison", "Evidence", "bootstrap", "holm"]

BLOCK = 2**22  # draws at a time


@dataclass(frozen=True)
class Comparison:
    """Two metrics on the same queries.

    Attributes
    ----------
    metric, other : str or Metric
    difference : float
        Precision of `metric` less that of `other`.
    low, high : float
        Interval of the difference.
    p : float
        Two-sided: twice the smaller share of samples whose difference is not above, or not below,
        zero.
    p_holm : float
        The same after Holm's correction for all pairs compared together.
    """

    metric: AnyMetric
    other: AnyMetric
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Evidence:
    """How sure differences between metrics are, as `bootstrap` finds it.

    Attributes
    ----------
    k, samples, seed, confidence
        As they were given.
    intervals : dict
        ``[metric]``: (low, high) of the mean precision.
    category_intervals : dict of dict
        ``[metric][category]``: (low, high) of a category's precision. Recall in a category is
        precision times k / R, and so are its limits.
    comparisons : list of Comparison
        All pairs of metrics, by mean precision.
    category_comparisons : dict
        ``[category]``: the same by that category's precision.
    """

    k: int
    samples: int
    seed: int
    confidence: float
    intervals: dict[AnyMetric, tuple[float, float]]
    category_intervals: dict[AnyMetric, dict[Any, tuple[float, float]]]
    comparisons: list[Comparison]
    category_comparisons: dict[Any, list[Comparison]]

    def rivals(self, metric: AnyMetric, category: Any = None) -> tuple[AnyMetric, ...]:
        """Return the metrics whose difference from `metric` may be chance, after Holm's correction.

        Parameters
        ----------
        metric : str or Metric
        category : optional
            The category to look at; by default the mean precision over all of them.
        """
        pairs = self.comparisons if category is None else self.category_comparisons[category]
        close = [pair for pair in pairs if pair.p_holm >= 1 - self.confidence]
        others = {pair.metric for pair in close if pair.other == metric}
        others |= {pair.other for pair in close if pair.metric == metric}
        return tuple(name for name in self.intervals if name in others)


def bootstrap(
    evaluation: Result,
    samples: int = 10_000,
    *,
    seed: int = 0,
    confidence: float = 0.95,
    progress: Progress = None,
) -> Evidence:
    """Draw the queries of every category again, many times, and compare the metrics on them.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation whose metrics are compared, at its `k`.
    samples : int
        How many times queries are drawn. The smallest p is 2 / (samples + 1) before the
        correction, which multiplies it by up to 21.
    seed : int
    confidence : float
        Confidence of the intervals, which run between percentiles of the samples.
    progress : None, True or callable(done, total)

    Returns
    -------
    Evidence

    Notes
    -----
    Every sample draws, with replacement, as many queries of each category as it has (stratified)
    and takes the hits of the same queries under every metric (paired). What is drawn again is who
    asks. The database and with it every list of neighbours stays as it is, so the result holds for
    *this database*: it tells whether another set of queries like these would rank the metrics
    alike, not what other photos would give.

    Examples
    --------
    >>> import lookalike as la
    >>> features = np.random.default_rng(0).random((60, 8)) + np.eye(60, 8)
    >>> found = la.evaluate(features, np.arange(60) % 3, k=5)
    >>> evidence = bootstrap(found, samples=200)
    >>> len(evidence.comparisons)
    21
    """
    count = operator.index(samples)
    if count < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    metrics, categories = evaluation.metrics, evaluation.categories
    hits = np.stack([evaluation.hits(metric) for metric in metrics], axis=1).astype(np.float64)
    of = evaluation.query_categories
    limits = ((1 - confidence) / 2, (1 + confidence) / 2)
    random = np.random.default_rng(seed)
    mean = np.zeros((count, len(metrics)))
    intervals: dict[AnyMetric, dict[Any, tuple[float, float]]] = {metric: {} for metric in metrics}
    comparisons = {}
    with reporting(progress, len(hits), "bootstrap") as report:
        done = 0
        for number, category in enumerate(categories):
            own = hits[of == number]
            precision = _draw(own, count, random) / (evaluation.k * len(own))
            mean += precision / len(categories)
            for metric, low_high in _intervals(metrics, precision, limits).items():
                intervals[metric][category] = low_high
            observed = [evaluation.precision[metric][category] for metric in metrics]
            comparisons[category] = _compare(metrics, observed, precision, limits)
            done += len(own)
            report(done)
    observed = [evaluation.mean_precision[metric] for metric in metrics]
    return Evidence(
        evaluation.k,
        count,
        seed,
        confidence,
        _intervals(metrics, mean, limits),
        intervals,
        _compare(metrics, observed, mean, limits),
        comparisons,
    )


def _draw(
    hits: NDArray[np.float64], samples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Sum the hits, (n, metrics), of n queries drawn at random: return (samples, metrics)."""
    n = len(hits)
    sums = np.empty((samples, hits.shape[1]))
    step = max(1, BLOCK // n)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        drawn = random.integers(0, n, (size, n))
        drawn += np.arange(size)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        # Whole numbers: the product is exact, whatever the order in which BLAS sums.
        sums[start : start + size] = times.astype(np.float64) @ hits
    return sums


def _intervals(
    metrics: Sequence[AnyMetric], values: NDArray[np.float64], limits: tuple[float, float]
) -> dict[AnyMetric, tuple[float, float]]:
    low, high = np.quantile(values, limits, axis=0).tolist()
    return dict(zip(metrics, zip(low, high, strict=True), strict=True))


def _compare(
    metrics: Sequence[AnyMetric],
    observed: Sequence[float],
    values: NDArray[np.float64],
    limits: tuple[float, float],
) -> list[Comparison]:
    pairs = list(itertools.combinations(range(len(metrics)), 2))
    if not pairs:
        return []
    differences = np.stack([values[:, a] - values[:, b] for a, b in pairs])
    low, high = np.quantile(differences, limits, axis=1).tolist()
    rarer = np.minimum((differences <= 0).sum(axis=1), (differences >= 0).sum(axis=1))
    p = np.minimum(1, 2 * (1 + rarer) / (1 + len(values)))
    corrected = holm(p)
    return [
        Comparison(
            metrics[a],
            metrics[b],
            observed[a] - observed[b],
            low[pair],
            high[pair],
            float(p[pair]),
            float(corrected[pair]),
        )
        for pair, (a, b) in enumerate(pairs)
    ]


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p-values for being several (Holm, 1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    factors = np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return corrected
