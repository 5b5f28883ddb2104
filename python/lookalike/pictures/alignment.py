"""Where a picture lies in another one that shows the same: whole, or cut at its edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["NARROW", "Frame", "align"]

NARROW = 0.025
"""Largest share of a side that may be missing at an edge."""

SIDES = (64, 128, 256, 512)
"""Long sides in pixels at which the place is estimated, and refined."""

LEAST = 24
"""Pixels that a side keeps, so that long pictures have something across."""

WHOLE = 0.0025
"""Smaller margins are the rounding of sizes."""


class Frame(NamedTuple):
    """The rectangle of a picture that another one shows, in shares of width and height."""

    left: float
    top: float
    right: float
    bottom: float


def align(small: Image.Image, large: Image.Image) -> Frame:
    """Return the frame of `large` that `small` shows, which may reach beyond it.

    The place is sought near the whole of `large`: in a pyramid of sizes, each step moves the edges
    by what the gradients say of the difference (Lucas and Kanade, 1981).

    Parameters
    ----------
    small, large : PIL.Image.Image
        Upright pictures of mode L.
    """
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    frame = whole
    big = _within(large, 2 * SIDES[-1])
    for side in SIDES:
        target = _within(small, side)
        seen = _plane(target)
        for _ in range(3):
            step = _step(_plane(_shown(big, frame, target.size)), seen)
            frame = frame + step
            if np.abs(frame - whole).max() > 3 * NARROW:
                return Frame(*frame.tolist())
            if np.abs(step).max() * side < 0.02:
                break
        if side >= SIDES[-2] and np.abs(frame - whole).max() < WHOLE:
            return Frame(*whole.tolist())
        if max(small.size) <= side:
            break
    return Frame(*frame.tolist())


def _within(image: Image.Image, side: int) -> Image.Image:
    factor = side / max(image.size)
    if factor >= 1:
        return image
    size = (_shrunk(image.width, factor), _shrunk(image.height, factor))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)


def _shrunk(side: int, factor: float) -> int:
    return max(min(side, LEAST), round(side * factor))


def _shown(
    image: Image.Image, frame: npt.NDArray[np.float64], size: tuple[int, int]
) -> Image.Image:
    """Return the frame of an image; what lies beyond it is black."""
    width, height = image.size
    x = (frame[0] * width, (frame[2] - frame[0]) * width / size[0])
    y = (frame[1] * height, (frame[3] - frame[1]) * height / size[1])
    smooth = image
    factor = max(x[1], y[1])
    if factor > 1.2:
        smooth = _within(image, max(size))
        share = (smooth.width / width, smooth.height / height)
        x, y = (x[0] * share[0], x[1] * share[0]), (y[0] * share[1], y[1] * share[1])
    return smooth.transform(
        size, Image.Transform.AFFINE, (x[1], 0, x[0], 0, y[1], y[0]), Image.Resampling.BICUBIC
    )


def _plane(image: Image.Image) -> npt.NDArray[np.float64]:
    """Return the pixels as numbers."""
    return np.asarray(image.convert("F"), np.float64)


def _step(shown: npt.NDArray[np.float64], seen: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how the edges of the frame must move for `shown` to become `seen`."""
    height, width = seen.shape
    high, wide = (max(2, round(1.5 * NARROW * length)) for length in seen.shape)
    inner = (slice(high, -high), slice(wide, -wide))
    mean = (shown + seen) / 2
    along_y, along_x = np.gradient(mean, axis=0), np.gradient(mean, axis=1)
    x = ((np.arange(width) + 0.5) / width)[None, wide:-wide]
    y = ((np.arange(height) + 0.5) / height)[high:-high, None]
    gx, gy = along_x[inner] * width, along_y[inner] * height
    # d shown / d edge: moving the left edge moves what is at x by 1 - x of it.
    terms = [gx * (1 - x), gy * (1 - y), gx * x, gy * y, np.ones_like(gx)]
    rows = np.stack([each.ravel() for each in terms])
    difference = (seen - shown)[inner].ravel()
    # Large differences are another content or an edge that is not met yet: they weigh less.
    weight = 1 / (1 + (difference / 12) ** 2)
    normal = (rows * weight) @ rows.T
    normal += np.eye(5) * (1e-6 * np.trace(normal) + 1e-9)
    solved = np.linalg.solve(normal, (rows * weight) @ difference)
    limit = 1.0 / max(width, height)
    step: npt.NDArray[np.float64] = np.clip(solved[:4], -1.5 * limit, 1.5 * limit)
    return step
