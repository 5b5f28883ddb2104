"""All pairs: the distance of every row from every other, as a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import (
    NamingRows,
    check_same_order,
    check_same_width,
    checked_matrix,
    output,
    result_dtype,
    same_buffer,
    thread_count,
)
from lookalike.distance.metrics import METRICS, AnyMetric, as_metric, complete, specification
from lookalike.distance.parameters import require_width

__all__ = ["cdist", "pdist", "require_finite"]


def cdist(
    XA: ArrayLike,
    XB: ArrayLike,
    metric: AnyMetric = "euclidean",
    *,
    p: float | None = None,
    w: ArrayLike | None = None,
    V: ArrayLike | None = None,
    VI: ArrayLike | None = None,
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
    metric : str or Metric
        One of `ALL_METRICS` or an alias.
    p, w, V, VI : optional
        The metric's parameters, as `Metric` describes them. A `V` or `VI` that is not given is
        that of all rows, those of `XA` and of `XB`.
    out : (nA, nB) array, optional
        Where to write the result: C-contiguous, of the result's dtype.
    dtype : float32 or float64, optional
        Type of the result. By default float64 if `XA` or `XB` is float64 or a wider integer than 16
        bits, or `out` is float64, else float32.
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
    check_same_order(XA, "XA", XB, "XB")
    result = output(out, (len(xa), len(xb)), result_dtype(dtype, xa, xb, out=out), (xa, xb))
    wanted, workers = as_metric(metric, p=p, w=w, V=V, VI=VI), thread_count(threads)
    require_width(wanted.parameters, xa.shape[1])
    if result.size:
        named = complete(wanted, {"XA": xa, "XB": xb}).specification()
        other = None if same_buffer(xa, xb) else xb
        with NamingRows("XA", "XB"):
            _core.distances(xa, other, named, result, False, workers)
    return result


def pdist(
    X: ArrayLike,
    metric: AnyMetric = "euclidean",
    *,
    p: float | None = None,
    w: ArrayLike | None = None,
    V: ArrayLike | None = None,
    VI: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Compute the distance of every pair of rows of `X`, in condensed form.

    Parameters
    ----------
    X : (n, d) array_like
    metric, p, w, V, VI, dtype, threads
        As for `cdist`; a `V` or `VI` that is not given is that of the rows of `X`.
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
    result = output(out, (n * (n - 1) // 2,), result_dtype(dtype, x, x, out=out), (x,))
    wanted, workers = as_metric(metric, p=p, w=w, V=V, VI=VI), thread_count(threads)
    require_width(wanted.parameters, x.shape[1])
    if result.size:
        named = complete(wanted, {"X": x}).specification()
        with NamingRows("X", "X"):
            _core.distances(x, None, named, result, True, workers)
    return result


def require_finite(
    matrix: NDArray[Any], name: str, threads: int | None = None, metric: AnyMetric = METRICS[0]
) -> None:
    """Refuse a checked matrix with a value that is not finite, before any longer work."""
    row, wanted = np.empty((1, len(matrix))), specification(metric)
    with NamingRows(name, name):  # the core looks at every value; the distances are not needed
        _core.distances(matrix[:1], matrix, wanted, row, False, thread_count(threads))
