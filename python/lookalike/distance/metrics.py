"""The metrics: their names, their aliases, and how people write them."""

from __future__ import annotations

from typing import NamedTuple

from lookalike import _core

__all__ = [
    "ALIASES",
    "METRICS",
    "TITLES",
    "Specification",
    "metric_name",
    "metric_title",
    "specification",
]

METRICS: tuple[str, ...] = _core.METRICS[:7]
"""The canonical names of the paper's metrics."""

ALIASES = {"cityblock": "manhattan", "l1": "manhattan", "l2": "euclidean", "linf": "chebyshev"}

TITLES = {
    "manhattan": "Manhattan",
    "cosine": "Cosine",
    "euclidean": "Euclidean",
    "braycurtis": "Bray-Curtis",
    "canberra": "Canberra",
    "chebyshev": "Chebyshev",
    "correlation": "Correlation",
}
"""The metrics' names as people write them."""


def metric_name(metric: str) -> str:
    """Return the canonical name of a metric."""
    name = ALIASES.get(metric, metric) if isinstance(metric, str) else metric
    if name not in METRICS:
        known = ", ".join((*METRICS, *ALIASES))
        raise ValueError(f"metric must be one of {known}, got {metric!r}")
    return name


class Specification(NamedTuple):
    """What the core is asked for: a metric's canonical name, and its parameters by their names."""

    name: str
    parameters: dict[str, float]


def specification(metric: str) -> Specification:
    """Return what a caller's metric stands for. None of the metrics has a parameter yet."""
    return Specification(metric_name(metric), {})


def metric_title(metric: str) -> str:
    """Return the name of a metric, or of what an alias stands for, as people write it."""
    name = metric_name(metric)
    return TITLES.get(name, name.capitalize())
