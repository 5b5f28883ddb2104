"""What goes wrong: the images that find few of their kind, and what is taken for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lookalike.evaluation.result import Result

from lookalike.distance.metrics import AnyMetric

__all__ = ["Confusion", "HardImage", "confused_categories", "hardest_images"]


@dataclass(frozen=True)
class HardImage:
    """An image and what its k nearest are.

    Attributes
    ----------
    row : int
        Its row in the database.
    category : object
    hits : int
        How many of the k are of its category.
    instead : object or None
        The category most of the k are of; None if most have no label.
    instead_hits : int
        How many of the k are of that.
    """

    row: int
    category: Any
    hits: int
    instead: Any
    instead_hits: int


@dataclass(frozen=True)
class Confusion:
    """How much of what the queries of a category retrieve is of another.

    Attributes
    ----------
    category, other : object
        `other` is None for images without a label.
    share : float
        Share of `other` in all that is retrieved for `category`.
    """

    category: Any
    other: Any
    share: float


def hardest_images(evaluation: Result, metric: AnyMetric, n: int = 10) -> list[HardImage]:
    """Find the `n` queries with the fewest hits; of equal ones the first rows."""
    hits = evaluation.hits(metric)
    names = (*evaluation.counts, None)
    found = evaluation.neighbor_codes(metric)
    hardest = []
    for query in np.argsort(hits, kind="stable")[:n].tolist():
        codes, times = np.unique(found[query] % len(names), return_counts=True)
        most = int(np.argmax(times))
        hardest.append(
            HardImage(
                int(evaluation.query_rows[query]),
                evaluation.categories[evaluation.query_categories[query]],
                int(hits[query]),
                names[codes[most]],
                int(times[most]),
            )
        )
    return hardest


def confused_categories(evaluation: Result, metric: AnyMetric, n: int = 10) -> list[Confusion]:
    """Find the `n` ordered pairs of categories with the largest share of wrong neighbours."""
    names = (*evaluation.counts, None)
    rows, columns, counts = evaluation.confusion_pairs(metric)
    code = {category: place for place, category in enumerate(evaluation.counts)}
    own = np.array([code[category] for category in evaluation.categories])
    retrieved = evaluation.k * np.bincount(evaluation.query_categories)
    shares = np.where(columns == own[rows], 0, counts / retrieved[rows])
    return [
        Confusion(evaluation.categories[rows[pair]], names[columns[pair]], float(shares[pair]))
        for pair in np.argsort(-shares, kind="stable")[:n]
        if shares[pair] > 0
    ]
