"""Pairwise distances and exact nearest neighbours.

Every function here checks its arguments, makes one call into the compiled core, and wraps the
result; no other room knows the core. ``u`` and ``v`` below are rows, ``a`` and ``b`` the same
divided by their sums, ``m`` their mean; the numbers are the equations of the paper:

=============  ==============  ===========================================  =====  ==========
metric         aliases         distance                                     paper  parameters
=============  ==============  ===========================================  =====  ==========
manhattan      cityblock, l1   Σ|u−v|                                       (1)    w
euclidean      l2              ‖u−v‖₂                                       (2)    w
cosine         cos             1 − u·v / (‖u‖‖v‖)                           (3)    w
braycurtis                     Σ|u−v| / Σ|u+v|                              (4)    w
canberra                       Σ |u−v| / (|u|+|v|), 0/0 = 0                 (5)    w
chebyshev      linf            max |u−v|                                    (6)    w
correlation                    cosine of the rows less their means          (7)    w
sqeuclidean    sqe             Σ(u−v)²                                             w
seuclidean     se              √Σ(u−v)²/V                                          V
minkowski      m               (Σ w|u−v|ᵖ)^(1/p)                                   p, w
mahalanobis    mahal           √((u−v)ᵀ VI (u−v))                                  VI
hellinger                      √(½ Σ(√a−√b)²)
jensenshannon  js              √(½ Σ(a ln(a/m) + b ln(b/m)))
chisquare                      Σ (u−v)²/(u+v), 0/0 = 0
hamming                        share of features that differ                       w
=============  ==============  ===========================================  =====  ==========

A row without a direction (all zeros for cosine, all equal for correlation) has distance 0 from its
like and 1 from any other row. Two zero rows have Bray-Curtis distance 0.
"""

from lookalike.distance.cpu import cpu_info
from lookalike.distance.matrices import cdist, pdist
from lookalike.distance.merging import merge
from lookalike.distance.metrics import ALL_METRICS, METRICS, Metric
from lookalike.distance.neighbors import knn, radius_neighbors, topk
from lookalike.distance.results import Neighbors, RadiusNeighbors

__all__ = [
    "ALL_METRICS",
    "METRICS",
    "Metric",
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
