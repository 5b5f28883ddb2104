"""Pixels of more than 8 bits: which value is black, which is white.

A file may state it. Where it does not, the values tell: integers that all fit into 8, 10 or 12 bits
have that many, whatever type holds them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.pictures.reading import ImageError
from lookalike.pictures.reduction import strips

__all__ = ["Stated", "Tones", "deep_colour", "is_deep", "tones_of"]

DARKEST = 16
"""Values that stay below a sixteenth of what their type can hold are not a dark picture but those
of a smaller type: 12 bits kept in 16."""

OTHER_BYTE = {
    "N": "B" if sys.byteorder == "little" else "L",
    "B": "L",
    "L": "B",
}


@dataclass(frozen=True)
class Stated:
    """What a file states of its pixels' values.

    Attributes
    ----------
    black, white : float or None
        The values of black and white.
    bits : int or None
        How many bits the values have.
    inverted : bool
        Whether the lowest value is white.
    unsigned : bool
        Whether 32-bit integers are to be read without a sign.
    transparent : int or None
        The value that is shown as white because it is transparent.
    """

    black: float | None = None
    white: float | None = None
    bits: int | None = None
    inverted: bool = False
    unsigned: bool = False
    transparent: int | None = None


@dataclass(frozen=True)
class Tones:
    """How the values of a deep picture become grey levels of 8 bits.

    Attributes
    ----------
    black, white : float
        The values of black and white; black is the larger one if the values are inverted.
    unsigned, transparent
        As in `Stated`.
    """

    black: float
    white: float
    unsigned: bool = False
    transparent: int | None = None

    def __call__(self, strip: Image.Image) -> Image.Image:
        """Return a strip of the picture in 8-bit grey."""
        values = _values(strip, self.unsigned)
        grey = self._levels(values)
        if self.transparent is not None:
            grey[values == self.transparent] = 255
        return Image.fromarray(grey)

    def _levels(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        if values.dtype.itemsize == 2 and values.dtype.kind == "u":
            return np.take(self._exactly(np.arange(65536)), values)
        return self._exactly(values)

    def _exactly(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        levels = values.astype(np.float64)
        levels -= self.black
        levels *= 255 / (self.white - self.black)
        levels += 0.5
        return levels.clip(0, 255).astype(np.uint8)


def is_deep(mode: str) -> bool:
    """Tell whether Pillow keeps more than 8 bits of a pixel in a mode."""
    return mode in ("I", "F") or mode.startswith("I;16")


def _values(strip: Image.Image, unsigned: bool) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = np.asarray(strip)
    return values.view(np.uint32) if unsigned and values.dtype == np.int32 else values


def tones_of(image: Image.Image, stated: Stated, name: str) -> Tones:
    """Return how the values of a picture become grey levels.

    Raises
    ------
    ImageError
        Nothing is stated, and the values do not tell; or some are not finite.
    """
    black, white = stated.black, stated.white
    if white is None or image.mode == "F":
        lowest, highest = math.inf, -math.inf
        for _, strip in strips(image):
            values = _values(strip, stated.unsigned)
            least, most = values.min(), values.max()  # NaN if there is one; Python's min drops it
            if not (np.isfinite(least) and np.isfinite(most)):
                raise ImageError(name, "some of its pixels are not finite numbers")
            lowest, highest = min(lowest, least), max(highest, most)
    if white is None:
        black, white = _range(float(lowest), float(highest), stated.bits, image.mode == "F", name)
    black = 0.0 if black is None else black
    if stated.inverted:
        black, white = white, black
    return Tones(black, white, stated.unsigned, stated.transparent)


def _range(
    lowest: float, highest: float, bits: int | None, real: bool, name: str
) -> tuple[float, float]:
    """Return the values of black and white of a picture with these values."""
    if bits is not None and lowest >= 0 and highest < 2**bits:
        return 0.0, 2.0**bits - 1
    if lowest < 0 and -lowest > highest / DARKEST:
        if real:
            raise ImageError(
                name, f"float pixels from {lowest:g} to {highest:g}, and no range is stated"
            )
        power = max(int(-lowest - 1).bit_length(), int(highest).bit_length())
        return -(2.0**power), 2.0**power - 1
    # What little there is below black comes from sharpening or noise, and is black.
    if not real or highest >= DARKEST:
        return 0.0, _white(int(highest))
    if highest >= 1:
        return 0.0, 2.0 ** int(highest).bit_length() - 1
    if highest > 1 / DARKEST or highest <= 0:
        return 0.0, 1.0
    return 0.0, 2.0 ** math.ceil(math.log2(highest))


def _white(highest: int) -> float:
    bits = highest.bit_length()
    return 2.0 ** next((known for known in (8, 10, 12, 16) if bits <= known), bits) - 1


def deep_colour(
    image: Image.Image, again: Callable[[], Image.Image], stated: Stated
) -> Image.Image:
    """Return a picture of 16 bits a sample in the 8 bits that its values fill.

    Pillow keeps the upper byte of each sample, which is right unless the values end below.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture with the upper bytes.
    again : callable
        A function that opens the picture once more, for its lower bytes.
    stated : Stated
        What the file states.
    """
    colours = {"RGB": 3, "RGBA": 3, "CMYK": 4}.get(image.mode, 0)
    if not colours:
        return image
    extrema: Any = image.getextrema()
    top = max(high for _, high in extrema[:colours])
    limit = stated.white
    if limit is None and stated.bits is not None and top < 1 << max(stated.bits - 8, 0):
        limit = 2.0**stated.bits - 1
    if (limit is None and top >= 256 // DARKEST) or (limit is not None and limit >= 65535):
        return image
    low = again()
    if not _read_lower_bytes(low):
        return image
    values = [
        (
            top,
            np.asarray(strip).astype(np.uint16) << 8
            | np.asarray(low.crop((0, top, image.width, top + strip.height))),
        )
        for top, strip in strips(image)
    ]
    if limit is None:
        limit = _white(max(int(part[:, :, :colours].max()) for _, part in values))
    tones = Tones(stated.black or 0.0, limit)
    for at, part in values:
        strip8 = np.empty(part.shape, np.uint8)
        strip8[:, :, :colours] = tones._levels(part[:, :, :colours])
        strip8[:, :, colours:] = part[:, :, colours:] >> 8
        image.paste(
            Image.frombytes(image.mode, (image.width, len(part)), strip8.tobytes()), (0, at)
        )
    return image


def _read_lower_bytes(image: Image.Image) -> bool:
    """Load a picture, unloaded so far, with the lower byte of each sample; tell if that went."""
    tiles = []
    for tile in image.tile:  # type: ignore[attr-defined]
        args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        raw = args[0]
        if not isinstance(raw, str) or raw[-4:-1] != ";16" or raw.startswith(("LA", "RGBa")):
            return False
        args = (raw[:-1] + OTHER_BYTE[raw[-1]], *args[1:])
        tiles.append(tile._replace(args=args if isinstance(tile.args, tuple) else args[0]))
    image.tile = tiles  # type: ignore[attr-defined]
    image.load()
    return True
