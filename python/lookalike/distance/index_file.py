"""The file of an index: its layout, and the checks that no byte of it was changed.

A line with the format's number; a line with the checksum of the header; the header, JSON in one
line; then the parts that it lists, each from a multiple of 64 bytes on. Whatever bounds are made of
is held against its checksum when the file is opened, rows, codes and screens chunk by chunk when
the core first reads them.

Rows may lie apart, in a file of their own; then the header says which they are, and only their
checksums are here.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike import _core
from lookalike.distance import ids
from lookalike.distance.metrics import Metric
from lookalike.distance.parameters import require_width

MAGIC = b"lookalike index "
FORMAT = 3
ALIGNMENT = 64
ROWS_CHUNK = 1 << 12  # or a row, if that is more: a search reads single rows
CHUNKS = {"codes": ROWS_CHUNK, "screen 1": 1 << 16, "screen 2": ROWS_CHUNK}
"""Of the parts beside rows that are checked when they are read; all of the first screen is."""
MOST_HEADER = 1 << 20
PARAMETER = "parameter "
"""What the name of a part begins with that is an array among the metric's parameters."""

Guard = tuple[int, NDArray[np.uint64]]
"""The bytes in a chunk, and a checksum for each."""


Said = dict[str, Any]
"""What a header says of rows that lie apart: whatever tells them from all others."""


class IndexFileError(ValueError):
    """A file that is no index, is damaged, or was written by another version."""


class OtherVersionError(IndexFileError):
    """A file that another version wrote."""


class OtherRowsError(IndexFileError):
    """A file without its rows, which are not those that it is asked for."""


class Identity(NamedTuple):
    """What tells an index file from every other: its checksums are in the header."""

    bytes: int
    header: str


class Contents(NamedTuple):
    """What an index file holds."""

    metric: Metric
    rows: NDArray[Any]
    parts: dict[str, NDArray[np.uint8]]
    guards: dict[str, Guard]
    identity: Identity
    ids: NDArray[Any] | None


def to_bytes(
    metric: Metric,
    rows: NDArray[Any],
    parts: dict[str, NDArray[np.uint8]],
    names: NDArray[Any] | None,
) -> bytes:
    """Return what `write` would write."""
    stream = io.BytesIO()
    write(stream, metric, rows, parts, names)
    return stream.getvalue()


def write(
    out: BinaryIO,
    metric: Metric,
    rows: NDArray[Any],
    parts: dict[str, NDArray[np.uint8]],
    names: NDArray[Any] | None,
    apart: Said | None = None,
) -> None:
    """Write an index, whose `parts` are those of the core, to a file of its own.

    Its rows are left out where `apart` says which they are.
    """
    rows = np.ascontiguousarray(rows)
    arrays = {"rows": _bytes_of(rows), **parts, **ids.pack(names)}
    parameters: dict[str, float | list[int]] = {}  # an array's shape, the array in a part
    for name, value in metric.parameters.items():
        if isinstance(value, np.ndarray):
            arrays[PARAMETER + name] = _bytes_of(value)
            parameters[name] = list(value.shape)
        else:
            parameters[name] = value
    sizes = {"rows": _row_chunk(rows), **CHUNKS}
    chunks = {name: size for name, size in sizes.items() if name in arrays}
    for name in chunks:
        arrays[f"checksums of {name}"] = _bytes_of(_core.checksums(arrays[name], chunks[name]))
    if apart is not None:
        del arrays["rows"]
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = [at, array.size, None if name in chunks else _checksum(array)]
        at += _padded(array.size)
    header = {
        "metric": metric.name,
        "parameters": parameters,
        "dtype": rows.dtype.str,
        "shape": rows.shape,
        "chunks": chunks,
        "parts": places,
        "bytes": at,
        "apart": apart,
    }
    text = json.dumps(header).encode()
    first = MAGIC + b"%d\n" % FORMAT
    text += b" " * (-(len(first) + 17 + len(text) + 1) % ALIGNMENT) + b"\n"
    out.write(first + _checksum(np.frombuffer(text, np.uint8)).encode() + b"\n" + text)
    for array in arrays.values():
        out.write(array.data)
        out.write(bytes(_padded(array.size) - array.size))


def read(
    path: str | os.PathLike[str], apart: Callable[[Said], NDArray[Any]] | None = None
) -> Contents:
    """Map an index file into memory and check all of it but the rows and the codes.

    Parameters
    ----------
    path : path
        The file.
    apart : callable, optional
        Returns the rows of a file that has none, by what its header says of them.

    Raises
    ------
    IndexFileError
        The file is no index, of another format, or not as it was written.
    """
    with Path(path).open("rb") as file:
        return _read(file, os.fsdecode(path), apart)


def said_of_rows(path: str | os.PathLike[str]) -> Said | None:
    """Return what an index file says of rows that are not in it; None: it has its rows.

    Raises
    ------
    IndexFileError
        As from `read`, of the header alone.
    """
    with Path(path).open("rb") as file:
        header, _ = _header(file, os.fsdecode(path))
    said: Said | None = header.get("apart")
    return said


def from_bytes(content: bytes) -> Contents:
    """Check what `to_bytes` returned, as `read` checks a file."""
    return _read(io.BytesIO(content), "the index", None)


def _read(file: BinaryIO, name: str, apart: Callable[[Said], NDArray[Any]] | None) -> Contents:
    header, checksum = _header(file, name)
    rows = None
    if (said := header.get("apart")) is not None:
        if apart is None:
            raise OtherRowsError(f"{name} is an index without its rows, which lie elsewhere")
        rows = apart(said)
    try:
        return _contents(file, header, checksum, rows)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise IndexFileError(f"{name} is damaged: {error}") from error


def _header(file: BinaryIO, name: str) -> tuple[dict[str, Any], str]:
    """Return the header and its checksum; the file's position is behind it."""
    first = file.readline(len(MAGIC) + 16)
    if not first.startswith(MAGIC):
        raise IndexFileError(f"{name} is not an index of lookalike")
    if first != MAGIC + b"%d\n" % FORMAT:
        raise OtherVersionError(
            f"{name} is an index of another version of lookalike, which this one does not "
            "read: build it again from its rows"
        )
    checksum, text = file.readline(32), file.readline(MOST_HEADER)
    if checksum != _checksum(np.frombuffer(text, np.uint8)).encode() + b"\n":
        raise IndexFileError(f"{name} is damaged: its header is not as it was written")
    try:
        header = json.loads(text)
        header.get("apart")
    except (AttributeError, ValueError) as error:
        raise IndexFileError(f"{name} is damaged: {error}") from error
    return header, checksum.decode().strip()


def _contents(
    file: BinaryIO, header: dict[str, Any], checksum: str, apart: NDArray[Any] | None
) -> Contents:
    """Return what lies behind the header, in this very file: another may have its name by now."""
    size, places, chunks = int(header["bytes"]), header["parts"], header["chunks"]
    start, whole = file.tell(), file.seek(0, os.SEEK_END)
    found = whole - start
    if found != size:
        raise ValueError(f"it has {found} bytes of data where it should have {size}")
    if isinstance(file, io.BytesIO):
        data = _aligned(file.getvalue(), start)
    else:
        data = np.memmap(file, np.uint8, "r", offset=start) if size else np.empty(0, np.uint8)
    parts = {}
    for name, (at, length, expected) in places.items():
        if not 0 <= at <= at + _padded(length) <= size or at % ALIGNMENT:
            raise ValueError(f"its part '{name}' does not lie within it")
        parts[name] = data[at : at + length]
        if expected is not None and expected != _checksum(parts[name]):
            raise damage(name)
        if data[at + length : at + _padded(length)].any():
            raise damage(name)
    dtype, shape = np.dtype(header["dtype"]), tuple(header["shape"])
    if dtype.kind not in "fiub" or not dtype.isnative or len(shape) != 2 or shape[1] < 1:
        raise ValueError(f"its rows cannot be {dtype} of shape {shape}")
    if apart is not None:
        if apart.dtype != dtype or apart.shape != shape or not apart.flags.c_contiguous:
            raise ValueError(f"its rows are not {apart.dtype} of shape {apart.shape}")
        parts["rows"] = _bytes_of(apart)
    if parts["rows"].size != dtype.itemsize * shape[0] * shape[1]:
        raise damage("rows")
    guards = {
        name: (int(chunks[name]), parts.pop(f"checksums of {name}").view(np.uint64))
        for name in ("rows", *CHUNKS)
        if name in parts
    }
    rows: NDArray[Any] = np.ndarray(shape, dtype, buffer=parts.pop("rows"))
    metric = _metric(header["metric"], header["parameters"], parts)
    require_width(metric.parameters, shape[1])
    names, identity = ids.unpack(parts, len(rows)), Identity(whole, checksum)
    return Contents(metric, rows, parts, guards, identity, names)


def _metric(name: str, noted: dict[str, Any], parts: dict[str, NDArray[np.uint8]]) -> Metric:
    """Return the metric of a header; the arrays among its parameters are taken out of the parts."""
    try:
        parameters = {
            key: parts.pop(PARAMETER + key).view(np.float64).reshape(value)
            if isinstance(value, list)
            else float(value)
            for key, value in noted.items()
        }
        metric = Metric(name, **parameters)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its metric cannot have the parameters {noted}") from error
    if metric.missing is not None or metric.parameters.keys() != parameters.keys():
        raise ValueError(f"its metric cannot have the parameters {noted}")
    return metric


def _aligned(content: bytes, start: int) -> NDArray[np.uint8]:
    """Copy bytes to where a file would be mapped to: an address that vectors can be read from."""
    room = np.empty(len(content) - start + ALIGNMENT, np.uint8)
    skip = -room.ctypes.data % ALIGNMENT
    data = room[skip : skip + len(content) - start]
    data[:] = np.frombuffer(content, np.uint8, offset=start)
    data.flags.writeable = False
    return data


def damage(part: str) -> ValueError:
    """Return the error for a part that is not as it was written."""
    return ValueError(f"its part '{part}' is not as it was written")


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _checksum(array: NDArray[np.uint8]) -> str:
    (value,) = _core.checksums(array, max(1, array.size)) if array.size else (0,)
    return f"{int(value):016x}"


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _row_chunk(rows: NDArray[Any]) -> int:
    row: int = rows.shape[1] * rows.itemsize
    return row * max(1, ROWS_CHUNK // row)
