"""AVIF files: EXIF is read here, since Pillow warns where it is damaged."""

from __future__ import annotations

import re

from lookalike.pictures.ifd import TagFile
from lookalike.pictures.metadata import CAMERA_TAGS

__all__ = ["without_exif"]

EXIF_ITEM = re.compile(rb"infe(?:\x02.{5}|\x03.{7}).{2}Exif", re.DOTALL)
"""The entry in the table of items: version, flags, number, protection, type."""
MOST_STARTS = 64


def without_exif(content: bytes) -> tuple[bytes, bytes | None]:
    """Return an AVIF file whose EXIF no reader finds, and from where on the file holds EXIF.

    The picture's turn is no part of it: AVIF has one of its own, and viewers go by that.
    """
    item = EXIF_ITEM.search(content)
    if item is None:
        return content, None
    hidden = content[: item.end() - 4] + b"skip" + content[item.end() :]
    for number, start in enumerate(re.finditer(rb"II\*\0|MM\0\*", content)):
        if number == MOST_STARTS:
            break
        file = TagFile(content[start.start() :])
        if file.directory(file.first).entries.keys() & CAMERA_TAGS:
            return hidden, file.content
    return hidden, None
