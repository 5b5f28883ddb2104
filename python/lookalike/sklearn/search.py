"""Searches with scikit-learn's methods: rows are checked as there, prepared and searched here.

The classes are mixed into scikit-learn's own before these: `Prepared` takes the place of `_fit`,
which their `fit` calls when it has checked the parameters, `NearestRows` and `RowsWithin` that of
the two methods that search. Besides `_fit` they keep two private names of scikit-learn's that its
methods read: `_fit_X`, the rows, and `_fit_method`, which names no way of theirs to search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MultiOutputMixin
from sklearn.utils.validation import check_is_fitted

from lookalike.distance.arguments import same_buffer, whole_number
from lookalike.distance.index import Index
from lookalike.distance.metrics import Metric
from lookalike.sklearn.parameters import chosen_metric, threads

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6

    def validate_data(estimator: Any, *arrays: Any, **options: Any) -> Any:
        """Check input as scikit-learn does."""
        return estimator._validate_data(*arrays, **options)


__all__ = ["METRIC", "NearestRows", "Prepared", "RowsWithin", "validate_data"]

METRIC: dict[str, list[Any]] = {"metric": [str, Metric]}
"""What a metric may be, in scikit-learn's terms; `chosen_metric` says which."""


class Prepared(MultiOutputMixin):
    """An estimator whose rows are prepared by `Index` when it is fitted."""

    def _fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:
        for name in ("_index", "_fit_method"):  # of an earlier fit, should this one fail
            self.__dict__.pop(name, None)
        if self.metric == "precomputed":  # there is nothing to compute
            return super()._fit(X, y)
        metric = chosen_metric(self.metric, self.p, self.metric_params)
        rows = self._take(X, y)
        index = Index(rows, metric, threads=threads(self.n_jobs))
        wanted = Metric(index.metric, **index.parameters).specification()  # complete
        self.effective_metric_, self.effective_metric_params_ = wanted
        self.n_samples_fit_, self._fit_X, self._index = len(rows), rows, index
        self._fit_method = "lookalike"
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "_fit_method" in self.__dict__

    def _take(self, X: ArrayLike, y: ArrayLike | None) -> NDArray[Any]:
        """Return the rows, checked; where there are targets, keep them."""
        rows: NDArray[Any] = validate_data(self, X, order="C")
        return rows

    def _queries(self, X: ArrayLike | None) -> NDArray[Any]:
        """Return the queries, checked; the very rows if there are none."""
        queries: NDArray[Any] = (
            self._fit_X if X is None else validate_data(self, X, order="C", reset=False)
        )
        return queries

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "_index" not in state:
            return state
        return {name: value for name, value in state.items() if name != "_fit_X"}  # in the index

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_index" in state:
            self._fit_X = self._index.rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.metric == "precomputed"
        return tags


class NearestRows(Prepared):
    """An estimator that finds the nearest rows."""

    def kneighbors(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> Any:
        """Find the nearest of the fitted rows, exactly.

        Parameters
        ----------
        X : (n, d) array_like, optional
            The queries. By default the fitted rows, each of which is left out of its own
            neighbours (by its index, not its distance).
        n_neighbors : int, optional
            How many. By default as the estimator has been made.
        return_distance : bool
            Whether to return the distances as well.

        Returns
        -------
        distances : (n, n_neighbors) float64 array
            Only with `return_distance`.
        indices : (n, n_neighbors) int64 array
            Ordered by distance, then by index.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError, TypeError
            As of scikit-learn's estimator.

        Examples
        --------
        >>> from lookalike.sklearn import NearestNeighbors
        >>> near = NearestNeighbors(n_neighbors=2).fit([[0.0], [1.0], [2.0], [2.0]])
        >>> near.kneighbors([[1.9]], return_distance=False)
        array([[2, 3]])
        >>> near.kneighbors(return_distance=False)[3]
        array([2, 1])
        """
        check_is_fitted(self)
        if self._fit_method != "lookalike":
            return super().kneighbors(X, n_neighbors, return_distance)
        wanted = self.n_neighbors if n_neighbors is None else n_neighbors
        count = whole_number(wanted, "n_neighbors")
        if count < 1:
            raise ValueError(f"Expected n_neighbors > 0. Got {count}")
        queries = self._queries(X)
        if count > len(self._fit_X) - (X is None):
            sign = "<" if X is None else "<="
            raise ValueError(
                f"Expected n_neighbors {sign} n_samples_fit, but n_neighbors = {count}, "
                f"n_samples_fit = {len(self._fit_X)}, n_samples = {len(queries)}"
            )
        among = same_buffer(queries, self._fit_X)  # which is half the work
        found = self._index.knn(
            None if among else queries,
            count,
            include_self=among and X is not None,
            threads=threads(self.n_jobs),
        )
        return (found.distances, found.indices) if return_distance else found.indices


class RowsWithin(Prepared):
    """An estimator that finds all rows within a radius."""

    def radius_neighbors(
        self,
        X: ArrayLike | None = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = False,
    ) -> Any:
        """Find all of the fitted rows within a radius, exactly.

        Parameters
        ----------
        X : (n, d) array_like, optional
            The queries. By default the fitted rows, each of which is left out of its own
            neighbours (by its index, not its distance).
        radius : float, optional
            Rows at this distance are within. By default as the estimator has been made.
        return_distance : bool
            Whether to return the distances as well.
        sort_results : bool
            They are always ordered by distance, then by index.

        Returns
        -------
        distances : (n,) array of float64 arrays
            Only with `return_distance`.
        indices : (n,) array of int64 arrays

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError, TypeError
            As of scikit-learn's estimator.

        Examples
        --------
        >>> from lookalike.sklearn import NearestNeighbors
        >>> near = NearestNeighbors(radius=1.5).fit([[0.0], [3.0], [1.0]])
        >>> near.radius_neighbors([[1.2]])[1][0]
        array([2, 0])
        """
        check_is_fitted(self)
        if self._fit_method != "lookalike":
            return super().radius_neighbors(X, radius, return_distance, sort_results)
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        queries = self._queries(X)
        among = same_buffer(queries, self._fit_X)
        found = self._index.radius_neighbors(
            None if among else queries,
            radius=self.radius if radius is None else radius,
            include_self=among and X is not None,
            threads=threads(self.n_jobs),
        )
        indices = rows_of(found.indices, found.indptr)
        return (rows_of(found.distances, found.indptr), indices) if return_distance else indices


def rows_of(values: NDArray[Any], indptr: NDArray[np.int64]) -> NDArray[Any]:
    """Return an array of arrays, as scikit-learn gives lists of several lengths."""
    rows = np.empty(len(indptr) - 1, dtype=object)
    rows[:] = np.split(values, indptr[1:-1])
    return rows
