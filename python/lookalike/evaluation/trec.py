"""Rankings and relevant images as dicts, for tools that measure retrieval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.distance.metrics import AnyMetric

if TYPE_CHECKING:
    from lookalike.evaluation.result import Result

__all__ = ["qrels", "run"]


def run(
    evaluation: Result, metric: AnyMetric, ids: Iterable[Any] | None
) -> dict[str, dict[str, float]]:
    """Return the k nearest of every query with scores that fall from k to 1.

    They are places, not distances, so that other tools keep the order of neighbours that tie.
    """
    names = _names(evaluation, ids)
    scores = [float(score) for score in range(evaluation.k, 0, -1)]
    lists = evaluation.neighbors(metric).tolist()
    return {
        names[row]: dict(zip(map(names.__getitem__, near), scores, strict=True))
        for row, near in zip(evaluation.query_rows.tolist(), lists, strict=True)
    }


def qrels(evaluation: Result, ids: Iterable[Any] | None) -> dict[str, dict[str, int]]:
    """Return the relevant images of every query, each at 1."""
    names = _names(evaluation, ids)
    codes = evaluation.label_codes
    alike = {
        code: [names[row] for row in np.flatnonzero(codes == code).tolist()]
        for code in np.unique(codes[evaluation.query_rows]).tolist()
    }
    found = {}
    for row, code in zip(
        evaluation.query_rows.tolist(), codes[evaluation.query_rows].tolist(), strict=True
    ):
        found[names[row]] = dict.fromkeys(alike[code], 1)
        if not evaluation.include_self:
            del found[names[row]][names[row]]
    return found


def _names(evaluation: Result, ids: Iterable[Any] | None) -> list[str]:
    if ids is None:
        return [str(row) for row in range(evaluation.images)]
    names = [str(each) for each in ids]
    if len(names) != evaluation.images:
        raise ValueError(f"ids must name the {evaluation.images} images, got {len(names)}")
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise ValueError(f"ids must name each image by another, got {twice!r} twice")
    return names
