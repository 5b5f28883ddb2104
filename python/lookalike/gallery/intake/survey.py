"""What has happened to the files of a gallery: which are new, changed or gone.

A file whose size and time of change are those in the catalogue is as it was; any other has to be
read, and :mod:`lookalike.gallery.intake.intake` does.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lookalike.gallery.intake.folders import Label, find_images, folder_label, labeller, status
from lookalike.gallery.storage.catalogue import GalleryError
from lookalike.gallery.storage.writer import Writer

__all__ = [
    "Candidate",
    "Known",
    "Report",
    "Survey",
    "decoders",
    "root_number",
    "survey_again",
    "survey_sources",
]


@dataclass
class Report:
    """What an `add` or `update` did, in numbers of images.

    Attributes
    ----------
    added : int
        New images.
    updated : int
        Images whose file has other content than before.
    moved : int
        Images whose file has another name or place.
    removed : int
        Images whose file is gone.
    unchanged : int
        Images that are as they were.
    failed : list of (path, reason)
        Files that cannot be used, those of earlier calls that have not changed among them.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


class Known(NamedTuple):
    """An image of the gallery."""

    row: int
    root: int
    relative: bytes
    label: Label
    size: int | None
    mtime_ns: int | None
    hash: bytes | None


class Candidate(NamedTuple):
    """A file that has to be read."""

    path: bytes
    root: int
    relative: bytes
    label: Label
    labelled: bool  # or None only because nobody gave one
    size: int
    mtime_ns: int
    known: Known | None


def decoders() -> str:
    """Name what decodes images here: a file that failed is tried again when this changes."""
    import PIL

    heif = importlib.util.find_spec("pillow_heif") is not None
    return f"Pillow {PIL.__version__}{' and pillow-heif' if heif else ''}"


class Survey:
    """A comparison of the disk with the catalogue.

    Parameters
    ----------
    writer : Writer
        Of the gallery.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        select = writer.catalogue.select
        self.roots: dict[int, bytes] = dict(select("SELECT id, path FROM roots"))
        self.known: dict[bytes, Known] = {}
        for row in select("SELECT row, root, path, label, size, mtime_ns, hash FROM images"):
            known = Known(*row)
            self.known[os.path.join(self.roots[known.root], known.relative)] = known
        self._failures = {
            os.path.join(self.roots[root], path): (root, path, (size, mtime_ns, by), reason)
            for root, path, size, mtime_ns, by, reason in select("SELECT * FROM failures")
        }
        self._decoders = decoders()
        self._met: set[bytes] = set()
        self.report = Report()
        self.candidates: list[Candidate] = []
        self.gone: dict[bytes, Known] = {}
        self.labelled = False

    def folder(self, root: int, labels: Callable[[bytes], Label] | None) -> None:
        """Compare all images below a root; those in the catalogue that are not there are gone."""
        folder = self.roots[root]
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
            self._file(root, found.path, found.size, found.mtime_ns, labels)
        for path, reason in unreadable:
            self.report.failed.append((os.fsdecode(os.path.join(folder, path)), reason))
        self._rest(expected, labels)
        for path in [path for path in self._failures if path.startswith(inside)]:
            if path not in self._met and not os.path.lexists(path):
                self.forget(path)

    def file(self, root: int, relative: bytes, labels: Callable[[bytes], Label] | None) -> None:
        """Compare one file, whatever its name."""
        path = os.path.join(self.roots[root], relative)
        try:
            size, mtime_ns = status(path) or (-1, -1)
        except OSError:
            size, mtime_ns = -1, -1  # reading it will say why
        self._file(root, relative, size, mtime_ns, labels)

    def others(self) -> None:
        """Compare the files that no folder so far has covered."""
        self._rest([path for path, known in self.known.items() if known.size is not None], None)
        for path, (root, relative, *_) in list(self._failures.items()):
            if path not in self._met:
                if os.path.lexists(path):
                    self.file(root, relative, None)
                else:
                    self.forget(path)

    def _file(
        self,
        root: int,
        relative: bytes,
        size: int,
        mtime_ns: int,
        labels: Callable[[bytes], Label] | None,
    ) -> None:
        path = os.path.join(self.roots[root], relative)
        if path in self._met:
            return
        self._met.add(path)
        known = self.known.get(path)
        label = known.label if known else None
        given = labels(relative) if labels is not None else None
        decided = given is not None or labels is folder_label  # which says "none" as well
        if decided:
            label = given
            self.labelled = True
        if known is not None:
            root, relative = known.root, known.relative
            if (size, mtime_ns) == (known.size, known.mtime_ns):
                self.report.unchanged += 1
                if label != known.label:
                    self._writer.change(
                        "UPDATE images SET label = ? WHERE row = ?", (label, known.row)
                    )
                self.forget(path)
                return
        elif path in self._failures:
            root, relative, facts, reason = self._failures[path]
            if facts == (size, mtime_ns, self._decoders):
                self.report.failed.append((os.fsdecode(path), reason))
                return
        self.candidates.append(
            Candidate(path, root, relative, label, decided, size, mtime_ns, known)
        )

    def _rest(self, expected: Iterable[bytes], labels: Callable[[bytes], Label] | None) -> None:
        """Look for known files that a listing did not show; their names may be unusual."""
        for path in expected:
            if path in self._met:
                continue
            known = self.known[path]
            try:
                facts = status(path)
            except OSError as error:  # not there for now, which is not gone
                self._met.add(path)
                self.report.failed.append((os.fsdecode(path), error.strerror or str(error)))
                continue
            if facts is not None:
                self._file(known.root, known.relative, *facts, labels)
            elif known.size is not None:
                self._met.add(path)
                self.gone[path] = known

    def forget(self, path: bytes) -> None:
        """Take back that a file failed."""
        if path in self._failures:
            root, relative, *_ = self._failures.pop(path)
            self._writer.change(
                "DELETE FROM failures WHERE root = ? AND path = ?", (root, relative)
            )


def survey_sources(
    writer: Writer, sources: Sequence[str | os.PathLike[str]], labels: Any
) -> Survey:
    """Look at folders and files that are to be added."""
    folders: dict[bytes, bytes] = {}  # of each source: what its labels are relative to
    for source in sources:
        path = os.fsencode(os.path.abspath(source))
        if not os.path.exists(path):
            raise GalleryError(f"no such file or folder: {os.fsdecode(path)}")
        folders[path] = path if os.path.isdir(path) else os.path.dirname(path)
    label_of = {folder: labeller(labels, folder) for folder in folders.values()}
    numbers = {
        path: root_number(writer, folder, path == folder, path == folder and labels == "folder")
        for path, folder in folders.items()
    }
    survey = Survey(writer)
    for path, folder in folders.items():
        if path == folder:
            survey.folder(numbers[path], label_of[folder])
        else:
            survey.file(numbers[path], os.path.basename(path), label_of[folder])
    if labels is not None and labels != "folder" and not survey.labelled:
        writer.forget_roots(numbers.values())
        raise GalleryError(
            "labels: none of the paths is one of the images found; they must be absolute or "
            "relative to the folder that is added"
        )
    return survey


def survey_again(writer: Writer) -> Survey:
    """Look at all folders and files that were added before."""
    survey = Survey(writer)
    scanned = writer.catalogue.select(
        "SELECT id, folder_labels FROM roots WHERE scanned ORDER BY length(path) DESC"
    )
    for root, folder_labels in scanned:
        survey.folder(root, folder_label if folder_labels else None)
    survey.others()
    return survey


def root_number(
    writer: Writer, folder: bytes, scanned: bool = False, folder_labels: bool = False
) -> int:
    """Return the number of a root, recorded if it is new."""
    with writer.catalogue.transaction() as connection:
        connection.execute(
            "INSERT INTO roots (path, scanned, folder_labels) VALUES (?, ?, ?) ON CONFLICT (path) "
            "DO UPDATE SET scanned = scanned OR excluded.scanned, "
            "folder_labels = folder_labels OR excluded.folder_labels",
            (folder, scanned, folder_labels),
        )
    return int(writer.catalogue.select("SELECT id FROM roots WHERE path = ?", (folder,))[0][0])


def _has_entries(folder: bytes) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
