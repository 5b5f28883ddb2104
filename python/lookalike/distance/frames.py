"""Frames of pandas and polars, and tables and lists of Arrow, as arrays that lose nothing.

Nothing here imports a library that the object is not of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.exact_integers import require_exact

__all__ = ["from_arrow", "from_pandas", "from_polars"]


class Place(NamedTuple):
    """Where values stand, for errors: the argument, and the column if it has a name."""

    name: str
    column: Any = None

    def __str__(self) -> str:
        return self.name if self.column is None else f"{self.name} column {self.column!r}"


def from_pandas(frame: Any, name: str) -> NDArray[Any]:
    """Return a DataFrame of numbers or a Series of lists as a matrix, another Series as a row."""
    if frame.ndim == 1:
        return _pandas_column(frame, Place(name))
    kinds = set(frame.dtypes)
    if len(kinds) == 1 and isinstance(kind := kinds.pop(), np.dtype) and kind.kind in "fiub":
        array: NDArray[Any] = frame.to_numpy()
        return array
    places = [Place(name, label) for label in frame.columns]
    columns = [_pandas_column(frame.iloc[:, i], place) for i, place in enumerate(places)]
    return _side_by_side(columns, places, len(frame), name)


def _pandas_column(series: Any, place: Place) -> NDArray[Any]:
    kind = series.dtype
    if hasattr(kind, "pyarrow_dtype"):
        return from_arrow_column(series.array.__arrow_array__(), place)
    if isinstance(kind, np.dtype):
        array: NDArray[Any] = series.to_numpy()
        return _stacked(array, place) if kind.kind == "O" else array
    if not isinstance(getattr(kind, "numpy_dtype", None), np.dtype):
        _refuse_type(place, kind)
    if missing := int(series.isna().sum()):
        _refuse_missing(place, missing)
    converted: NDArray[Any] = series.to_numpy(kind.numpy_dtype)
    return converted


def _stacked(values: NDArray[Any], place: Place) -> NDArray[Any]:
    """Return the lists of a column of objects as rows."""
    for row, value in enumerate(values):
        if not isinstance(value, (list, tuple, np.ndarray)):
            raise TypeError(
                f"{place} must hold numbers or lists of numbers, got an object column with "
                f"{value!r:.80} in row {row}"
            )
    if not len(values):
        return np.empty((0, 0))
    _one_length([len(value) for value in values], place)
    return np.stack([np.asarray(value) for value in values])


def from_polars(frame: Any, name: str) -> NDArray[Any]:
    """Return a DataFrame of numbers or a Series of lists as a matrix, another Series as a row."""
    import polars

    if isinstance(frame, polars.Series):
        return _polars_column(frame, Place(name))
    if not isinstance(frame, polars.DataFrame):
        kind = type(frame).__name__
        raise TypeError(f"{name} must be there, got a {kind}: {name}.collect() computes it")
    series = frame.get_columns()
    columns = [_polars_column(each, Place(name, each.name)) for each in series]
    if len(columns) > 1 and len(set(frame.dtypes)) == 1 and columns[0].ndim == 1:
        array: NDArray[Any] = frame.to_numpy()  # without a copy if they lie side by side
        return array
    return _side_by_side(columns, [Place(name, each) for each in frame.columns], len(frame), name)


def _polars_column(series: Any, place: Place) -> NDArray[Any]:
    import polars

    kind = series.dtype
    if missing := series.null_count():
        _refuse_missing(place, missing)
    if isinstance(kind, (polars.List, polars.Array)):
        if isinstance(kind, polars.List):
            width = _one_length(series.list.len().to_list(), place)
        else:
            width = kind.shape[0]
        if not width or not len(series):
            return np.empty((len(series), width))
        flat = _polars_column(series.explode(), place)
        return flat.reshape(len(series), width, *flat.shape[1:])
    number = kind.is_integer() or kind.is_float() or kind == polars.Boolean
    if not number or str(kind) in ("Int128", "UInt128"):
        _refuse_type(place, kind)
    array: NDArray[Any] = series.to_numpy()
    return array


def from_arrow(table: Any, name: str) -> NDArray[Any]:
    """Return a table of numbers or an array of lists as a matrix, another array as a row."""
    if not hasattr(table, "column_names"):
        return from_arrow_column(table, Place(name))
    places = [Place(name, label) for label in table.column_names]
    columns = [from_arrow_column(table.column(i), place) for i, place in enumerate(places)]
    return _side_by_side(columns, places, table.num_rows, name)


def from_arrow_column(array: Any, place: Place) -> NDArray[Any]:
    """Return an Array or ChunkedArray of numbers as a row, one of lists as a matrix."""
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        chunks = array.chunks or [pa.array([], array.type)]
        parts = [from_arrow_column(chunk, place) for chunk in chunks if len(chunk)]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return from_arrow_column(chunks[0], place)
        widths = [part.shape[1] if part.ndim > 1 else 0 for part in parts]
        _one_length(np.repeat(widths, [len(part) for part in parts]).tolist(), place)
        return np.concatenate(parts)
    if isinstance(array, pa.ExtensionArray):
        return from_arrow_column(array.storage, place)
    kind = array.type
    if array.null_count:
        _refuse_missing(place, array.null_count)
    if pa.types.is_fixed_size_list(kind):
        width = kind.list_size
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        width = _one_length(array.value_lengths().to_pylist(), place)
    else:
        numbers = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
        if not any(is_number(kind) for is_number in numbers):
            _refuse_type(place, kind)
        converted: NDArray[Any] = array.to_numpy(zero_copy_only=False)
        return converted
    flat = from_arrow_column(array.flatten(), place)
    return flat.reshape(len(array), width, *flat.shape[1:])


def _one_length(lengths: list[int], place: Place) -> int:
    """Return the length of lists that all have the same."""
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(
                f"{place} must have lists of one length, got {lengths[0]} and, in row {row}, "
                f"{length}"
            )
    return lengths[0] if lengths else 0


def _side_by_side(
    columns: Sequence[NDArray[Any]], places: Sequence[Place], rows: int, name: str
) -> NDArray[Any]:
    """Return columns as one matrix, of the narrowest type that holds all of their values."""
    if len(columns) == 1 and columns[0].ndim > 1:
        return columns[0]
    for column, place in zip(columns, places, strict=True):
        if column.ndim > 1:
            raise TypeError(
                f"{name} must be columns of numbers, or one of lists, got lists in column "
                f"{place.column!r} beside {len(columns) - 1} others"
            )
        if column.dtype.kind not in "fiub":
            _refuse_type(place, column.dtype)
    kind = np.result_type(*columns) if columns else np.dtype(np.float64)
    matrix = np.empty((rows, len(columns)), kind)
    for number, (column, place) in enumerate(zip(columns, places, strict=True)):
        if kind.kind == "f" and column.dtype.kind in "iu" and column.dtype.itemsize == 8:
            require_exact(column[:, None], str(place))
        matrix[:, number] = column
    return matrix


def _refuse_type(place: Place, kind: Any) -> NoReturn:
    raise TypeError(f"{place} must hold real numbers of at most 64 bits, got {kind}")


def _refuse_missing(place: Place, count: int) -> NoReturn:
    raise ValueError(
        f"{place} must have no missing values, got {count}: fill them, or leave their rows out"
    )
