"""TIFF files: which tags reach the decoder, and what is read here."""

from __future__ import annotations

import io
import struct

from PIL import Image, ImageFile, TiffImagePlugin

from lookalike.pictures.depth import Stated
from lookalike.pictures.ifd import Directory, TagFile
from lookalike.pictures.reading import ImageError

__all__ = [
    "SEVERAL",
    "beyond_of",
    "check_planes",
    "open_tiff",
    "pixels_alone",
    "profile_of",
    "stated_of",
]

SAMPLES, PLANAR, APART = 277, 284, 2
BITS, PHOTOMETRIC, SAMPLE_FORMAT, PROFILE = 258, 262, 339, 34675
LOWEST, HIGHEST = 340, 341
SUBFILE, OLD_SUBFILE, WIDTH, EXTRA_SAMPLES, LAYERS = 254, 255, 256, 338, 37724
REDUCED, OLD_REDUCED = 1, 2
NOT_SHOWN = 0
WHITE_IS_ZERO = 0
COLOURS = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3}
"""Samples of a pixel by photometric interpretation, where it is not one."""
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
ONE_VALUE = {254, 256, 257, 259, 262, 266, 277, 278, 284, 317, 322, 323, 512, 513, 514, 515}
DECIDE = ONE_VALUE | {
    *(258, 273, 279, 292, 293, 320, 324, 325, 332, 333, 336, 338, 339, 347),
    *(517, 518, 519, 520, 521, 529, 530, 531, 532, 50674),
}
"""The tags that pixels depend on: size, strips and tiles, compression, samples, palette."""

SEVERAL = "holds several pictures"


class _Tiff(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its warning about pictures of 90 megapixels and more."""

    def load_prepare(self) -> None:
        ImageFile.ImageFile.load_prepare(self)


def open_tiff(content: bytes, name: str) -> Image.Image:
    """Open a TIFF file that holds the tags of its pixels alone, so that it needs no turn."""
    return _Tiff(io.BytesIO(content), name)


def pixels_alone(file: TagFile, directory: Directory) -> bytes:
    """Return a TIFF file with one picture, and of its tags those that the pixels depend on.

    Pillow warns of damage in any other, and turns the picture while it is large.
    """
    order, content = file.order, file.content
    entries = []
    for tag, entry in sorted(directory.entries.items()):
        if tag in DECIDE and not (tag in ONE_VALUE and entry.values != 1):
            entries.append(entry.raw)
    at = len(content)
    if file.big:
        header = content[:8] + struct.pack(order + "Q", at)
        count, end = struct.pack(order + "Q", len(entries)), bytes(8)
    else:
        header = content[:4] + struct.pack(order + "I", at)
        count, end = struct.pack(order + "H", len(entries)), bytes(4)
    return b"".join([header, memoryview(content)[len(header) :], count, *entries, end])


def check_planes(file: TagFile, directory: Directory, name: str) -> None:
    """Refuse a picture whose colours are kept apart in a way that Pillow mistakes for another.

    Raises
    ------
    ImageError
        They have not 8 bits each, or there is one that is no colour.
    """
    samples = file.number(directory, SAMPLES) or 1
    if samples == 1 or file.number(directory, PLANAR) != APART:
        return
    if any(bits != 8 for bits in file.numbers(directory, BITS)):
        raise ImageError(name, "colours in separate planes are decoded only if of 8 bits each")
    if samples != COLOURS.get(file.number(directory, PHOTOMETRIC) or 0, 1):
        raise ImageError(
            name, "colours in separate planes are decoded only without further samples"
        )


def stated_of(file: TagFile, directory: Directory) -> Stated:
    """Return what a TIFF file states of its pixels' values."""
    bits = file.number(directory, BITS) or 1
    kind = file.number(directory, SAMPLE_FORMAT) or UNSIGNED
    black, white = file.numbers(directory, LOWEST), file.numbers(directory, HIGHEST)
    least, most = min(black, default=0), max(white, default=None)
    known = most is not None and least < most < float("inf")
    return Stated(
        black=float(least) if known else None,
        white=float(most) if known and most is not None else None,
        bits=bits if bits in (10, 12, 14) else None,
        inverted=file.number(directory, PHOTOMETRIC) == WHITE_IS_ZERO,
        unsigned=kind == UNSIGNED and bits == 32,
    )


def beyond_of(file: TagFile) -> str:
    """Return why a TIFF file holds more than the pixels of its first picture, as `Picture` does."""
    first, *others = file.directories()
    if any(_is_page(file, other) for other in others):
        return SEVERAL
    if LAYERS in first.entries:  # Photoshop's; the picture is what they make together
        return "holds layers"
    if NOT_SHOWN in file.numbers(first, EXTRA_SAMPLES):  # a selection, a scanner's infrared
        return "holds a channel that is not shown"
    return ""


def _is_page(file: TagFile, directory: Directory) -> bool:
    """Tell whether a directory holds a picture that is not another one at a smaller size."""
    reduced = (file.number(directory, SUBFILE) or 0) & REDUCED
    reduced = reduced or file.number(directory, OLD_SUBFILE) == OLD_REDUCED
    return WIDTH in directory.entries and not reduced


def profile_of(file: TagFile, directory: Directory) -> bytes | None:
    """Return the colour profile in a TIFF file."""
    return file.data(directory, PROFILE) or None
