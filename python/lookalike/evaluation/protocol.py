"""Which metric finds images of the same category: the protocol, for any features and labels."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, SupportsIndex, TypeAlias, cast

from numpy.typing import ArrayLike, NDArray

from lookalike.distance.arguments import RowError, checked_matrix
from lookalike.distance.matrices import require_finite
from lookalike.distance.metrics import (
    METRICS,
    AnyMetric,
    Metric,
    as_metric,
    complete,
    metric_title,
)
from lookalike.distance.parameters import FitError, require_width
from lookalike.evaluation.evaluation import Evaluation
from lookalike.evaluation.full_ranking import rank_fully
from lookalike.evaluation.labels import LabelSequence, encode_labels
from lookalike.evaluation.query_set import QuerySet
from lookalike.evaluation.ranking import Ranker, Ranking
from lookalike.progress import Progress, reporting

__all__ = ["evaluate"]

SeveralMetrics: TypeAlias = Sequence[AnyMetric] | list[str] | tuple[str, ...]
"""Names in a list are texts to a type checker; but a text is a sequence of texts as well."""


def evaluate(
    features: ArrayLike,
    labels: LabelSequence,
    *,
    k: SupportsIndex | Iterable[SupportsIndex] = 100,
    metrics: AnyMetric | SeveralMetrics = METRICS,
    include_self: bool = False,
    full: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> Evaluation:
    """Measure how well each metric finds images of the same category.

    Every labelled image queries all images; of its `k` nearest, those of its category are hits.

    Parameters
    ----------
    features : (n, d) array_like
        One row an image, numbers of any real type.
    labels : (n,) array_like
        The category of each image: any hashable values, as a sequence, an array, a tensor or a
        column of a table. None, NaN and the empty string mean "no label": such an image never
        queries; it can be retrieved and is never relevant.
    k : int or sequence of int
        How many neighbours are retrieved. Of several, the result is at the largest and
        `Evaluation.at` gives the others; one search serves all.
    metrics : sequence of str or Metric
        Names of `ALL_METRICS`, aliases, or `Metric` objects; results are found under what is given
        here. A V or VI that is not given is that of all rows. A metric that these features cannot
        have, be it for a negative value or for too few rows, is left out, and `Evaluation.skipped`
        says why.
    include_self : bool
        Whether every image is among its own neighbours and its own relevant images, as in the
        paper. By default it is neither.
    full : bool
        Whether to rank the whole database as well, for R-precision, average precision to the end
        and precision–recall curves: `Evaluation.full`.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.
    progress : None, True or callable(done, total)
        True shows a bar on standard error; a function gets the number of queries done, summed over
        the metrics.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If the lengths differ, `k` is below 1, a metric is unknown, a value is not finite, no image
        has someone to find, or no metric is left.
    TypeError
        If `features` are not real numbers or a label cannot be hashed.

    Warns
    -----
    UserWarning
        If `k` is larger than the number of images there are to retrieve; it is lowered to that.

    Notes
    -----
    With R the number of images of the query's category (itself counted with `include_self` only)
    and h the number of hits, precision is h / k (8) and recall h / R (9). A query with R = 0 is
    left out and counted. Images at the same distance come in the order of their rows; `tie_share`
    and `tie_averaged` tell how much that matters.

    Examples
    --------
    >>> import lookalike as la
    >>> features = [[0.0, 1.0], [0.1, 1.0], [5.0, 0.0], [6.0, 0.1]]
    >>> found = la.evaluate(features, ["tree", "tree", "food", "food"], k=1, metrics=["cosine"])
    >>> found.precision["cosine"]["tree"], found.mean_recall["cosine"]
    (1.0, 1.0)
    """
    matrix = checked_matrix(features, "features")
    known = encode_labels(labels)
    if len(known.codes) != len(matrix):
        raise ValueError(
            f"labels must have {len(matrix)} entries, one a row of features, got {len(known.codes)}"
        )
    asked = _asked(metrics, matrix.shape[1])
    queries = QuerySet.of(known, include_self)
    require_finite(matrix, "features", threads)
    ks = _neighbour_counts(k, len(matrix) - (not include_self))
    chosen, skipped = _fitted(asked, matrix)
    rankings: dict[AnyMetric, Ranking] = {}
    total = len(asked) * (1 + bool(full)) * len(matrix)
    with reporting(progress, total, "queries") as report:
        for number, (given, metric) in enumerate(chosen.items()):
            ranker = Ranker(matrix, known, metric, bool(include_self), threads)
            before = partial(_report_from, report, number * len(matrix))
            try:
                rankings[given] = ranker.rank(queries.rows, ks[-1], before)
            except RowError as error:  # all values are finite: it lies outside the metric's domain
                skipped[given] = str(error.renamed("features"))
        chosen = {given: chosen[given] for given in rankings}
        if not rankings:
            why = "; ".join(f"{metric_title(m)}: {reason}" for m, reason in skipped.items())
            raise ValueError(f"metrics must have one that these features can have, got {why}")
        whole = None
        if full:
            before = partial(_report_from, report, len(asked) * len(matrix))
            whole = rank_fully(matrix, queries, chosen, threads, before)
        report(total)
    return Evaluation(queries, rankings, ks, whole, ks[-1], skipped)


def _report_from(
    report: Callable[[int], object], start: int, done: int, total: int | None = None
) -> None:
    report(start + done)


def _asked(metrics: AnyMetric | SeveralMetrics, columns: int) -> dict[AnyMetric, Metric]:
    """Return the metrics by what each was given as."""
    several = [metrics] if isinstance(metrics, (str, Metric)) else metrics
    # What names no metric is refused, so that what is left are names.
    asked = {cast("AnyMetric", given): as_metric(given) for given in several}
    if not asked:
        raise ValueError("metrics must name at least one metric, got none")
    for metric in asked.values():
        require_width(metric.parameters, columns)
    return asked


def _fitted(
    asked: dict[AnyMetric, Metric], features: NDArray[Any]
) -> tuple[dict[AnyMetric, Metric], dict[AnyMetric, str]]:
    """Return the metrics with what they take from the features, and those that cannot, and why."""
    chosen, skipped = {}, {}
    for given, metric in asked.items():
        try:
            chosen[given] = complete(metric, {"features": features})
        except FitError as error:
            skipped[given] = str(error)
    return chosen, skipped


def _neighbour_counts(
    k: SupportsIndex | Iterable[SupportsIndex], available: int
) -> tuple[int, ...]:
    try:
        counts = [operator.index(k)]  # type: ignore[arg-type]
    except TypeError:
        counts = []
    try:
        counts = sorted(counts or {operator.index(one) for one in k})  # type: ignore[union-attr]
    except TypeError:
        raise TypeError(f"k must be an integer or several, got {k!r}") from None
    if not counts or counts[0] < 1:
        raise ValueError(f"k must be at least 1, got {k!r}")
    if counts[-1] > available:
        warnings.warn(
            f"k = {counts[-1]} is more than the {available} images there are to retrieve: "
            f"k = {available} is used",
            stacklevel=3,
        )
    return tuple(sorted({min(count, available) for count in counts}))
