"""Whether a picture has colour."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["is_grey"]

COLOURFUL = 12
"""Difference of a pixel's channels, in levels, that compression does not make of a grey one."""


def is_grey(image: Image.Image) -> bool:
    """Tell whether an RGB image has no colour: all but one in a thousand of its pixels are grey.

    Examples
    --------
    >>> is_grey(Image.new("RGB", (9, 9), "silver")), is_grey(Image.new("RGB", (9, 9), "plum"))
    (True, False)
    """
    pixels = np.asarray(image)
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return float((spread > COLOURFUL).mean()) <= 0.001
