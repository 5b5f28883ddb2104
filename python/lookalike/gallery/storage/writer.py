"""The one writer of a gallery: its lock, its appends and its commits."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import weakref
import zlib
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import catalogue, features_file
from lookalike.gallery.storage.catalogue import Catalogue, GalleryError
from lookalike.gallery.storage.generations import switch
from lookalike.interrupts import uninterrupted

__all__ = ["MAX_UNCOMMITTED", "UNCOMMITTED_SECONDS", "File", "Writer", "WriterLock", "create"]

MAX_UNCOMMITTED = 64
"""Images whose work is repeated at most after the process was killed; or so many seconds'."""
UNCOMMITTED_SECONDS = 2.0

LOCK_NAME = "writer.lock"

_PUT = """
    INSERT INTO images (row, root, path, label, size, mtime_ns, hash, crc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (root, path) DO UPDATE SET row = excluded.row, label = excluded.label,
    size = excluded.size, mtime_ns = excluded.mtime_ns, hash = excluded.hash, crc = excluded.crc
"""
_FORGET_FAILURE = "DELETE FROM failures WHERE root = ? AND path = ?"


class File(NamedTuple):
    """What the catalogue says of an image's file; all None for a name that is not a file."""

    size: int | None = None
    mtime_ns: int | None = None
    hash: bytes | None = None


class WriterLock:
    """A lock on a gallery's folder that the system takes back when the process dies.

    Raises
    ------
    GalleryError
        Another writer holds it, or the folder cannot be written.
    """

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, LOCK_NAME)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise GalleryError(f"cannot write {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                who = "this process" if holder == str(os.getpid()) else f"process {holder or '?'}"
                raise GalleryError(
                    f"{folder} is being written by {who}; one writer at a time, "
                    "it can be read meanwhile"
                ) from error
            raise GalleryError(f"cannot lock {path}: {error.strerror}") from error
        _held.add(self)

    def release(self) -> None:
        """Let others write; in a forked child, only let go of what was inherited."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


def _release_inherited() -> None:
    # A lock lasts until all copies of its descriptor are closed: a child that outlives the writer
    # would keep it.
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_release_inherited)


class Writer:
    """Collects changes and commits them: rows first, then the catalogue's transaction.

    Parameters
    ----------
    folder : str
        Of an existing gallery.

    Raises
    ------
    GalleryError
        Another process writes it, or it is damaged, missing or of a newer format.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.process = os.getpid()
        self._puts: list[tuple[Any, ...]] = []
        self._changes: list[tuple[str, tuple[Any, ...]]] = []
        self._oldest: float | None = None
        self.begin()
        path = os.path.join(folder, catalogue.FILE_NAME)
        catalogue.expect(path)  # before a lock is left in some other folder
        with contextlib.ExitStack() as opened:
            self._lock = WriterLock(folder)
            opened.callback(self._lock.release)
            self.catalogue = Catalogue.open(path)
            opened.callback(self.catalogue.close)
            self.state = self.catalogue.state()
            features_file.delete_others(folder, self.state.generation)
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
        if dim != self.state.dim:
            raise GalleryError(
                f"{self.folder} holds rows of {self.state.dim} features, {what} gives {dim}"
            )
        if space is None or space == self.state.space:
            return
        if self.state.space is not None or self.state.rows:
            raise GalleryError(
                f"{self.folder} holds features of the space {self.state.space or '(not known)'}, "
                f"{what} gives {space}; features of two models or preprocessings cannot be compared"
            )
        with self.catalogue.transaction() as connection:
            connection.execute("UPDATE gallery SET space = ?", (space,))
        self.state = self.catalogue.state()

    def put(
        self, root: int, path: bytes, label: object, file: File, features: npt.NDArray[np.float32]
    ) -> None:
        """Add an image, or give one that is there new features; committed when it is time."""
        if features.shape != (self.state.dim,):  # would shift all rows after it
            raise ValueError(f"features must have shape ({self.state.dim},), got {features.shape}")
        row = self.state.rows + len(self._puts)
        (stored,) = features_file.append(self._descriptor, self._path, row, features[np.newaxis])
        # One append makes it known, so that Ctrl-C falls before or after it.
        self._puts.append((row, root, path, label, *file, zlib.crc32(stored)))
        now = time.monotonic()
        self._longest_gap = max(now - self._last_put, 0.9 * self._longest_gap)
        self._last_put = now
        self._commit_if_due(now)

    def put_rows(
        self, root: int, images: list[tuple[bytes, object, File]], features: npt.NDArray[np.float32]
    ) -> None:
        """Add many images that belong together; they wait for `commit`."""
        row = self.state.rows + len(self._puts)
        stored = features_file.append(self._descriptor, self._path, row, features)
        self._puts.extend(
            (row + i, root, path, label, *file, zlib.crc32(stored[i]))
            for i, (path, label, file) in enumerate(images)
        )

    def change(self, sql: str, values: tuple[Any, ...]) -> None:
        """Change the catalogue alone; committed when it is time."""
        self._changes.append((sql, values))
        self._commit_if_due(time.monotonic())

    def features_at(self, row: int) -> npt.NDArray[np.float32]:
        """Return the features of a row, committed or not."""
        return features_file.read_row(self._descriptor, row, self.state.dim)

    def commit(self) -> None:
        """Make all changes so far permanent, together."""
        self._oldest = None
        if not self._puts and not self._changes:
            return
        with uninterrupted():
            features_file.sync(self._descriptor, self._path)
            with self.catalogue.transaction() as connection:
                if self.catalogue.state() != self.state:  # locks may fail on network disks
                    raise GalleryError(f"{self.folder} has been changed by another writer")
                connection.executemany(_PUT, self._puts)
                connection.executemany(_FORGET_FAILURE, [put[1:3] for put in self._puts])
                for sql, values in self._changes:
                    connection.execute(sql, values)
                rows = self.state.rows + len(self._puts)
                connection.execute("UPDATE gallery SET rows = ?", (rows,))
            self.state = self.state._replace(rows=rows)
            self._puts.clear()
            self._changes.clear()

    def discard(self) -> None:
        """Forget what has not been committed."""
        self._puts.clear()
        self._changes.clear()
        self._oldest = None

    def forget_roots(self, roots: Collection[int]) -> None:
        """No longer look for images in those of the given folders that have none here."""
        without = [(root,) for root in roots if root != 0]
        with self.catalogue.transaction() as connection:
            for table, column in (("failures", "root"), ("roots", "id")):
                connection.executemany(
                    f"DELETE FROM {table} WHERE {column} = ? "
                    f"AND {column} NOT IN (SELECT root FROM images)",
                    without,
                )

    def switch(self, dropped: Collection[int] = ()) -> bool:
        """Leave dead and dropped rows out, by a new generation of the features file.

        Returns
        -------
        bool
            False if there is nothing to leave out.
        """
        self.commit()
        drop = set(dropped)
        found = self.catalogue.select("SELECT row FROM images ORDER BY row")
        rows = np.array([row for (row,) in found if row not in drop], np.int64)
        if len(rows) == self.state.rows:
            return False
        source = features_file.map_rows(
            self.folder, self.state.generation, self.state.rows, self.state.dim
        )
        try:
            switch(self.catalogue, self.folder, self.state, source, rows)
        finally:  # whatever came in between, this follows the catalogue
            with uninterrupted():
                state = self.catalogue.state()
                if state.generation != self.state.generation:
                    os.close(self._descriptor)
                    self.state = state
                    self._open_file()
        return True

    def _open_file(self) -> None:
        self._path = features_file.file_path(self.folder, self.state.generation)
        try:
            size = os.stat(self._path).st_size
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise GalleryError(
                f"{self.folder} is damaged: {self._path}: {error.strerror}; "
                "`lookalike check --repair` saves what can be saved"
            ) from error
        if size < self.state.rows * self.state.dim * features_file.FLOAT.itemsize:
            os.close(self._descriptor)
            features_file.map_rows(self.folder, *self.state[2:], self.state.dim)  # says so

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
    final = os.path.join(folder, catalogue.FILE_NAME)
    unfinished = final + ".new"
    with contextlib.ExitStack() as held:
        try:
            os.makedirs(folder, exist_ok=True)
            held.callback(WriterLock(folder).release)
            leftovers = {LOCK_NAME, "features-0.f32", os.path.basename(unfinished)}
            if others := sorted(set(os.listdir(folder)) - leftovers):
                what = "a gallery" if catalogue.FILE_NAME in others else repr(others[0])
                raise GalleryError(f"{folder}: cannot create a gallery, it holds {what} already")
            os.close(features_file.create(folder, 0))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(unfinished)
            Catalogue.create(unfinished, dim, space)
            os.rename(unfinished, final)  # from here on it is one
            features_file.sync_folder(folder)
            features_file.sync_folder(os.path.dirname(folder))
        except OSError as error:
            raise GalleryError(f"cannot create {folder}: {error.strerror}") from error
