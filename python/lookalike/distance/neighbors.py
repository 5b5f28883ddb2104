"""The nearest rows, and all within a radius, exactly."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from lookalike import _core
from lookalike.distance.arguments import (
    NamingRows,
    check_k,
    checked_matrix,
    excluded_rows,
    radius_limit,
    thread_count,
    two_sides,
    whole_number,
)
from lookalike.distance.metrics import AnyMetric, as_metric, complete
from lookalike.distance.own_rows import itself_first, refuse_own_rows, wants_itself_first
from lookalike.distance.parameters import require_width
from lookalike.distance.results import Neighbors, RadiusNeighbors
from lookalike.distance.sides import searched
from lookalike.progress import Progress, reporting, share

__all__ = ["knn", "radius_neighbors", "topk"]


@overload
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    k: int = ...,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool | Literal["first"] = ...,
    exclude: ArrayLike | None = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[False] = ...,
) -> Neighbors: ...
@overload
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    k: int = ...,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool | Literal["first"] = ...,
    exclude: ArrayLike | None = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[True],
) -> tuple[Neighbors, dict[str, Any]]: ...
@overload
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    k: int = ...,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool | Literal["first"] = ...,
    exclude: ArrayLike | None = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: bool,
) -> Neighbors | tuple[Neighbors, dict[str, Any]]: ...
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    k: int = 100,
    metric: AnyMetric = "correlation",
    p: float | None = None,
    w: ArrayLike | None = None,
    V: ArrayLike | None = None,
    VI: ArrayLike | None = None,
    include_self: bool | Literal["first"] = False,
    exclude: ArrayLike | None = None,
    threads: int | None = None,
    progress: Progress = None,
    return_stats: bool = False,
) -> Neighbors | tuple[Neighbors, dict[str, Any]]:
    """Find the `k` nearest rows of `Y` for every row of `X`, exactly.

    Parameters
    ----------
    X : (n, d) array_like
        The rows whose neighbours are wanted: arrays, lists, frames of pandas and polars, tables and
        lists of Arrow, tensors. The index of a frame stays with the result.
    Y : (m, d) array_like, optional
        The rows to choose from. By default `X` itself (a self-join), every pair computed once.
    k : int
        How many neighbours: from 1 to the number of rows there are to choose from, which is m, or
        in a self-join n − 1 (n with `include_self`).
    metric : str or Metric
        One of `ALL_METRICS` or an alias.
    p, w, V, VI : optional
        The metric's parameters, as `Metric` describes them. In a self-join a `V` or `VI` that is
        not given is that of the rows of `X`; with `Y` it must be given.
    include_self : bool or "first"
        Whether a row is a neighbour of itself, in a self-join. It is recognised by its index, not
        by its distance. With "first" it comes in front of its k − 1 nearest others, of which equal
        rows with lower indices would else come before it.
    exclude : (n,) array_like of int, optional
        A row that each row of `X` leaves out, −1 for none.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.
    progress : None, True or callable(done, total)
        True shows a bar on standard error; a function gets the number of rows done.
    return_stats : bool
        Whether to return a dict of counts as well: ``"stages"`` (the filters used), ``"pairs"``
        (how many they looked at), ``"screened"`` (of those, excluded by a first, coarser one),
        ``"candidates"`` (how many they let through), ``"refined"`` (float64 distances computed),
        ``"candidates_per_neighbor"`` (on the sample that decided for 8 bits, 0 without),
        ``"seconds"`` (of all threads together, by phase), ``"overflows"``, ``"unbounded_rows"``,
        ``"row_major"``.

    Returns
    -------
    Neighbors
        ``distances`` and ``indices``, each (n, k): what
        ``np.argsort(cdist(X64, Y64, metric), axis=1, kind="stable")`` of the rows as float64 would
        begin with, to the bit, whatever the number of threads or the CPU. `Neighbors` has methods
        that make a sparse graph of it, a frame, a dict, and what UMAP takes.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a value is not finite or an integer that float64 cannot
        hold or is missing, the metric is unknown, `k` is out of range, or `include_self` is given
        with `Y`.
    TypeError
        If an array is not of real numbers, is sparse, has masked entries, is Dask's or lies on a
        GPU, or `Y` is a number.

    Notes
    -----
    Pairs are compared as 8-bit codes first, or in float32, with a proven bound on the error; only
    those that the bound cannot exclude are computed in float64. `Index` prepares `Y` once for many
    calls.

    Examples
    --------
    >>> import lookalike as la
    >>> near = la.knn([[0.0, 1.0], [0.0, 2.0], [5.0, 5.0]], k=1, metric="euclidean")
    >>> near.indices.ravel()
    array([1, 0, 1])
    >>> la.knn([[5.0, 5.0]], [[0.0, 1.0], [5.0, 5.0]], k=1, exclude=[1]).indices
    array([[0]])
    """
    first = wants_itself_first(include_self)
    x, y = two_sides(X, Y, bool(include_self), "k")
    count = whole_number(k, "k")
    chosen, workers = as_metric(metric, p=p, w=w, V=V, VI=VI), thread_count(threads)
    require_width(chosen.parameters, x.shape[1])
    rows = x if y is None else y
    excluded = excluded_rows(exclude, len(x), len(rows))
    if first:
        refuse_own_rows(excluded)
    others = y is None and not include_self
    check_k(count, len(x), len(rows) - others, excluded, "the other rows of X" if others else "")
    sides = searched(X, Y, x, y)
    if not len(x):
        empty = Neighbors(np.empty((0, count)), np.empty((0, count), np.int64), **sides)
        return (empty, _core.no_stats()) if return_stats else empty
    alone = first and count == 1  # nothing else is wanted, but the rows are looked at
    wanted = complete(chosen, {"X": x} if y is None else None).specification()
    with reporting(progress, len(x), "neighbours") as report, NamingRows("X", "Y"):
        distances, indices, stats = _core.knn(
            x,
            y,
            wanted,
            count - (first and not alone),
            bool(include_self) and (alone or not first),
            None if alone else excluded,
            workers,
            share(report, len(x)),
        )
        report(len(x))
    if alone:
        distances, indices = distances[:, :0], indices[:, :0]
    found = Neighbors(distances, indices, **sides)
    if first:
        found = itself_first(found)
    return (found, stats) if return_stats else found


@overload
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    radius: float,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[False] = ...,
) -> RadiusNeighbors: ...
@overload
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    radius: float,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[True],
) -> tuple[RadiusNeighbors, dict[str, Any]]: ...
@overload
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    radius: float,
    metric: AnyMetric = ...,
    p: float | None = ...,
    w: ArrayLike | None = ...,
    V: ArrayLike | None = ...,
    VI: ArrayLike | None = ...,
    include_self: bool = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: bool,
) -> RadiusNeighbors | tuple[RadiusNeighbors, dict[str, Any]]: ...
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    radius: float,
    metric: AnyMetric = "correlation",
    p: float | None = None,
    w: ArrayLike | None = None,
    V: ArrayLike | None = None,
    VI: ArrayLike | None = None,
    include_self: bool = False,
    threads: int | None = None,
    progress: Progress = None,
    return_stats: bool = False,
) -> RadiusNeighbors | tuple[RadiusNeighbors, dict[str, Any]]:
    """Find all rows of `Y` within `radius` of every row of `X`, exactly.

    Parameters
    ----------
    X, Y, metric, p, w, V, VI, include_self, threads, progress, return_stats
        As for `knn`.
    radius : float
        Pairs with a float64 distance of at most `radius` are returned; 0 or more.

    Returns
    -------
    RadiusNeighbors
        ``indptr``, ``indices`` and ``distances``, as a compressed sparse row matrix has them.

    Raises
    ------
    ValueError, TypeError
        As `knn`; also if `radius` is negative or NaN.

    Examples
    --------
    >>> import lookalike as la
    >>> la.radius_neighbors([[0.0], [1.0], [5.0]], radius=1, metric="l1").indptr
    array([0, 1, 2, 2])
    """
    x, y = two_sides(X, Y, include_self, "radius")
    if wants_itself_first(include_self):
        raise ValueError("include_self must be True or False in radius_neighbors, got 'first'")
    sides = searched(X, Y, x, y)
    chosen, workers = as_metric(metric, p=p, w=w, V=V, VI=VI), thread_count(threads)
    require_width(chosen.parameters, x.shape[1])
    limit = radius_limit(radius)
    if not len(x) or (y is not None and not len(y)):
        nothing = np.empty(0, np.int64)
        empty = RadiusNeighbors(np.zeros(len(x) + 1, np.int64), nothing, np.empty(0), **sides)
        return (empty, _core.no_stats()) if return_stats else empty
    wanted = complete(chosen, {"X": x} if y is None else None).specification()
    with reporting(progress, len(x), "neighbours") as report, NamingRows("X", "Y"):
        indptr, indices, distances, stats = _core.radius_neighbors(
            x,
            y,
            wanted,
            limit,
            bool(include_self),
            workers,
            share(report, len(x)),
        )
        report(len(x))
    found = RadiusNeighbors(indptr, indices, distances, **sides)
    return (found, stats) if return_stats else found


def topk(D: ArrayLike, k: int, *, threads: int | None = None) -> Neighbors:
    """Find the `k` smallest entries of every row of a matrix.

    Parameters
    ----------
    D : (n, m) array_like
        Numbers of any real type; infinities are allowed, NaN is not.
    k : int
        How many entries, from 1 to m.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.

    Returns
    -------
    Neighbors
        ``distances`` and ``indices``, each (n, k), ordered by value, then by index: what a stable
        ``np.argsort(D, axis=1)`` begins with.

    Raises
    ------
    ValueError
        If `D` is not 2-D, has a NaN, or `k` is out of range.
    TypeError
        If `D` is not of real numbers.

    Examples
    --------
    >>> import lookalike as la
    >>> la.topk([[3.0, 1.0, 2.0, 1.0]], 3).indices
    array([[1, 3, 2]])
    """
    matrix = checked_matrix(D, "D")
    count, workers = whole_number(k, "k"), thread_count(threads)
    if not 1 <= count <= matrix.shape[1]:
        raise ValueError(f"k must be from 1 to {matrix.shape[1]} (the columns of D), got {count}")
    if not len(matrix):
        return Neighbors(np.empty((0, count)), np.empty((0, count), np.int64), matrix.shape[1])
    try:
        return Neighbors(*_core.topk(matrix, count, workers), matrix.shape[1])
    except ArithmeticError as error:
        raise ValueError(f"D row {error.args[1]} has a NaN") from None
