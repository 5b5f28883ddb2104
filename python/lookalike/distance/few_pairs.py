"""The pairs of rows within a radius, where they are few."""

from __future__ import annotations

from numpy.typing import ArrayLike

from lookalike import _core
from lookalike.distance.arguments import NamingRows, checked_matrix, radius_limit
from lookalike.distance.metrics import AnyMetric, as_metric, complete
from lookalike.distance.results import RadiusNeighbors
from lookalike.progress import Progress, reporting, share

__all__ = ["few_pairs"]


def few_pairs(
    X: ArrayLike, radius: float, metric: AnyMetric, most: int, progress: Progress = None
) -> RadiusNeighbors | None:
    """Return what `radius_neighbors` does, or None if there are more than `most` pairs.

    Each pair counts twice, once for either row. A search that finds too many ends as soon as it
    has, so its memory and most of its time grow with `most`.

    Parameters
    ----------
    X : (n, d) array_like
        At least one row.

    Examples
    --------
    >>> rows = [[0.0], [1.0], [5.0]]
    >>> few_pairs(rows, 1, "l1", most=2).indices
    array([1, 0])
    >>> few_pairs(rows, 4, "l1", most=2) is None
    True
    """
    x = checked_matrix(X, "X")
    chosen = complete(as_metric(metric), {"X": x}).specification()
    limit = radius_limit(radius)
    with reporting(progress, len(x), "neighbours") as report, NamingRows("X", "X"):
        found = _core.few_pairs(x, chosen, limit, most, 0, share(report, len(x)))
        if found is None:
            return None
        report(len(x))
    indptr, indices, distances, _ = found
    return RadiusNeighbors(indptr, indices, distances)
