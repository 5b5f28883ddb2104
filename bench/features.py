"""Rows that behave like GoogLeNet features, any number of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]

DIM = 1024
CATEGORY_ROWS = 440  # the real rows come as six categories of 440, one after the other


@dataclass(frozen=True)
class Features:
    """Feature rows and the words a report uses for where they come from."""

    rows: Rows
    source: str


def features(n: int, seed: int = 0) -> Features:
    """Give `n` rows of 1,024 features, float32, C-contiguous.

    With LOOKALIKE_DATA set, up to 2,640 rows are the real ones and more are mixtures of two real
    rows of one category; without it, mixtures of synthetic rows.
    """
    rng = np.random.default_rng(seed)
    folder = os.environ.get("LOOKALIKE_DATA")
    if folder:
        base = np.load(Path(folder) / "six_pool5.npy").astype(np.float32)
        if n <= len(base):
            return Features(np.ascontiguousarray(base[:n]), "GoogLeNet features of photos")
        return Features(_mixtures(base, n, rng), "mixtures of GoogLeNet features of photos")
    base = _synthetic(np.random.default_rng(seed + 1))
    return Features(_mixtures(base, n, rng), "synthetic rows, LOOKALIKE_DATA not set")


def _mixtures(base: Rows, n: int, rng: np.random.Generator) -> Rows:
    """Mix two rows of one category, then noise, then small values to zero: real neighbours."""
    rows = np.empty((n, base.shape[1]), np.float32)
    block = 4096  # the noise of all rows at once would be twice their size
    for start in range(0, n, block):
        size = min(block, n - start)
        category = rng.integers(0, len(base) // CATEGORY_ROWS, size)
        u, v = category * CATEGORY_ROWS + rng.integers(0, CATEGORY_ROWS, (2, size))
        a = rng.uniform(0.55, 1, (size, 1)).astype(np.float32)
        mixed = a * base[u] + (1 - a) * base[v]
        mixed *= rng.uniform(0.9, 1.1, mixed.shape).astype(np.float32)
        mixed[mixed < 0.02] = 0
        rows[start : start + size] = mixed
    return rows


def _synthetic(rng: np.random.Generator) -> Rows:
    """Stand in for the real rows: clusters, a heavy tail, about a third zeros, mean near 0.66."""
    categories = 6
    level = rng.gamma(0.8, 1.0, (categories, 1, DIM))  # what a category's photos share
    own = rng.gamma(0.5, 1.0, (categories, CATEGORY_ROWS, DIM))  # what each photo has of its own
    rows = level * own
    rows[rng.random(rows.shape) < 0.18] = 0
    rows[rows < 0.04] = 0
    rows *= 0.66 / rows.mean()
    return np.ascontiguousarray(rows.reshape(-1, DIM), dtype=np.float32)
