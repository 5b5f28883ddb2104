"""Where a self-join's time goes: what lookalike's own counters say."""

from __future__ import annotations

import time

from brute_force import Array
from machine import simd_level
from peers import CORES
from roofline import fraction


def said_by_stages(rows: Array, k: int, metric: str, with_limit: bool) -> list[str]:
    """Search once more, and give the filter, its work, and the share of each part in the time.

    The filter's rate is that of its own seconds, as if all cores did nothing else.
    """
    import lookalike as la

    start = time.perf_counter()
    _, stats = la.knn(rows, k=k, metric=metric, include_self=True, return_stats=True)
    whole = time.perf_counter() - start
    parts = {name: seconds / CORES for name, seconds in stats["seconds"].items()}
    candidates, refined = (stats[name] / (k * len(rows)) for name in ("candidates", "refined"))
    work = " + ".join(f"{name} {1e3 * seconds:.0f}" for name, seconds in parts.items())
    said = [
        " → ".join(stats["stages"]),
        f"{candidates:.2f} candidates and {refined:.2f} refined per neighbour",
        f"{work} of {1e3 * whole:.0f} ms",
    ]
    if with_limit:
        rate = (stats["pairs"] - stats["screened"]) * rows.shape[1] / parts["filtering"]
        for name, part in fraction(stats["stages"][-1], rate, simd_level()).items():
            said.append(f"filter at {part:.2f} of {name.replace('_', ' ')}")
    return said
