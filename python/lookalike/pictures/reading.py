"""The content of an image file, read once, and what to say where that fails.

Files are opened here and not by Pillow, for three reasons: a pipe or a device must be recognised
before a read hangs on it, whoever stores a content hash needs the very bytes that were decoded, and
no file stays open behind a lazily loaded image.
"""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

import numpy as np

from lookalike.system import open_to_read

__all__ = ["MOST_PIXELS", "ImageError", "check_size", "image_name", "one_line", "read_image"]

MAX_BYTES = 1 << 30
"""No photograph is larger; a disk image given by mistake must not fill the memory."""

MOST_PIXELS = 1 << 28
"""268 megapixels, 1 GiB at the 4 bytes that Pillow takes for a pixel: the largest sensors of phones
have 200, and a file of some kilobytes must not take more than that."""


class ImageError(ValueError):
    """An image that cannot be used.

    Attributes
    ----------
    name : str
        The path as given, or what stands for it (``<bytes>``, ``<array>``).
    reason : str
        Why it cannot be used, in one line.
    """

    def __init__(self, name: str, reason: str) -> None:
        # A file name need not be UTF-8; the message has to be printable all the same.
        printable = name.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(f"{printable}: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.name, self.reason)  # exceptions cross process borders by pickle


def image_name(source: object) -> str:
    """Return what to call an image in a message: its path, or its kind.

    >>> image_name("photos/cat.jpg"), image_name(b"...")
    ('photos/cat.jpg', '<bytes>')
    """
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    if isinstance(source, bytes):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    own = getattr(source, "filename", None) or getattr(source, "name", None)
    return own if isinstance(own, str) else f"<{type(source).__name__}>"


def read_image(source: str | os.PathLike[str] | os.PathLike[bytes] | bytes | BinaryIO) -> bytes:
    """Return the content of an image file, read once; :func:`decode` takes it from there.

    Parameters
    ----------
    source : path, bytes or binary file object
        Bytes are returned as they are.

    Raises
    ------
    ImageError
        The file is missing, unreadable, not a regular file or larger than 1 GiB.

    Examples
    --------
    >>> read_image("/")
    Traceback (most recent call last):
    lookalike.pictures.reading.ImageError: /: is a directory
    """
    name = image_name(source)
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _read_file(source, name)
    if not hasattr(source, "read"):
        raise ImageError(
            name,
            "an image must be a path, bytes, a binary file object, a PIL image or a uint8 array, "
            f"got {type(source).__name__}",
        )
    try:
        content = source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the file is closed
        raise ImageError(name, one_line(error)) from error
    if not isinstance(content, bytes):
        raise ImageError(
            name, f"must be opened in binary mode, read() gave {type(content).__name__}"
        )
    return _within_limit(content, name)


def _read_file(path: str | os.PathLike[str] | os.PathLike[bytes], name: str) -> bytes:
    try:
        descriptor = open_to_read(path)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
                raise ImageError(name, f"is {kind}")
            with open(descriptor, "rb", closefd=False) as file:
                return _within_limit(file.read(MAX_BYTES + 1), name)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, ImageError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImageError(name, reason or one_line(error)) from error


def _within_limit(content: bytes, name: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise ImageError(name, f"file larger than {MAX_BYTES >> 20} MiB")
    return content


def one_line(error: Exception) -> str:
    """Return what an exception says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def check_size(size: tuple[int, int], name: str) -> None:
    """Refuse a picture with more pixels than are decoded, or with none.

    Raises
    ------
    ImageError
        As said.
    """
    width, height = size
    if width * height > MOST_PIXELS:
        raise ImageError(
            name, f"{width}×{height} pixels, more than the {MOST_PIXELS:,} that are decoded"
        )
    if width * height == 0:
        raise ImageError(name, f"no pixels: {width}×{height}")
