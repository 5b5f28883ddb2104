"""Pairs of pictures that differ in as little as a person might care for."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from document_kinds import KINDS, Sheet

__all__ = ["CHANGES"]

Pair = tuple[Image.Image, Image.Image]


def _statement(seed: int, changes: tuple[str, str], size: int = 18) -> Pair:
    """Forty lines with an amount; the first and the second text of one of them."""
    pair = []
    for field in changes:
        sheet = Sheet(seed, False, (68 * size, 55 * size))
        for line in range(40):
            y = size + line * size * 4 // 3
            sheet.text(3 * size, y, sheet.words(4), size)
            amount = sheet.number(5)
            sheet.text(50 * size, y, field if line == 7 + seed % 25 else amount, size)
        pair.append(sheet.image)
    return pair[0], pair[1]


def thin_line(seed: int) -> Pair:
    one = KINDS["line charts"](seed)
    other = one.copy()
    ImageDraw.Draw(other).line((150, 100 + seed * 3, 850, 130 + seed * 3), (200, 200, 200), 1)
    return one, other


def _night(seed: int, bright: int, side: int) -> Pair:
    """A sky of stars and noise; in the second one star is gone."""
    random = np.random.default_rng(seed)
    sky = 12 + random.normal(0, 1.5, (600, 800, 1)) + np.zeros(3)
    for _ in range(150):
        y, x = random.integers(8, 590), random.integers(8, 790)
        sky[y : y + 2, x : x + 2] += random.integers(20, 160)
    gone = sky.copy()
    y, x = 200 + seed * 5, 300 + seed * 7
    sky[y : y + side, x : x + side] += bright
    pictures = [Image.fromarray(each.clip(0, 255).astype(np.uint8)) for each in (sky, gone)]
    return pictures[0], pictures[1]


def _bird(seed: int, contrast: int, size: tuple[int, int]) -> Pair:
    """A sky with clouds over a dark field; in the second a bird is gone."""
    random = np.random.default_rng(seed)
    clouds = Image.fromarray(random.integers(150, 230, (6, 8), np.uint8))
    clouds = clouds.resize((800, 600), Image.Resampling.BICUBIC)
    sky = np.asarray(clouds, np.float32)[:, :, None] + random.normal(0, 1, (600, 800, 1))
    sky = sky + np.array([-20, 0, 20])
    sky[450:] = random.normal(70, 20, (150, 800, 3))
    seen = sky.copy()
    y, x = 150 + seed * 3, 200 + seed * 9
    seen[y : y + size[1], x : x + size[0]] -= contrast
    pictures = [Image.fromarray(each.clip(0, 255).astype(np.uint8)) for each in (seen, sky)]
    return pictures[0], pictures[1]


CHANGES: dict[str, Callable[[int], Pair]] = {
    "a minus sign": lambda seed: _statement(seed, ("-482.17", " 482.17")),
    "a decimal point moved": lambda seed: _statement(seed, ("1482.17", "148.217")),
    "a point or a comma": lambda seed: _statement(seed, ("482.17", "482,17")),
    "one letter: c or e": lambda seed: _statement(seed, ("lace", "lece")),
    "one digit: 3 or 8": lambda seed: _statement(seed, ("48317", "48817")),
    "the same in type of 10 px": lambda seed: _statement(seed, ("48317", "48817"), 10),
    "a pale line of 1 px in a chart": thin_line,
    "a star of 2 × 2 px, 60 levels": lambda seed: _night(seed, 60, 2),
    "a star of 1 px, 60 levels": lambda seed: _night(seed, 60, 1),
    "a star of 1 px, 30 levels": lambda seed: _night(seed, 30, 1),
    "a bird of 5 × 3 px, 60 levels": lambda seed: _bird(seed, 60, (5, 3)),
    "a bird of 3 × 2 px, 30 levels": lambda seed: _bird(seed, 30, (3, 2)),
}
"""Each draws, for a seed from 0 to 23, two pictures that differ in what its name says."""
