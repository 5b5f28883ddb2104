"""A hash of what a picture looks like: near for copies that are scaled, re-encoded or grey."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["BITS", "HIGH_BITS", "LOW_BITS", "bits_apart", "perceptual_hash"]

SIDE = 64
KEPT = 16
BITS = KEPT * KEPT

LOW_BITS, HIGH_BITS = 20, 64
"""Two pictures are linked at up to LOW_BITS, and at up to HIGH_BITS if their features are near too.

``docs/duplicates.md`` says what was measured at these.
"""


@lru_cache(maxsize=1)
def _basis() -> npt.NDArray[np.float64]:
    """Return the lowest KEPT rows of the DCT-II of SIDE values."""
    frequency, place = np.ogrid[:KEPT, :SIDE]
    basis: npt.NDArray[np.float64] = np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE))
    return basis


def perceptual_hash(image: Image.Image) -> bytes:
    """Return a picture's 256-bit hash: which of its 16 × 16 lowest frequencies exceed their median.

    Parameters
    ----------
    image : PIL.Image.Image
        An upright RGB image.

    Returns
    -------
    bytes
        32 of them; :func:`bits_apart` compares two.

    Examples
    --------
    >>> slope = Image.linear_gradient("L").convert("RGB")
    >>> bits_apart(perceptual_hash(slope), perceptual_hash(slope.resize((90, 90))))
    0
    """
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    waves = _basis() @ np.asarray(grey, np.float64) @ _basis().T
    # Rounded, or the noise of float64 would decide about frequencies that are not there.
    waves = waves.round(3)
    return np.packbits(waves > np.median(waves)).tobytes()


def bits_apart(one: bytes, other: bytes) -> int:
    """Return the number of bits in which two hashes differ, from 0 to 256."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
