"""Whether a gallery is intact, and saving what can be saved of one that is not."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import features_file, search_indexes
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.catalogue_file import FILE_NAME, damage
from lookalike.gallery.storage.catalogue_salvage import salvage
from lookalike.gallery.storage.converting_file import converting_path
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.generations import switch
from lookalike.gallery.storage.lock import WriterLock
from lookalike.gallery.storage.photos import status
from lookalike.gallery.storage.records import Header
from lookalike.gallery.storage.side_file import delete, integrity
from lookalike.gallery.storage.thumbnails_file import Thumbnails, thumbnails_path
from lookalike.progress import Progress, reporting
from lookalike.system import sync_folder

__all__ = ["CheckReport", "Problem", "check_gallery"]

BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    path : str
        The image or the file of the gallery that it is about.
    reason : str
        What is wrong, in one line.
    repaired : bool
        Whether that has been repaired.
    """

    path: str
    reason: str
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}{' (repaired)' if self.repaired else ''}"


@dataclass
class CheckReport:
    """What a check found.

    Attributes
    ----------
    images : int
        How many images the gallery holds, after repairs.
    damage : list of Problem
        What is wrong with the gallery itself.
    outdated : list of Problem
        Photos that are gone or have changed since they were added: no damage, `update` follows.
    """

    images: int = 0
    damage: list[Problem] = field(default_factory=list)
    outdated: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no damage is left."""
        return all(problem.repaired for problem in self.damage)


def check_gallery(
    path: str | os.PathLike[str], *, repair: bool = False, progress: Progress = None
) -> CheckReport:
    """Check every row and file of a gallery, also of one that cannot be opened.

    Parameters
    ----------
    path : path
        The gallery's folder.
    repair : bool
        Whether to drop the images whose features are damaged (`Gallery.update` embeds them again),
        save what is readable of a damaged catalogue, and delete damaged thumbnails, which the next
        update makes again, and what a killed writer left behind.
        The damaged catalogue is kept beside the new one.
    progress : None, True or callable(done, total)
        Counts the rows; True shows a bar on standard error.

    Returns
    -------
    CheckReport

    Raises
    ------
    GalleryError
        There is no gallery, or it is of a newer format; to repair, also if another process writes
        it.
    """
    folder = os.path.abspath(os.fsdecode(path))
    if not os.path.isdir(folder):
        raise GalleryError(f"{folder} is not a gallery: no such folder")
    report = CheckReport()
    with contextlib.ExitStack() as held:
        if repair:
            held.callback(WriterLock(folder).release)
        opened = _open(folder, repair, report)
        if opened is None:
            return report
        held.callback(opened.close)
        header = opened.header()
        source, intact = _check_rows(folder, opened, header, report, progress)
        if report.damage and not repair:
            with contextlib.closing(Catalogue.snapshot(opened.path)) as now:
                if now.header().generation != header.generation:  # by a writer, meanwhile
                    return check_gallery(folder, progress=progress)
        report.outdated += _outdated(opened)
        if repair:
            if report.damage:
                switch(opened, folder, header, source, np.array(intact, np.int64))
                report.damage = [replace(problem, repaired=True) for problem in report.damage]
            features_file.delete_others(folder, opened.header().generation)
        report.damage += _check_side_files(folder, opened, repair)
        report.images, _ = opened.size()
    return report


def _open(folder: str, repair: bool, report: CheckReport) -> Catalogue | None:
    """Open the catalogue, salvaged if need be; None if that is not to be, or cannot be."""
    path = os.path.join(folder, FILE_NAME)
    if not os.path.exists(path):
        report.damage.append(Problem(path, "missing; without it nothing can be saved"))
        return None
    open_it = Catalogue.open if repair else Catalogue.snapshot
    try:
        opened = open_it(path)
        try:
            found = opened.integrity()
            opened.header()
        except BaseException:
            opened.close()
            raise
        if found == "ok":
            return opened
        opened.close()
        reason = " ".join(found.split())
    except GalleryError as error:
        inside = damage(error)
        if inside is None:
            raise
        reason = inside
    saved = _salvage(folder, path) if repair else None
    if saved is None:
        lost = "; nothing in it can be saved, add the images to a new gallery" if repair else ""
        report.damage.append(Problem(path, f"damaged: {reason}{lost}"))
        return None
    report.damage.append(
        Problem(path, f"damaged: {reason}; {saved} images saved, the old file is kept", True)
    )
    return Catalogue.open(path)


def _salvage(folder: str, path: str) -> int | None:
    """Replace a damaged catalogue by one of all that can be read in it; return how many images."""
    fresh = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    saved = salvage(path)
    if saved is None:
        return None
    Catalogue.create(fresh, saved.header.dim, saved.header.space, saved.decoding)
    with contextlib.closing(Catalogue.open(fresh)) as made, made.transaction():
        made.restore(saved)
    kept = next(
        name for n in itertools.count(1) if not os.path.exists(name := f"{path}.damaged-{n}")
    )
    shutil.copy2(path, kept)
    with contextlib.suppress(FileNotFoundError):  # SQLite would roll it back into the new file
        os.unlink(path + "-journal")
    os.replace(fresh, path)
    sync_folder(folder)
    return len(saved.images)


def _check_rows(
    folder: str, opened: Catalogue, header: Header, report: CheckReport, progress: Progress
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Return the rows that the file has, and the numbers of those that are intact."""
    path = features_file.file_path(folder, header.generation)
    images = opened.checksums()
    try:
        available = min(os.stat(path).st_size // (header.dim * 4), header.rows)
        source = features_file.map_rows(folder, header.generation, available, header.dim)
    except FileNotFoundError:
        report.damage.append(Problem(path, f"missing, with the features of {len(images)} images"))
        return np.empty((0, header.dim), np.float32), []
    lost = sum(row >= available for row, _ in images)
    if lost or available < header.rows:
        report.damage.append(
            Problem(path, f"too short: the features of {lost} of {len(images)} images are lost")
        )
    intact: list[int] = []
    altered: list[int] = []
    with reporting(progress, len(images), "rows") as report_done:
        for done, (row, crc) in enumerate(images, 1):
            if row < available:
                (intact if zlib.crc32(source[row]) == crc else altered).append(row)
            if done % BLOCK_ROWS == 0 or done == len(images):
                report_done(done)
    for row in altered:
        reason = f"its features are not those that were written (row {row} of {path})"
        report.damage.append(Problem(os.fsdecode(opened.path_of(row)), reason))
    return source, intact


def _check_side_files(folder: str, opened: Catalogue, repair: bool) -> Iterator[Problem]:
    """Check what can be made again; a repair deletes what is damaged or belongs to no image."""
    for path in (thumbnails_path(folder), converting_path(folder)):
        if (found := integrity(path)) != "ok":
            reason = f"damaged: {' '.join(found.split())}; `lookalike index` makes it again"
            if repair:
                delete(path)
            yield Problem(path, reason, repair)
    for path, found in search_indexes.problems(folder, opened, opened.header()):
        reason = f"damaged: {found}; without it, `lookalike index` makes it again"
        if repair:
            delete(path)
        yield Problem(path, reason, repair)
    if repair and os.path.exists(thumbnails_path(folder)):
        with contextlib.closing(Thumbnails(folder)) as kept:
            kept.drop(kept.hashes() - opened.hashes())


def _outdated(opened: Catalogue) -> Iterator[Problem]:
    for path, *expected in opened.files():
        try:
            found = status(path)
        except OSError as error:
            yield Problem(os.fsdecode(path), error.strerror or str(error))
            continue
        if found is None:
            yield Problem(os.fsdecode(path), "is gone")
        elif list(found) != expected:
            yield Problem(os.fsdecode(path), "has changed since it was added")
