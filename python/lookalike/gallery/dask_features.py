"""The features of a gallery as a Dask array, whose tasks read them from the gallery's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.gallery.storage import features_file

if TYPE_CHECKING:
    import dask.array as da

    from lookalike.gallery.storage.snapshot import Snapshot

__all__ = ["as_dask"]


def as_dask(folder: str, view: Snapshot, rows: int) -> da.Array:
    """Return the features that a snapshot sees, in chunks of so many rows."""
    from lookalike.dask.arrays import joined  # first: it says what to install

    # isort: split
    from dask import delayed

    header, live = view.header, view.rows
    file = folder, header.generation, header.rows, header.dim
    starts = range(0, max(1, view.count), rows)
    blocks = [live[start : start + rows] for start in starts]
    # Rows that follow each other, as they do unless a writer was killed, go as a range.
    ranges = [
        range(int(block[0]), int(block[-1]) + 1)
        if len(block) and int(block[-1]) - int(block[0]) + 1 == len(block)
        else block
        for block in blocks
    ]
    task = delayed(_read, traverse=False)
    parts = [task(file, each) for each in ranges]
    return joined(parts, [len(block) for block in blocks], header.dim, np.float32)


def _read(file: tuple[str, int, int, int], rows: range | NDArray[np.int64]) -> NDArray[np.float32]:
    mapped = features_file.map_rows(*file)
    some: Any = slice(rows.start, rows.stop) if isinstance(rows, range) else rows
    return np.array(mapped[some])
