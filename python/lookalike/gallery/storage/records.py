"""What the catalogue says of images, of failures and of the gallery as a whole."""

from __future__ import annotations

from typing import NamedTuple

from lookalike.gallery.storage.photos import Label

__all__ = ["FailureRecord", "Header", "ImageRecord", "PutRecord"]


class Header(NamedTuple):
    """What the gallery as a whole is: the one row of the table ``gallery``."""

    dim: int
    space: str | None
    generation: int
    rows: int


class ImageRecord(NamedTuple):
    """An image; its path is relative to its root."""

    row: int
    root: int
    path: bytes
    label: Label
    size: int | None
    mtime_ns: int | None
    hash: bytes | None


class PutRecord(NamedTuple):
    """An image whose features have just been written, and the checksum of its row."""

    row: int
    root: int
    path: bytes
    label: object
    size: int | None
    mtime_ns: int | None
    hash: bytes | None
    crc: int


class FailureRecord(NamedTuple):
    """A file that could not be used; `decoders` is None if it could not even be read."""

    root: int
    path: bytes
    size: int
    mtime_ns: int
    decoders: str | None
    reason: str
