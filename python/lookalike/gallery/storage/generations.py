"""Going on to the next generation of the features file: how rows are left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.records import Header
from lookalike.interrupts import uninterrupted

__all__ = ["switch"]


def switch(
    catalogue: Catalogue,
    folder: str,
    header: Header,
    source: npt.NDArray[np.float32],
    keep: npt.NDArray[np.int64],
) -> None:
    """Write a features file of some rows of `source` and let the catalogue change over to it.

    Parameters
    ----------
    catalogue : Catalogue
        The writer's catalogue, from which images are removed whose row is not in `keep`.
    folder : str
        The gallery's folder.
    header : Header
        What the catalogue says of the generation that is there.
    source : (n, dim) array
        The rows of the generation that is there.
    keep : int64 array
        The rows that stay, ascending.
    """
    new = header.generation + 1
    features_file.write_selection(folder, new, source, keep)
    with uninterrupted():
        with catalogue.transaction():
            catalogue.switch(new, keep.tolist())
        features_file.delete_others(folder, new)
