"""What has happened to the files of a gallery: which are new, changed or gone.

A file whose size and time of change are those in the catalogue is as it was; any other has to be
read. A survey only looks, at the disk and the catalogue; ``intake.py`` does what follows from it.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from lookalike.gallery.intake.folders import find_images, folder_label, labeller
from lookalike.gallery.intake.report import Report
from lookalike.gallery.storage.catalogue import Catalogue, FailureRecord, ImageRecord
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label, status

__all__ = [
    "Candidate",
    "NewRoot",
    "Survey",
    "decoders",
    "survey_again",
    "survey_sources",
]

Labeller = Callable[[bytes], Label]


class NewRoot(NamedTuple):
    """A folder that images are to be added from, and what is wanted of it from now on."""

    path: bytes
    scanned: bool
    folder_labels: bool


class Candidate(NamedTuple):
    """A file that has to be read."""

    path: bytes
    root: bytes
    relative: bytes
    label: Label
    labelled: bool  # or None only because nobody gave one
    size: int
    mtime_ns: int
    known: ImageRecord | None
    failure: FailureRecord | None  # what the catalogue says of it, if it could not be used before


def decoders() -> str:
    """Name what decodes images here: a file that failed is tried again when this changes."""
    import PIL

    heif = importlib.util.find_spec("pillow_heif") is not None
    return f"Pillow {PIL.__version__}{' and pillow-heif' if heif else ''}"


class Survey:
    """A comparison of the disk with the catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        The gallery's; it is only read.

    Attributes
    ----------
    known : dict
        The images of the gallery by absolute path.
    new_roots : list of NewRoot
        Folders to note before anything is added.
    candidates : list of Candidate
        The files that have to be read.
    gone : dict
        The images whose file is not there any more, by absolute path.
    relabelled : list of (row, label)
        Images that are as they were but for their label.
    usable : list of FailureRecord
        Failures that are none any more: their file is in the gallery, or gone.
    labelled : bool
        Whether any file was given a label.
    report : Report
        What can be said before a file is read.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._roots = dict(catalogue.roots())
        self.known = {self._path(image.root, image.path): image for image in catalogue.images()}
        self._failures = {
            self._path(failure.root, failure.path): failure for failure in catalogue.failures()
        }
        self._decoders = decoders()
        self._met: set[bytes] = set()
        self.report = Report()
        self.new_roots: list[NewRoot] = []
        self.candidates: list[Candidate] = []
        self.gone: dict[bytes, ImageRecord] = {}
        self.relabelled: list[tuple[int, Label]] = []
        self.usable: list[FailureRecord] = []
        self.labelled = False

    def folder(self, folder: bytes, labels: Labeller | None) -> None:
        """Compare all images below a folder; those in the catalogue that are not there are gone."""
        inside = os.path.join(folder, b"")
        expected = [path for path in self.known if path.startswith(inside)]
        if expected and not _has_entries(folder):
            # More likely a disk that is not mounted than a folder emptied by hand.
            self.report.failed.append(
                (
                    os.fsdecode(folder),
                    f"missing or empty; its {len(expected)} images are kept until they are removed",
                )
            )
            self._met.update(expected)
            return
        unreadable: list[tuple[bytes, str]] = []
        for found in find_images(folder, unreadable):
            self._file(folder, found.path, found.size, found.mtime_ns, labels)
        for path, reason in unreadable:
            self.report.failed.append((os.fsdecode(os.path.join(folder, path)), reason))
        self._rest(expected, labels)
        for path in [path for path in self._failures if path.startswith(inside)]:
            if path not in self._met and not os.path.lexists(path):
                self._forget_failure(path)

    def file(self, folder: bytes, relative: bytes, labels: Labeller | None) -> None:
        """Compare one file, whatever its name."""
        path = os.path.join(folder, relative)
        try:
            size, mtime_ns = status(path) or (-1, -1)
        except OSError:
            size, mtime_ns = -1, -1  # reading it will say why
        self._file(folder, relative, size, mtime_ns, labels)

    def others(self) -> None:
        """Compare the files that no folder so far has covered."""
        self._rest([path for path, known in self.known.items() if known.size is not None], None)
        for path, failure in list(self._failures.items()):
            if path not in self._met:
                if os.path.lexists(path):
                    self.file(self._roots[failure.root], failure.path, None)
                else:
                    self._forget_failure(path)

    def _file(
        self,
        root: bytes,
        relative: bytes,
        size: int,
        mtime_ns: int,
        labels: Labeller | None,
    ) -> None:
        path = os.path.join(root, relative)
        if path in self._met:
            return
        self._met.add(path)
        known, failure = self.known.get(path), self._failures.get(path)
        label = known.label if known else None
        given = labels(relative) if labels is not None else None
        decided = given is not None or labels is folder_label  # which says "none" as well
        if decided:
            label = given
            self.labelled = True
        if known is not None:
            root, relative = self._roots[known.root], known.path
            if (size, mtime_ns) == (known.size, known.mtime_ns):
                self.report.unchanged += 1
                if label != known.label:
                    self.relabelled.append((known.row, label))
                self._forget_failure(path)
                return
        elif failure is not None:
            root, relative = self._roots[failure.root], failure.path
            as_before = (failure.size, failure.mtime_ns, failure.decoders)
            if as_before == (size, mtime_ns, self._decoders):
                self.report.failed.append((os.fsdecode(path), failure.reason))
                return
        self.candidates.append(
            Candidate(path, root, relative, label, decided, size, mtime_ns, known, failure)
        )

    def _rest(self, expected: Iterable[bytes], labels: Labeller | None) -> None:
        """Look for known files that a listing did not show; their names may be unusual."""
        for path in expected:
            if path in self._met:
                continue
            known = self.known[path]
            try:
                found = status(path)
            except OSError as error:  # not there for now, which is not gone
                self._met.add(path)
                self.report.failed.append((os.fsdecode(path), error.strerror or str(error)))
                continue
            if found is not None:
                self._file(self._roots[known.root], known.path, *found, labels)
            elif known.size is not None:
                self._met.add(path)
                self.gone[path] = known

    def _forget_failure(self, path: bytes) -> None:
        failure = self._failures.pop(path, None)
        if failure is not None:
            self.usable.append(failure)

    def _path(self, root: int, relative: bytes) -> bytes:
        return os.path.join(self._roots[root], relative)


def survey_sources(
    catalogue: Catalogue, sources: Sequence[str | os.PathLike[str]], labels: Any
) -> Survey:
    """Look at folders and files that are to be added.

    Raises
    ------
    GalleryError
        A source does not exist, or `labels` names none of the images found.
    """
    folders: dict[bytes, bytes] = {}  # of each source: what its labels are relative to
    for source in sources:
        path = os.fsencode(os.path.abspath(source))
        if not os.path.exists(path):
            raise GalleryError(f"no such file or folder: {os.fsdecode(path)}")
        folders[path] = path if os.path.isdir(path) else os.path.dirname(path)
    label_of = {folder: labeller(labels, folder) for folder in folders.values()}
    survey = Survey(catalogue)
    for path, folder in folders.items():
        scanned = path == folder
        survey.new_roots.append(NewRoot(folder, scanned, scanned and labels == "folder"))
        if scanned:
            survey.folder(folder, label_of[folder])
        else:
            survey.file(folder, os.path.basename(path), label_of[folder])
    if labels is not None and labels != "folder" and not survey.labelled:
        raise GalleryError(
            "labels: none of the paths is one of the images found; they must be absolute or "
            "relative to the folder that is added"
        )
    return survey


def survey_again(catalogue: Catalogue) -> Survey:
    """Look at all folders and files that were added before."""
    survey = Survey(catalogue)
    for folder, folder_labels in catalogue.scanned_roots():
        survey.folder(folder, folder_label if folder_labels else None)
    survey.others()
    return survey


def _has_entries(folder: bytes) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
