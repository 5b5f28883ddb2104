"""What a gallery keeps of a photo besides its features: its label, and what its file is."""

from __future__ import annotations

import errno
import os
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Label", "PhotoFile", "label_from_stored", "real_name", "status", "stored_label"]

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


def stored_label(label: object) -> object:
    r"""Return a label as the database takes it: bytes for a folder's name that is not UTF-8.

    >>> stored_label("cat"), stored_label("caf\udce9")
    ('cat', b'caf\xe9')
    """
    if not isinstance(label, str):
        return label
    found = label.encode("utf-8", "surrogateescape")
    return label if label.isascii() or _is_utf8(found) else found


def label_from_stored(stored: Any) -> Label:
    r"""Return the label that `stored_label` made this of.

    >>> label_from_stored(b"caf\xe9")
    'caf\udce9'
    """
    label: Label = (
        stored.decode("utf-8", "surrogateescape") if isinstance(stored, bytes) else stored
    )
    return label


def real_name(path: bytes) -> bytes:
    """Return the absolute path of a file by the real name of its folder; a link keeps its own."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
