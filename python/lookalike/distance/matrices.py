"""All pairs: the distance of every row from every other, as a matrix."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, DTypeLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import (
    NamingRows,
    check_same_width,
    checked_matrix,
    output,
    result_dtype,
    same_buffer,
    thread_count,
)
from lookalike.distance.metrics import specification

__all__ = ["cdist", "pdist"]


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
        Type of the result. By default float64 if `XA` or `XB` is float64 or a wider integer than 16
        bits, else float32.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.

    Returns
    -------
    (nA, nB) array
        float64 entries are within 1e-12 of the true value, relatively (cosine and correlation
        within another 1e-15, absolutely, for up to 2,700 columns); float32 entries are within 1e-5
        of the float64 ones, relatively, and depend on their two rows only.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a value is not finite or an integer that float64 cannot
        hold, or the metric is unknown.
    TypeError
        If an array is not of real numbers, is sparse or has masked entries.

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
            other, wanted = None if same else xb, specification(metric)
            _core.distances(xa, other, wanted, result, False, thread_count(threads))
    else:
        specification(metric)
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
    name, workers = specification(metric), thread_count(threads)
    if result.size:
        with NamingRows("X", "X"):
            _core.distances(x, None, name, result, True, workers)
    return result
