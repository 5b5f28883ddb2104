"""Whether a gallery is intact, and saving what can be saved of one that is not."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lookalike.gallery.intake.folders import status
from lookalike.gallery.storage import catalogue, features_file
from lookalike.gallery.storage.catalogue import Catalogue, GalleryError, State
from lookalike.gallery.storage.generations import switch
from lookalike.gallery.storage.writer import WriterLock
from lookalike.progress import Progress, reporting

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
        Whether it is no longer so.
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
        Drop the images whose features are damaged (`Gallery.update` embeds them again), save what
        is readable of a damaged catalogue, delete what a killed writer left behind. The damaged
        catalogue is kept beside the new one.
    progress : None, True or callable(done, total)
        Of the rows.

    Returns
    -------
    CheckReport

    Raises
    ------
    GalleryError
        No gallery, one of a newer format, or, to repair, one that another process writes.
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
        state = opened.state()
        source, intact = _check_rows(folder, opened, state, report, progress)
        if report.damage and not repair:
            with contextlib.closing(Catalogue.snapshot(opened.path)) as now:
                if now.state().generation != state.generation:  # by a writer, meanwhile
                    return check_gallery(folder, progress=progress)
        report.outdated += _outdated(opened)
        if repair:
            if report.damage:
                switch(opened, folder, state, source, np.array(intact, np.int64))
                report.damage = [replace(problem, repaired=True) for problem in report.damage]
            features_file.delete_others(folder, opened.state().generation)
        (report.images,) = opened.select("SELECT count(*) FROM images")[0]
    return report


def _open(folder: str, repair: bool, report: CheckReport) -> Catalogue | None:
    """Open the catalogue, salvaged if need be; None if that is not to be, or cannot be."""
    path = os.path.join(folder, catalogue.FILE_NAME)
    if not os.path.exists(path):
        report.damage.append(Problem(path, "missing; without it nothing can be saved"))
        return None
    open_it = Catalogue.open if repair else Catalogue.snapshot
    try:
        opened = open_it(path)
        try:
            found = opened.select("PRAGMA integrity_check(1)")[0][0]
            opened.state()
        except BaseException:
            opened.close()
            raise
        if found == "ok":
            return opened
        opened.close()
        reason = " ".join(found.split())
    except GalleryError as error:
        cause = error.__cause__
        if not isinstance(cause, sqlite3.DatabaseError) or isinstance(
            cause, sqlite3.OperationalError
        ):
            raise
        reason = str(cause)
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
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        try:
            ((dim, space, generation, rows),) = damaged.execute(
                "SELECT dim, space, generation, rows FROM gallery"
            ).fetchall()
            roots = damaged.execute("SELECT * FROM roots WHERE id != 0").fetchall()
        except (sqlite3.DatabaseError, ValueError):
            return None
        images = {row[0]: row for order in ("", "DESC") for row in _readable(damaged, order)}
    Catalogue.create(fresh, dim, space)
    with contextlib.closing(Catalogue.open(fresh)) as made, made.transaction() as connection:
        connection.execute("UPDATE gallery SET generation = ?, rows = ?", (generation, rows))
        connection.executemany("INSERT INTO roots VALUES (?, ?, ?, ?)", roots)
        connection.executemany(
            "INSERT OR IGNORE INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)", images.values()
        )
    kept = next(
        name for n in itertools.count(1) if not os.path.exists(name := f"{path}.damaged-{n}")
    )
    shutil.copy2(path, kept)
    with contextlib.suppress(FileNotFoundError):  # SQLite would roll it back into the new file
        os.unlink(path + "-journal")
    os.replace(fresh, path)
    features_file.sync_folder(folder)
    return len(images)


def _readable(damaged: sqlite3.Connection, order: str) -> Iterator[tuple[object, ...]]:
    """Yield images up to the first page that cannot be read."""
    with contextlib.suppress(sqlite3.DatabaseError):
        yield from damaged.execute(f"SELECT * FROM images NOT INDEXED ORDER BY row {order}")


def _check_rows(
    folder: str, opened: Catalogue, state: State, report: CheckReport, progress: Progress
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Return the rows that the file has, and the numbers of those that are intact."""
    path = features_file.file_path(folder, state.generation)
    images = opened.select("SELECT row, crc FROM images ORDER BY row")
    try:
        available = min(os.stat(path).st_size // (state.dim * 4), state.rows)
        source = features_file.map_rows(folder, state.generation, available, state.dim)
    except FileNotFoundError:
        report.damage.append(Problem(path, f"missing, with the features of {len(images)} images"))
        return np.empty((0, state.dim), np.float32), []
    lost = sum(row >= available for row, _ in images)
    if lost or available < state.rows:
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
        ((root, name),) = opened.select(
            "SELECT roots.path, images.path FROM images JOIN roots ON id = root WHERE row = ?",
            (row,),
        )
        reason = f"its features are not those that were written (row {row} of {path})"
        report.damage.append(Problem(os.fsdecode(os.path.join(root, name)), reason))
    return source, intact


def _outdated(opened: Catalogue) -> Iterator[Problem]:
    files = opened.select(
        "SELECT roots.path, images.path, size, mtime_ns FROM images JOIN roots ON id = root "
        "WHERE size IS NOT NULL ORDER BY row"
    )
    for root, name, *expected in files:
        path = os.path.join(root, name)
        try:
            found = status(path)
        except OSError as error:
            yield Problem(os.fsdecode(path), error.strerror or str(error))
            continue
        if found is None:
            yield Problem(os.fsdecode(path), "is gone")
        elif list(found) != expected:
            yield Problem(os.fsdecode(path), "has changed since it was added")
