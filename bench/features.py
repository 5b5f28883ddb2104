"""Rows to search among, any number of them, of several kinds, and the same on any machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Random = np.random.Generator

DIM = 1024  # of photos
BLOCK = 4096  # rows: the noise of all at once would be twice their size


class Kind(NamedTuple):
    """Rows of one kind: how reports call them, their features, how a block of them is made."""

    words: str
    cols: int
    block: Callable[[int, Random], NDArray[Any]]


def features(n: int, kind: str = "photos", seed: int = 0) -> Rows:
    """Give `n` rows, float32, C-contiguous.

    Of photos, up to 2,640 rows of seed 0 are the features that come with the package themselves.
    """
    if kind == "photos" and seed == 0 and n <= len(photos()):
        return photos()[:n]
    rows = np.empty((n, KINDS[kind].cols), np.float32)
    for start in range(0, n, BLOCK):
        part = rows[start : start + BLOCK]
        part[:] = KINDS[kind].block(len(part), np.random.default_rng([seed, start]))
    return rows


@lru_cache
def photos() -> Rows:
    """Give the features that come with the package: six categories, one after the other."""
    from lookalike.datasets import load_six

    return load_six().features


def _mixtures(n: int, rng: Random) -> Rows:
    """Mix two photos of one category, then noise, then small values to zero: real neighbours."""
    base, categories = photos(), 6
    size = len(base) // categories
    first = rng.integers(0, categories, n) * size
    u, v = first + rng.integers(0, size, (2, n))
    a = rng.uniform(0.55, 1, (n, 1)).astype(np.float32)
    mixed = a * base[u] + (1 - a) * base[v]
    mixed *= rng.uniform(0.9, 1.1, mixed.shape).astype(np.float32)
    mixed[mixed < 0.02] = 0
    return mixed


def _clustered(cols: int, centres: int = 200) -> Callable[[int, Random], Rows]:
    """Unit vectors with signs, as networks of text give, around centres that all blocks share."""
    middle = np.random.default_rng(cols).standard_normal((centres, cols), np.float32)

    def block(n: int, rng: Random) -> Rows:
        rows = middle[rng.integers(0, centres, n)]
        rows = rows + 0.8 * rng.standard_normal((n, cols), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    return block


def _low_rank(cols: int, rank: int) -> Callable[[int, Random], Rows]:
    """Gaussian rows of few dimensions, turned into many, and a little noise."""
    turn = np.random.default_rng(rank).standard_normal((rank, cols), np.float32)

    def block(n: int, rng: Random) -> Rows:
        rows = rng.standard_normal((n, rank), np.float32) @ turn
        rows += 0.1 * rng.standard_normal((n, cols), np.float32)
        return rows

    return block


def _like_sift(centres: int = 1000) -> Callable[[int, Random], Rows]:
    """Histograms of gradients: 128 whole numbers from 0 to 255, many small, of norm 512."""
    middle = np.random.default_rng(128).gamma(0.6, 1.0, (centres, 128))

    def block(n: int, rng: Random) -> Rows:
        rows = middle[rng.integers(0, centres, n)] * rng.gamma(4, 0.25, (n, 128))
        rows *= 512 / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.minimum(np.rint(rows), 255)

    return block


KINDS = {
    "photos": Kind("GoogLeNet features of photos, above 2,640 mixtures of them", DIM, _mixtures),
    "clusters-512": Kind("signed embeddings in 200 clusters", 512, _clustered(512)),
    "clusters-768": Kind("signed embeddings in 200 clusters", 768, _clustered(768)),
    "spread-512": Kind("signed embeddings, no clusters", 512, lambda n, r: r.normal(size=(n, 512))),
    "spread-768": Kind("signed embeddings, no clusters", 768, lambda n, r: r.normal(size=(n, 768))),
    "low-rank": Kind("64 dimensions in 1,024 features", 1024, _low_rank(1024, 64)),
    "sift": Kind("bytes as of SIFT", 128, _like_sift()),
    "uniform": Kind("uniform noise", 1024, lambda n, r: r.random((n, 1024), np.float32)),
}
