"""The identifier that a photo of Apple's and its few seconds of film have in common."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["film_identifier", "photo_identifier"]

MAKER_NOTE = b"Apple iOS\0\0\1MM"  # then a directory of EXIF, its offsets from here, big-endian
PHOTO_TAG = 0x0011
TEXT = 2
FILM_KEY = b"com.apple.quicktime.content.identifier"
CUT_SHORT = "no QuickTime file, or one cut short"
LONGEST = 1 << 20
"""Bytes of a box of names that are read at most: they are a few hundred."""


def photo_identifier(path: str) -> str:
    """Return the identifier in a photo's MakerNote, empty if it has none.

    The note stands in one piece in JPEG and HEIC alike, so that no decoder is needed.
    """
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return ""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = content.find(MAKER_NOTE)
            return _in_note(content[start : start + (1 << 16)]) if start >= 0 else ""


def _in_note(note: bytes) -> str:
    first = len(MAKER_NOTE)
    try:
        (entries,) = struct.unpack_from(">H", note, first)
        for entry in range(entries):
            tag, kind, count, value = struct.unpack_from(">HHII", note, first + 2 + 12 * entry)
            if tag == PHOTO_TAG and kind == TEXT:
                return note[value : value + count].rstrip(b"\0").decode("ascii", "replace")
    except struct.error:  # cut short
        pass
    return ""


def film_identifier(path: str) -> str:
    """Return the identifier in a QuickTime file's metadata, empty if it has none.

    Raises
    ------
    ValueError
        It is no QuickTime file, or cut short.
    """
    with open(path, "rb") as file:
        try:
            return _in_film(file, os.fstat(file.fileno()).st_size)
        except struct.error:
            raise ValueError(CUT_SHORT) from None


def _in_film(file: BinaryIO, size: int) -> str:
    found = [each for each in _boxes(file, 0, size) if each[0] == b"moov"]
    if not found:
        raise ValueError(CUT_SHORT)
    for kind, start, end in _boxes(file, *found[0][1:]):
        if kind == b"meta" and (identifier := _in_meta(file, start, end)):
            return identifier
    return ""


def _in_meta(file: BinaryIO, start: int, end: int) -> str:
    file.seek(start)
    if file.read(8)[4:] not in (b"hdlr", b"keys", b"ilst"):  # as MP4 has it: a version first
        start += 4
    inside = {kind: (first, last) for kind, first, last in _boxes(file, start, end)}
    if b"keys" not in inside or b"ilst" not in inside:
        return ""
    keys = _content(file, *inside[b"keys"])
    (count,) = struct.unpack_from(">I", keys, 4)
    place, number = 8, 0
    for position in range(1, count + 1):
        (length,) = struct.unpack_from(">I", keys, place)
        if keys[place + 8 : place + length] == FILM_KEY:
            number = position
        place += max(length, 8)
    for kind, first, last in _boxes(file, *inside[b"ilst"]):
        if number and kind == struct.pack(">I", number):
            value = _content(file, first, last)
            if value[4:8] == b"data":
                return value[16:].rstrip(b"\0").decode("ascii", "replace")
    return ""


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of the content of each box between two places."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        first = start + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            first += 8
        elif size == 0:
            size = end - start
        if size < first - start or start + size > end:
            raise ValueError(CUT_SHORT)
        yield kind, first, start + size
        start += size


def _content(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, LONGEST))
