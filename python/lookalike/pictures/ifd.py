"""TIFF's directories of tags, which EXIF and raw photos are made of as well.

Read here and not by Pillow: its reader warns about damage, and a warning cannot be silenced in one
thread alone. This one leaves out what is damaged. It never reads beyond the content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Directory", "Entry", "TagFile"]

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
SIZES |= {16: 8, 17: 8, 18: 8}
CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
CODES |= {16: "Q", 17: "q", 18: "Q"}
MOST_NUMBERS = 1 << 16
"""Of one tag. What is asked for here are sizes, places and short texts."""
MOST_TAGS = 4096
MOST_DIRECTORIES = 64
SUB_DIRECTORIES = 330


class Entry(NamedTuple):
    """A tag as the directory has it: type, number of values, where they lie, the entry's bytes."""

    kind: int
    values: int
    at: int
    raw: bytes


@dataclass(frozen=True)
class Directory:
    """Tags by number, and where the next directory lies; 0 if there is none."""

    entries: dict[int, Entry]
    next: int


class TagFile:
    r"""A TIFF file, or the TIFF file that EXIF is.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    ValueError
        It does not begin as a TIFF file does.

    Examples
    --------
    >>> turned = b"\x12\1\3\0\1\0\0\0\6\0\0\0"
    >>> file = TagFile(b"II*\0\x08\0\0\0\1\0" + turned)
    >>> file.numbers(file.directory(file.first), 0x112)
    (6,)
    """

    def __init__(self, content: bytes) -> None:
        order = {b"II": "<", b"MM": ">"}.get(content[:2])
        if order is None or len(content) < 8:
            raise ValueError("not a TIFF file")
        self.order = order
        self.content = content
        version = struct.unpack_from(order + "H", content, 2)[0]
        self.big = version == 43
        if self.big and len(content) < 16:
            raise ValueError("not a TIFF file")
        self._offset = "Q" if self.big else "I"
        self.first: int = struct.unpack_from(order + self._offset, content, 8 if self.big else 4)[0]

    def directory(self, at: int) -> Directory:
        """Return the directory at a place; of a damaged one what can be read."""
        entries: dict[int, Entry] = {}
        form, size = ("HHQ", 20) if self.big else ("HHI", 12)
        inline = 8 if self.big else 4
        try:
            if at <= 0:
                return Directory(entries, 0)
            count: int = struct.unpack_from(
                self.order + ("Q" if self.big else "H"), self.content, at
            )[0]
            at += 8 if self.big else 2
            for _ in range(min(count, MOST_TAGS)):
                tag, kind, number = struct.unpack_from(self.order + form, self.content, at)
                place = at + size - inline
                length = SIZES.get(kind, 0) * number
                if length > inline:
                    place = struct.unpack_from(self.order + self._offset, self.content, place)[0]
                if length > 0 and place + length <= len(self.content) and tag not in entries:
                    raw = self.content[at : at + size]
                    if len(raw) == size:
                        entries[tag] = Entry(kind, number, place, raw)
                at += size
            following: int = struct.unpack_from(self.order + self._offset, self.content, at)[0]
        except (struct.error, OverflowError):
            following = 0
        return Directory(entries, following)

    def directories(self) -> Iterator[Directory]:
        """Yield the directories of all images, the first one first, and of those within images."""
        places = [self.first]
        for at in places:
            found = self.directory(at)
            yield found
            within = self.numbers(found, SUB_DIRECTORIES)[:MOST_DIRECTORIES]
            for place in (found.next, *within):
                new = isinstance(place, int) and place > 0 and place not in places
                if new and len(places) < MOST_DIRECTORIES:
                    places.append(int(place))

    def numbers(self, directory: Directory, tag: int) -> tuple[float, ...]:
        """Return the numbers of a tag, integers as such; () if it is not there or no numbers."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in CODES or entry.values > MOST_NUMBERS:
            return ()
        return struct.unpack_from(
            f"{self.order}{entry.values}{CODES[entry.kind]}", self.content, entry.at
        )

    def number(self, directory: Directory, tag: int) -> int | None:
        """Return the first number of a tag as an integer, None if there is none."""
        found = self.numbers(directory, tag)
        return int(found[0]) if found and found[0] == found[0] and abs(found[0]) < 2**64 else None

    def data(self, directory: Directory, tag: int) -> bytes:
        """Return the bytes of a tag's values; none if it is not there."""
        entry = directory.entries.get(tag)
        if entry is None:
            return b""
        return self.content[entry.at : entry.at + entry.values * SIZES[entry.kind]]

    def text(self, directory: Directory, tag: int) -> str | None:
        """Return a tag's text on one line without what cannot be printed; None if none is left."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in (1, 2, 7) or entry.values > MOST_NUMBERS:
            return None
        text = self.data(directory, tag).split(b"\0")[0].decode("utf-8", "replace")
        words = "".join(c if c.isprintable() else " " for c in text).split()
        return " ".join(words)[:200] or None
