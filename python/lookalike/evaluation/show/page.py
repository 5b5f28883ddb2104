"""An evaluation as one HTML page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.distance.metrics import AnyMetric
from lookalike.evaluation.mistakes import HardImage, confused_categories, hardest_images
from lookalike.evaluation.show import charts
from lookalike.evaluation.show.tables import (
    MOST_ROWS,
    category_names,
    evaluation_table,
    left_out,
    metric_place,
    metric_title,
)
from lookalike.pages.html import render, thumbnail, write_page

if TYPE_CHECKING:
    from lookalike.evaluation.bootstrap import Comparison, Evidence
    from lookalike.evaluation.result import Result
    from lookalike.pictures.images import ImageSource

__all__ = ["evaluation_page", "write_evaluation_page"]

HARDEST = 12


@dataclass(frozen=True)
class HeatMap:
    """Shares of what is retrieved: a row for each querying category, a column for each other."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]
    left_out: int


@dataclass(frozen=True)
class Duel:
    """A cell of the table of all pairs: the row's metric less the column's, in hits of 100."""

    text: str
    style: str
    title: str


def write_evaluation_page(
    path: str | os.PathLike[str],
    evaluation: Result,
    evidence: Evidence | None = None,
    *,
    title: str = "Which distance?",
    images: Callable[[int], tuple[str, ImageSource | None]] | None = None,
) -> None:
    """Write an evaluation as one HTML file that needs nothing else.

    Parameters
    ----------
    path : path
    evaluation : Evaluation
    evidence : Evidence, optional
        What `Evaluation.bootstrap` returns; it adds intervals and comparisons.
    title : str
    images : callable, optional
        A function from a row of the database to its name and the image itself, of which a
        thumbnail is put into the page, or None.
    """
    write_page(path, evaluation_page(evaluation, evidence, title=title, images=images))


def evaluation_page(
    evaluation: Result,
    evidence: Evidence | None = None,
    *,
    title: str = "Which distance?",
    images: Callable[[int], tuple[str, ImageSource | None]] | None = None,
) -> str:
    """Return the HTML that `write_evaluation_page` writes."""
    best = evaluation.best_metric
    full = evaluation.full
    recall_grid = np.linspace(0.01, 1, 100)
    return render(
        "evaluation.html",
        title=title,
        evaluation=evaluation,
        evidence=evidence,
        full=full,
        best=best,
        title_of=metric_title,
        rivals=[metric_title(m) for m in evidence.rivals(best)] if evidence else [],
        key=[
            (charts.series(m), metric_title(m))
            for m in sorted(evaluation.metrics, key=metric_place)
        ],
        metrics=sorted(evaluation.metrics, key=metric_place),
        left_out=left_out(evaluation),
        tables=[evaluation_table(evaluation, "precision"), evaluation_table(evaluation, "recall")],
        views=[evaluation.at(k) for k in evaluation.ks],
        counts=charts.bars(evaluation.counts),
        means=charts.intervals(
            evaluation.mean_precision, evidence.intervals if evidence else None, "precision"
        ),
        precision=charts.dots(evaluation.precision, evaluation.mean_precision, "precision"),
        recall=charts.dots(evaluation.recall, evaluation.mean_recall, "recall"),
        at_k=charts.curves(
            {
                m: (np.arange(1, evaluation.k + 1), evaluation.precision_curve(m))
                for m in evaluation.metrics
            },
            "neighbours retrieved",
            "Mean precision",
        )
        if evaluation.k > 1
        else None,
        trade_off=charts.curves(
            {
                m: (recall_grid, _mean_curve(list(full.curves[m].values()), recall_grid))
                for m in evaluation.metrics
            },
            "recall",
            "Mean precision",
        )
        if full
        else None,
        heat=_heat_map(evaluation, best),
        confused=[
            (str(pair.category), _category(pair.other), pair.share)
            for pair in confused_categories(evaluation, best)
        ],
        duels=_duels(evaluation, evidence) if evidence else None,
        winners=_winners(evaluation, evidence),
        hardest=[_hard(image, images) for image in hardest_images(evaluation, best, HARDEST)],
    )


def _mean_curve(curves: Sequence[Any], grid: Any) -> Any:
    """Average curves of categories of different sizes: each interpolated at the same recalls."""
    places = [np.arange(1, len(curve) + 1) / len(curve) for curve in curves]
    return np.mean(
        [np.interp(grid, place, curve) for place, curve in zip(places, curves, strict=True)], axis=0
    )


def _heat_map(evaluation: Result, metric: AnyMetric) -> HeatMap:
    names = category_names(list(evaluation.counts))
    own = dict(zip(evaluation.counts, names, strict=True))
    headings = names[:MOST_ROWS]
    shown = [own[category] for category in evaluation.categories[:MOST_ROWS]]
    table = np.zeros((len(shown), len(headings) + 1))
    rows, columns, counts = evaluation.confusion_pairs(metric)
    columns = np.where(columns == len(names), -1, columns)  # no label: the last
    kept = (rows < len(shown)) & (columns < len(headings))
    table[rows[kept], columns[kept]] = counts[kept]
    table /= evaluation.k * np.bincount(evaluation.query_categories)[: len(shown), None]
    if evaluation.unlabelled:
        headings = [*headings, "no label"]
    return HeatMap(
        headings,
        list(zip(shown, table[:, : len(headings)].tolist(), strict=True)),
        max(0, len(names) - MOST_ROWS),
    )


def _duels(evaluation: Result, evidence: Evidence) -> list[tuple[str, list[Duel | None]]]:
    pairs = {(pair.metric, pair.other): pair for pair in evidence.comparisons}
    metrics = sorted(evaluation.metrics, key=metric_place)

    def duel(row: AnyMetric, column: AnyMetric) -> Duel | None:
        if row == column:
            return None
        if (row, column) in pairs:
            return _duel(pairs[row, column], 1, evidence.confidence)
        return _duel(pairs[column, row], -1, evidence.confidence)

    return [(metric_title(row), [duel(row, column) for column in metrics]) for row in metrics]


def _duel(pair: Comparison, sign: int, confidence: float) -> Duel:
    difference = sign * pair.difference * 100
    low, high = sorted((sign * pair.low * 100, sign * pair.high * 100))
    told = pair.p_holm < 1 - confidence
    style = "faint" if not told else "good" if difference > 0 else "bad"
    return Duel(
        f"{difference:+.1f}" if abs(difference) >= 0.05 else "0.0",
        style,
        f"{low:+.2f} to {high:+.2f}; p = {pair.p:.2g}, corrected {pair.p_holm:.2g}",
    )


def _winners(
    evaluation: Result, evidence: Evidence | None
) -> list[tuple[str, str, float, tuple[float, float] | None, list[str]]]:
    """Return every category's name, best metric, and that one's precision, interval and rivals."""
    names = category_names(evaluation.categories)
    rows = []
    for name, (category, metric) in zip(names, evaluation.best.items(), strict=True):
        limits = evidence.category_intervals[metric][category] if evidence else None
        rivals = evidence.rivals(metric, category) if evidence else ()
        rows.append(
            (
                name,
                metric_title(metric),
                evaluation.precision[metric][category],
                limits,
                [metric_title(rival) for rival in rivals],
            )
        )
    return rows


def _category(value: Any) -> str:
    return "no label" if value is None else str(value)


def _hard(
    image: HardImage, images: Callable[[int], tuple[str, ImageSource | None]] | None
) -> dict[str, Any]:
    from lookalike.pictures.images import ImageError

    name, source = images(image.row) if images else (f"row {image.row}", None)
    try:
        picture = None if source is None else thumbnail(source)
    except ImageError:
        picture = None
    return {
        "name": name,
        "picture": picture,
        "category": str(image.category),
        "hits": image.hits,
        "instead": _category(image.instead),
        "instead_hits": image.instead_hits,
    }
