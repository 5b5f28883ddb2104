"""What a result is told of the rows that asked and of those that were searched."""

from __future__ import annotations

from typing import Any, TypedDict

from numpy.typing import NDArray

from lookalike.distance.arguments import same_buffer
from lookalike.distance.edge_lists import Ids
from lookalike.distance.inputs import kept_ids

__all__ = ["Sides", "searched"]


class Sides(TypedDict):
    """Keywords of `Neighbors` and `RadiusNeighbors`."""

    columns: int
    itself: bool
    row_ids: Ids | None
    column_ids: Ids | None


def searched(X: Any, Y: Any, x: NDArray[Any], y: NDArray[Any] | None) -> Sides:
    """Return what a result is to know: `X` and `Y` as they were given, `x` and `y` as arrays."""
    itself = y is None or Y is X or same_buffer(x, y)
    ids = kept_ids(X)
    return {
        "columns": len(x if y is None else y),
        "itself": itself,
        "row_ids": ids,
        "column_ids": ids if y is None else kept_ids(Y),
    }
