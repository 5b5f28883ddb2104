"""In which order pictures are shown, and which of them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.distance import knn
from lookalike.distance.metric_names import CanonicalName
from lookalike.system import processors

if TYPE_CHECKING:
    from lookalike.browse.jobs import Report
    from lookalike.browse.state import Shown

__all__ = ["Chosen", "Graph", "by_date", "by_folder", "by_likeness", "by_oddness", "graph_of"]

NEIGHBOURS = 12
METRIC: CanonicalName = "correlation"
DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


class Chosen(NamedTuple):
    """Which pictures are shown; an empty text stands for all.

    Attributes
    ----------
    folder : str
        Those in it and below it.
    label : str
        Those that have it, as it is shown.
    since, until : str
        Days, months or years; both are among what is shown.
    """

    folder: str = ""
    label: str = ""
    since: str = ""
    until: str = ""

    def rows(self, shown: Shown) -> npt.NDArray[np.int64]:
        """Return the rows that are meant, ascending."""
        kept = np.ones(len(shown), bool)
        if self.folder:
            inside = os.path.join(self.folder, "")
            kept &= [folder == self.folder or folder.startswith(inside) for folder in shown.folders]
        if self.label:
            wanted = {label for label in set(shown.labels) if _text(label) == self.label}
            kept &= [label in wanted for label in shown.labels]
        if self.since:
            kept &= [date[: len(self.since)] >= self.since for date in shown.dates]
        if self.until:
            kept &= [bool(date) and date[: len(self.until)] <= self.until for date in shown.dates]
        return np.flatnonzero(kept)


class Graph(NamedTuple):
    """The nearest pictures of each, (n, k), and their distances; nearest first."""

    indices: npt.NDArray[np.int32]
    nearest: npt.NDArray[np.float64]


def by_date(shown: Shown, rows: npt.NDArray[np.int64]) -> tuple[list[int], list[tuple[str, int]]]:
    """Return the newest first, and where each month begins."""
    dates = shown.dates
    ordered = sorted(rows.tolist(), key=lambda row: dates[row], reverse=True)
    return ordered, _sections([dates[row][:7] for row in ordered])


def by_folder(shown: Shown, rows: npt.NDArray[np.int64]) -> tuple[list[int], list[tuple[str, int]]]:
    """Return them by their paths, and where each folder begins."""
    paths, folders = shown.paths, shown.folders
    ordered = sorted(rows.tolist(), key=lambda row: (folders[row], paths[row]))
    return ordered, _sections([folders[row] for row in ordered])


def by_oddness(rows: npt.NDArray[np.int64], graph: Graph) -> list[int]:
    """Return those first whose nearest is farthest."""
    ordered: list[int] = rows[np.argsort(-graph.nearest[rows], kind="stable")].tolist()
    return ordered


def by_likeness(rows: npt.NDArray[np.int64], graph: Graph) -> list[int]:
    """Return a chain in which each is followed by the nearest that is not in it yet.

    Where all the nearest of one are in it already, it goes on from the last that has another left,
    and where none has, from the first that is not in it.
    """
    left = np.zeros(len(graph.indices), bool)
    left[rows] = True
    waiting, near = left.tolist(), graph.indices.tolist()
    chain: list[int] = []
    places = [0] * len(near)
    for first in rows.tolist():
        if not waiting[first]:
            continue
        waiting[first] = False
        chain.append(first)
        trail = [first]
        while trail:
            row = trail[-1]
            near_row = near[row]
            place = places[row]
            while place < len(near_row) and not waiting[near_row[place]]:
                place += 1
            places[row] = place
            if place == len(near_row):
                trail.pop()
                continue
            following = near_row[place]
            waiting[following] = False
            chain.append(following)
            trail.append(following)
    return chain


def graph_of(shown: Shown, report: Report) -> Graph:
    """Find the nearest of every picture: seconds, or half a minute of 100,000."""
    features = shown.gallery.features
    k = min(NEIGHBOURS, len(features) - 1)
    if k < 1:
        return Graph(np.empty((len(features), 0), np.int32), np.zeros(len(features)))
    threads = max(1, processors() - 1)  # pages go on being answered
    found = knn(features, k=k, metric=METRIC, threads=threads, progress=report)
    return Graph(found.indices.astype(np.int32), np.ascontiguousarray(found.distances[:, 0]))


def _sections(names: list[str]) -> list[tuple[str, int]]:
    return [
        (name, place) for place, name in enumerate(names) if not place or names[place - 1] != name
    ]


def _text(label: object) -> str | None:
    from lookalike.printable import printable

    return None if label is None else printable(str(label))
