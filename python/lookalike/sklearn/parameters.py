"""What scikit-learn's parameters are called here: the metric, and the number of threads."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from joblib import effective_n_jobs

from lookalike.distance.metrics import ALIASES, METRICS, metric_name

__all__ = ["effective_metric", "threads"]

MINKOWSKI = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}
SPELLINGS = {"infinity": "chebyshev", "p": "minkowski"}
"""What scikit-learn's metrics of trees are called besides."""


def effective_metric(
    metric: Any, p: float | None, metric_params: dict[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the metric that an estimator's parameters mean, and what is left of its parameters."""
    wanted = {name: value for name, value in (metric_params or {}).items() if value is not None}
    if "p" in wanted and p is not None:
        warnings.warn(
            "Parameter p is found in metric_params. The corresponding parameter from __init__ is "
            "ignored.",
            SyntaxWarning,
            stacklevel=5,
        )
    known = ("minkowski", *METRICS, *ALIASES, *SPELLINGS)
    if not isinstance(metric, str) or metric not in known:
        raise ValueError(
            f"metric must be one of {', '.join(known)}, got {metric!r}: any other is searched by "
            "sklearn.neighbors"
        )
    name = SPELLINGS.get(metric, metric)
    if name == "minkowski":
        power = wanted.pop("p", p)
        power = 2 if power is None else power
        if power not in MINKOWSKI:
            raise ValueError(f"p must be 1, 2 or inf with metric='minkowski', got {power!r}")
        name = MINKOWSKI[power]
    if wanted:
        raise ValueError(
            f"metric_params must have no parameter that metric={metric!r} lacks, got {wanted!r}"
        )
    return metric_name(name), {}


def threads(n_jobs: int | None) -> int | None:
    """Return what `n_jobs` means: None is what OpenMP is set to, as in scikit-learn's own loops.

    joblib sets that in each of its worker processes, to their share of the cores.
    """
    return None if n_jobs is None else min(int(effective_n_jobs(n_jobs)), 4096)
