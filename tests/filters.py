"""Which filter a search should run here: by what the metric states, the CPU, and the rows."""

import numpy as np

import lookalike
from lookalike import _core


def first_stage(metric):
    """Name the cheapest filter that this CPU has for a metric and rows that are not negative."""
    info, stated = lookalike.cpu_info(), _core.statements(metric)
    fallback = "float32 products" if stated["inner_product"] else "float32"
    if not stated["float32"]:
        fallback = "float64"
    if stated["codes"] is None or info["simd"] == "baseline":
        return fallback
    if stated["codes"] == "ratios":
        return "8-bit ratios" if "vbmi" in info["extensions"] else fallback
    if stated["codes"] == "products" and "vnni" not in info["extensions"]:
        return "7-bit products"
    return f"8-bit {stated['codes'].replace('largest', 'largest differences')}"


def codes(metric, *matrices):
    """Tell whether this CPU compares these rows in codes if enough is asked of them."""
    negative = any(np.min(np.asarray(X, np.float64)) < 0 for X in matrices)
    stated = _core.statements(metric)
    if negative and (stated["weighted"] or stated["codes"] == "ratios"):
        return False
    return not first_stage(metric).startswith("float")


def assert_codes(stage, metric, *matrices):
    assert stage.startswith(("7-bit", "8-bit")) == codes(metric, *matrices), stage
