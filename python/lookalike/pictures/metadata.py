"""What EXIF says of a picture: which way is up, when it was taken and by what."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from lookalike.pictures.ifd import Directory, TagFile

__all__ = ["CAMERA_TAGS", "NOTHING", "Facts", "exif_facts", "facts_of"]

ORIENTATION, MAKE, MODEL, EXIF = 0x0112, 0x010F, 0x0110, 0x8769
CAMERA_TAGS = {MAKE, MODEL, EXIF}
TAKEN, SUB_SECONDS, OFFSET = 0x9003, 0x9291, 0x9011


class Facts(NamedTuple):
    """Facts of a photo: EXIF's orientation from 1 to 8, and as `Picture` has them the rest."""

    orientation: int = 1
    taken: str | None = None
    camera: str | None = None


NOTHING = Facts()


def exif_facts(exif: bytes | None) -> Facts:
    r"""Return the facts in EXIF data; what is damaged in it is as if it were not there.

    Examples
    --------
    >>> exif_facts(b"Exif\0\0II*\0 and so on")
    Facts(orientation=1, taken=None, camera=None)
    """
    if not exif:
        return NOTHING
    try:
        file = TagFile(exif[6:] if exif.startswith(b"Exif\0\0") else exif)
    except ValueError:
        return NOTHING
    return facts_of(file, file.directory(file.first))


def facts_of(file: TagFile, directory: Directory) -> Facts:
    """Return the facts in the directory of a photo, and in its EXIF directory."""
    orientation = file.number(directory, ORIENTATION) or 1
    exif = file.directory(file.number(directory, EXIF) or 0)
    return Facts(
        orientation if 1 <= orientation <= 8 else 1,
        _taken(
            file.text(exif, TAKEN),
            file.text(exif, SUB_SECONDS),
            file.text(exif, OFFSET),
        ),
        _camera(file.text(directory, MAKE), file.text(directory, MODEL)),
    )


def _taken(text: str | None, sub_seconds: str | None, offset: str | None) -> str | None:
    found = re.fullmatch(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", text or "", re.A)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        taken = str(datetime.datetime(year, month, day, hour, minute, second))
    except ValueError:  # cameras whose clock was never set write zeros
        return None
    if sub_seconds and re.fullmatch(r"\d{1,9}", sub_seconds, re.A):
        taken += f".{sub_seconds}"
    if offset and re.fullmatch(r"[+-]\d\d:\d\d", offset, re.A):
        taken += offset
    return taken


def _camera(make: str | None, model: str | None) -> str | None:
    if make and model and not model.lower().startswith(make.split()[0].lower()):
        return f"{make} {model}"
    return model or make
