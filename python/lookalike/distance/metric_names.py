"""The names of the metrics as types, so that a checker finds one that is misspelt."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Alias", "CanonicalName", "MetricName"]

CanonicalName: TypeAlias = Literal[
    "manhattan",
    "euclidean",
    "cosine",
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
    "sqeuclidean",
    "seuclidean",
    "minkowski",
    "mahalanobis",
    "hellinger",
    "jensenshannon",
    "chisquare",
    "hamming",
]
"""The names that results and errors use."""

# fmt: off
Alias: TypeAlias = Literal[
    "cityblock", "cblock", "cb", "c", "l1",
    "euclid", "eu", "e", "l2",
    "cos",
    "chebychev", "cheby", "cheb", "ch", "linf",
    "co",
    "sqeuclid", "sqe",
    "se", "s",
    "mi", "m", "pnorm",
    "mahal", "mah",
    "js",
    "matching", "hamm", "ha", "h",
]
"""Other names, most of them scipy's; `metrics.ALIASES` says what each stands for."""
# fmt: on

MetricName: TypeAlias = CanonicalName | Alias
"""A name that ``metric=`` takes."""
