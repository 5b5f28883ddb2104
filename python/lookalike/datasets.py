"""Real features that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Six", "load_six", "save_six"]

FILE = Path(__file__).with_name("data") / "six_googlenet.npz"


class Six(NamedTuple):
    """Features of 2,640 photos and their categories.

    Attributes
    ----------
    features : (2640, 1024) float32 array
    labels : (2640,) array of str
    """

    features: NDArray[np.float32]
    labels: NDArray[np.str_]

    @property
    def ids(self) -> list[str]:
        """Names of the rows: the category and a number in it, as ``tree-017``."""
        seen: dict[str, int] = {}
        for label in self.labels.tolist():
            seen[label] = 0
        names = []
        for label in self.labels.tolist():
            seen[label] += 1
            names.append(f"{label.lower()}-{seen[label]:03}")
        return names


def load_six() -> Six:
    """Load GoogLeNet features of 2,640 photos, 440 of each of the paper's six categories.

    They were computed by this package from photos chosen to resemble those of the paper, which are
    not known, and rounded to float16 to be small. The photos do not come with them.

    Returns
    -------
    Six
        ``features``, (2640, 1024) float32, and ``labels``, (2640,) str: Construction, Device, Food,
        Invertebrate, Tree, Vertebrate.

    Examples
    --------
    >>> features, labels = load_six()
    >>> features.shape, features.dtype.name, str(labels[0])
    ((2640, 1024), 'float32', 'Construction')
    """
    with np.load(FILE) as file:
        return Six(file["features"].astype(np.float32), file["categories"][file["codes"]])


def save_six(features: NDArray[np.float32], labels: list[str], path: Path = FILE) -> None:
    """Write the file that `load_six` reads: float16 features, categories as numbers."""
    categories, codes = np.unique(labels, return_inverse=True)
    np.savez_compressed(
        path,
        features=np.asarray(features, np.float16),
        categories=categories,
        codes=codes.astype(np.uint8),
    )
