"""Pairwise distances and exact nearest neighbours.

Every function here checks its arguments, makes one call into the compiled core, and wraps the
result; no other room knows the core. ``u`` and ``v`` below are rows; the numbers are the equations
of the paper:

============  ==================  ==========================================  =====
metric        aliases             distance                                    paper
============  ==================  ==========================================  =====
manhattan     cityblock, l1       Σ|u−v|                                      (1)
euclidean     l2                  ‖u−v‖₂                                      (2)
cosine                            1 − u·v / (‖u‖‖v‖)                          (3)
braycurtis                        Σ|u−v| / Σ|u+v|                             (4)
canberra                          Σ |u−v| / (|u|+|v|), 0/0 = 0                (5)
chebyshev     linf                max |u−v|                                   (6)
correlation                       cosine of the rows less their means         (7)
============  ==================  ==========================================  =====

A row without a direction (all zeros for cosine, all equal for correlation) has distance 0 from its
like and 1 from any other row. Two zero rows have Bray-Curtis distance 0.
"""

from lookalike.distance.cpu import cpu_info
from lookalike.distance.matrices import cdist, pdist
from lookalike.distance.merging import merge
from lookalike.distance.metrics import METRICS
from lookalike.distance.neighbors import knn, radius_neighbors, topk
from lookalike.distance.results import Neighbors, RadiusNeighbors

__all__ = [
    "METRICS",
    "Neighbors",
    "RadiusNeighbors",
    "cdist",
    "cpu_info",
    "knn",
    "merge",
    "pdist",
    "radius_neighbors",
    "topk",
]
