"""Neighbours as lines of a frame, and as a dict, under the names of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lookalike.distance.results import Neighbors, RadiusNeighbors

__all__ = ["Ids", "Names", "frame", "names", "nested"]

Ids: TypeAlias = Sequence[Any] | NDArray[Any]
"""Names of rows: a list, an array, an index or a column of a frame."""


class Names(NamedTuple):
    """What the rows that asked and the rows searched are called; None where by their numbers."""

    rows: Ids | None
    columns: Ids | None


def names(
    found: Neighbors | RadiusNeighbors, rows: int, ids: Ids | None, query_ids: Ids | None
) -> Names:
    """Return what the rows of a result are called, refusing too many or too few names."""
    if ids is not None and found.columns not in (None, len(ids)):
        raise ValueError(f"ids must name the {found.columns} rows searched, got {len(ids)}")
    if ids is not None and found.indices.size and found.indices.max() >= len(ids):
        most = found.indices.max()
        raise ValueError(f"ids must name every row searched, got {len(ids)} and row {most}")
    if query_ids is None:
        query_ids = ids if ids is not None and found.itself else found.row_ids
    if query_ids is not None and len(query_ids) != rows:
        raise ValueError(f"query_ids must name the {rows} rows that asked, got {len(query_ids)}")
    return Names(query_ids, found.column_ids if ids is None else ids)


def frame(
    counts: NDArray[np.int64],
    ranks: NDArray[np.int64],
    neighbours: NDArray[np.int64],
    distances: NDArray[np.float64],
    names: Names,
    library: str | None,
) -> Any:
    """Return a frame of edges, `counts` of them for each row in turn."""
    if library not in (None, "pandas", "polars"):
        raise ValueError(f"library must be pandas or polars, got {library!r}")
    wanted = [library] if library else ["pandas", "polars"]
    there = next((each for each in wanted if find_spec(each)), None)
    if there is None:
        either = " or ".join(f"'lookalike[{each}]'" for each in wanted)
        raise ImportError(f"to_frame() needs {' or '.join(wanted)}: pip install {either}")
    rows = np.repeat(np.arange(len(counts)), counts)
    distances = np.array(distances).ravel()
    if there == "pandas":
        import pandas

        def called(ids: Ids | None, places: NDArray[np.int64]) -> Any:
            return np.array(places) if ids is None else pandas.Index(ids).take(places)
    else:
        import polars

        def called(ids: Ids | None, places: NDArray[np.int64]) -> Any:
            if ids is None:
                return np.array(places)
            return polars.Series(ids if isinstance(ids, polars.Series) else list(ids))[places]

    columns = {
        "row": called(names.rows, rows),
        "rank": ranks,
        "neighbor": called(names.columns, neighbours),
        "distance": distances,
    }
    return pandas.DataFrame(columns) if there == "pandas" else polars.DataFrame(columns)


def nested(
    neighbours: Iterable[NDArray[np.int64]],
    distances: Iterable[NDArray[np.float64]],
    names: Names,
) -> dict[Any, dict[Any, float]]:
    """Return the distances of each row's neighbours, by their names."""
    rows, columns = _unique(names.rows, "query_ids"), _unique(names.columns, "ids")
    found = {}
    for number, (near, far) in enumerate(zip(neighbours, distances, strict=True)):
        places = near.tolist()
        called = places if columns is None else [columns[place] for place in places]
        name = number if rows is None else rows[number]
        found[name] = dict(zip(called, far.tolist(), strict=True))
    return found


def _unique(ids: Ids | None, what: str) -> list[Any] | None:
    """Return names as a list of Python's own values, each of one row."""
    if ids is None:
        return None
    values = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} must name each row by another, got {value!r} twice")
        seen.add(value)
    return values
