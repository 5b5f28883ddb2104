"""Moving files to the trash, each after a look at it and at the one that stays in its place."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lookalike.files import reason
from lookalike.interrupts import uninterrupted
from lookalike.progress import Progress, reporting
from lookalike.trash.files import (
    Checked,
    Identity,
    LeftAloneError,
    Removal,
    content_of,
    identity,
    looked_at,
    verified,
)
from lookalike.trash.journal import Entry, Intent, Journal
from lookalike.trash.places import find_in_trash, put_back, send, trash_for
from lookalike.trash.sidecars import in_photo_library, only_beside, sidecars

__all__ = ["NoTrashError", "Outcome", "lies_there", "move_to_trash", "settle_interrupted"]


class NoTrashError(OSError):
    """There is no trash for any of the files."""


@dataclass
class Outcome:
    """What became of the files.

    Attributes
    ----------
    moved : list of str
        Files that have been moved, to the trash or back, side-cars after their photo.
    bytes : int
        Their size together.
    left : list of (path, reason)
        Files that were left where they are.
    """

    moved: list[str] = field(default_factory=list)
    bytes: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


def move_to_trash(
    removals: Sequence[Removal],
    journal: Journal,
    *,
    protected: Collection[str] = (),
    outcome: Outcome | None = None,
    progress: Progress = None,
) -> Outcome:
    """Move files to the system's trash, with what lies beside them and belongs to them alone.

    Just before a file is moved it and its keeper are looked at and read: they must be as they were
    indexed, two regular files by no link, and different ones by device and inode. No keeper is ever
    moved, nothing protected, no file with a second name, none of a library of Apple's. What does
    not fit is left and named.

    Parameters
    ----------
    removals : sequence of Removal
        Files that may go, each with one that stays.
    journal : Journal
        Gets each intent before, each outcome after; `settle_interrupted` comes first.
    protected : collection of str
        Real paths of folders, absolute, of which nothing is moved.
    outcome : Outcome, optional
        Filled on the way, so that after Ctrl-C, which falls between two files, it tells how far
        this got.
    progress : None, True or callable(done, total)
        Counts the removals.

    Returns
    -------
    Outcome

    Raises
    ------
    NoTrashError
        No file could go to a trash by being renamed; nothing has been moved.
    """
    outcome = outcome or Outcome()
    _require_a_trash(removals)
    kept = Keepers(removals)
    with reporting(progress, len(removals), "files") as report:
        for done, removal in enumerate(removals):
            report(done)
            try:
                goer, keeper, beside = _ready(removal, kept, protected)
                with uninterrupted():
                    _move(goer, keeper, beside, journal, outcome)
            except LeftAloneError as error:
                outcome.left.append((removal.goer.path, str(error)))
        report(len(removals))
    return outcome


class Keepers:
    """The files that stay: none of them may go, by whatever name; each is read again if it must."""

    def __init__(self, removals: Sequence[Removal]) -> None:
        self._paths = {removal.keeper.path for removal in removals}
        self._seen: dict[str, tuple[Any, Checked]] = {}
        self._identities: Counter[Identity] = Counter()
        for path in self._paths:
            with contextlib.suppress(OSError):
                self._identities[identity(os.stat(path))] += 1

    def require_not_one(self, goer: Checked) -> None:
        """Raise LeftAloneError if a file is a keeper of another."""
        if goer.path in self._paths or goer.identity in self._identities:
            raise LeftAloneError("is the keeper of another file")

    def verified(self, removal: Removal) -> Checked:
        """Return the keeper as it is, read again unless nothing can have happened since."""
        path = removal.keeper.path
        try:
            status = looked_at(path)
            state = (removal.keeper, identity(status), status.st_mtime_ns, status.st_ctime_ns)
            known, checked = self._seen.get(path, (None, None))
            if checked is None or known != state:
                checked = verified(removal.keeper)
                self._seen[path] = state, checked
        except LeftAloneError as error:
            raise LeftAloneError(f"its keeper {path} {error}") from None
        return checked


def _require_a_trash(removals: Sequence[Removal]) -> None:
    reasons: dict[str, str] = {}
    for folder in {os.path.dirname(removal.goer.path) for removal in removals}:
        try:
            trash_for(os.path.join(folder, "file"))
            return
        except LeftAloneError as error:
            if os.path.isdir(folder):
                reasons[folder] = str(error)
    if reasons:
        raise NoTrashError(None, "; ".join(sorted(set(reasons.values()))))


def _ready(
    removal: Removal, kept: Keepers, protected: Collection[str]
) -> tuple[Checked, Checked, list[Checked]]:
    """Return a file that may go, its keeper and what lies beside it, all read a moment ago."""
    path = removal.goer.path
    if any(path.startswith(os.path.join(folder, "")) or path == folder for folder in protected):
        raise LeftAloneError("is protected")
    if in_photo_library(path):
        raise LeftAloneError("belongs to a photo library, whose program has to remove it")
    goer = verified(removal.goer)
    keeper = kept.verified(removal)
    if goer.identity == keeper.identity:
        raise LeftAloneError(f"is the same file as {keeper.path}, by another name")
    kept.require_not_one(goer)
    if goer.status.st_nlink > 1:
        raise LeftAloneError("has a second name (hard link), so that nothing would be won")
    if lacking := only_beside(path, keeper.path):
        names = ", ".join(os.path.basename(each) for each in lacking)
        raise LeftAloneError(f"{names} beside it is not beside {keeper.path}")
    found = sidecars(path)
    if found.doubt:
        raise LeftAloneError(found.doubt)
    trash_for(path)
    try:
        beside = [content_of(each) for each in found.paths]
        for each in beside:
            kept.require_not_one(each)
    except LeftAloneError as error:
        raise LeftAloneError(f"a file beside it {error}") from None
    return goer, keeper, beside


def _move(
    goer: Checked, keeper: Checked, beside: list[Checked], journal: Journal, outcome: Outcome
) -> None:
    """Move a file and its side-cars, these first: all of them or none."""
    trash = trash_for(goer.path)
    files = [*beside, goer]
    details = [
        {
            "trash": trash,
            "device": file.status.st_dev,
            "inode": file.status.st_ino,
            "bytes": file.status.st_size,
            **({} if file is goer else {"beside": goer.path}),
        }
        for file in files
    ]
    numbers = journal.intend(
        [
            Intent(file.path, file.sha256, keeper.sha256, detail)
            for file, detail in zip(files, details, strict=True)
        ]
    )
    places: list[str | None] = []
    try:
        for file, number, detail in zip(files, numbers, details, strict=True):
            place = _send(file, trash, keeper)
            places.append(place)
            where = os.path.dirname(os.path.dirname(place)) if place else trash
            journal.settle(number, "done", {**detail, "trash": where, "place": place})
    except LeftAloneError as error:
        for file, number, detail, place in zip(files, numbers, details, places, strict=False):
            if place is not None:
                with contextlib.suppress(LeftAloneError):  # or it can be brought back later
                    put_back(place, file.path)
                    journal.settle(number, "failed", {**detail, "reason": "its photo has stayed"})
        for number, detail in list(zip(numbers, details, strict=True))[len(places) :]:
            journal.settle(number, "failed", {**detail, "reason": str(error)})
        raise
    outcome.moved += [goer.path, *(file.path for file in beside)]
    outcome.bytes += sum(file.status.st_size for file in files)


def _send(file: Checked, trash: str, keeper: Checked) -> str | None:
    """Move one file; bring it back if it was not what it had been, or took the keeper along."""
    try:
        if _state(os.lstat(file.path)) != _state(file.status):
            raise LeftAloneError("is being changed")
        place = send(file.path)
    except OSError as error:
        # Not error.strerror: Send2Trash puts a file's name there.
        why = os.strerror(error.errno) if error.errno else reason(error)
        raise LeftAloneError(f"cannot be moved to the trash: {why}") from None
    if place is None:
        place = find_in_trash(trash, file.path, file.sha256)
    if place is not None and (why := _mistaken(place, file, keeper)):
        try:
            put_back(place, file.path)
        except LeftAloneError:
            raise LeftAloneError(f"{why}; it has been moved to {place}") from None
        raise LeftAloneError(why)
    return place


def _mistaken(place: str, file: Checked, keeper: Checked) -> str:
    try:
        if content_of(place).sha256 != file.sha256:
            return "is being changed"
        if identity(os.lstat(keeper.path)) == keeper.identity:
            return ""
    except (LeftAloneError, OSError):
        pass
    return f"is the same file as {keeper.path}, by another name"


def _state(status: os.stat_result) -> tuple[object, ...]:
    return identity(status), status.st_size, status.st_mtime_ns, status.st_ctime_ns


def settle_interrupted(journal: Journal) -> Iterator[Entry]:
    """Find out what became of files whose move was cut short; yield those that are settled."""
    for entry in journal.entries("intended"):
        path, trash = entry.path, entry.detail["trash"]
        if lies_there(entry):
            yield _settle(journal, entry, reason="interrupted before it was moved")
            continue
        place = find_in_trash(trash, path, entry.sha256)
        if place is not None:
            yield _settle(journal, entry, place=place)
        elif os.path.isdir(os.path.dirname(path)) and os.path.isdir(trash):
            yield _settle(journal, entry, reason="neither where it lay nor in the trash")


def lies_there(entry: Entry) -> bool:
    """Tell whether the very file, or one of its content, lies where it lay before."""
    was = Identity(entry.detail["device"], entry.detail["inode"])
    try:
        return (
            identity(os.lstat(entry.path)) == was or content_of(entry.path).sha256 == entry.sha256
        )
    except (OSError, LeftAloneError):
        return False


def _settle(journal: Journal, entry: Entry, **found: str) -> Entry:
    settled = entry._replace(
        state="done" if "place" in found else "failed", detail={**entry.detail, **found}
    )
    with uninterrupted():
        journal.settle(settled.number, settled.state, settled.detail)
    return settled
