"""What every public function checks of its arguments, in words that name them.

Each check returns the argument as the compiled core takes it, or raises a ValueError or TypeError
with the argument's name, the rule and the value found.
"""

from __future__ import annotations

import operator
from types import TracebackType
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from lookalike.distance.exact_integers import require_exact
from lookalike.distance.inputs import column_names, plain


def dense(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of what was given, refusing what an array would silently leave out."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):  # scipy's, which NumPy takes for one
        kind = type(values).__name__
        raise TypeError(f"{name} must be dense, got a sparse {kind}: {name}.toarray() is dense")
    several = values if isinstance(values, (list, tuple)) else (values,)
    for each in several:
        if isinstance(each, np.ma.MaskedArray) and (masked := int(np.ma.getmaskarray(each).sum())):
            raise TypeError(
                f"{name} must have no masked entries, got {masked}: {name}.filled(…) or "
                f"{name}.compressed() says what stands for them"
            )
    values = plain(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of several lengths
        raise ValueError(f"{name} must be an array of numbers: {error}") from None
    except (TypeError, RuntimeError) as error:  # what is no array without being asked
        raise TypeError(f"{name} must be an array of numbers: {error}") from None
    if array.dtype.type.__module__ == "ml_dtypes":  # bfloat16 and others that float32 holds
        return array.astype(np.float32)
    return array


def checked_matrix(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return a 2-D array of real numbers, aligned and in native byte order."""
    array = dense(values, name)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of at most 64 bits, got {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2-D, got {array.ndim}-D of shape {array.shape}")
    if array.shape[1] == 0:
        raise ValueError(f"{name} must have at least one column, got shape {array.shape}")
    if len(array) >= 2**31:
        raise ValueError(f"{name} must have fewer than 2**31 rows, got {len(array)}")
    if not (array.flags.aligned and array.dtype.isnative):
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        require_exact(array, name)
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        return array.astype(np.uint8)  # 1 for every other byte than 0, as NumPy casts
    return array


def check_same_width(a: NDArray[Any], a_name: str, b: NDArray[Any], b_name: str) -> None:
    """Refuse matrices of different widths."""
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{b_name} must have {a.shape[1]} columns like {a_name}, got {b.shape[1]}")


def check_same_order(a: Any, a_name: str, b: Any, b_name: str) -> None:
    """Refuse frames that have columns of the same names in another order."""
    names, others = column_names(a), column_names(b)
    if names != others and set(names) == set(others):
        there = next(pair for pair in zip(others, names, strict=False) if pair[0] != pair[1])
        raise ValueError(
            f"{b_name} must have its columns in the order of {a_name}, got {there[0]!r} where "
            f"{a_name} has {there[1]!r}"
        )


def same_buffer(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays are the same memory seen the same way."""
    return a is b or (
        a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and a.shape == b.shape
        and a.strides == b.strides
        and a.dtype == b.dtype
    )


def two_sides(
    X: ArrayLike, Y: ArrayLike | None, include_self: bool, keyword: str
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the matrices of a search; the second is None in a self-join.

    `keyword` is what somebody means who gives a number in the place of `Y`.
    """
    x = checked_matrix(X, "X")
    if Y is None:
        return x, None
    if isinstance(Y, str) or np.isscalar(Y):
        meant = "metric" if isinstance(Y, str) else keyword
        raise TypeError(
            f"Y must be a matrix, got {Y!r}: {meant} is given by its name, {meant}={Y!r}"
        )
    if include_self:
        raise ValueError("include_self must be False when Y is given, got True")
    y = checked_matrix(Y, "Y")
    check_same_width(x, "X", y, "Y")
    check_same_order(X, "X", Y, "Y")
    return x, y


def result_dtype(
    dtype: DTypeLike | None, *inputs: NDArray[Any], out: NDArray[Any] | None = None
) -> np.dtype[Any]:
    """Return the type of a matrix of distances."""
    if dtype is not None:
        wanted = np.dtype(dtype)
        if wanted not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"dtype must be float32 or float64, got {wanted}")
        return wanted
    if isinstance(out, np.ndarray) and out.dtype == np.float64:
        return out.dtype
    wide = any(x.dtype.itemsize > (4 if x.dtype.kind == "f" else 2) for x in inputs)
    return np.dtype(np.float64 if wide else np.float32)


def output(
    out: NDArray[Any] | None,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    inputs: tuple[NDArray[Any], ...],
) -> NDArray[Any]:
    """Return the array to write results to: the one given, or a new one."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}")
    if out.dtype != dtype:
        raise ValueError(f"out must have dtype {dtype}, got {out.dtype}")
    if not (out.flags.c_contiguous and out.flags.aligned):
        raise ValueError(f"out must be C-contiguous, got strides {out.strides}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
    if any(np.may_share_memory(out, x) for x in inputs):
        raise ValueError("out must not share memory with an input")
    return out


def whole_number(value: SupportsIndex, name: str) -> int:
    """Return an argument that must be an integer."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def thread_count(threads: int | None) -> int:
    """Return how many threads to use, 0 for the default."""
    if threads is None:
        return 0
    count = whole_number(threads, "threads")
    if not 1 <= count <= 4096:
        raise ValueError(f"threads must be from 1 to 4096, got {count}")
    return count


def radius_limit(radius: float) -> float:
    """Return a radius as a number that is not below 0."""
    try:
        limit = float(radius)
    except (TypeError, ValueError):
        raise TypeError(f"radius must be a number, got {radius!r}") from None
    if not limit >= 0:
        raise ValueError(f"radius must be at least 0, got {radius}")
    return limit


def excluded_rows(exclude: ArrayLike | None, queries: int, rows: int) -> NDArray[np.int64] | None:
    """Return the row that each query leaves out, −1 for none."""
    if exclude is None:
        return None
    ids = dense(exclude, "exclude")
    if ids.dtype.kind not in "iu" and ids.size:
        raise TypeError(f"exclude must hold integers, got {ids.dtype}")
    if ids.shape != (queries,):
        raise ValueError(f"exclude must have a row for each of {queries} queries, got {ids.shape}")
    wrong = ids[(ids < -1) | (ids >= rows)]
    if wrong.size and not rows:
        raise ValueError(f"exclude must be -1, as there are no rows to leave out, got {wrong[0]}")
    if wrong.size:
        raise ValueError(f"exclude must hold rows from 0 to {rows - 1}, or -1, got {wrong[0]}")
    return np.ascontiguousarray(ids, np.int64)


def check_k(
    k: int, queries: int, available: int, excluded: NDArray[np.int64] | None, what: str = ""
) -> None:
    """Refuse to look for more neighbours than there are, or for none."""
    if k < 1 and not queries:
        raise ValueError(f"k must be at least 1, got {k}")
    if not queries:
        return
    what = what or "rows to search"
    if excluded is not None and (excluded >= 0).any():
        available, what = available - 1, f"{what} but the excluded one"
    if available < 1:
        raise ValueError(
            f"k must be at most the number of {what}, which is 0: nothing to find, got {k}"
        )
    if not 1 <= k <= available:
        raise ValueError(f"k must be from 1 to {available} ({what}), got {k}")


class RowError(ValueError):
    """A row with a value that cannot be compared.

    Attributes
    ----------
    side : int
        0 for the first array of a call, 1 for the second.
    finite : bool
        Whether the value is at fault for the metric alone.
    row : int
        The row's number.
    why : str
        Which of `ROW_FAULTS` it is.
    """

    def __init__(self, message: str, side: int, finite: bool, row: int, why: str) -> None:
        super().__init__(message, side, finite, row, why)
        self.side, self.finite, self.row, self.why = side, finite, row, why

    def __str__(self) -> str:
        return str(self.args[0])


ROW_FAULTS = {
    "not finite": "a value that is not finite",
    "negative": "a value below zero, where the metric is not defined",
    "out of range": "values beyond float64 once the metric has prepared them",
    "no sum": "only zeros, and the metric compares shares of a row's sum",
}
"""What the core says of a row, in words."""


class NamingRows:
    """A block in which the core's report of a value that is not finite names the array.

    `start` is the number of the arrays' first row, where they are a part.
    """

    def __init__(self, first: str, second: str, start: int = 0) -> None:
        self.names, self.start = (first, second), start

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if type(error) is ArithmeticError:
            side, row, why = error.args
            raise row_error(self.names[side], side, why, self.start + row) from None


def row_error(name: str, side: int, why: str, row: int) -> RowError:
    """Return the error for a row of an array of this name."""
    message = f"{name} row {row} has {ROW_FAULTS[why]}"
    return RowError(message, side, why != "not finite", row, why)
