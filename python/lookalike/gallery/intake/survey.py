"""What has happened to the files of a gallery: which are new, changed or gone.

A file whose size and time of change are those in the catalogue is as it was; any other has to be
read. A survey only looks, at the disk and the catalogue; ``intake.py`` does what follows from it.
"""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lookalike.gallery.intake.exclusions import HIDDEN, Exclusions
from lookalike.gallery.intake.folders import find_images, is_listed
from lookalike.gallery.intake.labels import Labeller, LabelTable, folder_label
from lookalike.gallery.intake.report import Report
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label, real_name, status
from lookalike.gallery.storage.records import FailureRecord, ImageRecord
from lookalike.pictures import DECODING
from lookalike.pictures.formats import unread_remarks

__all__ = [
    "Candidate",
    "NewRoot",
    "Survey",
    "decoders",
    "survey_again",
    "survey_sources",
]


class NewRoot(NamedTuple):
    """A folder that images are to be added from, and what is wanted of it from now on."""

    path: bytes
    scanned: bool
    folder_labels: bool | None  # None: as before


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


WORDS = ("folder", "none", "kept")
"""What `labels` may say in words; anything else is a table."""


def decoders() -> str:
    """Name what decodes images here: a file that failed is tried again when this changes."""
    import PIL

    heif = importlib.util.find_spec("pillow_heif") is not None
    return f"Pillow {PIL.__version__}{' and pillow-heif' if heif else ''}, decoding {DECODING}"


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
    missing : list of bytes
        Folders that are not there, or empty: what is known of their images is kept.
    labelled : bool
        Whether any file was given a label.
    report : Report
        What can be said before a file is read.
    """

    def __init__(self, catalogue: Catalogue, sources: Sequence[NewRoot] = ()) -> None:
        self._roots = dict(catalogue.roots())
        self.known = {self._path(image.root, image.path): image for image in catalogue.images()}
        self._failures = {
            self._path(failure.root, failure.path): failure for failure in catalogue.failures()
        }
        wanted = dict(catalogue.scanned_roots())
        wanted |= {
            root.path: wanted.get(root.path, False)
            if root.folder_labels is None
            else root.folder_labels
            for root in sources
            if root.scanned
        }
        self._scanned = list(wanted)
        self._labelled_roots = [path for path, labels in wanted.items() if labels]
        self.new_roots = list(sources)
        self._aliases = dict(self._find_aliases())
        self._decoders = decoders()
        self._exclusions = Exclusions(catalogue.patterns())
        self._met: set[bytes] = set()
        self._kinds: Counter[bytes] = Counter()
        self.report = Report()
        self.candidates: list[Candidate] = []
        self.gone: dict[bytes, ImageRecord] = {}
        self.relabelled: list[tuple[int, Label]] = []
        self.usable: list[FailureRecord] = []
        self.missing: list[bytes] = []
        self.labelled = False

    def folder_label(self, path: bytes) -> tuple[bool, Label]:
        """Return whether folders are labels where a file lies, and the label."""
        return folder_label(path, self._labelled_roots)

    def folder(self, folder: bytes, labels: Labeller | None) -> None:
        """Compare all images below a folder; those in the catalogue that are not there are gone."""
        inside = os.path.join(folder, b"")
        expected = [path for path in self.known if path.startswith(inside)]
        if not os.path.lexists(folder) and self._is_seen_to_be_gone(folder):
            return  # the folder above says so
        if not _has_entries(folder) and (expected or not os.path.lexists(folder)):
            # More likely a disk that is not mounted than a folder emptied by hand.
            self.missing.append(folder)
            self._met.update(expected)
            return
        unreadable: list[tuple[bytes, str]] = []
        listed = set()
        found_here = find_images(
            folder,
            unreadable,
            self._scanned,
            exclusions=self._exclusions,
            left_out=self.report.left_out,
            kinds=self._kinds,
        )
        for found in found_here:
            listed.add(os.path.join(folder, os.path.dirname(found.path)))
            self._file(folder, found.path, found.size, found.mtime_ns, labels)
        for path, reason in unreadable:
            self.report.failed.append((os.fsdecode(os.path.join(folder, path)), reason))
        self._leave_out(expected)
        self._rest(expected, labels, listed)
        for path in [path for path in self._failures if path.startswith(inside)]:
            if path not in self._met and not (
                os.path.lexists(path) and self._is_wanted(path, self._failures[path].root)
            ):
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

    def finish(self) -> None:
        """Let go of other names of what is listed by its real one; say what is not read."""
        for path, real in self._aliases.items():
            if path not in self._met and (real in self._met or real in self.known):
                self.gone[path] = self.known[path]
                self._met.add(path)
        self.report.notes += unread_remarks(self._kinds)

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
        decided, label = labels(path) if labels is not None else (False, None)
        self.labelled |= decided
        if known is not None and size < 0 and _is_gone(path):  # a link that leads nowhere now
            self.gone[path], known = known, None
        elif not decided:
            decided, label = (False, known.label) if known else self.folder_label(path)
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

    def _rest(
        self, expected: Iterable[bytes], labels: Labeller | None, listed: Iterable[bytes] = ()
    ) -> None:
        """Look for known files that a listing did not show; their names may be unusual."""
        unmet = [path for path in expected if path not in self._met]
        names = {os.path.realpath(folder): folder for folder in listed} if unmet else {}
        for path in unmet:
            if self._aliases.get(path) in self.known:
                continue
            if path in self._aliases and not _is_gone(path):
                continue  # listed by its real name
            known = self.known[path]
            try:
                found = status(path)
            except OSError as error:  # not there for now, which is not gone
                self._met.add(path)
                self.report.failed.append((os.fsdecode(path), error.strerror or str(error)))
                continue
            real, name = os.path.split(real_name(path))
            if os.path.join(names.get(real.rstrip(b"/"), path), name) in self._met:
                self._met.add(path)  # listed by another name: of two links to one folder
                self.gone[path] = known
            elif found is not None:
                self._file(self._roots[known.root], known.path, *found, labels)
            elif known.size is not None:
                self._met.add(path)
                self.gone[path] = known

    def _leave_out(self, paths: Iterable[bytes]) -> None:
        """Let go of known images that lie in what is left out now; their files stay."""
        for path in paths:
            if path not in self._met and not self._is_wanted(path, self.known[path].root):
                self._met.add(path)
                self.gone[path] = self.known[path]

    def _is_wanted(self, path: bytes, root: int) -> bool:
        """Tell whether one of the folders that are listed shows a file, or it was added by name."""
        if self._roots[root] not in self._scanned:
            return True
        return any(  # hidden ones are added by name alone
            self._exclusions.judge_all(folder, path[len(inside) :]) in (None, HIDDEN)
            for folder in self._scanned
            if path.startswith(inside := os.path.join(folder, b""))
        )

    def _forget_failure(self, path: bytes) -> None:
        failure = self._failures.pop(path, None)
        if failure is not None:
            self.usable.append(failure)

    def _is_seen_to_be_gone(self, folder: bytes) -> bool:
        """Tell whether a folder is gone from one that is listed, and not with a disk's contents."""
        above = os.path.dirname(folder)
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        return is_listed(above, self._scanned) and _has_entries(above)

    def _find_aliases(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield known paths that lead through links, and real ones that are listed as well."""
        real_folders: dict[bytes, bytes | None] = {}
        for path, image in self.known.items():
            if image.size is None:
                continue
            folder, name = os.path.split(path)
            if folder not in real_folders:
                real = os.path.realpath(folder)
                other = real != folder and is_listed(real, self._scanned)
                real_folders[folder] = real if other else None
            if (there := real_folders[folder]) is not None:
                yield path, os.path.join(there, name)

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
    scanned = [path for path, _ in catalogue.scanned_roots()]
    folders: dict[bytes, bytes] = {}  # of each source: the folder it is, or lies in
    for source in sources:
        path = os.fsencode(source)
        if not os.path.exists(path):
            raise GalleryError(f"no such file or folder: {os.path.abspath(os.fsdecode(path))}")
        if os.path.isdir(path):
            real = _as_known(os.path.realpath(path), scanned)
            folders[real] = real
        else:
            real = real_name(path)
            folders[real] = os.path.dirname(real)
    in_words = labels is None or (isinstance(labels, str) and labels in WORDS)
    table = None if in_words else LabelTable(labels, list(folders.values()))
    roots, words = [], {}
    for path, folder in folders.items():
        words[path] = labels if in_words else "table"
        if labels == "kept":
            words[path] = None if is_listed(folder, scanned) else "folder"
        wanted = None if words[path] is None or path != folder else words[path] == "folder"
        roots.append(NewRoot(folder, path == folder, wanted))
    survey = Survey(catalogue, roots)
    of_words: dict[str | None, Labeller | None] = {
        None: None,
        "folder": lambda path: (True, survey.folder_label(path)[1]),
        "none": lambda path: (True, None),
    }
    for path, folder in folders.items():
        label = of_words[words[path]] if table is None else table.below(folder)
        if path == folder:
            survey.folder(folder, label)
        else:
            survey.file(folder, os.path.basename(path), label)
    survey.finish()
    if table is not None:
        if not survey.labelled:
            raise GalleryError(
                "labels: none of the paths is one of the images found; they must be absolute or "
                "relative to the folder that is added"
            )
        if (remark := table.remark()) is not None:
            survey.report.notes.append(remark)
    return survey


def survey_again(catalogue: Catalogue) -> Survey:
    """Look at all folders and files that were added before."""
    survey = Survey(catalogue)
    for folder, _ in catalogue.scanned_roots():
        survey.folder(folder, None)
    survey.finish()
    survey.others()
    return survey


def _as_known(folder: bytes, roots: Iterable[bytes]) -> bytes:
    """Return the root that a folder is, by whichever other name, or the folder."""
    for root in roots:
        try:
            if os.path.samefile(root, folder):
                return root
        except OSError:  # it is not there
            continue
    return folder


def _is_gone(path: bytes) -> bool:
    try:
        return status(path) is None
    except OSError:
        return False


def _has_entries(folder: bytes) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
