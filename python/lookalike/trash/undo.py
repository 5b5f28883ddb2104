"""Bringing back what was moved to the trash last."""

from __future__ import annotations

import os
from itertools import groupby

from lookalike.interrupts import uninterrupted
from lookalike.progress import Progress, reporting
from lookalike.trash.files import LeftAloneError
from lookalike.trash.journal import Entry, Journal
from lookalike.trash.moves import Outcome, lies_there
from lookalike.trash.places import find_in_trash, put_back

__all__ = ["bring_back"]


def bring_back(
    journal: Journal, *, outcome: Outcome | None = None, progress: Progress = None
) -> Outcome:
    """Bring back the last files moved to the trash together of which any can be brought back.

    A file is found by the journal or by the trash's own record, and known by its SHA-256. Nothing
    is overwritten: where something lies in its place now, it stays in the trash and is named.
    Folders that are gone are made again.

    Parameters
    ----------
    journal : Journal
        What has been moved; `settle_interrupted` comes first.
    outcome : Outcome, optional
        Filled on the way.
    progress : None, True or callable(done, total)
        Counts the files.

    Returns
    -------
    Outcome
        Where nothing can be brought back, ``left`` tells why of the last batch.
    """
    outcome = outcome or Outcome()
    moved = sorted(journal.entries("done"), key=lambda entry: (-entry.batch, -entry.number))
    first: list[tuple[str, str]] = []
    for _, entries in groupby(moved, key=lambda entry: entry.batch):
        batch = list(entries)
        with reporting(progress, len(batch), "files") as report:
            for done, entry in enumerate(batch):
                report(done)
                _bring_back(entry, journal, outcome)
            report(len(batch))
        if outcome.moved:
            return outcome
        first = first or outcome.left[:]
        outcome.left.clear()
    outcome.left.extend(first)
    return outcome


def _bring_back(entry: Entry, journal: Journal, outcome: Outcome) -> None:
    path, detail = entry.path, entry.detail
    try:
        photo = detail.get("beside")
        if photo is not None and os.path.lexists(photo) and photo in dict(outcome.left):
            raise LeftAloneError("stays in the trash like its photo")
        place = find_in_trash(detail["trash"], path, entry.sha256, detail.get("place"))
        if place is None and not lies_there(entry):
            raise LeftAloneError(_missing(entry))
        with uninterrupted():
            if place is not None:
                put_back(place, path)
            journal.settle(entry.number, "undone", detail)
            outcome.moved.append(path)
            outcome.bytes += detail["bytes"]
    except LeftAloneError as error:
        outcome.left.append((path, str(error)))


def _missing(entry: Entry) -> str:
    if os.path.isdir(entry.detail["trash"]):
        return "is no longer in the trash"
    return f"its trash is not there now: {entry.detail['trash']}"
