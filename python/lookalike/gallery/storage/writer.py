"""The one writer of a gallery: what it appends and what it commits."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt

from lookalike.distance.metric_names import CanonicalName
from lookalike.gallery.storage import features_file, search_indexes
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.catalogue_file import FILE_NAME, expect
from lookalike.gallery.storage.converting_file import (
    Converting,
    delete_converted,
    forget_converted,
)
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.generations import convert, switch
from lookalike.gallery.storage.lock import LOCK_NAME, WriterLock
from lookalike.gallery.storage.photos import PhotoFile
from lookalike.gallery.storage.records import ContentRecord, ImageRecord, NetworkRecord, PutRecord
from lookalike.gallery.storage.thumbnails_file import Thumbnails, thumbnails_path
from lookalike.interrupts import uninterrupted
from lookalike.pictures import DECODING
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
        self._contents: list[ContentRecord] = []
        self._pictures: list[tuple[bytes, bytes]] = []
        self._converted: list[tuple[bytes, npt.NDArray[np.float32]]] = []
        self._thumbnails: Thumbnails | None = None
        self._converting: Converting | None = None
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
            if self.catalogue.decoding() == DECODING:
                delete_converted(folder)  # of a conversion killed at its very end
            self._open_file()
            opened.pop_all()

    def close(self) -> None:
        """Give up what is not committed and let others write."""
        os.close(self._descriptor)
        for file in (self._thumbnails, self._converting):
            if file is not None:
                file.close()
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

    def adopt(
        self, space: str | None, dim: int, what: str, network: NetworkRecord | None = None
    ) -> None:
        """Refuse features of another space or width; an empty gallery takes on their space.

        The network is remembered, or where it lies now; without one it stays as it is.
        """
        if dim != self.header.dim:
            raise GalleryError(
                f"{self.folder} holds rows of {self.header.dim} features, {what} gives {dim}"
            )
        is_new = space is not None and space != self.header.space
        if is_new and (self.header.space is not None or self.header.rows):
            raise GalleryError(
                f"{self.folder} holds features of the space {self.header.space or '(not known)'}, "
                f"{what} gives {space}; features of two models or preprocessings cannot be compared"
            )
        if not is_new and network in (None, self.catalogue.network()):
            return
        with self.catalogue.transaction():
            if space is not None:
                self.catalogue.set_space(space)
            if network is not None:
                self.catalogue.set_network(network)
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

    @property
    def thumbnails(self) -> Thumbnails:
        """The thumbnails' file, made when it is first needed."""
        if self._thumbnails is None:
            self._thumbnails = Thumbnails(self.folder)
        return self._thumbnails

    def note_content(self, content: ContentRecord, thumbnail: bytes | None) -> None:
        """Note what is known of a content; it is committed with what comes next."""
        self._contents.append(content)
        if thumbnail is not None:
            self._pictures.append((content.hash, thumbnail))

    def begin_conversion(self, space: str) -> Converting:
        """Return the features of another space that wait to replace those that are there."""
        if self._converting is not None:  # of a conversion that was interrupted
            self._converting.close()
        self._converting = Converting(self.folder, space)
        return self._converting

    def put_converted(self, digest: bytes, features: npt.NDArray[np.float32]) -> None:
        """Let a content's features of another space wait; committed when it is time."""
        if features.shape != (self.header.dim,):
            raise ValueError(f"features must have shape ({self.header.dim},), got {features.shape}")
        self._converted.append((digest, features))
        self._commit_if_due(time.monotonic())

    def finish_conversion(self, images: Sequence[ImageRecord], space: str) -> None:
        """Go over to the features that wait, of the images that stay."""
        self.commit()
        converting, self._converting = self._converting, None
        assert converting is not None
        with contextlib.closing(converting), self._following_the_catalogue():
            convert(self.catalogue, self.folder, self.header, converting, images, space, DECODING)

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
        if not (self._puts or self._changes or self._contents or self._converted):
            return
        with uninterrupted():
            if self._pictures:
                self.thumbnails.put(self._pictures)
            if self._converted and self._converting is not None:
                self._converting.put(self._converted)
            features_file.sync(self._descriptor, self._path)
            with self.catalogue.transaction():
                if self.catalogue.header() != self.header:  # locks may fail on network disks
                    raise GalleryError(f"{self.folder} has been changed by another writer")
                self.catalogue.put_images(self._puts)
                for change in self._changes:
                    change()
                self.catalogue.put_contents(self._contents)
                rows = self.header.rows + len(self._puts)
                self.catalogue.set_rows(rows)
            self.header = self.header._replace(rows=rows)
            self._clear()

    def commit_if_due(self) -> None:
        """Commit if it is time."""
        self._commit_if_due(time.monotonic())

    def discard(self) -> None:
        """Forget what has not been committed."""
        self._clear()
        self._oldest = None

    def _clear(self) -> None:
        waiting: list[list[Any]] = [self._puts, self._changes, self._contents, self._pictures]
        for each in (*waiting, self._converted):
            each.clear()

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
            False if there is nothing to leave out. Otherwise nothing is kept any more of contents
            that no image has.
        """
        self.commit()
        drop = set(dropped)
        rows = np.array([row for row in self.catalogue.rows() if row not in drop], np.int64)
        if len(rows) == self.header.rows:
            return False
        source = features_file.map_rows(
            self.folder, self.header.generation, self.header.rows, self.header.dim
        )
        with self._following_the_catalogue():
            switch(self.catalogue, self.folder, self.header, source, rows)
        with self.catalogue.transaction():
            self.catalogue.forget_decisions_about_nothing()
        self.drop_unused()
        return True

    def renew_indexes(self, metrics: Collection[CanonicalName]) -> list[str]:
        """Bring the indexes for searches up to what is committed; return what went wrong."""
        return search_indexes.renew(self.folder, self.catalogue, self.header, metrics)

    def shrink(self) -> None:
        """Give the space of what was deleted back to the disk."""
        self.catalogue.vacuum()
        if os.path.exists(thumbnails_path(self.folder)):
            self.thumbnails.vacuum()

    def drop_unused(self) -> None:
        """Drop what the files beside the catalogue have of contents that no image has."""
        used = self.catalogue.hashes()
        if self._thumbnails is not None or os.path.exists(thumbnails_path(self.folder)):
            self.thumbnails.drop(self.thumbnails.hashes() - used)
        if self._converting is not None:
            self._converting.keep_only(used)
        else:
            forget_converted(self.folder, used)

    @contextlib.contextmanager
    def _following_the_catalogue(self) -> Iterator[None]:
        """Use the features file that the catalogue names after the block, however it ends."""
        try:
            yield
        finally:
            with uninterrupted():
                header = self.catalogue.header()
                if header.generation != self.header.generation:
                    os.close(self._descriptor)
                    self.header = header
                    self._open_file()

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
        waiting = max(len(self._puts), len(self._contents), len(self._converted))
        if late or waiting >= MAX_UNCOMMITTED:
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
            Catalogue.create(unfinished, dim, space, DECODING)
            os.rename(unfinished, final)  # from here on it is one
            sync_folder(folder)
            sync_folder(os.path.dirname(folder))
        except OSError as error:
            raise GalleryError(f"cannot create {folder}: {error.strerror}") from error
