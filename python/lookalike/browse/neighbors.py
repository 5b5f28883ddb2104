"""What looks like one picture or several, by each of the seven distances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.distance import cdist, topk
from lookalike.distance.metric_names import CanonicalName

if TYPE_CHECKING:
    from lookalike.browse.state import Shown

__all__ = ["Row", "nearest", "nearest_to_all"]


class Row(NamedTuple):
    """The nearest under one metric: rows, each of another content, and their distances."""

    metric: CanonicalName
    rows: list[int]
    distances: list[float]


def nearest(
    shown: Shown, vector: npt.NDArray[np.float32], own: Iterable[int], metric: CanonicalName, k: int
) -> Row:
    """Return the `k` nearest contents to a vector, but for rows that are the query's own."""
    left_out = set(own)
    count = len(shown)
    room = min(count, 2 * k + len(left_out))
    while True:
        if not room:
            return Row(metric, [], [])
        # By the index that a large gallery keeps for this metric, if any. Here is none made: one
        # takes a byte a feature for each metric, 190 MB in all for 26,000 images, of which a search
        # takes 5 to 12 ms without.
        found = shown.gallery.knn(vector[None], room, metric)
        row = _folded(shown, found.indices[0].tolist(), found.distances[0].tolist(), left_out, k)
        if len(row[0]) == k or room == count:
            return Row(metric, *row)
        room = min(count, 4 * room)


def nearest_to_all(
    shown: Shown, chosen: Sequence[int], own: Iterable[int], metric: CanonicalName, k: int
) -> Row:
    """Return the `k` contents whose distances to several images are the least on average."""
    left_out = set(own)
    features = shown.gallery.features
    averages = cdist(features[list(chosen)], features, metric).mean(axis=0, dtype=np.float64)
    room = len(features)
    found = topk(averages[None], min(room, 4 * k + len(left_out)))
    row = _folded(shown, found.indices[0].tolist(), found.distances[0].tolist(), left_out, k)
    if len(row[0]) < k:
        found = topk(averages[None], room)
        row = _folded(shown, found.indices[0].tolist(), found.distances[0].tolist(), left_out, k)
    return Row(metric, *row)


def _folded(
    shown: Shown, rows: list[int], distances: list[float], left_out: set[int], k: int
) -> tuple[list[int], list[float]]:
    """Return the first `k` of different contents."""
    seen: set[str] = set()
    kept: tuple[list[int], list[float]] = [], []
    for row, distance in zip(rows, distances, strict=True):
        content = shown.hashes[row]
        if row in left_out or content in seen:
            continue
        if content is not None:
            seen.add(content)
        kept[0].append(row)
        kept[1].append(distance)
        if len(kept[0]) == k:
            break
    return kept
