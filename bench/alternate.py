"""Timing two sides in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

PAUSE = 0.3  # seconds; OpenMP and BLAS threads spin for up to 0.2 s after a call


@dataclass
class Timed:
    """The median time of one side and the last of its results."""

    seconds: float
    result: Any


def alternate(sides: Sequence[Callable[[], Any]], rounds: int) -> list[Timed]:
    """Run the sides in turn, `rounds` times after one for warming up, with a pause before each.

    A side quicker than 50 ms is repeated within its turn, so that the clock's grain and one
    interruption do not decide.
    """
    repeats = [max(1, min(100, int(0.05 / seconds(side)))) for side in sides]
    times: list[list[float]] = [[] for _ in sides]
    results: list[Any] = [None for _ in sides]
    for _ in range(rounds):
        for number, side in enumerate(sides):
            results[number] = None  # room for the next before it is made
            time.sleep(PAUSE)
            for _ in range(repeats[number]):
                start = time.perf_counter()
                results[number] = side()
                times[number].append(time.perf_counter() - start)
    return [Timed(median(t), r) for t, r in zip(times, results, strict=True)]


def seconds(side: Callable[[], Any]) -> float:
    """Time one call."""
    time.sleep(PAUSE)
    start = time.perf_counter()
    side()
    return time.perf_counter() - start
