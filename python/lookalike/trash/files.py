"""A file looked at again, just before anything is done about it."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import NamedTuple

from lookalike.files import reason
from lookalike.system import open_to_read

__all__ = [
    "Checked",
    "FileFacts",
    "Identity",
    "LeftAloneError",
    "Removal",
    "content_of",
    "identity",
    "looked_at",
    "verified",
]


class LeftAloneError(Exception):
    """A file that is not touched; the text says why."""


class FileFacts(NamedTuple):
    """A file as it was indexed: absolute path, bytes, time of change, SHA-256 of its content."""

    path: str
    size: int
    mtime_ns: int
    sha256: bytes


class Removal(NamedTuple):
    """A file that may go, and the one that stays in its place."""

    keeper: FileFacts
    goer: FileFacts


class Identity(NamedTuple):
    """What is equal for two names of one file, through links and mounts alike."""

    device: int
    inode: int


class Checked(NamedTuple):
    """A regular file that has been looked at, by no link."""

    path: str
    status: os.stat_result
    sha256: bytes

    @property
    def identity(self) -> Identity:
        """Which file it is."""
        return identity(self.status)


def identity(status: os.stat_result) -> Identity:
    """Return which file a status is of."""
    return Identity(status.st_dev, status.st_ino)


def looked_at(path: str) -> os.stat_result:
    """Return the status of a regular file.

    Raises
    ------
    LeftAloneError
        It is gone, a link, behind a link, or no regular file.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise LeftAloneError("is gone") from None
    except OSError as error:
        raise LeftAloneError(reason(error)) from None
    if stat.S_ISLNK(status.st_mode):
        raise LeftAloneError("is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise LeftAloneError("is not a regular file")
    folder = os.path.dirname(path)
    if os.path.realpath(folder) != folder:
        raise LeftAloneError(f"lies behind a symbolic link: it is in {os.path.realpath(folder)}")
    return status


def verified(facts: FileFacts) -> Checked:
    """Return a file whose size, time and content are those given.

    Raises
    ------
    LeftAloneError
        They are not, or it cannot be read.
    """
    status = looked_at(facts.path)
    if (status.st_size, status.st_mtime_ns) != (facts.size, facts.mtime_ns):
        raise LeftAloneError("has changed since it was indexed")
    checked = content_of(facts.path)
    if checked.sha256 != facts.sha256:
        raise LeftAloneError("has other content than when it was indexed")
    return checked


def content_of(path: str) -> Checked:
    """Read a regular file; nothing may happen to it meanwhile.

    Raises
    ------
    LeftAloneError
        It is gone, a link or no regular file, cannot be read, or is being written.
    """
    before = looked_at(path)
    try:
        with open(open_to_read(path), "rb") as file:
            opened = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").digest()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise LeftAloneError(reason(error)) from None
    if not _state(before) == _state(opened) == _state(after):
        raise LeftAloneError("is being changed")
    return Checked(path, after, digest)


def _state(status: os.stat_result) -> tuple[int, ...]:
    return (*identity(status), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
