"""Estimators that predict from the nearest rows."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import neighbors
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets

from lookalike.sklearn.search import METRIC, NearestRows, validate_data

__all__ = ["KNeighborsClassifier", "KNeighborsRegressor"]


class KNeighborsClassifier(NearestRows, neighbors.KNeighborsClassifier):
    """The class that most of the nearest rows have; of several the lowest.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many of the nearest rows have a vote.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        What a vote counts: one; the inverse of its distance, rows at distance 0 alone if there are
        any; or what the function makes of the (n, n_neighbors) distances.
    algorithm, leaf_size, metric, p, metric_params, n_jobs
        As of `NearestNeighbors`.

    Attributes
    ----------
    classes_ : array, or a list of one for each output
        The classes, sorted.
    effective_metric_, n_features_in_, feature_names_in_, n_samples_fit_, outputs_2d_
        As of scikit-learn's estimator.

    Examples
    --------
    >>> from lookalike.sklearn import KNeighborsClassifier
    >>> near = KNeighborsClassifier(n_neighbors=3).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> near.predict([[1.1]]), near.predict_proba([[0.9]]).round(2)
    (array([0]), array([[0.67, 0.33]]))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neighbors.KNeighborsClassifier._parameter_constraints,
        **METRIC,
    }

    def _take(self, X: ArrayLike, y: ArrayLike | None) -> NDArray[Any]:
        rows, targets = validate_data(self, X, y, multi_output=True, order="C")
        self.outputs_2d_ = targets.ndim == 2 and targets.shape[1] > 1
        if targets.ndim == 2 and not self.outputs_2d_:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=5,
            )
            targets = targets.ravel()
        check_classification_targets(targets)
        columns = targets.T if self.outputs_2d_ else [targets]
        found = [np.unique(column, return_inverse=True) for column in columns]
        classes, codes = zip(*found, strict=True)
        self.classes_ = list(classes) if self.outputs_2d_ else classes[0]
        self._y = np.stack(codes, axis=1) if self.outputs_2d_ else codes[0]
        return np.asarray(rows)


class KNeighborsRegressor(NearestRows, neighbors.KNeighborsRegressor):
    """The mean of the nearest rows' targets.

    Parameters
    ----------
    n_neighbors : int, default 5
        Of how many of the nearest rows.
    weights : {"uniform", "distance"}, callable or None, default "uniform"
        What a target counts: as for `KNeighborsClassifier`.
    algorithm, leaf_size, metric, p, metric_params, n_jobs
        As of `NearestNeighbors`.

    Attributes
    ----------
    effective_metric_, n_features_in_, feature_names_in_, n_samples_fit_
        As of scikit-learn's estimator.

    Examples
    --------
    >>> from lookalike.sklearn import KNeighborsRegressor
    >>> near = KNeighborsRegressor(n_neighbors=2).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> near.predict([[1.5]])
    array([0.5])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neighbors.KNeighborsRegressor._parameter_constraints,
        **METRIC,
    }

    def _take(self, X: ArrayLike, y: ArrayLike | None) -> NDArray[Any]:
        rows, self._y = validate_data(self, X, y, multi_output=True, order="C")
        return np.asarray(rows)
