"""What a reader sees of a gallery: one state, however long it is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lookalike.distance import Neighbors, knn
from lookalike.distance.metrics import Metric
from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.catalogue_file import FILE_NAME
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label, real_name
from lookalike.gallery.storage.records import (
    ContentRecord,
    DecisionRecord,
    Header,
    NetworkRecord,
)
from lookalike.gallery.storage.search_indexes import Indexes
from lookalike.gallery.storage.thumbnails_file import read_thumbnails

__all__ = ["Snapshot"]


class Snapshot:
    """A copy of the catalogue and a mapping of the features that belong to it.

    Opening is quick; lists are made from the copy when they are first asked for.
    """

    def __init__(self, source: Catalogue, features: npt.NDArray[np.float32]) -> None:
        self.catalogue = source
        self.header: Header = source.header()
        self.count, last = source.size()
        if last is not None and last >= len(features):
            raise GalleryError(
                f"{source.path} is damaged: it names row {last} of {len(features)}; "
                "`lookalike check --repair` saves what can be saved"
            )
        self._mapped = features
        self._whole = self.count == len(features) == (0 if last is None else last + 1)

    @classmethod
    def open(cls, folder: str) -> Self:
        """Take a snapshot of what is committed now."""
        path = os.path.join(folder, FILE_NAME)
        missing = None
        while True:
            copy = Catalogue.snapshot(path)
            try:
                header = copy.header()
                return cls(
                    copy, features_file.map_rows(folder, header.generation, header.rows, header.dim)
                )
            except FileNotFoundError as error:
                copy.close()
                # A writer may have gone on to the next generation since the catalogue was read;
                # twice the same one missing is damage.
                if missing == header.generation:
                    raise GalleryError(
                        f"{folder} is damaged: {error.filename} is missing; "
                        "`lookalike check --repair` saves what can be saved"
                    ) from error
                missing = header.generation
            except BaseException:
                copy.close()
                raise

    def close(self) -> None:
        """Free the copy; arrays that were handed out stay valid."""
        self.catalogue.close()

    @cached_property
    def rows(self) -> npt.NDArray[np.int64]:
        """The rows of the file that are live."""
        if self._whole:
            return np.arange(self.count)
        return np.array(self.catalogue.rows(), np.int64)

    @cached_property
    def features(self) -> npt.NDArray[np.float32]:
        """The features, one row an image; copied only if a killed writer has left dead rows."""
        if self._whole:
            return self._mapped
        live = np.asarray(self._mapped[self.rows])
        live.flags.writeable = False
        return live

    def knn(
        self,
        queries: npt.ArrayLike,
        k: int,
        metric: Metric,
        exclude: npt.ArrayLike | None,
    ) -> Neighbors:
        """Return the nearest images of each query, by an index where the gallery keeps one."""
        if self._whole:
            return self._indexes.knn(queries, k, metric, exclude)
        return knn(queries, self.features, k=k, metric=metric, exclude=exclude)

    @cached_property
    def _indexes(self) -> Indexes:
        return Indexes(self.catalogue, self.header, self._mapped)

    @cached_property
    def byte_paths(self) -> list[bytes]:
        """Absolute paths of the images, or names of rows that are not files."""
        before = {root: os.path.join(path, b"") for root, path in self.roots}
        return [before[root] + path for root, path in self.catalogue.places()]

    @cached_property
    def paths(self) -> list[str]:
        """The same paths as text, decoded by `os.fsdecode`."""
        return [os.fsdecode(path) for path in self.byte_paths]

    def some(self, positions: npt.NDArray[np.int64]) -> tuple[list[str], list[Label]]:
        """Return paths and labels of a few images."""
        before = dict(self.roots)
        paths, labels = [], []
        for row in self.rows[positions].tolist():
            root, path, label = self.catalogue.place_and_label(row)
            paths.append(os.fsdecode(os.path.join(before[root], path)))
            labels.append(label)
        return paths, labels

    @cached_property
    def positions(self) -> dict[bytes, int]:
        """Where each path stands in `paths`."""
        return {path: i for i, path in enumerate(self.byte_paths)}

    def positions_of(self, path: bytes) -> list[int]:
        """Return where an image stands, or all images below a folder; an empty list for neither."""
        whole = os.path.abspath(path)
        for name in (path, whole, real_name(path)):
            if name in self.positions:
                return [self.positions[name]]
        below = tuple({os.path.join(each, b"") for each in (whole, os.path.realpath(path))})
        return [i for name, i in self.positions.items() if name.startswith(below)]

    @property
    def roots(self) -> list[tuple[int, bytes]]:
        """Numbers and paths of the roots."""
        return self.catalogue.roots()

    @cached_property
    def failed(self) -> list[tuple[str, str]]:
        """Paths and reasons of files that are not in the gallery because they cannot be used."""
        before = {root: os.path.join(path, b"") for root, path in self.roots}
        return [
            (os.fsdecode(before[failure.root] + failure.path), failure.reason)
            for failure in self.catalogue.failures()
        ]

    def column(self, name: str) -> list[Any]:
        """Return a column of the images' table, in their order."""
        return self.catalogue.column(name)

    def contents(self) -> dict[bytes, ContentRecord]:
        """Return what is known of the images' contents, by their hash."""
        return self.catalogue.contents()

    def content_column(self, name: str) -> list[Any]:
        """Return a column of what is known of the images' contents, in their order."""
        return self.catalogue.content_column(name)

    @cached_property
    def perceptual_hashes(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """The images' perceptual hashes, (n, 32), and of which there is one; others are 0."""
        found = self.catalogue.content_column("phash")
        known = np.array([value is not None for value in found], bool)
        hashes = np.frombuffer(b"".join(value or bytes(32) for value in found), np.uint8)
        return hashes.reshape(-1, 32), known

    def decisions(self, kind: str | None = None) -> list[DecisionRecord]:
        """Return the journal, or what is of one kind in it, in its order."""
        return self.catalogue.decisions(kind)

    def patterns(self) -> list[tuple[str, str]]:
        """Return what is left out of folders or taken back: kind and pattern, in their order."""
        return self.catalogue.patterns()

    def network(self) -> NetworkRecord | None:
        """Return the network of the gallery if it is not GoogLeNet."""
        return self.catalogue.network()

    def thumbnails(self, digests: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return those of the contents' thumbnails that are kept, as WebP files."""
        return read_thumbnails(os.path.dirname(self.catalogue.path), digests)

    def digest_at(self, position: int) -> bytes | None:
        """Return the hash of an image's content, None for a row that is not a file."""
        return self.catalogue.digest_of(int(self.rows[position]))

    def positions_with_hash(self, digest: bytes) -> list[int]:
        """Return the positions of the images whose file has this content."""
        found = self.catalogue.rows_with_hash(digest)
        return np.searchsorted(self.rows, found).tolist() if found else []
