"""Pairwise distances and exact nearest neighbours.

Every function here checks its arguments, makes one call into the compiled core, and wraps the
result. ``u`` and ``v`` below are rows; the numbers are the equations of the paper:

============  ==================  ==========================================  =====
metric        aliases             distance                                    paper
============  ==================  ==========================================  =====
manhattan     cityblock, l1       Σ|u−v|                                      (1)
euclidean     l2                  ‖u−v‖₂                                      (2)
cosine                            1 − u·v / (‖u‖‖v‖)                          (3)
braycurtis                        Σ|u−v| / Σ|u+v|                             (4)
canberra                          Σ |u−v| / (|u|+|v|), 0/0 = 0                (5)
chebyshev     linf                max |u−v|                                   (6)
correlation                       cosine of the rows less their means         (7)
============  ==================  ==========================================  =====

A row without a direction (all zeros for cosine, all equal for correlation) has distance 0 from its
like and 1 from any other row. Two zero rows have Bray-Curtis distance 0.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import (
    METRICS,
    NamingRows,
    check_same_width,
    checked_matrix,
    metric_name,
    output,
    result_dtype,
    same_buffer,
    thread_count,
    two_sides,
    whole_number,
)
from lookalike.progress import Progress, reporting

__all__ = [
    "METRICS",
    "Neighbors",
    "RadiusNeighbors",
    "cdist",
    "cpu_info",
    "knn",
    "pdist",
    "radius_neighbors",
    "topk",
]


class Neighbors(NamedTuple):
    """Nearest rows, ordered by distance, then by index.

    Attributes
    ----------
    distances : (n, k) float64 array
    indices : (n, k) int64 array
    """

    distances: NDArray[np.float64]
    indices: NDArray[np.int64]


class RadiusNeighbors(NamedTuple):
    """Rows within a radius, in compressed sparse row form.

    The neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, ordered by distance, then by
    index, at the distances in the same places of ``distances``.

    Attributes
    ----------
    indptr : (n + 1,) int64 array
    indices : int64 array
    distances : float64 array
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


def cpu_info() -> dict[str, Any]:
    """Report which of the CPU's instructions the compiled core uses.

    Returns
    -------
    dict
        ``"simd"``: the level in use (``"avx512"``, ``"avx2"`` or ``"baseline"``); ``"extensions"``:
        the list of extensions in use beyond it; ``"levels"``: what this build and CPU can run, best
        first; ``"threads"``: how many threads a call uses by default.

    Notes
    -----
    The environment variables ``LOOKALIKE_SIMD`` and ``LOOKALIKE_EXTENSIONS``, read when the package
    is imported, cap the level and name the extensions allowed.

    Examples
    --------
    >>> import lookalike as la
    >>> la.cpu_info()["simd"] in la.cpu_info()["levels"]
    True
    """
    return _core.cpu_info()


def cdist(
    XA: ArrayLike,
    XB: ArrayLike,
    metric: str = "euclidean",
    *,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Compute the distance of every row of `XA` from every row of `XB`.

    Parameters
    ----------
    XA : (nA, d) array_like
    XB : (nB, d) array_like
        Numbers of any real type and any strides. Passing the same array twice halves the work.
    metric : str
        One of `METRICS` or an alias.
    out : (nA, nB) array, optional
        Where to write the result: C-contiguous, of the result's dtype.
    dtype : float32 or float64, optional
        Of the result. By default float64 if `XA` or `XB` is float64 or a wider integer than 16
        bits, else float32.
    threads : int, optional
        By default all that OpenMP would use.

    Returns
    -------
    (nA, nB) array
        float64 entries are within 1e-12 of the true value, relatively (1e-15 absolutely for cosine
        and correlation); float32 entries are within 1e-5 of the float64 ones, relatively.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a value is not finite, or the metric is unknown.
    TypeError
        If an array is not of real numbers.

    See Also
    --------
    scipy.spatial.distance.cdist : the same in float64, on one thread.

    Examples
    --------
    >>> import lookalike as la
    >>> la.cdist([[0.0, 1.0]], [[0.0, 1.0], [3.0, 5.0]])
    array([[0., 5.]])
    """
    xa, xb = checked_matrix(XA, "XA"), checked_matrix(XB, "XB")
    check_same_width(xa, "XA", xb, "XB")
    result = output(out, (len(xa), len(xb)), result_dtype(dtype, xa, xb), (xa, xb))
    if result.size:
        same = same_buffer(xa, xb)
        with NamingRows("XA", "XB"):
            _core.distances(
                xa, None if same else xb, metric_name(metric), result, False, thread_count(threads)
            )
    else:
        metric_name(metric)
        thread_count(threads)
    return result


def pdist(
    X: ArrayLike,
    metric: str = "euclidean",
    *,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Compute the distance of every pair of rows of `X`, in condensed form.

    Parameters
    ----------
    X : (n, d) array_like
    metric, dtype, threads
        As for `cdist`.
    out : (n * (n - 1) / 2,) array, optional
        Where to write the result: C-contiguous, of the result's dtype.

    Returns
    -------
    (n * (n - 1) / 2,) array
        The distances of rows (0, 1), (0, 2), …, (1, 2), …: scipy's order.

    Raises
    ------
    ValueError, TypeError
        As `cdist`.

    Examples
    --------
    >>> import lookalike as la
    >>> la.pdist([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], "manhattan")
    array([7., 1., 6.])
    """
    x = checked_matrix(X, "X")
    n = len(x)
    result = output(out, (n * (n - 1) // 2,), result_dtype(dtype, x, x), (x,))
    name, workers = metric_name(metric), thread_count(threads)
    if result.size:
        with NamingRows("X", "X"):
            _core.distances(x, None, name, result, True, workers)
    return result


@overload
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    k: int = ...,
    metric: str = ...,
    include_self: bool = ...,
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
    metric: str = ...,
    include_self: bool = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[True],
) -> tuple[Neighbors, dict[str, Any]]: ...
def knn(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    k: int = 100,
    metric: str = "correlation",
    include_self: bool = False,
    threads: int | None = None,
    progress: Progress = None,
    return_stats: bool = False,
) -> Neighbors | tuple[Neighbors, dict[str, Any]]:
    """Find the `k` nearest rows of `Y` for every row of `X`, exactly.

    Parameters
    ----------
    X : (n, d) array_like
        The rows that ask.
    Y : (m, d) array_like, optional
        The rows they ask about. By default `X` itself (a self-join), with every pair computed once.
    k : int
        From 1 to the number of rows there are to choose from: m, or in a self-join n − 1 (n with
        `include_self`).
    metric : str
        One of `METRICS` or an alias.
    include_self : bool
        In a self-join, whether a row is a neighbour of itself. It is recognised by its index, not
        by its distance.
    threads : int, optional
        By default all that OpenMP would use.
    progress : None, True or callable(done, total)
        True shows a bar on standard error; a function gets the number of rows done.
    return_stats : bool
        Also return a dict of counts: ``"stages"`` (the filters used), ``"pairs"`` (how many they
        looked at), ``"candidates"`` (how many they let through), ``"refined"`` (float64 distances
        computed), ``"candidates_per_neighbor"`` (on the sample that decided for 8 bits, 0 without),
        ``"seconds"`` (of all threads together, by phase), ``"overflows"``, ``"unbounded_rows"``,
        ``"row_major"``, ``"fresh_thread"``.

    Returns
    -------
    Neighbors
        ``distances`` and ``indices``, each (n, k): what
        ``np.argsort(cdist(X64, Y64, metric), axis=1, kind="stable")`` of the rows as float64 would
        begin with, to the bit, whatever the number of threads or the CPU.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a value is not finite, the metric is unknown, `k` is out
        of range, or `include_self` is given with `Y`.
    TypeError
        If an array is not of real numbers.

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
    """
    x, y = two_sides(X, Y, include_self)
    count = whole_number(k, "k")
    name, workers = metric_name(metric), thread_count(threads)
    available = len(x) - (not include_self) if y is None else len(y)
    if len(x) and not 1 <= count <= available:
        what = "the other rows of X" if y is None and not include_self else "the rows to search"
        raise ValueError(f"k must be from 1 to {available} ({what}), got {count}")
    if not len(x):
        if count < 1:
            raise ValueError(f"k must be at least 1, got {count}")
        empty = Neighbors(np.empty((0, count)), np.empty((0, count), np.int64))
        return (empty, _core.no_stats()) if return_stats else empty
    with reporting(progress, len(x), "neighbours") as report, NamingRows("X", "Y"):
        distances, indices, stats = _core.knn(
            x, y, name, count, bool(include_self), None, workers, lambda part: report(int(part * len(x)))
        )
        report(len(x))
    found = Neighbors(distances, indices)
    return (found, stats) if return_stats else found


@overload
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = ...,
    *,
    radius: float,
    metric: str = ...,
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
    metric: str = ...,
    include_self: bool = ...,
    threads: int | None = ...,
    progress: Progress = ...,
    return_stats: Literal[True],
) -> tuple[RadiusNeighbors, dict[str, Any]]: ...
def radius_neighbors(
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    radius: float,
    metric: str = "correlation",
    include_self: bool = False,
    threads: int | None = None,
    progress: Progress = None,
    return_stats: bool = False,
) -> RadiusNeighbors | tuple[RadiusNeighbors, dict[str, Any]]:
    """Find all rows of `Y` within `radius` of every row of `X`, exactly.

    Parameters
    ----------
    X, Y, metric, include_self, threads, progress, return_stats
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
    x, y = two_sides(X, Y, include_self)
    name, workers = metric_name(metric), thread_count(threads)
    try:
        limit = float(radius)
    except (TypeError, ValueError):
        raise TypeError(f"radius must be a number, got {radius!r}") from None
    if not limit >= 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    if not len(x) or (y is not None and not len(y)):
        nothing = np.empty(0, np.int64)
        empty = RadiusNeighbors(np.zeros(len(x) + 1, np.int64), nothing, np.empty(0))
        return (empty, _core.no_stats()) if return_stats else empty
    with reporting(progress, len(x), "neighbours") as report, NamingRows("X", "Y"):
        indptr, indices, distances, stats = _core.radius_neighbors(
            x, y, name, limit, bool(include_self), workers, lambda part: report(int(part * len(x)))
        )
        report(len(x))
    found = RadiusNeighbors(indptr, indices, distances)
    return (found, stats) if return_stats else found


def topk(D: ArrayLike, k: int, *, threads: int | None = None) -> Neighbors:
    """Find the `k` smallest entries of every row of a matrix.

    Parameters
    ----------
    D : (n, m) array_like
        Numbers of any real type; infinities are allowed, NaN is not.
    k : int
        From 1 to m.
    threads : int, optional
        By default all that OpenMP would use.

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
        return Neighbors(np.empty((0, count)), np.empty((0, count), np.int64))
    try:
        return Neighbors(*_core.topk(matrix, count, workers))
    except ArithmeticError as error:
        raise ValueError(f"D row {error.args[1]} has a NaN") from None
