"""The one writer of a gallery: what it appends and what it commits."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections.abc import Callable, Collection
from typing import Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.catalogue_file import FILE_NAME, expect
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.generations import switch
from lookalike.gallery.storage.lock import LOCK_NAME, WriterLock
from lookalike.gallery.storage.photos import PhotoFile
from lookalike.gallery.storage.records import PutRecord
from lookalike.interrupts import uninterrupted
from lookalike.system import sync_folder

__all__ = ["MAX_UNCOMMITTED", "UNCOMMITTED_SECONDS", "Writer", "create"]

MAX_UNCOMMITTED = 64
"""Images whose work is repeated at most after the process was killed; or so many seconds'."""
UNCOMMITTED_SECONDS = 2.0

P = ParamSpec("P")


class Writer:
    """A writer collects changes and commits them: rows first, then the catalogue's transaction.

    Parameters
    ----------
    folder : str
        The folder of an existing gallery.

    Raises
    ------
    GalleryError
        Another process writes the gallery, or it is damaged, missing or of a newer format.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.process = os.getpid()
        self._puts: list[PutRecord] = []
        self._changes: list[Callable[[], object]] = []
        self._oldest: float | None = None
        self.begin()
        path = os.path.join(folder, FILE_NAME)
        expect(path)  # before a lock is left in some other folder
        with contextlib.ExitStack() as opened:
            self._lock = WriterLock(folder)
            opened.callback(self._lock.release)
            self.catalogue = Catalogue.open(path)
            opened.callback(self.catalogue.close)
            self.header = self.catalogue.header()
            features_file.delete_others(folder, self.header.generation)
            self._open_file()
            opened.pop_all()

    def close(self) -> None:
        """Give up what is not committed and let others write."""
        os.close(self._descriptor)
        self.catalogue.close()
        self._lock.release()

    def begin(self) -> None:
        """Start the clock that tells how long an image takes."""
        self._last_put = time.monotonic()
        self._longest_gap = 0.0

    @property
    def uncommitted(self) -> int:
        """Number of rows written since the last commit."""
        return len(self._puts)

    def adopt(self, space: str | None, dim: int, what: str) -> None:
        """Refuse features of another space or width; an empty gallery takes on their space."""
        if dim != self.header.dim:
            raise GalleryError(
                f"{self.folder} holds rows of {self.header.dim} features, {what} gives {dim}"
            )
        if space is None or space == self.header.space:
            return
        if self.header.space is not None or self.header.rows:
            raise GalleryError(
                f"{self.folder} holds features of the space {self.header.space or '(not known)'}, "
                f"{what} gives {space}; features of two models or preprocessings cannot be compared"
            )
        with self.catalogue.transaction():
            self.catalogue.set_space(space)
        self.header = self.catalogue.header()

    def put(
        self,
        root: int,
        path: bytes,
        label: object,
        file: PhotoFile,
        features: npt.NDArray[np.float32],
    ) -> None:
        """Add an image, or give one that is there new features; committed when it is time."""
        if features.shape != (self.header.dim,):  # would shift all rows after it
            raise ValueError(f"features must have shape ({self.header.dim},), got {features.shape}")
        row = self.header.rows + len(self._puts)
        (stored,) = features_file.append(self._descriptor, self._path, row, features[np.newaxis])
        # One append makes it known, so that Ctrl-C falls before or after it.
        self._puts.append(PutRecord(row, root, path, label, *file, zlib.crc32(stored)))
        now = time.monotonic()
        self._longest_gap = max(now - self._last_put, 0.9 * self._longest_gap)
        self._last_put = now
        self._commit_if_due(now)

    def put_rows(
        self,
        root: int,
        images: list[tuple[bytes, object, PhotoFile]],
        features: npt.NDArray[np.float32],
    ) -> None:
        """Add many images that belong together; they wait for `commit`."""
        row = self.header.rows + len(self._puts)
        stored = features_file.append(self._descriptor, self._path, row, features)
        self._puts.extend(
            PutRecord(row + i, root, path, label, *file, zlib.crc32(stored[i]))
            for i, (path, label, file) in enumerate(images)
        )

    def change(
        self,
        operation: Callable[Concatenate[Catalogue, P], object],
        *values: P.args,
        **named: P.kwargs,
    ) -> None:
        """Change the catalogue alone, by one of its operations; committed when it is time."""
        self._changes.append(lambda: operation(self.catalogue, *values, **named))
        self._commit_if_due(time.monotonic())

    def features_at(self, row: int) -> npt.NDArray[np.float32]:
        """Return the features of a row, committed or not."""
        return features_file.read_row(self._descriptor, row, self.header.dim)

    def commit(self) -> None:
        """Make all changes so far permanent, together."""
        self._oldest = None
        if not self._puts and not self._changes:
            return
        with uninterrupted():
            features_file.sync(self._descriptor, self._path)
            with self.catalogue.transaction():
                if self.catalogue.header() != self.header:  # locks may fail on network disks
                    raise GalleryError(f"{self.folder} has been changed by another writer")
                self.catalogue.put_images(self._puts)
                for change in self._changes:
                    change()
                rows = self.header.rows + len(self._puts)
                self.catalogue.set_rows(rows)
            self.header = self.header._replace(rows=rows)
            self._puts.clear()
            self._changes.clear()

    def discard(self) -> None:
        """Forget what has not been committed."""
        self._puts.clear()
        self._changes.clear()
        self._oldest = None

    def forget_roots(self, roots: Collection[int]) -> None:
        """No longer look for images in those of the given folders that have none here."""
        with self.catalogue.transaction():
            self.catalogue.forget_empty_roots(roots)

    def note_root(
        self, path: bytes, *, scanned: bool = False, folder_labels: bool | None = None
    ) -> int:
        """Return the number of a folder that images are added from, noted at once if it is new."""
        with self.catalogue.transaction():
            return self.catalogue.note_root(path, scanned, folder_labels)

    def switch(self, dropped: Collection[int] = ()) -> bool:
        """Leave dead and dropped rows out, by a new generation of the features file.

        Returns
        -------
        bool
            False if there is nothing to leave out.
        """
        self.commit()
        drop = set(dropped)
        rows = np.array([row for row in self.catalogue.rows() if row not in drop], np.int64)
        if len(rows) == self.header.rows:
            return False
        source = features_file.map_rows(
            self.folder, self.header.generation, self.header.rows, self.header.dim
        )
        try:
            switch(self.catalogue, self.folder, self.header, source, rows)
        finally:  # whatever came in between, this follows the catalogue
            with uninterrupted():
                header = self.catalogue.header()
                if header.generation != self.header.generation:
                    os.close(self._descriptor)
                    self.header = header
                    self._open_file()
        return True

    def _open_file(self) -> None:
        self._path = features_file.file_path(self.folder, self.header.generation)
        try:
            size = os.stat(self._path).st_size
            self._descriptor = os.open(self._path, os.O_RDWR)
        except OSError as error:
            raise GalleryError(
                f"{self.folder} is damaged: {self._path}: {error.strerror}; "
                "`lookalike check --repair` saves what can be saved"
            ) from error
        if size < self.header.rows * self.header.dim * features_file.FLOAT.itemsize:
            os.close(self._descriptor)
            features_file.map_rows(  # raises the error that says so
                self.folder, self.header.generation, self.header.rows, self.header.dim
            )

    def _commit_if_due(self, now: float) -> None:
        if self._oldest is None:
            self._oldest = now
        # Not only what is late already: the next image may be long in coming.
        late = now + self._longest_gap - self._oldest > UNCOMMITTED_SECONDS
        if late or len(self._puts) >= MAX_UNCOMMITTED:
            self.commit()


def create(folder: str, dim: int, space: str | None) -> None:
    """Write an empty gallery into a folder that is new, empty or left by a creation cut short.

    Raises
    ------
    GalleryError
        There is something else in it, or it cannot be written.
    """
    final = os.path.join(folder, FILE_NAME)
    unfinished = final + ".new"
    with contextlib.ExitStack() as held:
        try:
            os.makedirs(folder, exist_ok=True)
            held.callback(WriterLock(folder).release)
            leftovers = {LOCK_NAME, "features-0.f32", os.path.basename(unfinished)}
            if others := sorted(set(os.listdir(folder)) - leftovers):
                what = "a gallery" if FILE_NAME in others else repr(others[0])
                raise GalleryError(f"{folder}: cannot create a gallery, it holds {what} already")
            os.close(features_file.create(folder, 0))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished)
            Catalogue.create(unfinished, dim, space)
            os.rename(unfinished, final)  # from here on it is one
            sync_folder(folder)
            sync_folder(os.path.dirname(folder))
        except OSError as error:
            raise GalleryError(f"cannot create {folder}: {error.strerror}") from error
