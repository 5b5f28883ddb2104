"""Indexing from the page: one run at a time, which every browser sees and any may stop.

It does what `lookalike index` does, in a thread of the server that is the gallery's one writer.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from lookalike.browse.answers import AskedError
from lookalike.browse.jobs import StoppedError
from lookalike.browse.state import INDEXING
from lookalike.embedding.networks import open_network
from lookalike.embedding.spaces import untrained_remark
from lookalike.embedding.weights import ModelError, find_model
from lookalike.gallery.storage.errors import GalleryError
from lookalike.printable import printable

if TYPE_CHECKING:
    from lookalike.browse.jobs import Job, Report
    from lookalike.browse.state import State
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.intake.report import Report as Brought

__all__ = ["Indexing", "checked_folder"]

RATE_SECONDS = 5.0
"""The rate is that of so many last seconds."""
COUNTS = ("added", "updated", "moved", "removed", "unchanged")


class Indexing:
    """The indexing of a server's gallery.

    Parameters
    ----------
    state : State
        The gallery.

    Attributes
    ----------
    version : int
        It grows whenever folders, patterns or failures may have changed.
    """

    def __init__(self, state: State) -> None:
        self.version = 0
        self._state = state
        self._guard = threading.Lock()
        self._run: _Run | None = None
        self._job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether a run is at work."""
        return self._job is not None and self._job.running

    @property
    def not_reached(self) -> list[tuple[str, str]]:
        """What the last run could not reach, folders for the most part, and why."""
        return [] if self._run is None else self._run.not_reached

    def start(self, folder: str | None = None) -> None:
        """Begin a run over all folders, or over one that is added; join the one that is at work.

        Raises
        ------
        AskedError
            It cannot be begun: there is no folder, one is being added, or another process writes.
        """
        with self._guard:
            if self.running:
                if folder is None:
                    return
                raise AskedError("photos are being read already: wait for the end, or stop it", 409)
            gallery = self._writing()
            if folder is None and not gallery.roots:
                gallery.close()
                raise AskedError("there is no folder yet to look for photos in: add one")
            self._run = _Run(self._state, gallery, folder)
            self._state.jobs.forget(INDEXING)
            self._job = self._state.jobs.begin(INDEXING, INDEXING, self._run.work)

    def stop(self) -> None:
        """Have the run end after the photo that it is at; what is finished stays."""
        with self._guard:
            if self._job is not None and self._run is not None and self._job.running:
                self._run.stopping = True
                self._job.stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of the run; return whether it has come."""
        return self._job is None or self._job.wait(seconds)

    def change_patterns(self, **changes: list[str]) -> None:
        """Change what is left out, as `Gallery.change_patterns` does.

        Raises
        ------
        AskedError
            A run is at work, or another process writes.
        ValueError
            A pattern can match nothing, or is not there.
        """
        with self._guard:
            if self.running:
                raise AskedError("photos are being read: wait for the end, or stop it", 409)
            with self._writing() as gallery:
                gallery.change_patterns(**changes)
            self._state.renew()
            self.version += 1

    def told(self) -> dict[str, Any]:
        """Return how far it is, ready for JSON."""
        running, run = self.running, self._run
        told: dict[str, Any] = {
            "running": running,
            "version": self.version,
            "images": len(self._state.shown),
        }
        if run is not None:
            told |= run.told(running)
            if not running:
                told["version"] = f"{self.version}+{run.number}"
        return told

    def _writing(self) -> Gallery:
        try:
            return self._state.writing()
        except GalleryError as error:
            raise AskedError(f"the gallery cannot be changed now: {error}", 409) from None


class _Run:
    """One run: its work, how far it is and how it ended."""

    _number = 0

    def __init__(self, state: State, gallery: Gallery, folder: str | None) -> None:
        _Run._number += 1
        self.number = _Run._number
        self.stopping = False
        self.brought: Brought | None = None
        self.not_reached: list[tuple[str, str]] = []  # of which the catalogue says nothing
        self._state = state
        self._gallery = gallery
        self._folder = folder
        self._doing = "network"
        self._done, self._total = 0, None  # type: int, int | None
        self._lately: deque[tuple[float, int]] = deque()
        self._began = time.monotonic()
        self._seconds: float | None = None
        self._error: str | None = None
        self._stored = 0
        self._remarks: list[str] = []

    def work(self, report: Report) -> bool:
        """Bring the gallery up to date; what is finished is committed however this ends."""
        with contextlib.ExitStack() as after:
            after.callback(self._state.renew)
            gallery = after.enter_context(self._gallery)
            before = len(gallery)
            try:
                self._bring_in(gallery, report)
            except StoppedError:
                self.stopping = True
                raise
            except Exception as error:
                self._error = printable(str(error)) or type(error).__name__
                raise
            finally:
                gallery.refresh()
                self._stored = max(0, len(gallery) - before)
                self._seconds = time.monotonic() - self._began
                if self.brought is not None:
                    known = set(gallery.failed)
                    self.not_reached = [each for each in self.brought.failed if each not in known]
        return True

    def _bring_in(self, gallery: Gallery, report: Report) -> None:
        report(0, None)
        embedder = _embedder(self._state, gallery)
        space = gallery.space
        if gallery.is_of_earlier_decoding and space in getattr(embedder, "earlier_spaces", ()):
            self._remarks.append(
                "The gallery is of an earlier version, which decoded photos otherwise: its photos "
                "are embedded anew, once."
            )
        report(0, None)
        self._doing = "folders"

        def progress(done: int, total: int) -> None:
            self._note(done, total)
            report(done, total)

        if self._folder is None:
            self.brought = gallery.update(embedder=embedder, progress=progress)
        else:
            self.brought = gallery.add(
                [self._folder], labels="kept", embedder=embedder, progress=progress
            )
        if remark := untrained_remark(gallery.space):
            self._remarks.append(remark)

    def _note(self, done: int, total: int) -> None:
        now = time.monotonic()
        self._done, self._total = done, total
        self._doing = "finish" if done == total else "photos"
        self._lately.append((now, done))
        while len(self._lately) > 2 and self._lately[0][0] < now - RATE_SECONDS:
            self._lately.popleft()

    def told(self, running: bool) -> dict[str, Any]:
        """Return how far this is, or how it ended, ready for JSON."""
        told: dict[str, Any] = {
            "run": self.number,
            "done": self._done,
            "total": self._total,
            "remarks": self._remarks,
        }
        if running:
            told |= {
                "doing": "stop" if self.stopping else self._doing,
                "folder": self._folder and printable(self._folder),
                "rate": self._rate(),
            }
        else:
            told["ended"] = self._ended()
        return told

    def _rate(self) -> float | None:
        lately = list(self._lately)
        if len(lately) < 2 or lately[-1][0] - lately[0][0] < 0.2:
            return None
        (since, before), (until, done) = lately[0], lately[-1]
        return round((done - before) / (until - since), 1)

    def _ended(self) -> dict[str, Any]:
        ended: dict[str, Any] = {
            "how": "failed" if self._error is not None else "stopped" if self.stopping else "done",
            "error": self._error,
            "stored": self._stored,
            "seconds": round(self._seconds or 0.0, 1),
        }
        if self.brought is not None:
            ended["how"] = "done"  # a wish to stop may come too late
            ended["counts"] = {name: getattr(self.brought, name) for name in COUNTS}
            ended["failed"] = len(self.brought.failed)
            ended["notes"] = [printable(note) for note in self.brought.notes]
            ended["left_out"] = [
                [printable(pattern), number]
                for pattern, number in self.brought.left_out.most_common()
            ]
        return ended


def _embedder(state: State, gallery: Gallery) -> Embedder:
    """Return the network that the gallery's photos are embedded with.

    Raises
    ------
    ModelError
        It is not here; a page does not fetch 28 MB unasked.
    """
    from lookalike.embedding.googlenet import GoogLeNet

    with state.loading:
        known = state.embedder  # of searches
        if known is not None and (known.width, known.space) == (gallery.dim, gallery.space):
            return known
        if (remembered := gallery.network) is not None:
            state.embedder = open_network(remembered)
        elif (chosen := state.network()) is not None:
            state.embedder = chosen
        else:
            try:
                state.embedder = GoogLeNet(find_model(download=False))
            except ModelError as error:
                raise ModelError(
                    f"photos cannot be read without the network's weights: {error}. For a try "
                    "without them, end this server and begin `lookalike browse --untrained 0`."
                ) from None
        return state.embedder


def checked_folder(given: object, gallery: str) -> str:
    """Return the folder that a person named, if photos can be taken from it.

    Parameters
    ----------
    given : object
        What was typed.
    gallery : str
        The gallery's own folder, which holds no photos.

    Raises
    ------
    AskedError
        It cannot be, in words for who typed it.
    """
    if not isinstance(given, str) or not given.strip():
        raise AskedError("name a folder of photos, such as ~/Pictures")
    folder, named = os.path.expanduser(given.strip()), printable(given.strip())
    if "\0" in folder or not os.path.isabs(folder):
        raise AskedError(f"name the folder by its whole path, such as ~/Pictures; got {named!r}")
    real = os.path.realpath(folder)
    if not os.path.isdir(real):
        what = "is a file, not a folder" if os.path.exists(real) else "is not there"
        raise AskedError(f"{named} {what}")
    if real == os.path.dirname(real):
        raise AskedError(f"{named} holds the pictures of every program: name a folder of photos")
    if os.path.commonpath([real, os.path.realpath(gallery)]) == os.path.realpath(gallery):
        raise AskedError(f"{named} is the gallery itself: name a folder of photos")
    if not os.access(real, os.R_OK | os.X_OK):
        raise AskedError(f"{named} may not be read by you")
    return folder
