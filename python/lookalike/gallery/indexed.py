"""The part of a gallery that keeps indexes for searches beside its features."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

import numpy.typing as npt

from lookalike.distance.metrics import AnyMetric, Parameters, as_metric, complete
from lookalike.distance.parameters import require_width
from lookalike.gallery.reader import GalleryReader
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.writer import Writer
from lookalike.gallery.upkeep.indexes import (
    checked_metrics,
    indexes_of,
    metrics_in,
    note_metrics,
)

if TYPE_CHECKING:
    from lookalike.distance.results import Neighbors
    from lookalike.gallery.storage.search_indexes import KeptIndex

__all__ = ["IndexedGallery"]


class IndexedGallery(GalleryReader):
    """A gallery with indexes beside its features, which change no answer."""

    def knn(
        self,
        Q: npt.ArrayLike,
        k: int = 10,
        metric: AnyMetric = "correlation",
        *,
        exclude: npt.ArrayLike | None = None,
        **parameters: Unpack[Parameters],
    ) -> Neighbors:
        """Find the `k` nearest images of vectors, as arrays: `search` without names.

        Parameters
        ----------
        Q : (m, dim) array_like
            The vectors.
        k : int
            From 1 to the number of images that may be found.
        metric : str or Metric
            One of `lookalike.ALL_METRICS` or an alias.
        exclude : (m,) array_like of int, optional
            An image that each vector leaves out, −1 for none.
        **parameters
            The metric's p, w, V or VI, as for `lookalike.Metric`. A V or VI that is not given is
            that of the gallery's rows.

        Returns
        -------
        Neighbors
            What ``lookalike.knn(Q, gallery.features, k=k, metric=metric)`` returns, to the bit.

        Raises
        ------
        ValueError, TypeError
            As from `lookalike.knn`.

        Examples
        --------
        >>> import tempfile, lookalike as la
        >>> path = tempfile.mkdtemp() + "/small.gallery"
        >>> with la.Gallery.import_features(path, [[0, 1], [2, 2], [0, 3]]) as gallery:
        ...     gallery.knn([[0, 2]], k=2, metric="euclidean").indices
        array([[0, 2]])
        """
        view, chosen = self._view, as_metric(metric, **parameters)
        require_width(chosen.parameters, view.header.dim)
        if view.count:
            chosen = complete(chosen, {"row": view.features})
        return view.knn(Q, k, chosen, exclude)

    @property
    def indexes(self) -> list[KeptIndex]:
        """The indexes that are kept: metric, rows (0: yet to be made) and bytes of each.

        A gallery of less than 64 MiB of features, 16,384 images, has none: it is searched in a few
        milliseconds without.
        """
        return indexes_of(self._view)

    def keep_indexes(self, metrics: str | Iterable[str]) -> None:
        """Keep an index for searches by each of some metrics, and no others, from now on.

        Searches find the same without, and slower. An index takes some 1.1 to 1.4 bytes a feature
        on disk. Unless this says otherwise, there is one for correlation. What brings images in or
        takes some out brings indexes up to them; the features that lie in none are searched too.

        Parameters
        ----------
        metrics : str or several
            Names of `lookalike.ALL_METRICS`, or aliases, of metrics that take nothing from the
            rows; none drops all indexes.

        Raises
        ------
        ValueError
            A metric is unknown, or takes V or VI from the rows.
        GalleryError
            The gallery is read-only, or an index cannot be written.

        Examples
        --------
        >>> import tempfile, numpy as np, lookalike as la
        >>> path = tempfile.mkdtemp() + "/small.gallery"
        >>> with la.Gallery.import_features(path, np.eye(4, 3)) as gallery:
        ...     gallery.keep_indexes(["correlation", "cosine"])
        ...     gallery.indexes  # as long as it is small
        []
        """
        names = checked_metrics(metrics)
        with self._guard:
            writer = self._writing()
            if list(metrics_in(writer.catalogue)) != names:
                note_metrics(writer.catalogue, names)
            wrong = self._renew_indexes()
            self.refresh()
        if wrong:
            raise GalleryError("; ".join(wrong))

    def _renew_indexes(self) -> list[str]:
        """Bring all indexes up to the rows that are committed; return what went wrong."""
        writer = self._writing()
        return writer.renew_indexes(metrics_in(writer.catalogue))

    def _writing(self) -> Writer:
        """Return the writer, which this gallery becomes if it is not yet."""
        self._check_writable()
        if self._writer is None or self._writer.process != os.getpid():  # forked: the parent's
            self._writer = Writer(self._path)
            self._snapshot = None
        return self._writer

    def _check_writable(self) -> None:
        self._check_open()
        if self._mode == "r":
            raise GalleryError(
                f"{self._path} was opened with mode='r', to read only; "
                "Gallery.open(path) can also write"
            )
