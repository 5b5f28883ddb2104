"""An index whose rows lie in a file of their own: codes alone, and which rows they are of."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from lookalike import _core
from lookalike.distance import index_file
from lookalike.distance.arguments import NamingRows, thread_count
from lookalike.distance.index import Index
from lookalike.distance.index_file import OtherRowsError, Said
from lookalike.distance.kept_rows import State
from lookalike.distance.segments import Segments, prepared, restored
from lookalike.files import replacing

__all__ = ["damage_of", "open_apart", "save_apart"]


def save_apart(index: Index, path: str | os.PathLike[str], said: Said) -> None:
    """Write an index in memory without its rows to a file, which appears whole or not at all.

    Parameters
    ----------
    index : Index
        An index of rows that nothing was added to.
    path : path
        The file.
    said : dict
        What tells these rows from all others, as JSON has it.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    (segment,) = index._now.segments.each
    with replacing(path) as file, file.open("wb") as out:
        index_file.write(out, index._metric, segment.rows, segment.core.parts(), None, said)


def open_apart(
    path: str | os.PathLike[str], rows: NDArray[Any], known: Callable[[Said], int]
) -> Index:
    """Open what `save_apart` wrote; codes and rows are read as they are needed.

    Parameters
    ----------
    path : path
        The file.
    rows : (n, d) array
        The rows: those that the file was written of, and perhaps more behind them, which are
        prepared here. A row that a search reads is held against its checksum in the file.
    known : callable
        Tells by what was said of the rows how many of these it was said of; 0: they are others.

    Returns
    -------
    Index
        Of all rows.

    Raises
    ------
    OtherRowsError
        The file is of other rows.
    IndexFileError
        As from `Index.open`.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np, lookalike as la
    >>> file, rows = tempfile.mkdtemp() + "/rows.index", np.eye(5)
    >>> save_apart(la.Index(rows[:4], metric="l1"), file, {"rows": 4})
    >>> open_apart(file, rows, lambda said: said["rows"]).knn(rows[4:], k=1).indices
    array([[4]])
    """
    name, count = os.fsdecode(path), 0

    def those(said: Said) -> NDArray[Any]:
        nonlocal count
        if not (count := known(said)):
            raise OtherRowsError(f"{name} is an index of other rows")
        return rows[:count]

    contents = index_file.read(path, those)
    if not count:
        raise OtherRowsError(f"{name} is an index with rows of its own")
    each = [restored(contents, name)]
    if count < len(rows):
        with NamingRows("Y", "Y", count):
            more = prepared(rows[count:], contents.metric.specification(), thread_count(None))
        each.append(more)
    index = Index.__new__(Index)
    index._metric = contents.metric
    index._hold(State(Segments(*each), None, None))
    return index


def damage_of(index: Index) -> str | None:
    """Read all of what `open_apart` opened but the rows; say what is not as it was written."""
    for segment in index._now.segments.each:
        try:
            segment.core.verify()
        except _core.DamagedError as error:
            if str(error) != "rows":
                return str(index_file.damage(str(error)))
    return None
