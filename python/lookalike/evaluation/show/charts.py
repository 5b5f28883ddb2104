"""Charts as coordinates: what stands where in an SVG that ``templates/charts.html`` draws.

All charts are as wide as a phone and are scaled up a little on a desktop, so that their text stays
readable on both.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric
from lookalike.evaluation.show.tables import (
    MEAN,
    MOST_ROWS,
    category_names,
    metric_place,
    metric_title,
)

__all__ = ["Chart", "Line", "Mark", "Row", "Tick", "bars", "curves", "dots", "intervals"]

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 440.0, 104.0, 16.0, 8.0, 34.0
ROW = 24.0
PLOT = 250.0  # height of the area of a line chart
MOST_POINTS = 200
COLOURS = 7


@dataclass(frozen=True)
class Tick:
    """A place on an axis and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A dot, or a bar from the axis, in the colour of a series, with what it says when pointed at.

    `low` and `high` are the ends of a line through it.
    """

    x: float
    series: int
    title: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of marks with a label on the left and perhaps a value on the right."""

    y: float
    label: str
    name: str
    marks: Sequence[Mark]
    value: str = ""


@dataclass(frozen=True)
class Line:
    """A curve as the points of an SVG polyline."""

    series: int
    points: str
    title: str


@dataclass(frozen=True)
class Chart:
    """Everything that is drawn, and the sentence that stands for it where it cannot be seen."""

    description: str
    height: float
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    x_label: str = ""
    rows: Sequence[Row] = ()
    lines: Sequence[Line] = ()
    left_out: int = 0
    left: float = LEFT
    right: float = WIDTH - RIGHT
    width: float = WIDTH
    bottom: float = BOTTOM


def bars(counts: Mapping[Any, int]) -> Chart:
    """Lay out the number of images of every category: Fig. 1 of the paper."""
    names = category_names(list(counts))
    most = max(counts.values())
    end = WIDTH - RIGHT - 10.0 * len(str(most))
    rows = [
        Row(
            TOP + ROW * (place + 0.5),
            _short(name),
            name,
            [Mark(_scaled(count, 0, most, LEFT, end), 0, f"{name}: {count} images")],
            str(count),
        )
        for place, (name, count) in enumerate(zip(names, counts.values(), strict=True))
        if place < MOST_ROWS
    ]
    return Chart(
        "Images of each category: " + ", ".join(f"{row.name} {row.value}" for row in rows),
        TOP + ROW * len(rows) + TOP,
        rows=rows,
        left_out=len(counts) - len(rows),
        bottom=TOP,
    )


def dots(
    values: Mapping[Any, Mapping[Any, float]], means: Mapping[Any, float], measure: str
) -> Chart:
    """Lay out a measure of every metric in every category, and its means over the categories."""
    metrics = list(values)
    categories = list(values[metrics[0]])
    shown = categories[:MOST_ROWS]
    names = category_names(categories)
    highest = max(max(values[metric].values()) for metric in metrics)
    ticks = axis(0, highest)
    rows = []
    for place, name in enumerate([*names[: len(shown)], MEAN]):
        cells = means if place == len(shown) else {m: values[m][shown[place]] for m in metrics}
        y = TOP + ROW * (place + 0.5) + (4 if place == len(shown) else 0)
        rows.append(
            Row(
                y,
                _short(name),
                name,
                [
                    Mark(
                        _scaled(cells[metric], 0, ticks[-1], LEFT, WIDTH - RIGHT),
                        series(metric),
                        f"{name}, {metric_title(metric)}: {measure} {cells[metric]:.3f}",
                    )
                    for metric in metrics
                ],
            )
        )
    best = max(means, key=means.__getitem__)
    return Chart(
        f"{measure.capitalize()} of every metric in every category; the highest mean is that of "
        f"{metric_title(best)}, {means[best]:.3f}",
        TOP + ROW * len(rows) + 4 + BOTTOM,
        x_ticks=_ticks(ticks, LEFT, WIDTH - RIGHT),
        x_label=measure,
        rows=rows,
        left_out=len(categories) - len(shown),
    )


def intervals(
    means: Mapping[Any, float], limits: Mapping[Any, tuple[float, float]] | None, measure: str
) -> Chart:
    """Lay out the mean of every metric, the best first, with its interval where there is one."""
    order = sorted(means, key=lambda metric: -means[metric])
    ends = list(means.values())
    if limits:
        ends += [end for pair in limits.values() for end in pair]
    ticks = axis(min(ends), max(ends))
    right = WIDTH - RIGHT - 38
    rows = []
    for place, metric in enumerate(order):
        low, high = limits[metric] if limits else (None, None)
        title = f"{metric_title(metric)}: {means[metric]:.4f}"
        if low is not None and high is not None:
            title += f", {low:.4f} to {high:.4f}"
        at = [
            None if x is None else _scaled(x, ticks[0], ticks[-1], LEFT, right)
            for x in (means[metric], low, high)
        ]
        assert at[0] is not None
        rows.append(
            Row(
                TOP + ROW * (place + 0.5),
                metric_title(metric),
                metric_title(metric),
                [Mark(at[0], series(metric), title, at[1], at[2])],
                f"{means[metric]:.3f}",
            )
        )
    return Chart(
        f"Mean {measure}: " + ", ".join(f"{row.name} {row.value}" for row in rows),
        TOP + ROW * len(rows) + BOTTOM,
        x_ticks=_ticks(ticks, LEFT, right),
        x_label=measure,
        rows=rows,
        right=right,
    )


def curves(
    values: Mapping[Any, tuple[NDArray[Any], NDArray[Any]]], x_label: str, y_label: str
) -> Chart:
    """Lay out a curve, (x, y), for every metric."""
    left = 44.0
    xs = np.concatenate([x for x, _ in values.values()])
    ys = np.concatenate([y for _, y in values.values()])
    x_ticks, y_ticks = axis(0, float(xs.max())), axis(float(ys.min()), float(ys.max()))
    lines = []
    for metric, (x, y) in values.items():
        some = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int))
        points = " ".join(
            f"{_scaled(a, 0, x_ticks[-1], left, WIDTH - RIGHT):.1f},"
            f"{_scaled(b, y_ticks[0], y_ticks[-1], TOP + PLOT, TOP):.1f}"
            for a, b in zip(x[some].tolist(), y[some].tolist(), strict=True)
        )
        title = f"{metric_title(metric)}: {y[0]:.3f} at {x[0]:g}, {y[-1]:.3f} at {x[-1]:g}"
        lines.append(Line(series(metric), points, title))
    return Chart(
        f"{y_label} against {x_label}. " + "; ".join(line.title for line in lines),
        TOP + PLOT + BOTTOM,
        x_ticks=_ticks(x_ticks, left, WIDTH - RIGHT),
        y_ticks=_ticks(y_ticks, TOP + PLOT, TOP),
        x_label=x_label,
        lines=lines,
        left=left,
    )


def series(metric: AnyMetric) -> int:
    """Return the number of a metric's colour, the same in every chart."""
    return metric_place(metric) % COLOURS


def axis(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers at equal steps that reach from at most `low` to at least `high`."""
    span = high - low or abs(high) or 1.0
    power = 10 ** math.floor(math.log10(span / most))
    step = next(f * power for f in (1, 2, 5, 10, 20) if span / (f * power) <= most - 1)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [number * step for number in range(first, last + 1)]


def _ticks(values: Sequence[float], start: float, end: float) -> list[Tick]:
    return [
        Tick(_scaled(value, values[0], values[-1], start, end), f"{value:.6g}") for value in values
    ]


def _scaled(value: float, low: float, high: float, start: float, end: float) -> float:
    return start + (value - low) / (high - low) * (end - start)


def _short(name: str, most: float = LEFT - 12) -> str:
    """Return as much of a name as fits to the left of the axis, in pixels."""
    if _width(name) <= most:
        return name
    while name and _width(name + "…") > most:
        name = name[:-1]
    return name.rstrip() + "…"


def _width(text: str) -> float:
    """Return at most how wide a text is at 12 pixels, in whatever font the reader has."""
    return sum(
        12.5
        if unicodedata.east_asian_width(c) in "WF" or c in "mwMW@%…—"
        else 4.0
        if c in "iljI.,:;'|! "
        else 9.0
        if c.isupper()
        else 7.2
        for c in text
    )
