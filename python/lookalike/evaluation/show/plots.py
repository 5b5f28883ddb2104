"""An evaluation as a picture, with matplotlib (``pip install 'lookalike[plots]'``)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.evaluation.show.charts import series
from lookalike.evaluation.show.tables import MOST_ROWS, category_names, metric_title
from lookalike.files import replacing
from lookalike.printable import printable

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

    from lookalike.evaluation.bootstrap import Evidence
    from lookalike.evaluation.result import Result

__all__ = ["figure", "require_format", "save_figure"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a64d79", "#b58900", "#6b7280", "#d11141")
FORMATS = ("png", "svg", "pdf")


def figure(evaluation: Result, evidence: Evidence | None = None) -> matplotlib.figure.Figure:
    """Draw image counts, mean precision, precision by category and at k, recall and confusion.

    Parameters
    ----------
    evaluation : Evaluation
    evidence : Evidence, optional
        What `Evaluation.bootstrap` returns; it adds intervals to the means.

    Returns
    -------
    matplotlib.figure.Figure
        It belongs to no window: show it in a notebook or save it.
    """
    from matplotlib.figure import Figure

    rows = min(len(evaluation.categories), MOST_ROWS)
    drawn = Figure(figsize=(13, 5 + 3 + 0.28 * rows), layout="constrained")
    axes = drawn.subplots(2, 3)
    _counts(axes[0, 0], evaluation)
    _means(axes[0, 1], evaluation, evidence)
    _curves(axes[0, 2], evaluation)
    _by_category(axes[1, 0], evaluation, "precision")
    _by_category(axes[1, 1], evaluation, "recall")
    _confusion(axes[1, 2], evaluation)
    handles, labels = axes[0, 2].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False)
    return drawn


def save_figure(
    path: str | os.PathLike[str], evaluation: Result, evidence: Evidence | None = None
) -> None:
    """Save `figure` as .png, .svg or .pdf; the file appears whole or not at all."""
    kind = require_format(path)
    drawn = figure(evaluation, evidence)
    with replacing(path) as file:
        drawn.savefig(file, format=kind, dpi=150)


def require_format(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name asks for.

    Raises
    ------
    ValueError
        No picture can be drawn in it.
    """
    kind = os.path.splitext(os.fspath(path))[1].lower().removeprefix(".")
    if kind not in FORMATS:
        raise ValueError(f"path must end in .png, .svg or .pdf, got {os.fspath(path)!r}")
    return kind


def _names(categories: Any) -> list[str]:
    # A dollar sign would begin a formula.
    names = [printable(name).replace("$", r"\$") for name in category_names(list(categories))]
    return [name if len(name) <= 24 else name[:23] + "…" for name in names[:MOST_ROWS]]


def _rows(axes: matplotlib.axes.Axes, names: list[str], title: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)


def _counts(axes: matplotlib.axes.Axes, evaluation: Result) -> None:
    names = _names(evaluation.counts)
    drawn = axes.barh(range(len(names)), list(evaluation.counts.values())[:MOST_ROWS], color="0.6")
    axes.bar_label(drawn, padding=3)
    axes.margins(x=0.15)
    _rows(axes, names, "Images of each category")


def _means(axes: matplotlib.axes.Axes, evaluation: Result, evidence: Evidence | None) -> None:
    means = evaluation.mean_precision
    order = sorted(means, key=lambda metric: -means[metric])
    for place, metric in enumerate(order):
        colour = COLOURS[series(metric)]
        if evidence is not None:
            axes.plot(evidence.intervals[metric], [place] * 2, color=colour, alpha=0.4, lw=7)
        axes.plot([means[metric]], [place], "o", color=colour, ms=4)
        axes.annotate(
            f"{means[metric]:.3f}", (means[metric], place), (0, 6), textcoords="offset points",
            ha="center", fontsize=8,
        )  # fmt: skip
    title = f"Mean precision of the {evaluation.k} nearest"
    if evidence is not None:
        title += f", {evidence.confidence:.0%} intervals"
    _rows(axes, [metric_title(metric) for metric in order], title)
    axes.margins(y=0.12)


def _curves(axes: matplotlib.axes.Axes, evaluation: Result) -> None:
    places = np.arange(1, evaluation.k + 1)
    for metric in evaluation.metrics:
        axes.plot(
            places,
            evaluation.precision_curve(metric),
            color=COLOURS[series(metric)],
            label=metric_title(metric),
        )
    axes.set_title("Mean precision at k", loc="left", fontsize=10)
    axes.set_xlabel("k, neighbours retrieved")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="0.9")


def _by_category(axes: matplotlib.axes.Axes, evaluation: Result, measure: str) -> None:
    values = getattr(evaluation, measure)
    shown = evaluation.categories[:MOST_ROWS]
    for metric in evaluation.metrics:
        axes.plot(
            [values[metric][category] for category in shown],
            range(len(shown)),
            "o",
            color=COLOURS[series(metric)],
            alpha=0.85,
        )
    _rows(axes, _names(evaluation.categories), f"{measure.capitalize()} by category")
    axes.set_xlim(left=0)


def _confusion(axes: matplotlib.axes.Axes, evaluation: Result) -> None:
    best = evaluation.best_metric
    table = evaluation.confusion(best)
    shares = (table / table.sum(axis=1, keepdims=True))[:MOST_ROWS]
    columns = _names(evaluation.counts)
    shares = shares[:, : len(columns)]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if shares.size <= 150:
        for (row, column), share in np.ndenumerate(shares):
            tone = "white" if share > 0.6 else "black"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=tone, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(shares)), _names(evaluation.categories))
    axes.set_title(f"What each row retrieves, {metric_title(best)}", loc="left", fontsize=10)
