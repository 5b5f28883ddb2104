"""Room on the disk for a matrix, taken before anything is written to it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np

from lookalike.system import reserve as take

__all__ = ["BLOCK_ROWS", "reserve"]

BLOCK_ROWS = 16384
"""Rows a step."""


def reserve(file: Path, shape: tuple[int, ...], dtype: str, name: str | os.PathLike[str]) -> None:
    """Make a ``.npy`` file whose room on the disk is taken already.

    Without that, a full disk would end the program by a signal when it writes to the mapping.
    """
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    free = shutil.disk_usage(file.parent).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"needs {size / 1e9:,.1f} GB, the disk has {free / 1e9:,.1f} GB",
            os.fspath(name),
        )
    with open(file, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        if size:
            stream.flush()
            take(stream.fileno(), stream.tell(), size)
