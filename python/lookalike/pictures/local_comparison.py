"""Whether two pictures are one picture: no local difference but what copying explains.

Coarse witnesses, a hash or features, see that two pictures have the same layout. Two receipts have
that too. Here the two are laid over each other and compared block by block: a difference is
explained if re-encoding, scaling, removing the colour or cutting off a narrow margin could have
made it, which is bounded by what they made everywhere else. What is left is another picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from lookalike.pictures.alignment import NARROW, Frame, align
from lookalike.pictures.unexplained import (
    Plane,
    Rest,
    activity,
    carried_over,
    fine_structure,
    rest,
    soft,
    tone_shift,
)

__all__ = ["COMPARED_SIDE", "LocalComparison", "compare_locally"]

COMPARED_SIDE = 1024
"""Short side in pixels at which pictures are compared, if they have it: `least` of open_picture."""

LEGIBLE = 0.45
"""A smaller copy below COMPARED_SIDE may have lost what differs unless it has this scale."""

SMALLEST = 96
"""Short side in pixels below which nothing can be told."""

GLANCE = 512
"""Long side in pixels at which most different pictures are told already."""

TONES, HUES = 1.8, 2.6
"""Grey levels by which flat places may shift: half a step of JPEG at quality 50, and rounding."""

SHARED, LOST, EVEN = 0.35, 0.15, 0.2
"""Where the noise of the two is each its own; see `Fine`."""

LANCZOS = Image.Resampling.LANCZOS
PLACES = "they differ in places"


class LocalComparison(NamedTuple):
    """What `compare_locally` found.

    Attributes
    ----------
    same : bool
        Whether copying explains every difference.
    reason : str
        Why they are not the same, as a person reads it; empty if they are.
    excess : float
        The largest local difference as a multiple of what copying explains; infinite if the
        pictures could not be laid over each other.
    where : (float, float)
        Its place in the smaller picture, in shares of width and height.
    scale : float
        Size of the smaller picture over the larger's.
    grey : bool
        Whether one has colours and the other none.
    margins : (float, float)
        Shares of a side that the first and the second picture lack at most at one edge.
    """

    same: bool
    reason: str = ""
    excess: float = float("inf")
    where: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    grey: bool = False
    margins: tuple[float, float] = (0.0, 0.0)


def compare_locally(one: Image.Image, other: Image.Image) -> LocalComparison:
    """Compare two pictures place by place.

    Parameters
    ----------
    one, other : PIL.Image.Image
        Upright RGB pictures, with at least `COMPARED_SIDE` pixels on the short side if they have
        as many.

    Returns
    -------
    LocalComparison

    Notes
    -----
    Explained are: re-encoding, scaling both sides alike, colour removed, margins of up to 2.5 % cut
    off one of the two. Not explained are a brighter, warmer, mirrored, marked, retouched or further
    cropped picture, another frame of a burst, and a copy too small to tell.

    Examples
    --------
    >>> ball = Image.radial_gradient("L").convert("RGB")
    >>> compare_locally(ball, ball.resize((160, 160))).same
    True
    >>> spotted = ball.copy()
    >>> spotted.paste((200, 0, 0), (40, 40, 46, 46))
    >>> compare_locally(ball, spotted).reason
    'they differ in places'
    """
    swapped = one.width * one.height > other.width * other.height
    small, large = (other, one) if swapped else (one, other)
    scale = max(small.width / large.width, small.height / large.height)
    least = min(small.size)
    if least < SMALLEST or (scale < LEGIBLE and least < COMPARED_SIDE):
        return LocalComparison(False, "too small to tell", scale=scale)
    shape = small.width * large.height / (small.height * large.width)
    if abs(shape - 1) > 2 * NARROW + 1 / least:
        return LocalComparison(False, "another shape", scale=scale)
    if least > 1.5 * COMPARED_SIDE:
        factor = 1.5 * COMPARED_SIDE / least
        size = (round(small.width * factor), round(small.height * factor))
        small = small.resize(size, LANCZOS, reducing_gap=3)
    frame = align(small.convert("L"), large.convert("L"))
    beyond = max(0.0, -frame.left, -frame.top, frame.right - 1, frame.bottom - 1)
    lacking = max(0.0, frame.left, frame.top, 1 - frame.right, 1 - frame.bottom)
    margins = (beyond, lacking) if swapped else (lacking, beyond)
    found = LocalComparison(False, scale=scale, margins=margins)
    if max(margins) > NARROW:
        return found._replace(reason="another section")
    if min(margins) > 0.004:
        return found._replace(reason="each shows what the other lacks")
    seen, box = _overlay(small, large, frame)
    if max(seen.size) > 2 * GLANCE:
        size = _fitting(seen.size, GLANCE)
        glance = seen.resize(size, LANCZOS, None, 2), large.resize(size, LANCZOS, box, 2)
        worst = _luminance(*glance)[0]
        if worst.excess > 2:
            return found._replace(reason=PLACES, excess=worst.excess, where=worst[1:])
    result = _compared(seen, large.resize(seen.size, LANCZOS, box), found)
    if large.size != small.size and 1 < result.excess < 5:
        for way in (Image.Resampling.BILINEAR, Image.Resampling.BOX):
            again = _compared(seen, large.resize(seen.size, way, box), found)
            result = min(result, again, key=lambda each: (not each.same, each.excess))
    return result


def _fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    factor = side / max(size)
    return max(32, round(size[0] * factor)), max(32, round(size[1] * factor))


def _overlay(
    small: Image.Image, large: Image.Image, frame: Frame
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """Return the part of `small` that `large` shows too, and its box in `large` in pixels."""
    box, cut = [], []
    for axis in (0, 1):
        start, end = frame[axis], frame[axis + 2]
        side, full, step = small.size[axis], large.size[axis], (end - start) / small.size[axis]
        first = max(0, int(np.ceil(-start / step - 0.01)))
        last = min(side, int((1 - start) / step + 0.01))
        begin, stop = (start + first * step) * full, (start + last * step) * full
        if abs(step * full - 1) < 0.002:
            # Neither was scaled: pixels lie on pixels, and are not to be mixed.
            begin = min(max(round(begin), 0), full - 1)
            last = min(last, first + full - begin)
            stop = begin + last - first
        cut.append((first, last))
        box.append((max(0.0, begin), min(float(full), stop)))
    (left, right), (top, bottom) = cut
    part = small.crop((left, top, right, bottom))
    return part, (box[0][0], box[1][0], box[0][1], box[1][1])


def _colourless(chroma: list[Image.Image]) -> bool:
    return all(np.abs(np.asarray(each, np.int16) - 128).max() <= 4 for each in chroma)


def _luminance(seen: Image.Image, shown: Image.Image) -> tuple[Rest, float, Plane]:
    """Return what is left unexplained of the luminance, the shift of tones, and the activity."""
    one, other = (soft(np.asarray(each.convert("L"), np.float32)) for each in (shown, seen))
    one = carried_over(one, other)
    active = np.minimum(activity(one), activity(other))
    return rest(one, other, active, 3.5, 8), tone_shift(one, other, active), active


def _compared(seen: Image.Image, shown: Image.Image, found: LocalComparison) -> LocalComparison:
    # Chroma is often stored at half the size.
    halves = [list(each.reduce(2).convert("YCbCr").split()) for each in (shown, seen)]
    plain = [_colourless(half[1:]) for half in halves]
    worst, shift, active = _luminance(seen, shown)
    hue = 0.0
    if worst.excess <= 1 and not any(plain):
        for plane in (1, 2):
            one, other = (soft(np.asarray(each[plane], np.float32)) for each in halves)
            one = carried_over(one, other)
            own = np.minimum(activity(one), activity(other))
            bright = active[: own.shape[0] * 2 : 2, : own.shape[1] * 2 : 2]
            own = own[: bright.shape[0], : bright.shape[1]]
            hue = max(hue, tone_shift(one, other, own))
            worst = max(worst, rest(one, other, np.maximum(own, bright), 4, 8))
    found = found._replace(excess=worst.excess, where=worst[1:], grey=plain[0] != plain[1])
    if worst.excess > 1:
        return found._replace(reason=PLACES)
    if shift > TONES or hue > HUES:
        return found._replace(reason="other tones")
    noise = fine_structure(*(np.asarray(each.convert("L"), np.float32) for each in (shown, seen)))
    # Scaling evens the noise of one of the two, so that their strengths say nothing.
    equal = found.scale == 1 and noise.lost < LOST and noise.even > EVEN
    if noise.shared < SHARED or equal:
        return found._replace(reason="another exposure")
    return found._replace(same=True)
