"""What a gallery keeps of a photo besides its features: its label, and what its file is."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple, TypeAlias

__all__ = ["Label", "PhotoFile", "status"]

Label: TypeAlias = "str | int | None"


class PhotoFile(NamedTuple):
    """The file of an image; all None for a name that is not a file."""

    size: int | None = None
    mtime_ns: int | None = None
    hash: bytes | None = None


def status(path: bytes) -> tuple[int, int] | None:
    """Return size and mtime_ns of a file, None if it is not there.

    Raises
    ------
    OSError
        It cannot be told whether the file is there.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    return found.st_size, found.st_mtime_ns
