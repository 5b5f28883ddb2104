"""What a search found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage.photos import Label

__all__ = ["Hits"]

MAX_SHOWN = 100


class Hits(NamedTuple):
    """The images nearest to a query, nearest first; a notebook shows their thumbnails.

    Attributes
    ----------
    paths : list of str
        The images' paths, as `Gallery.paths` has them.
    distances : (k,) float64 array
        Their distances from the query under the metric of the search.
    indices : (k,) int64 array
        Positions in `Gallery.paths`, `.labels` and `.features`.
    labels : list
        The images' labels, as `Gallery.labels` has them.

    Examples
    --------
    >>> hits = Hits(["a.jpg"], np.array([0.25]), np.array([7]), ["cat"])
    >>> print(hits)
    1  0.250000  cat  a.jpg
    """

    paths: list[str]
    distances: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    labels: list[Label]

    def __str__(self) -> str:
        from lookalike.printable import printable

        labels = ["-" if label is None else printable(str(label)) for label in self.labels]
        width = max(map(len, labels), default=0)
        return "\n".join(
            f"{rank:{len(str(len(labels)))}}  {distance:.6f}  {label:{width}}  {printable(path)}"
            for rank, (path, distance, label) in enumerate(
                zip(self.paths, self.distances, labels, strict=True), 1
            )
        )

    def _repr_html_(self) -> str:
        from lookalike.pages import html as pages

        shown = self.paths[:MAX_SHOWN]
        hits = list(
            zip(pages.thumbnails(shown), shown, self.distances.tolist(), self.labels, strict=False)
        )
        return pages.render("hits.html", hits=hits, more=len(self.paths) - len(shown))
