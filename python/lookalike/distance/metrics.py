"""The metrics: their names, their aliases, and how people write them."""

from __future__ import annotations

from lookalike import _core

__all__ = ["ALIASES", "METRICS", "TITLES", "metric_name", "metric_title"]

METRICS: tuple[str, ...] = _core.METRICS
"""The canonical names of the seven metrics."""

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


def metric_title(metric: str) -> str:
    """Return the name of a metric, or of what an alias stands for, as people write it."""
    name = metric_name(metric)
    return TITLES.get(name, name.capitalize())
