"""The estimator that does nothing but search."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn import neighbors

from lookalike.sklearn.search import METRIC, NearestRows, RowsWithin

__all__ = ["NearestNeighbors"]


class NearestNeighbors(NearestRows, RowsWithin, neighbors.NearestNeighbors):
    """Rows to search for the nearest, and for all within a radius: scikit-learn's, exact and fast.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many neighbours `kneighbors` finds if it is not told.
    radius : float, default 1.0
        How far `radius_neighbors` looks if it is not told.
    algorithm, leaf_size
        Taken, and without effect: every search is exact.
    metric : str or lookalike.Metric, default "minkowski"
        One of `lookalike.ALL_METRICS`, an alias, or ``"precomputed"``, which is handed to
        scikit-learn as it is.
    p : float, default 2
        The power of ``"minkowski"``, above 0; other metrics have none.
    metric_params : dict, optional
        Parameters of the metric: ``w``, ``V`` or ``VI``, as `lookalike.Metric` describes them. A
        `V` or `VI` that is not given is that of the fitted rows.
    n_jobs : int, optional
        Threads of a search; −1 is all cores. By default ``OMP_NUM_THREADS``, or all cores.

    Attributes
    ----------
    effective_metric_ : str
        Canonical name of the metric that is computed: ``"euclidean"`` for ``"minkowski"`` with
        p = 2.
    effective_metric_params_ : dict
        Its parameters.
    n_features_in_, feature_names_in_, n_samples_fit_
        As of scikit-learn's estimator.

    Examples
    --------
    >>> from lookalike.sklearn import NearestNeighbors
    >>> near = NearestNeighbors(n_neighbors=1, metric="canberra").fit([[0.0, 1.0], [2.0, 2.0]])
    >>> near.kneighbors([[2.0, 1.0]])
    (array([[0.33333333]]), array([[1]]))
    >>> near.effective_metric_
    'canberra'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neighbors.NearestNeighbors._parameter_constraints,
        **METRIC,
    }
