"""A database prepared once for many searches, and kept in a file."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import (
    NamingRows,
    check_k,
    check_same_width,
    checked_matrix,
    dense,
    excluded_rows,
    radius_limit,
    thread_count,
    whole_number,
)
from lookalike.distance.ids import checked_ids, ids_of
from lookalike.distance.index_file import IndexFileError
from lookalike.distance.inputs import kept_ids
from lookalike.distance.kept_rows import KeptRows, State
from lookalike.distance.metrics import AnyMetric, as_metric, complete, metric_label
from lookalike.distance.own_rows import itself_first, refuse_own_rows, wants_itself_first
from lookalike.distance.parameters import require_width
from lookalike.distance.results import Neighbors, RadiusNeighbors
from lookalike.distance.segments import Asked, Segments, prepared
from lookalike.distance.sides import Sides
from lookalike.progress import Progress, reporting

__all__ = ["Index", "IndexFileError"]


class Index(KeptRows):
    """Rows prepared for searches under one metric: what `knn` does to `Y` at each call, once.

    The rows are coded in one byte a feature. A search reads the codes, excludes with a proven bound
    and computes what is left from the rows themselves, so its answers are those of `knn` to the
    bit. A single query is bound by memory: it reads a quarter of what float32 rows would take.
    Where rows are many and screens of them pay, a few queries read less still; codes and screens
    are then some 1.5 bytes a feature of 1,024, a byte more from the first search that reads all
    codes for many queries.

    Any number of threads may search it, and one may `add` rows meanwhile: a search sees the rows
    that were there when it began. A pickle of an opened index names its file, which must be there
    unchanged when it is loaded; one of an index in memory holds its rows.

    Parameters
    ----------
    X : (n, d) array_like
        The rows to search. They are not copied and must not be changed.
    metric : str or Metric
        One of `ALL_METRICS` or an alias.
    p, w, V, VI : optional
        The metric's parameters, as `Metric` describes them; `save` keeps them. A `V` or `VI` that
        is not given is that of the rows of `X`.
    ids : (n,) array_like of int or str, optional
        What the rows are called, no two alike; by default the index of a frame, if it can be.
        Results number rows from 0 all the same, as arrays are indexed by them, and know the ids:
        ``near.to_frame()`` has them, and so has ``index.ids[near.indices]``.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.

    Raises
    ------
    ValueError
        If `X` is not 2-D, has no column, a value is not finite, the metric is unknown, or the `ids`
        do not fit or are not unique.
    TypeError
        If `X` is not of real numbers, or `ids` not all integers or all text.

    Examples
    --------
    >>> import numpy as np, lookalike as la
    >>> X = np.random.default_rng(0).random((1000, 64), dtype=np.float32)
    >>> index = la.Index(X, metric="cosine", ids=[f"photo {i}" for i in range(1000)])
    >>> near = index.knn(X[:2], k=3)
    >>> near.indices[:, 0]
    array([0, 1])
    >>> index.ids[near.indices][:, 0].tolist()
    ['photo 0', 'photo 1']
    >>> index
    <Index of 1000 × 64 float32, cosine, 8-bit products>
    """

    def __init__(
        self,
        X: ArrayLike,
        metric: AnyMetric = "correlation",
        *,
        p: float | None = None,
        w: ArrayLike | None = None,
        V: ArrayLike | None = None,
        VI: ArrayLike | None = None,
        ids: ArrayLike | None = None,
        threads: int | None = None,
    ) -> None:
        rows = checked_matrix(X, "X")
        names = ids_of(X, len(rows)) if ids is None else checked_ids(ids, len(rows))
        chosen = as_metric(metric, p=p, w=w, V=V, VI=VI)
        require_width(chosen.parameters, rows.shape[1])
        self._metric = complete(chosen, {"X": rows})
        with NamingRows("Q", "X"):
            segment = prepared(rows, self._metric.specification(), thread_count(threads))
        self._hold(State(Segments(segment), names, None))

    def __repr__(self) -> str:
        n, d = self.shape
        first = self._now.segments.each[0]
        kind, stage = first.rows.dtype, first.core.stage()
        metric = metric_label(self._metric)
        return f"<{type(self).__name__} of {n} × {d} {kind}, {metric}, {stage}>"

    @overload
    def knn(
        self,
        Q: ArrayLike | None = ...,
        k: int = ...,
        *,
        include_self: bool | Literal["first"] = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[False] = ...,
    ) -> Neighbors: ...
    @overload
    def knn(
        self,
        Q: ArrayLike | None = ...,
        k: int = ...,
        *,
        include_self: bool | Literal["first"] = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[True],
    ) -> tuple[Neighbors, dict[str, Any]]: ...
    @overload
    def knn(
        self,
        Q: ArrayLike | None = ...,
        k: int = ...,
        *,
        include_self: bool | Literal["first"] = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: bool,
    ) -> Neighbors | tuple[Neighbors, dict[str, Any]]: ...
    def knn(
        self,
        Q: ArrayLike | None = None,
        k: int = 100,
        *,
        include_self: bool | Literal["first"] = False,
        exclude: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        threads: int | None = None,
        progress: Progress = None,
        return_stats: bool = False,
    ) -> Neighbors | tuple[Neighbors, dict[str, Any]]:
        """Find the `k` nearest of the rows for each row of `Q`, exactly.

        Parameters
        ----------
        Q : (m, d) array_like, optional
            The queries. By default the rows ask among themselves: a self-join, every pair computed
            once.
        k : int
            From 1 to the number of rows that may be found.
        mask : (n,) array_like of bool, optional
            True for each row that is left out of this search. Without `Q` such a row still asks.
        include_self, exclude, threads, progress, return_stats
            As for `lookalike.knn`.

        Returns
        -------
        Neighbors
            What ``lookalike.knn(Q, X, k=k, metric=metric)`` returns, or, without `Q`,
            ``lookalike.knn(X, k=k, metric=metric)``, for the rows `X` that were there when the
            search began.

        Raises
        ------
        ValueError, TypeError
            As `lookalike.knn`; also if `mask` is not a bool for each row.

        Examples
        --------
        >>> import lookalike as la
        >>> index = la.Index([[0.0], [1.0], [5.0]], metric="l1")
        >>> index.knn(k=1).indices.ravel()
        array([1, 0, 1])
        >>> index.knn([[1.0]], k=1, mask=[False, True, False]).indices
        array([[0]])
        """
        first = wants_itself_first(include_self)
        now, asked, total = self._asked(Q, bool(include_self), exclude, mask, threads)
        count, left = whole_number(k, "k"), len(now.segments)
        if first:
            refuse_own_rows(asked.exclude)
        what = "the rows"
        if asked.mask is not None:
            left, what = left - int(np.count_nonzero(asked.mask)), "the rows that are not masked"
        if asked.queries is None and not include_self:
            left, what = left - 1, what.replace("the rows", "the other rows")
        check_k(count, total, left, asked.exclude, what)
        if first:
            asked, count = asked._replace(include_self=False), count - 1
        if total and count:
            with reporting(progress, total, "neighbours") as report, NamingRows("Q", "X"):
                near, stats = now.segments.knn(asked, count, report, total)
                report(total)
        else:
            shape, stats = (total, count), _core.no_stats()
            near = Neighbors(np.empty(shape), np.empty(shape, np.int64))
        found = Neighbors(*near, **_sides(now, Q))
        if first:
            found = itself_first(found)
        return (found, stats) if return_stats else found

    @overload
    def radius_neighbors(
        self,
        Q: ArrayLike | None = ...,
        *,
        radius: float,
        include_self: bool = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[False] = ...,
    ) -> RadiusNeighbors: ...
    @overload
    def radius_neighbors(
        self,
        Q: ArrayLike | None = ...,
        *,
        radius: float,
        include_self: bool = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[True],
    ) -> tuple[RadiusNeighbors, dict[str, Any]]: ...
    @overload
    def radius_neighbors(
        self,
        Q: ArrayLike | None = ...,
        *,
        radius: float,
        include_self: bool = ...,
        exclude: ArrayLike | None = ...,
        mask: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: bool,
    ) -> RadiusNeighbors | tuple[RadiusNeighbors, dict[str, Any]]: ...
    def radius_neighbors(
        self,
        Q: ArrayLike | None = None,
        *,
        radius: float,
        include_self: bool = False,
        exclude: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        threads: int | None = None,
        progress: Progress = None,
        return_stats: bool = False,
    ) -> RadiusNeighbors | tuple[RadiusNeighbors, dict[str, Any]]:
        """Find all rows within `radius` of each row of `Q`, exactly.

        Parameters
        ----------
        Q, include_self, exclude, mask, threads, progress, return_stats
            As for `knn`.
        radius : float
            Rows at a float64 distance of at most `radius` are returned; 0 or more.

        Returns
        -------
        RadiusNeighbors
            What ``lookalike.radius_neighbors`` returns for `Q` and these rows, less those excluded.

        Raises
        ------
        ValueError, TypeError
            As `knn`; also if `radius` is negative or NaN.

        Examples
        --------
        >>> import lookalike as la
        >>> index = la.Index([[0.0], [1.0], [5.0]], metric="l1")
        >>> index.radius_neighbors([[4.0]], radius=3).indices
        array([2, 1])
        """
        limit = radius_limit(radius)
        now, asked, total = self._asked(Q, include_self, exclude, mask, threads)
        if not total or not len(now.segments):
            nothing, stats = np.empty(0, np.int64), _core.no_stats()
            near = RadiusNeighbors(np.zeros(total + 1, np.int64), nothing, np.empty(0))
        else:
            with reporting(progress, total, "neighbours") as report, NamingRows("Q", "X"):
                near, stats = now.segments.radius_neighbors(asked, limit, report, total)
                report(total)
        found = RadiusNeighbors(*near, **_sides(now, Q))
        return (found, stats) if return_stats else found

    def _asked(
        self,
        Q: ArrayLike | None,
        include_self: bool,
        exclude: ArrayLike | None,
        mask: ArrayLike | None,
        threads: int | None,
    ) -> tuple[State, Asked, int]:
        """Return the rows of a search, what is asked of them, and by how many."""
        now = self._as_one() if Q is None else self._now
        n, queries = len(now.segments), None
        if Q is not None:
            if include_self:
                raise ValueError("include_self must be False when Q is given, got True")
            queries = checked_matrix(Q, "Q")
            check_same_width(now.segments.each[0].rows, "X", queries, "Q")
        total = n if queries is None else len(queries)
        left_out = None if mask is None else _checked_mask(mask, n)
        excluded = excluded_rows(exclude, total, n)
        if excluded is not None and left_out is not None and n:
            excluded = np.where(left_out[excluded] > 0, -1, excluded)  # it is out already
        workers = thread_count(threads)
        return now, Asked(queries, bool(include_self), excluded, left_out, workers), total


def _sides(now: State, Q: ArrayLike | None) -> Sides:
    """Return what a result is to know of the rows that asked and of those searched."""
    row_ids = now.ids if Q is None else kept_ids(Q)
    return {
        "columns": len(now.segments),
        "itself": Q is None,
        "row_ids": row_ids,
        "column_ids": now.ids,
    }


def _checked_mask(mask: ArrayLike, rows: int) -> NDArray[np.uint8]:
    """Return a byte for each row, not 0 where it is left out."""
    array = dense(mask, "mask")
    if array.dtype.kind != "b":
        raise TypeError(f"mask must hold bools, True for a row that is left out, got {array.dtype}")
    if array.shape != (rows,):
        raise ValueError(f"mask must have a bool for each of {rows} rows, got {array.shape}")
    return np.ascontiguousarray(array).view(np.uint8)
