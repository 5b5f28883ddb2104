"""Integers that float64 holds, and those it would round."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_EXACT", "require_exact"]

MOST_EXACT = 2**53
"""Integers up to here are all exact in float64."""


def require_exact(array: NDArray[Any], name: str) -> None:
    """Refuse a 64-bit integer with more than 53 significant bits: float64 would round it."""
    rows = max(1, (1 << 20) // array.shape[1])
    for start in range(0, len(array), rows):
        block = array[start : start + rows]
        if block.max() <= MOST_EXACT and block.min() >= -MOST_EXACT:
            continue
        bits = (np.abs(block) if block.dtype.kind == "i" else block).view(np.uint64)
        odd = bits // np.maximum(bits & (~bits + np.uint64(1)), np.uint64(1))
        if (odd > MOST_EXACT).any():
            row, column = np.argwhere(odd > MOST_EXACT)[0].tolist()
            raise ValueError(
                f"{name} row {start + row} has {block[row, column]}, which float64 cannot hold "
                "exactly, and distances are computed in float64: scale such numbers, or compare "
                "the bits of hashes (np.unpackbits)"
            )
