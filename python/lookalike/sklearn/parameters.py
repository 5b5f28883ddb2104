"""What scikit-learn's parameters are called here: the metric, and the number of threads."""

from __future__ import annotations

import warnings
from typing import Any

from joblib import effective_n_jobs

from lookalike.distance.metrics import Metric, as_metric, metric_name

__all__ = ["chosen_metric", "threads"]

SPELLINGS = {"infinity": "chebyshev", "p": "minkowski"}
"""What scikit-learn calls metrics that here have no such alias."""


def chosen_metric(
    metric: str | Metric, p: float | None, metric_params: dict[str, Any] | None
) -> Metric:
    """Return the metric that an estimator's parameters mean.

    scikit-learn's `p` always has a value, which is that of ``"minkowski"`` alone.
    """
    given = dict(metric_params or {})
    if isinstance(metric, Metric):
        return as_metric(metric, **given)
    name = metric_name(SPELLINGS.get(metric, metric))
    if name == "minkowski":
        if "p" in given and p is not None:
            warnings.warn(
                "Parameter p is found in metric_params. The corresponding parameter from __init__ "
                "is ignored.",
                SyntaxWarning,
                stacklevel=5,
            )
        given.setdefault("p", p)
    return Metric(name, **given)


def threads(n_jobs: int | None) -> int | None:
    """Return what `n_jobs` means: None is what OpenMP is set to, as in scikit-learn's own loops.

    joblib sets that in each of its worker processes, to their share of the cores.
    """
    return None if n_jobs is None else min(int(effective_n_jobs(n_jobs)), 4096)
