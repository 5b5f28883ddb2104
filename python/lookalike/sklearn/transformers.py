"""Estimators that turn rows into a sparse graph of their neighbours, for others to go on with."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn import neighbors

from lookalike.sklearn.search import METRIC, NearestRows, RowsWithin

__all__ = ["KNeighborsTransformer", "RadiusNeighborsTransformer"]


class KNeighborsTransformer(NearestRows, neighbors.KNeighborsTransformer):
    """Rows to the graph of their nearest, as estimators with ``metric="precomputed"`` take it.

    Parameters
    ----------
    mode : {"distance", "connectivity"}, default "distance"
        Whether the graph holds distances or ones. Each row is its own neighbour in it; with
        distances there is one neighbour more, so that `n_neighbors` others are left.
    n_neighbors : int, default 5
        How many neighbours each row has.
    algorithm, leaf_size, metric, p, metric_params, n_jobs
        As of `NearestNeighbors`.

    Examples
    --------
    >>> from lookalike.sklearn import KNeighborsTransformer
    >>> KNeighborsTransformer(n_neighbors=1).fit_transform([[0.0], [1.0], [3.0]]).toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 2., 0.]])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neighbors.KNeighborsTransformer._parameter_constraints,
        **METRIC,
    }


class RadiusNeighborsTransformer(RowsWithin, neighbors.RadiusNeighborsTransformer):
    """Rows to the graph of all within a radius, as ``metric="precomputed"`` takes it.

    Parameters
    ----------
    mode : {"distance", "connectivity"}, default "distance"
        Whether the graph holds distances or ones. Each row is its own neighbour in it.
    radius : float, default 1.0
        Rows at this distance are within.
    algorithm, leaf_size, metric, p, metric_params, n_jobs
        As of `NearestNeighbors`.

    Examples
    --------
    >>> from lookalike.sklearn import RadiusNeighborsTransformer
    >>> RadiusNeighborsTransformer(radius=1.5).fit_transform([[0.0], [1.0], [3.0]]).toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neighbors.RadiusNeighborsTransformer._parameter_constraints,
        **METRIC,
    }
