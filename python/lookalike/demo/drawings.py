"""Drawn images in six labelled categories, for a first try without photos."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["CATEGORIES", "draw", "draw_set"]

SIDE = 256
SCALE = 2  # drawn larger and reduced, as Pillow draws without antialiasing

Random = np.random.Generator
Colour = tuple[int, int, int]


class Canvas:
    """A picture whose coordinates run from 0 to 1, from the upper left."""

    def __init__(self, ground: Colour) -> None:
        self.size = SIDE * SCALE
        self.image = Image.new("RGB", (self.size, self.size), ground)
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        """Fill the polygon between points."""
        self.pen.polygon([(x * self.size, y * self.size) for x, y in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse around a point."""
        corners = [(x - rx) * self.size, (y - ry) * self.size]
        self.pen.ellipse([*corners, (x + rx) * self.size, (y + ry) * self.size], fill=colour)

    def line(self, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
        """Draw a line through points."""
        scaled = [(x * self.size, y * self.size) for x, y in points]
        self.pen.line(scaled, fill=colour, width=round(width * self.size), joint="curve")

    def fade(self, top: Colour, bottom: Colour, until: float = 1.0) -> None:
        """Fill the upper part with a colour that changes into another."""
        rows = round(until * self.size)
        for y in range(rows):
            colour = mixed(top, bottom, y / rows)
            self.pen.line([(0, y), (self.size, y)], fill=colour)

    def finished(self) -> Image.Image:
        """Return the picture, antialiased."""
        return self.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Mix two colours; `share` is that of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def colour(random: Random, hue: float, spread: float, saturation: float, value: float) -> Colour:
    """Draw a colour near a hue, a saturation and a brightness, all from 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(
        (hue + random.uniform(-spread, spread)) % 1,
        float(np.clip(saturation + random.uniform(-0.1, 0.1), 0, 1)),
        float(np.clip(value + random.uniform(-0.1, 0.1), 0, 1)),
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_house(random: Random) -> Canvas:
    """Draw a house with a roof, a door and windows on a lawn."""
    canvas = Canvas((255, 255, 255))
    canvas.fade(colour(random, 0.56, 0.03, 0.35, 0.95), colour(random, 0.1, 0.05, 0.1, 0.97))
    ground = random.uniform(0.74, 0.84)
    canvas.box(0, ground, 1, 1, colour(random, 0.27, 0.05, 0.5, 0.6))
    left, right = random.uniform(0.14, 0.24), random.uniform(0.74, 0.86)
    top = random.uniform(0.4, 0.5)
    canvas.box(left, top, right, ground, colour(random, 0.09, 0.06, 0.3, 0.9))
    roof = colour(random, 0.02, 0.03, 0.65, 0.6)
    peak = ((left + right) / 2, top - random.uniform(0.18, 0.28))
    canvas.polygon([(left - 0.06, top), peak, (right + 0.06, top)], roof)
    door = left + random.uniform(0.08, 0.2)
    canvas.box(door, ground - 0.2, door + 0.11, ground, colour(random, 0.07, 0.1, 0.6, 0.35))
    pane = colour(random, 0.55, 0.05, 0.4, 0.75)
    for x in (door + 0.19, door + 0.36):
        if x + 0.1 < right:
            canvas.box(x, top + 0.08, x + 0.1, top + 0.19, (250, 248, 240))
            canvas.box(x + 0.012, top + 0.092, x + 0.088, top + 0.178, pane)
    return canvas


def draw_tree(random: Random) -> Canvas:
    """Draw a tree with a round crown on a meadow."""
    canvas = Canvas((255, 255, 255))
    canvas.fade(colour(random, 0.57, 0.03, 0.4, 0.9), colour(random, 0.55, 0.03, 0.1, 0.97))
    ground = random.uniform(0.8, 0.88)
    canvas.box(0, ground, 1, 1, colour(random, 0.25, 0.03, 0.55, 0.65))
    x, width = random.uniform(0.42, 0.58), random.uniform(0.03, 0.05)
    bark = colour(random, 0.07, 0.02, 0.55, 0.4)
    canvas.polygon(
        [(x - width, ground + 0.02), (x + width, ground + 0.02), (x + width / 2, 0.4),
         (x - width / 2, 0.4)],
        bark,
    )  # fmt: skip
    green = random.uniform(0.24, 0.36)
    for _ in range(42):
        angle, reach = random.uniform(0, 2 * math.pi), math.sqrt(random.random())
        canvas.oval(
            x + 0.27 * reach * math.cos(angle),
            0.36 + 0.22 * reach * math.sin(angle),
            random.uniform(0.06, 0.1),
            random.uniform(0.05, 0.085),
            colour(random, green, 0.03, 0.65, 0.5),
        )
    return canvas


def draw_fish(random: Random) -> Canvas:
    """Draw fish, weed and bubbles under water."""
    canvas = Canvas((0, 0, 0))
    canvas.fade(colour(random, 0.53, 0.03, 0.6, 0.75), colour(random, 0.62, 0.02, 0.8, 0.35))
    weed = colour(random, 0.35, 0.04, 0.6, 0.35)
    for x in random.uniform(0, 1, 7):
        swing = random.uniform(0.01, 0.03)
        height = random.uniform(0.15, 0.35)
        points = [
            (x + swing * math.sin(9 * step), 1 - height * step) for step in np.linspace(0, 1, 12)
        ]
        canvas.line(points, weed, 0.018)
    hue = random.uniform(0, 0.15)
    for number in range(random.integers(2, 5)):
        x, y = random.uniform(0.2, 0.8), 0.2 + 0.17 * number + random.uniform(-0.04, 0.04)
        size, way = random.uniform(0.1, 0.17), random.choice([-1, 1])
        body = colour(random, hue, 0.02, 0.8, 0.9)
        fin = mixed(body, (120, 40, 20), 0.35)
        tail = x - way * size * 0.9
        ends = [(tail - way * size * 0.55, y + side * size * 0.42) for side in (-1, 1)]
        canvas.polygon([(tail, y), *ends], fin)
        canvas.oval(x, y, size, size * 0.52, body)
        canvas.oval(x - way * size * 0.15, y + size * 0.08, size * 0.3, size * 0.16, fin)
        canvas.oval(x + way * size * 0.55, y - size * 0.12, size * 0.11, size * 0.11, (250,) * 3)
        canvas.oval(x + way * size * 0.57, y - size * 0.12, size * 0.055, size * 0.055, (20,) * 3)
    for x, y in random.uniform(0, 1, (12, 2)):
        canvas.oval(x, 0.7 * y, 0.009, 0.009, (190, 225, 240))
    return canvas


def draw_flowers(random: Random) -> Canvas:
    """Draw flowers seen from above, close together."""
    canvas = Canvas(colour(random, 0.3, 0.03, 0.6, 0.35))
    hue = random.choice([0.92, 0.75, 0.13, 0.0])
    for x, y in random.uniform(0, 1, (60, 2)):
        angle = random.uniform(0, math.pi)
        tip = (x + 0.09 * math.cos(angle), y + 0.09 * math.sin(angle))
        canvas.line([(x, y), tip], colour(random, 0.3, 0.04, 0.6, 0.5), 0.02)
    for row in range(3):
        for column in range(3):
            x = (column + 0.5 + random.uniform(-0.2, 0.2)) / 3
            y = (row + 0.5 + random.uniform(-0.2, 0.2)) / 3
            size = random.uniform(0.09, 0.13)
            petal = colour(random, hue, 0.02, 0.6, 0.9)
            count, turn = int(random.integers(5, 9)), random.uniform(0, 1)
            for angle in (np.arange(count) + turn) * 2 * math.pi / count:
                canvas.oval(
                    x + 0.62 * size * math.cos(angle), y + 0.62 * size * math.sin(angle),
                    size * 0.45, size * 0.45, petal,
                )  # fmt: skip
            canvas.oval(x, y, size * 0.36, size * 0.36, colour(random, 0.13, 0.02, 0.8, 0.85))
    return canvas


def draw_boat(random: Random) -> Canvas:
    """Draw a sailing boat on the sea in the evening."""
    canvas = Canvas((0, 0, 0))
    sea = random.uniform(0.6, 0.7)
    canvas.fade(colour(random, 0.7, 0.05, 0.4, 0.65), colour(random, 0.07, 0.02, 0.5, 0.97), sea)
    canvas.oval(random.uniform(0.15, 0.85), sea - 0.06, 0.07, 0.07, (255, 236, 170))
    water = colour(random, 0.6, 0.03, 0.6, 0.45)
    canvas.box(0, sea, 1, 1, water)
    for x, y in random.uniform(0, 1, (34, 2)):
        depth = sea + 0.02 + y * (1 - sea)
        canvas.line([(x, depth), (x + 0.05, depth)], mixed(water, (255, 225, 180), 0.35), 0.008)
    x, size = random.uniform(0.35, 0.65), random.uniform(0.2, 0.28)
    hull = colour(random, 0.03, 0.05, 0.7, 0.4)
    sail = colour(random, 0.1, 0.1, 0.12, 0.97)
    base = sea + 0.02
    canvas.line([(x, base), (x, base - 2.0 * size)], (70, 50, 40), 0.012)
    canvas.polygon(
        [(x + 0.012, base - 1.95 * size), (x + 0.012, base - 0.15 * size),
         (x + 0.8 * size, base - 0.15 * size)],
        sail,
    )  # fmt: skip
    canvas.polygon(
        [(x - 0.012, base - 1.6 * size), (x - 0.012, base - 0.15 * size),
         (x - 0.6 * size, base - 0.15 * size)],
        mixed(sail, hull, 0.25),
    )  # fmt: skip
    canvas.polygon(
        [(x - size, base), (x + size, base), (x + 0.65 * size, base + 0.3 * size),
         (x - 0.65 * size, base + 0.3 * size)],
        hull,
    )  # fmt: skip
    return canvas


def draw_night(random: Random) -> Canvas:
    """Draw a city with lit windows at night."""
    canvas = Canvas((0, 0, 0))
    canvas.fade(colour(random, 0.65, 0.03, 0.7, 0.2), colour(random, 0.78, 0.04, 0.5, 0.4))
    for x, y in random.uniform(0, 1, (40, 2)):
        canvas.oval(x, 0.6 * y, 0.004, 0.004, (235, 235, 220))
    canvas.oval(random.uniform(0.15, 0.85), random.uniform(0.12, 0.22), 0.07, 0.07, (240, 235, 205))
    left = -0.05
    while left < 1:
        width, top = random.uniform(0.12, 0.2), random.uniform(0.35, 0.7)
        canvas.box(left, top, left + width, 1, colour(random, 0.65, 0.04, 0.5, 0.16))
        for y in np.arange(top + 0.03, 0.98, 0.05):
            for x in np.arange(left + 0.02, left + width - 0.03, 0.038):
                if random.random() < 0.55:
                    canvas.box(x, y, x + 0.02, y + 0.026, colour(random, 0.13, 0.02, 0.5, 0.92))
        left += width + random.uniform(0, 0.02)
    return canvas


DRAWERS: dict[str, Callable[[Random], Canvas]] = {
    "house": draw_house,
    "tree": draw_tree,
    "fish": draw_fish,
    "flowers": draw_flowers,
    "boat": draw_boat,
    "city at night": draw_night,
}
CATEGORIES = tuple(DRAWERS)
"""What can be drawn."""


def draw(category: str, seed: int) -> Image.Image:
    """Draw an image of a category, 256×256 RGB; the same for the same seed.

    Examples
    --------
    >>> draw("tree", seed=3).size
    (256, 256)
    """
    return DRAWERS[category](np.random.default_rng([seed, CATEGORIES.index(category)])).finished()


def draw_set(per_category: int) -> tuple[list[Image.Image], list[str]]:
    """Draw some images of every category and return them with their labels."""
    labels = [category for category in CATEGORIES for _ in range(per_category)]
    images = [draw(category, seed) for category in CATEGORIES for seed in range(per_category)]
    return images, labels
