"""Exact visual similarity at the speed of the hardware.

The package is a thin layer over a compiled core. Data flows one way::

    distance.py   checks arguments, names errors
        ↓
    _core         the extension module: allocates, releases the GIL (src/bindings.cpp)
        ↓
    csrc/         prepares rows, walks tiles of pairs, filters them in float32 with a proven
                  bound on the error, recomputes in float64 what the bound cannot exclude
"""

from lookalike._core import __version__
from lookalike.distance import (
    METRICS,
    Neighbors,
    RadiusNeighbors,
    cdist,
    cpu_info,
    knn,
    pdist,
    radius_neighbors,
    topk,
)

__all__ = [
    "METRICS",
    "Neighbors",
    "RadiusNeighbors",
    "__version__",
    "cdist",
    "cpu_info",
    "knn",
    "pdist",
    "radius_neighbors",
    "topk",
]
