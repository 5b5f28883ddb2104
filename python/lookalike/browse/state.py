"""What the pages show: one state of the gallery, and the newest one there is.

Another process, or a page of this server, may change the gallery at any time. A request takes the
newest state once and answers from it alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lookalike.browse.jobs import Jobs
from lookalike.browse.uploads import Uploads
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.storage.catalogue_file import FILE_NAME
from lookalike.gallery.storage.errors import GalleryError
from lookalike.printable import printable

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.storage.photos import Label
    from lookalike.trash.files import FileFacts

__all__ = ["INDEXING", "Shown", "State"]

INDEXING = "index"
"""The job that brings photos in, and is the gallery's writer meanwhile."""

SHARE = 10
"""A new state is taken after so many times the time that taking the last one took."""
COLUMNS = (
    *("paths", "hashes", "by_hash", "labels", "folders", "_sizes", "_changed"),
    *("dates", "label_counts", "digest"),
)
"""What is made of the catalogue as a whole, and stays as long as no image changes."""


class Shown:
    """One state of the gallery; what is made of it is made when it is first asked for.

    Parameters
    ----------
    path : str
        The gallery's folder.

    Attributes
    ----------
    gallery : Gallery
        Open to read; it is never refreshed.
    id : str
        Which image stands in which row: equal ones of two states mean that rows mean the same.
    made : dict
        What took long to make of the rows, by its name; it goes on to the next state of this `id`.
    """

    def __init__(self, path: str) -> None:
        self.gallery = Gallery.open(path, mode="r")
        self.id = self.gallery.row_identity()
        self.made: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.gallery)

    @cached_property
    def paths(self) -> list[str]:
        """Absolute paths, or names of rows that are no files."""
        return self.gallery.paths

    @cached_property
    def labels(self) -> list[Label]:
        """Labels, None where there is none."""
        return self.gallery.labels

    @cached_property
    def label_counts(self) -> Counter[Label]:
        """How many have each label; those without one are not counted."""
        return Counter(label for label in self.labels if label not in (None, ""))

    @cached_property
    def labels_id(self) -> str:
        """Which label each image has, in short."""
        text = repr(self.labels).encode("utf-8", "backslashreplace")
        return hashlib.blake2b(text, digest_size=6).hexdigest()

    @cached_property
    def hashes(self) -> list[str | None]:
        """SHA-256 of the files in hexadecimal; None for what is no file."""
        return self.gallery.hashes

    @cached_property
    def by_hash(self) -> dict[str, list[int]]:
        """The rows of each content."""
        found: dict[str, list[int]] = {}
        for row, digest in enumerate(self.hashes):
            if digest is not None:
                found.setdefault(digest, []).append(row)
        return found

    @cached_property
    def dates(self) -> list[str]:
        """When each was taken, else changed: ``YYYY-MM-DD HH:MM:SS``; empty for what is no file."""
        (taken,) = self.gallery.content_columns(["taken"])
        return [
            when[:19] if when else "" if changed is None else _date(changed)
            for when, changed in zip(taken, self.gallery.mtimes_ns, strict=True)
        ]

    @cached_property
    def folders(self) -> list[str]:
        """The folder of each; empty for what is no file."""
        return [
            os.path.dirname(path) if digest is not None else ""
            for path, digest in zip(self.paths, self.hashes, strict=True)
        ]

    @cached_property
    def digest(self) -> str:
        """A checksum of all that is known of the images."""
        return self.gallery.images_digest()

    def follow(self, before: Shown) -> None:
        """Take over from an earlier state what is still true."""
        if self.id == before.id:
            self.made = before.made
            if self.digest == before.digest:  # a person has decided something, no more
                known = {name: vars(before)[name] for name in COLUMNS if name in vars(before)}
                vars(self).update(known)

    def make_ready(self) -> None:
        """Make what most pages need."""
        for name in COLUMNS:
            getattr(self, name)

    def own(self, row: int) -> list[int]:
        """Return the rows of an image's content, itself among them."""
        digest = self.hashes[row]
        return [row] if digest is None else self.by_hash[digest]

    def mark(self, row: int) -> str:
        """Return what an address says of a row's content, so that it never means another."""
        return (self.hashes[row] or "")[:16]

    def row_of(self, row: int, mark: str | None) -> int | None:
        """Return where an address leads now: its row, else one of its content, else nowhere."""
        if 0 <= row < len(self) and (not mark or self.mark(row) == mark):
            return row
        if mark and len(mark) == 16:
            for digest, rows in self.by_hash.items():
                if digest.startswith(mark):
                    return rows[0]
        return None

    def name(self, row: int) -> str:
        """Return an image's name as it can be shown."""
        return printable(os.path.basename(self.paths[row]) or self.paths[row])

    def label(self, row: int) -> str | None:
        """Return an image's label as it can be shown."""
        label = self.labels[row]
        return None if label is None else printable(str(label))

    def file(self, row: int) -> FileFacts | None:
        """Return an image's file as it was indexed, None for what is no file."""
        from lookalike.trash.files import FileFacts

        digest, size, changed = self.hashes[row], self._sizes[row], self._changed[row]
        if digest is None or size is None or changed is None:
            return None
        return FileFacts(self.paths[row], size, changed, bytes.fromhex(digest))

    @cached_property
    def _sizes(self) -> list[int | None]:
        return self.gallery.sizes

    @cached_property
    def _changed(self) -> list[int | None]:
        return self.gallery.mtimes_ns


class State:
    """The gallery of a server, as it is now.

    Parameters
    ----------
    path : str
        The gallery's folder.
    network : callable
        Returns the network that pictures are searched with; called when one first is.
    read_only : bool
        Whether nothing may be changed.
    """

    def __init__(
        self, path: str, network: Callable[[], Embedder | None], read_only: bool = False
    ) -> None:
        self.path = os.path.abspath(path)
        self.read_only = read_only
        self.network = network
        self.jobs = Jobs()
        self.uploads = Uploads()
        self.embedder: Embedder | None = None
        self.loading = threading.Lock()  # of the network
        self._guard = threading.Lock()
        self._seen = self._look()
        self._shown = Shown(self.path)
        self._taken, self._cost = time.monotonic(), 0.0
        threading.Thread(target=self._shown.make_ready, name="lookalike-ready", daemon=True).start()

    @property
    def shown(self) -> Shown:
        """The newest state of the gallery."""
        now = self._look()
        if now == self._seen or time.monotonic() < self._taken + SHARE * self._cost:
            return self._shown
        with self._guard:
            if now != self._seen:
                began = time.monotonic()
                # What cannot be opened at this moment is looked at again; the pages go on.
                with contextlib.suppress(GalleryError, OSError):
                    newest = Shown(self.path)
                    newest.follow(self._shown)
                    self._shown, self._seen = newest, now
                self._taken = time.monotonic()
                self._cost = self._taken - began
        return self._shown

    def writing(self) -> Gallery:
        """Open the gallery to change it; close it again soon, as others wait.

        Raises
        ------
        GalleryError
            Another process writes it, or photos are being read into it.
        """
        if self.read_only:
            raise PermissionError("nothing can be changed: this server runs --read-only")
        if (job := self.jobs.find(INDEXING)) is not None and job.running:
            raise GalleryError("photos are being read: wait for the end, or stop it (Index)")
        return Gallery.open(self.path, mode="r+")

    def renew(self) -> None:
        """Have the next request see what has just been changed here, however long that takes."""
        self._cost = 0.0

    def close(self) -> bool:
        """Have all that is at work end; return whether it has."""
        return self.jobs.stop()

    def _look(self) -> tuple[int, ...]:
        """Return what changes whenever the catalogue does; nothing where there is none now."""
        try:
            found = os.stat(os.path.join(self.path, FILE_NAME))
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _date(mtime_ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(mtime_ns // 10**9))
