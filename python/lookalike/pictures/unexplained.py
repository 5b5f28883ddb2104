"""What differs between two planes that lie over each other, against what copying makes of one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "Fine",
    "Plane",
    "Rest",
    "activity",
    "carried_over",
    "fine_structure",
    "rest",
    "soft",
    "tone_shift",
]

Plane = npt.NDArray[np.float32]

BLOCK = 4
LEVELS = np.array([1, 2, 4, 8, 16, 32], np.float32)
"""Bounds of activity, in grey levels a pixel, between blocks that are judged by one another."""

TYPICAL = 8.0
"""How far a block may exceed three quarters of those of its level."""

FLAT = 8
"""Activity below which a block shows its tone."""

FEWEST = 50
"""Blocks of a level that can be judged by one another."""


class Rest(NamedTuple):
    """The largest difference as a multiple of what is explained, and its place in shares."""

    excess: float
    x: float
    y: float


def soft(plane: Plane) -> Plane:
    """Smooth with binomial weights of five pixels in each direction."""
    height, width = plane.shape
    edged = np.pad(plane, ((2, 2), (0, 0)), mode="edge")
    tall = edged[1 : height + 1] + edged[3 : height + 3]
    tall *= 4
    tall += 6 * plane
    tall += edged[:height]
    tall += edged[4:]
    edged = np.pad(tall, ((0, 0), (2, 2)), mode="edge")
    wide = edged[:, 1 : width + 1] + edged[:, 3 : width + 3]
    wide *= 4
    wide += 6 * tall
    wide += edged[:, :width]
    wide += edged[:, 4:]
    wide *= 1 / 256
    return wide


def carried_over(source: Plane, target: Plane) -> Plane:
    """Return `source` as it would look like `target` had it been copied.

    A copy may lie a part of a pixel aside or be a little sharper: the best combination of the
    source's gradients and its second derivative, over the whole picture, takes that up. Tones stay.
    """
    height, width = source.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    along_x = _slope(source.T).T
    along_y = _slope(source)
    bend = soft(source) - source
    stride = max(1, round((source.size / 30_000) ** 0.5))
    some = (slice(stride // 2, None, stride), slice(stride // 2, None, stride))
    terms = [along_x, along_y, along_x * x, along_y * y, bend]
    rows = np.stack([term[some].ravel() for term in terms]).astype(np.float64)
    wanted = (target - source)[some].ravel()
    weight = np.ones(len(wanted))
    factors: npt.NDArray[np.floating[Any]] = np.zeros(len(rows))
    for _ in range(3):
        normal = (rows * weight) @ rows.T
        normal += np.diag(np.diag(normal) * 1e-6 + 1e-6)
        factors = np.linalg.solve(normal, (rows * weight) @ wanted)
        left = wanted - factors @ rows
        weight = 1 / (1 + (left / (3 * np.median(np.abs(left)) + 1)) ** 2)
    moved = np.clip(factors, -1, 1).astype(np.float32)
    copy: Plane = source + moved[4] * bend
    copy += along_x * (moved[0] + moved[2] * x)
    copy += along_y * (moved[1] + moved[3] * y)
    return copy


def _slope(plane: Plane) -> Plane:
    """Return the derivative along the first axis, 0 at the ends."""
    out = np.zeros_like(plane)
    np.subtract(plane[2:], plane[:-2], out=out[1:-1])
    out *= 0.5
    return out


def tone_shift(copy: Plane, target: Plane, active: Plane) -> float:
    """Return by how many grey levels the tones of flat places differ, where they differ most."""
    calm = active < FLAT
    rows, columns = calm.shape
    before, after = (_mean(plane, BLOCK)[:rows, :columns][calm] for plane in (copy, target))
    worst = 0.0
    tone = (before / 32).round()
    for each in np.unique(tone):
        here = tone == each
        if np.count_nonzero(here) >= FEWEST:
            worst = max(worst, abs(float(np.median(after[here] - before[here]))))
    return worst


def _mean(plane: Plane, side: int) -> Plane:
    """Return the mean of each block, what does not fill one left out."""
    height, width = (length // side for length in plane.shape)
    cut: Plane = plane[: height * side, : width * side].reshape(height, side, width, side)
    mean: Plane = cut.mean(3).mean(1)
    return mean


def _largest(plane: Plane, side: int) -> Plane:
    """Return the largest value of each block."""
    height, width = (length // side * side for length in plane.shape)
    rows = plane[0:height:side]
    for step in range(1, side):
        rows = np.maximum(rows, plane[step:height:side])
    out = rows[:, 0:width:side]
    for step in range(1, side):
        out = np.maximum(out, rows[:, step:width:side])
    return out


def _around(blocks: Plane, reach: int) -> Plane:
    """Return the largest value within `reach` blocks."""
    for axis in (0, 1):
        turned = blocks if axis else blocks.T
        edged = np.pad(turned, ((0, 0), (reach, reach)), mode="edge")
        out = turned.copy()
        for step in range(2 * reach + 1):
            np.maximum(out, edged[:, step : step + turned.shape[1]], out=out)
        blocks = out if axis else out.T
    return blocks


def activity(plane: Plane) -> Plane:
    """Return the steepest slope around each block."""
    steepest = np.zeros_like(plane)
    np.abs(plane[1:] - plane[:-1], out=steepest[1:])
    across = np.abs(plane[:, 1:] - plane[:, :-1])
    np.maximum(steepest[:, 1:], across, out=steepest[:, 1:])
    return _around(_largest(steepest, BLOCK), 2)


def rest(copy: Plane, target: Plane, active: Plane, least: float, most: float) -> Rest:
    """Return the largest difference that copying does not explain.

    Parameters
    ----------
    active : Plane
        The activity of each block.
    least, most : float
        What is explained in a flat block, however little or much the others differ.
    """
    peaks = _largest(np.abs(target - copy), BLOCK)
    peaks = peaks[: active.shape[0], : active.shape[1]]
    level = np.searchsorted(LEVELS, active)
    bound = np.empty_like(peaks)
    typical = float("nan")
    for each in reversed(range(len(LEVELS) + 1)):
        here = level == each
        if np.count_nonzero(here) >= FEWEST:
            typical = float(np.quantile(peaks[here], 0.75))
        # Levels of few blocks are judged by the next higher one, the highest ones by the floor.
        bound[here] = 0.0 if np.isnan(typical) else TYPICAL * typical
    low, high = least + 0.1 * active, most + 0.25 * active
    np.clip(bound, low, high, out=bound)
    ratio = peaks / bound
    y, x = np.unravel_index(np.argmax(ratio), ratio.shape)
    return Rest(
        float(ratio[y, x]),
        float((x + 0.5) / ratio.shape[1]),
        float((y + 0.5) / ratio.shape[0]),
    )


class Fine(NamedTuple):
    """How the finest structure of two planes agrees, where there is least of it.

    A copy's fine structure is its source's with something lost. Two frames of one scene have each
    their own noise, which shows where the scene is flat.

    Attributes
    ----------
    shared : float
        The share of the fine structure that both have: about 1 in copies, 0 in two noises.
    lost : float
        What one has more, as a share of what differs: copying loses, two noises are equally strong.
    even : float
        How evenly what differs is spread: noise is everywhere, what copying loses is not.
    """

    shared: float = 1.0
    lost: float = float("inf")
    even: float = 0.0


def fine_structure(copy: Plane, target: Plane) -> Fine:
    """Return how the finest structure of two planes agrees."""
    side = 16
    one, other = (plane - soft(plane) for plane in (copy, target))
    here, there, both = (_mean(each, side) for each in (one**2, other**2, one * other))
    least = np.minimum(here, there)
    enough = least > 0.3
    if np.count_nonzero(enough) < 12:
        return Fine()
    flat = enough & (least <= np.quantile(least[enough], 0.25))
    shared = float(np.median(both[flat] / least[flat]))
    differs = here + there - 2 * both
    amount = float(np.mean(differs[flat]))
    if amount < 0.5:
        return Fine(shared)
    lost = abs(float(np.mean(here[flat] - there[flat]))) / amount
    low, high = np.quantile(differs[enough], (0.25, 0.75))
    return Fine(shared, lost, float(low / max(high, 1e-9)))
