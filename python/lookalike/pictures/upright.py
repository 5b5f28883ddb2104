"""Which way is up."""

from __future__ import annotations

from typing import TypeAlias

from PIL import Image

__all__ = ["Box", "turned"]

Box: TypeAlias = "tuple[float, float, float, float]"

Turn = Image.Transpose
UPRIGHT = {
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
SWAPPED = {Turn.TRANSPOSE, Turn.ROTATE_270, Turn.TRANSVERSE, Turn.ROTATE_90}
TO_THE_RIGHT = {Turn.FLIP_LEFT_RIGHT, Turn.ROTATE_180, Turn.ROTATE_270, Turn.TRANSVERSE}
TO_THE_BOTTOM = {Turn.FLIP_TOP_BOTTOM, Turn.ROTATE_180, Turn.ROTATE_90, Turn.TRANSVERSE}


def turned(
    image: Image.Image, covers: tuple[float, float], orientation: int
) -> tuple[Image.Image, Box, bool]:
    """Return a picture turned as EXIF says, what it covers now, and whether its sides were swapped.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture as it is stored.
    covers : (width, height)
        What the picture covers of the pixels, from the upper left corner.
    orientation : int
        EXIF's, from 1 to 8; anything else is as 1.

    Examples
    --------
    >>> turned(Image.new("L", (4, 3)), (3.5, 3), 6)[1:]
    ((0.0, 0.0, 3.0, 3.5), True)
    """
    turn = UPRIGHT.get(orientation)
    across, down = covers
    if turn is None:
        return image, (0.0, 0.0, float(across), float(down)), False
    image = image.transpose(turn)
    swapped = turn in SWAPPED
    if swapped:
        across, down = down, across
    left = image.width - across if turn in TO_THE_RIGHT else 0.0
    top = image.height - down if turn in TO_THE_BOTTOM else 0.0
    return image, (float(left), float(top), float(left + across), float(top + down)), swapped
