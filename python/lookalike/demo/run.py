"""``lookalike demo``: the whole job on images that are drawn, and on features of real photos."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lookalike.datasets import load_six
from lookalike.demo.drawings import draw_set
from lookalike.demo.plain_numpy import scaled_seconds
from lookalike.distance import knn
from lookalike.distance.metric_names import CanonicalName
from lookalike.evaluation import paper
from lookalike.evaluation.protocol import evaluate
from lookalike.evaluation.show import charts
from lookalike.evaluation.show.tables import Table, evaluation_table, metric_title
from lookalike.pages.html import render, thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.evaluation.evaluation import Evaluation

__all__ = ["NEXT", "Drawn", "Real", "demo_page", "paper_tables", "search_drawn", "search_real"]

PER_CATEGORY = 8
QUERY = 17  # the second fish
NEIGHBOURS = 5
TIMED = 64

NEXT = (
    ("lookalike index ~/Photos", "photos to features; fetches the network, 28 MB, once"),
    ("lookalike search ~/Photos/one.jpg", "what looks like it"),
)
"""Commands for photos of one's own, and what they do."""


@dataclass(frozen=True)
class Drawn:
    """A drawn image and its nearest among the other drawn ones, under an untrained network.

    Attributes
    ----------
    images : int
        How many there are.
    query : (image, label)
    found : sequence of (image, label, distance)
    precision : float
        Mean share of the same label among the five nearest.
    seconds : float
        How long it takes to embed and search all.
    """

    images: int
    query: tuple[Image, str]
    found: Sequence[tuple[Image, str, float]]
    precision: float
    seconds: float


@dataclass(frozen=True)
class Real:
    """The evaluation of the shipped features, and how long it takes.

    Attributes
    ----------
    evaluation : Evaluation
    seconds : float
        How long all seven metrics take, from features to tables.
    plain : dict
        ``[metric]``: scaled seconds of plain NumPy.
    agreement : float
        Share of NumPy's neighbours that are the same here.
    """

    evaluation: Evaluation
    seconds: float
    plain: dict[CanonicalName, float]
    agreement: float


def search_drawn() -> Drawn:
    """Draw images, embed them with random weights and search the nearest of one."""
    from lookalike.embedding.googlenet import GoogLeNet

    images, labels = draw_set(PER_CATEGORY)
    started = time.perf_counter()
    features = GoogLeNet.untrained(0).embed(images)
    near = knn(features, k=NEIGHBOURS, metric="correlation")
    seconds = time.perf_counter() - started
    judged = evaluate(features, labels, k=NEIGHBOURS, metrics=["correlation"])
    row, distances = near.indices[QUERY].tolist(), near.distances[QUERY].tolist()
    return Drawn(
        len(images),
        (images[QUERY], labels[QUERY]),
        [(images[i], labels[i], d) for i, d in zip(row, distances, strict=True)],
        judged.mean_precision["correlation"],
        seconds,
    )


def search_real(report: Callable[[str], object] = lambda what: None) -> Real:
    """Evaluate the shipped features as the paper does, and time plain NumPy on some of them.

    `report` is called with what is being done.
    """
    six = load_six()
    report("the 100 nearest of 2,640 photos under seven distances")
    started = time.perf_counter()
    evaluation = evaluate(six.features, six.labels, metrics=paper.METRIC_ORDER, include_self=True)
    paper_tables(evaluation)
    seconds = time.perf_counter() - started
    queries = np.linspace(0, len(six.features) - 1, TIMED).astype(np.int64)
    plain, same = {}, 0
    for metric in paper.METRIC_ORDER:
        report(f"plain NumPy on {TIMED} of the photos: {metric_title(metric)}")
        plain[metric], found = scaled_seconds(six.features, metric, queries, evaluation.k)
        ours = evaluation.neighbors(metric)[queries]
        same += sum(len(np.intersect1d(a, b)) for a, b in zip(found, ours, strict=True))
    return Real(evaluation, seconds, plain, same / (len(plain) * TIMED * evaluation.k))


def paper_tables(evaluation: Evaluation) -> list[tuple[Table, Table]]:
    """Return Tables 1 and 2 of the shipped features, each with the paper's own."""
    return [_paper_table(evaluation, 1, "precision"), _paper_table(evaluation, 2, "recall")]


def _paper_table(
    evaluation: Evaluation, number: int, measure: Literal["precision", "recall"]
) -> tuple[Table, Table]:
    title = f"Table {number}. Metrics comparison {measure}"
    ours = evaluation_table(evaluation, measure, categories=paper.CATEGORIES, title=title)
    cells, means = paper.TABLES[measure]
    values = [[cells[m][category] for m in paper.METRIC_ORDER] for category in paper.CATEGORIES]
    values.append([means[m] for m in paper.METRIC_ORDER])
    return ours, Table(title, ours.columns, ours.rows, values)


def demo_page(drawn: Drawn, real: Real) -> str:
    """Return the demo as one HTML page."""
    evaluation = real.evaluation
    curves = {
        metric: (np.arange(1, evaluation.k + 1), evaluation.precision_curve(metric))
        for metric in evaluation.metrics
    }
    return render(
        "demo.html",
        title="lookalike demo",
        drawn=drawn,
        query=thumbnail(drawn.query[0]),
        found=[(thumbnail(image), label, distance) for image, label, distance in drawn.found],
        real=real,
        timed=TIMED,
        plain_seconds=sum(real.plain.values()),
        tables=paper_tables(evaluation),
        key=[(charts.series(m), metric_title(m)) for m in paper.METRIC_ORDER],
        means=charts.intervals(evaluation.mean_precision, None, "precision"),
        precision=charts.dots(evaluation.precision, evaluation.mean_precision, "precision"),
        curves=charts.curves(curves, "neighbours retrieved", "Mean precision"),
        commands=NEXT,
    )
