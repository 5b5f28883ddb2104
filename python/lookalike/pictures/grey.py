"""Whether a picture has colours of its own."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["is_grey"]

OWN = 2.5
"""Standard deviation, in levels, of a picture's chroma beyond what its brightness explains:
of 250 photos turned grey and tinted none has more than 2.2, of the 250 as they were 95 % have."""


def is_grey(image: Image.Image) -> bool:
    """Tell whether an RGB image is grey, or tinted: its colour follows from its brightness.

    Examples
    --------
    >>> slope = Image.linear_gradient("L")
    >>> is_grey(slope.convert("RGB")), is_grey(Image.merge("RGB", [slope, slope, slope.rotate(90)]))
    (True, False)
    """
    luminance, *chroma = (
        np.asarray(plane, np.float64).ravel() for plane in image.convert("YCbCr").split()
    )
    powers = np.vander(luminance / 255, 4)
    for plane in chroma:
        fitted, *_ = np.linalg.lstsq(powers, plane, rcond=None)
        if (plane - powers @ fitted).std() > OWN:
            return False
    return True
