"""What the catalogue says of images, of failures and of the gallery as a whole."""

from __future__ import annotations

from typing import NamedTuple

from lookalike.gallery.storage.photos import Label

__all__ = [
    "ContentRecord",
    "DecisionRecord",
    "FailureRecord",
    "Header",
    "ImageRecord",
    "NetworkRecord",
    "PutRecord",
]


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


class ContentRecord(NamedTuple):
    """What is known of a file's content; `phash` is None if it cannot be decoded."""

    hash: bytes
    phash: bytes | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    taken: str | None = None
    camera: str | None = None


class DecisionRecord(NamedTuple):
    """An entry of the journal; `id` is None as long as it is not noted."""

    id: int | None
    at: str
    batch: int | None
    kind: str
    state: str
    hash: bytes
    other: bytes | None = None
    path: bytes | None = None
    detail: str | None = None


class NetworkRecord(NamedTuple):
    """The network that the gallery's features are from, if it is not GoogLeNet."""

    path: bytes
    sha256: bytes
    preprocessing: str
    output: str | None = None
