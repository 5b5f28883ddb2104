"""The preview in a raw photo: NEF, CR2, DNG and ARW are TIFF files that hold JPEG files.

What the sensor saw is not developed here; the preview is the camera's own development of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lookalike.pictures.ifd import TagFile
from lookalike.pictures.jpeg import JpegParts, jpeg_parts

__all__ = ["largest_preview", "raw_format"]

PHOTOMETRIC, STRIPS, STRIP_SIZES, JPEG_AT, JPEG_SIZE = 262, 273, 279, 513, 514
MAKE, DNG_VERSION = 0x010F, 50706
OF_A_SENSOR = {32803, 34892}
"""Photometric interpretations: colour filter array, linear raw."""
MAKERS = {"nikon": "NEF", "canon": "CR2", "sony": "ARW"}


def raw_format(file: TagFile) -> str | None:
    """Return which kind of raw photo a TIFF file is, None if it is none."""
    first = file.directory(file.first)
    if file.content[8:10] == b"CR":
        return "CR2"
    if not any(file.number(found, PHOTOMETRIC) in OF_A_SENSOR for found in file.directories()):
        return None
    if DNG_VERSION in first.entries:
        return "DNG"
    maker = (file.text(first, MAKE) or "?").split()[0].lower()
    return MAKERS.get(maker, "RAW")


def largest_preview(file: TagFile) -> JpegParts | None:
    """Return the JPEG file with the most pixels in a raw photo, None if there is none."""
    best: JpegParts | None = None
    for first, end in _jpeg_places(file):
        parts = jpeg_parts(file.content[first:end])
        # Of the sensor's own data, which some cameras keep as JPEG too, it is lossless.
        is_preview = parts.scan and not parts.lossless and parts.frame[:1] == b"\x08"
        if is_preview and (best is None or parts.pixels > best.pixels):
            best = parts
    return best


def _jpeg_places(file: TagFile) -> Iterator[tuple[int, int]]:
    """Yield where the JPEG files begin and end that directories name, each once."""
    seen = set()
    for directory in file.directories():
        for at, size in ((JPEG_AT, JPEG_SIZE), (STRIPS, STRIP_SIZES)):
            places, sizes = file.numbers(directory, at), file.numbers(directory, size)
            if len(places) != 1 or len(sizes) != 1:
                continue
            first = int(places[0])
            end = min(first + int(sizes[0]), len(file.content))
            if not 0 <= first < end or (first, end) in seen:
                continue
            if file.content.startswith(b"\xff\xd8\xff", first, end):
                seen.add((first, end))
                yield first, end
