"""Who asks and what there is to find: the labelled images of a database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metrics import AnyMetric
from lookalike.evaluation.labels import EncodedLabels

__all__ = ["ByCategory", "QuerySet", "means_over_categories"]

ByCategory = dict[AnyMetric, dict[Any, float]]
"""``[metric][category]``."""


@dataclass(frozen=True)
class QuerySet:
    """The labelled images that have someone to find.

    Attributes
    ----------
    labels : EncodedLabels
        The labels of the whole database.
    rows : (q,) int64 array
        Rows of the queries in the database, ascending.
    codes : (q,) int64 array
        Positions of their categories among those of the labels.
    relevant : (q,) int64 array
        R: how many images of its category a query can find, itself counted with `include_self`.
    include_self : bool
    """

    labels: EncodedLabels
    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    relevant: NDArray[np.int64]
    include_self: bool

    @classmethod
    def of(cls, labels: EncodedLabels, include_self: bool) -> QuerySet:
        """Return the labelled images of a database that have someone to find.

        Raises
        ------
        ValueError
            No image has.
        """
        labelled = np.flatnonzero(labels.codes >= 0)
        relevant = labels.counts[labels.codes[labelled]] - (not include_self)
        rows = labelled[relevant > 0]
        if not len(rows):
            needed = "one image a" if include_self else "two images the same"
            raise ValueError(
                f"labels must give at least {needed} label, got {len(labels.categories)} "
                f"categories of {len(labels.codes)} images"
            )
        return cls(labels, rows, labels.codes[rows], relevant[relevant > 0], bool(include_self))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of queries of every category of the labels."""
        return np.bincount(self.codes, minlength=len(self.labels.categories)).astype(np.int64)

    @cached_property
    def present(self) -> list[int]:
        """Codes of the categories that have queries."""
        return np.flatnonzero(self.counts).tolist()

    def by_category(self, values: NDArray[Any]) -> dict[Any, float]:
        """Average a value of every query, (q,), by category."""
        sums = np.bincount(self.codes, weights=values, minlength=len(self.counts))
        names = self.labels.categories
        return {names[code]: float(sums[code] / self.counts[code]) for code in self.present}


def means_over_categories(values: ByCategory) -> dict[AnyMetric, float]:
    """Average over the categories, each counting once: (12), (13)."""
    return {metric: float(np.mean(list(row.values()))) for metric, row in values.items()}
