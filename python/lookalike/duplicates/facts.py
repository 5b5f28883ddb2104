"""What is known of an image's file when it has to be decided whether it may go."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass

__all__ = ["Facts", "file_facts"]


@dataclass(frozen=True)
class Facts:
    """What is known of an image's file.

    Attributes
    ----------
    width, height : int
        Size of the picture as it is shown, in pixels; 0 where unknown.
    bytes : int
        Size of the file, 0 where unknown.
    mtime_ns : int or None
        When the file was last changed.
    format, taken, camera : str or None
        Pillow's name of the format, when the picture was taken, and what took it.
    grey : bool or None
        Whether the picture has no colour.
    identity : hashable
        Equal for two names of one file; None where unknown.
    doubt : str
        Why the file must be neither removed nor relied on, empty if it may.
    """

    width: int = 0
    height: int = 0
    bytes: int = 0
    mtime_ns: int | None = None
    format: str | None = None
    taken: str | None = None
    camera: str | None = None
    grey: bool | None = None
    identity: Hashable | None = None
    doubt: str = ""

    @property
    def pixels(self) -> int:
        """Number of pixels of the picture, 0 where unknown."""
        return self.width * self.height


def file_facts(path: str, size: int | None, mtime_ns: int | None) -> Facts:
    """Return the facts of a file that had this size and time of change when it was embedded.

    Parameters
    ----------
    path : str
        The file, which is not opened.
    size : int or None
        Its size in bytes; None for a name that is no file.
    mtime_ns : int or None
        Its time of change in nanoseconds.

    Examples
    --------
    >>> file_facts("row 1", None, None).doubt
    'not a file'
    """
    if size is None:
        return Facts(doubt="not a file")
    try:
        found = os.stat(path)
        link = os.path.islink(path)
    except OSError as error:
        return Facts(doubt=error.strerror or str(error))
    changed = (found.st_size, found.st_mtime_ns) != (size, mtime_ns)
    doubt = "a symbolic link" if link else ""
    return Facts(
        bytes=found.st_size,
        mtime_ns=found.st_mtime_ns,
        identity=(found.st_dev, found.st_ino),
        doubt="has changed since it was indexed" if changed else doubt,
    )
