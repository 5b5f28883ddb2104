"""Going on to the next generation of the features file: how rows are left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.catalogue import Catalogue, State
from lookalike.interrupts import uninterrupted

__all__ = ["switch"]


def switch(
    catalogue: Catalogue,
    folder: str,
    state: State,
    source: npt.NDArray[np.float32],
    keep: npt.NDArray[np.int64],
) -> None:
    """Write a features file of some rows of `source` and let the catalogue change over to it.

    Parameters
    ----------
    catalogue : Catalogue
        The writer's. Images whose row is not in `keep` are removed from it.
    folder : str
        The gallery's.
    state : State
        What the catalogue says.
    source : (n, dim) array
        The rows of the generation that is there.
    keep : int64 array
        Ascending row numbers.
    """
    new = state.generation + 1
    features_file.write_selection(folder, new, source, keep)
    kept = set(keep.tolist())
    dropped = [(row,) for (row,) in catalogue.select("SELECT row FROM images") if row not in kept]
    moved = [(i, row) for i, row in enumerate(keep.tolist()) if i != row]
    with uninterrupted():
        with catalogue.transaction() as connection:
            connection.executemany("DELETE FROM images WHERE row = ?", dropped)
            # Ascending, and never upwards: no row gets a number that is still taken.
            connection.executemany("UPDATE images SET row = ? WHERE row = ?", moved)
            connection.execute("UPDATE gallery SET generation = ?, rows = ?", (new, len(keep)))
        features_file.delete_others(folder, new)
