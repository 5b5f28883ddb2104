"""Distances between rows, and exact nearest neighbours.

Arguments are checked once, then one call goes into the compiled core. This is the only room that
knows the core.
"""

from lookalike.distance.neighbors import (
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
    "cdist",
    "cpu_info",
    "knn",
    "pdist",
    "radius_neighbors",
    "topk",
]
