"""What searches return."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Neighbors", "RadiusNeighbors"]


class Neighbors(NamedTuple):
    """The nearest rows, ordered by distance, then by index.

    Attributes
    ----------
    distances : (n, k) float64 array
        Distances of the neighbours of every row.
    indices : (n, k) int64 array
        Rows of the neighbours.
    """

    distances: NDArray[np.float64]
    indices: NDArray[np.int64]


class RadiusNeighbors(NamedTuple):
    """Rows within a radius, in compressed sparse row form.

    The neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, ordered by distance, then by
    index, at the distances in the same places of ``distances``.

    Attributes
    ----------
    indptr : (n + 1,) int64 array
    indices : int64 array
    distances : float64 array
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    distances: NDArray[np.float64]
