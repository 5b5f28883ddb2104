"""Runs scipy's own tests of distances through this package: a plugin for pytest.

`pytest -p through_scipy --pyargs scipy.spatial.tests.test_distance`: where a test asks `cdist` or
`pdist` for one of our metrics, ours answers, with the parameters and errors that it has. What is
left to scipy is what docs/distances.md says differs on purpose.
"""

from collections import Counter

import numpy as np
import pytest

import lookalike
from lookalike.distance.metrics import ALIASES

PARAMETERS = {"p", "w", "V", "VI"}
asked = Counter()


def takes(matrices, metric, rest, given):
    """Whether a call is one that ours are to answer as scipy's do."""
    name = metric.lower() if isinstance(metric, str) else None
    if ALIASES.get(name, name) not in lookalike.ALL_METRICS or rest:
        return False  # a function, a metric of booleans, or unknown
    if set(given) - PARAMETERS - {"out", "metric"} and not set(given) & {"foo"}:
        return False
    if "w" in given and not np.any(given["w"]):
        return False  # all weights 0, which ours refuse
    if not all(np.asarray(matrix).dtype.kind in "fiub" for matrix in matrices):
        return False
    wide = [np.asarray(matrix, np.float64) for matrix in matrices]
    if ALIASES.get(name, name) == "jensenshannon":  # NaN there, an error here
        return all((rows >= 0).all() and rows.any(axis=1).all() for rows in wide)
    return True


def through(ours, original):
    """Answer by our function where it takes the call."""

    def distances(*args, **kwargs):
        count = 1 if original.__name__ == "pdist" else 2
        matrices, rest = args[:count], args[count:]
        given = dict(kwargs)
        metric = rest[0] if rest else given.pop("metric", "euclidean")
        if not takes(matrices, metric, rest[1:], given):
            return original(*args, **kwargs)
        asked[ALIASES.get(metric.lower(), metric.lower())] += 1
        wide = [np.asarray(matrix, np.float64) for matrix in matrices]
        return ours(*wide, metric, **given)

    return distances


def pytest_collection_modifyitems(items):
    for module in {item.module for item in items}:
        module.cdist = through(lookalike.cdist, module.cdist)
        module.pdist = through(lookalike.pdist, module.pdist)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    counts = ", ".join(f"{name} {count}" for name, count in sorted(asked.items()))
    terminalreporter.write_line(f"{sum(asked.values())} calls were answered by lookalike: {counts}")
    missing = {*lookalike.ALL_METRICS} - {*asked, "hellinger", "chisquare"}
    if missing:
        raise pytest.UsageError(f"no call of {', '.join(sorted(missing))} reached lookalike")
