"""Which filter a search should run here, by the CPU, as capped, and the rows."""

import numpy as np

import lookalike
from reference import ANGULAR


def first_stage(metric):
    """Name the cheapest filter that this CPU has for a metric and rows that are not negative."""
    info = lookalike.cpu_info()
    squares = metric in ("euclidean", *ANGULAR)
    if metric == "canberra":
        return "8-bit ratios" if "vbmi" in info["extensions"] else "float32"
    if info["simd"] == "baseline":
        return "float32 products" if squares else "float32"
    if metric == "chebyshev":
        return "8-bit largest differences"
    bits = 8 if not squares or "vnni" in info["extensions"] else 7
    return f"{bits}-bit {'products' if squares else 'differences'}"


def codes(metric, *matrices):
    """Tell whether this CPU compares these rows in codes if enough is asked of them."""
    negative = any(np.min(np.asarray(X, np.float64)) < 0 for X in matrices)
    if negative and metric in ("braycurtis", "canberra"):
        return False
    return not first_stage(metric).startswith("float32")


def assert_codes(stage, metric, *matrices):
    assert stage.startswith(("7-bit", "8-bit")) == codes(metric, *matrices), stage
