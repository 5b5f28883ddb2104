"""The features of a gallery: little-endian float32, row after row, in one file per generation.

Rows are only ever added behind those that the catalogue counts. To leave rows out, the next
generation is written beside the old one; a file that a reader may have mapped keeps its bytes until
nobody has it open any more.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage.errors import GalleryError
from lookalike.system import read_at, sync_folder, write_at

__all__ = [
    "append",
    "create",
    "delete_others",
    "file_path",
    "map_rows",
    "read_row",
    "sync",
    "write_blocks",
    "write_selection",
]

FLOAT = np.dtype("<f4")
BLOCK_BYTES = 8 << 20
NAME = re.compile(r"features-(\d+)\.(?:f32|[a-z]+\.index)")
"""What lies of a generation in a gallery's folder: its features, and indexes of them."""


def file_path(folder: str, generation: int) -> str:
    """Return the path of a generation's file."""
    return os.path.join(folder, f"features-{generation}.f32")


def create(folder: str, generation: int) -> int:
    """Make an empty file and return its descriptor; one of a creation cut short is replaced."""
    path = file_path(folder, generation)
    with _naming(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def append(
    descriptor: int, path: str, row: int, features: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Write rows behind the committed ones, without a sync; return what has been written."""
    stored = np.ascontiguousarray(features, FLOAT)
    content = stored.data.cast("B") if stored.size else memoryview(b"")
    offset = row * stored.shape[1] * FLOAT.itemsize
    with _naming(path):
        while content:
            written = write_at(descriptor, content, offset)
            content, offset = content[written:], offset + written
    return stored


def read_row(descriptor: int, row: int, dim: int) -> npt.NDArray[np.float32]:
    """Read a row, committed or not."""
    size = dim * FLOAT.itemsize
    return np.frombuffer(read_at(descriptor, size, row * size), FLOAT)


def sync(descriptor: int, path: str) -> None:
    """Wait until what was written will survive a power cut."""
    with _naming(path):
        os.fsync(descriptor)


def map_rows(folder: str, generation: int, rows: int, dim: int) -> npt.NDArray[np.float32]:
    """Map the first rows of a generation's file, read-only.

    Raises
    ------
    FileNotFoundError
        There is no such generation, or no longer.
    GalleryError
        The file has fewer rows.
    """
    path = file_path(folder, generation)
    size = os.stat(path).st_size
    if size < rows * dim * FLOAT.itemsize:
        raise GalleryError(
            f"{path} is damaged: it has {size:,} bytes, {rows:,} rows of {dim:,} features need "
            f"{rows * dim * FLOAT.itemsize:,}; `lookalike check --repair` saves what can be saved"
        )
    if not rows:
        return np.empty((0, dim), np.float32)  # nothing cannot be mapped
    return np.memmap(path, FLOAT, "r", shape=(rows, dim))


def write_selection(
    folder: str, generation: int, source: npt.NDArray[np.float32], rows: npt.NDArray[np.int64]
) -> None:
    """Write and sync the file of a new generation from some rows, ascending, of another."""
    most = max(1, BLOCK_BYTES // (source.shape[1] * FLOAT.itemsize))
    blocks = (source[start:stop] for start, stop in _runs(rows, most))
    write_blocks(folder, generation, blocks)


def write_blocks(folder: str, generation: int, blocks: Iterable[npt.NDArray[np.float32]]) -> None:
    """Write and sync the file of a new generation from matrices, one below the other."""
    path = file_path(folder, generation)
    descriptor = create(folder, generation)
    try:
        row = 0
        for block in blocks:
            append(descriptor, path, row, block)
            row += len(block)
        sync(descriptor, path)
        sync_folder(folder)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def delete_others(folder: str, generation: int) -> None:
    """Delete the files of other generations: old ones, and new ones that were never committed."""
    for name in os.listdir(folder):
        match = NAME.fullmatch(name)
        if match and int(match[1]) != generation:
            os.unlink(os.path.join(folder, name))


def _runs(rows: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Cut ascending row numbers into ranges (start, stop) of at most so many rows."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for run in np.split(rows, breaks):
        for first in range(0, len(run), most):
            part = run[first : first + most]
            yield int(part[0]), int(part[-1]) + 1


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GalleryError(
            f"cannot write {path}: {error.strerror}; what was committed before is intact"
        ) from error
