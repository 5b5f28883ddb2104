"""A gallery's duplicates into the trash and back, with its catalogue as the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.records import DecisionRecord
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.storage.writer import Writer
from lookalike.interrupts import uninterrupted
from lookalike.progress import Progress
from lookalike.trash.files import FileFacts, Removal
from lookalike.trash.journal import Entry, Intent, State
from lookalike.trash.moves import Outcome, move_to_trash, settle_interrupted
from lookalike.trash.undo import bring_back

if TYPE_CHECKING:
    from lookalike.duplicates.result import Duplicates

__all__ = [
    "Batch",
    "batches_in",
    "note_different",
    "removals_of",
    "take_back_different",
    "trash_files",
    "undo_trash",
]

STATES = get_args(State)


class CatalogueJournal:
    """The decisions of kind "trash" in a catalogue; a batch is what one of these notes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._batch = 1 + max((each.batch or 0 for each in catalogue.decisions("trash")), default=0)

    def intend(self, intents: Sequence[Intent]) -> list[int]:
        """Note files that are about to be moved, all of them or none."""
        with self._catalogue.transaction():
            return [
                self._catalogue.note_decision(
                    _decision(
                        "trash",
                        intent.sha256,
                        intent.keeper,
                        state="intended",
                        batch=self._batch,
                        path=os.fsencode(intent.path),
                        detail=json.dumps(dict(intent.detail)),
                    )
                )
                for intent in intents
            ]

    def settle(self, number: int, state: State, detail: Mapping[str, Any]) -> None:
        """Note what became of a file."""
        with self._catalogue.transaction():
            self._catalogue.settle_decision(number, state, json.dumps(dict(detail)))

    def entries(self, state: State) -> list[Entry]:
        """Return the files in a state."""
        return [_entry(each) for each in self._catalogue.decisions("trash") if each.state == state]


class Batch(NamedTuple):
    """Files that were moved to the trash together: its number, when (UTC), and which."""

    number: int
    at: str
    files: list[Entry]


def batches_in(view: Snapshot) -> list[Batch]:
    """Return what lies in the trash, what was moved last first."""
    found: dict[int, Batch] = {}
    for record in view.decisions("trash"):
        if record.state == "done":
            entry = _entry(record)
            found.setdefault(entry.batch, Batch(entry.batch, record.at, [])).files.append(entry)
    return sorted(found.values(), reverse=True)


def _decision(kind: str, digest: bytes, other: bytes, **more: Any) -> DecisionRecord:
    more = {"state": "done", "batch": None} | more
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return DecisionRecord(id=None, at=now, kind=kind, hash=digest, other=other, **more)


def _entry(record: DecisionRecord) -> Entry:
    try:
        detail = json.loads(record.detail or "")
        if not {"trash", "device", "inode", "bytes"} <= set(detail):
            raise ValueError
        if record.id is None or record.path is None or record.state not in STATES:
            raise ValueError
    except (TypeError, ValueError):
        raise GalleryError(
            f"the journal of what was moved to the trash is damaged: entry {record.id}"
        ) from None
    path, state = os.fsdecode(record.path), record.state
    return Entry(record.id, record.batch or 0, state, path, record.hash, detail)  # type: ignore[arg-type]


def removals_of(view: Snapshot, found: Duplicates) -> Iterator[Removal]:
    """Yield what may go of the duplicates that were found in a state of a gallery.

    Raises
    ------
    GalleryError
        They were found in another state.
    """
    paths, sizes, times, hashes = (
        view.paths,
        view.column("size"),
        view.column("mtime_ns"),
        view.column("hash"),
    )

    def facts(row: int) -> FileFacts:
        return FileFacts(paths[row], sizes[row], times[row], hashes[row])

    for group in found.groups:
        found_as = {member.row: (member.path, member.content) for member in group.members}
        for member in group.others:
            if not member.removable:
                continue
            for row in (member.row, member.keeper):
                if (
                    row >= len(paths)
                    or hashes[row] is None
                    or (paths[row], hashes[row]) != found_as[row]
                ):
                    raise GalleryError(
                        "the gallery has changed since its duplicates were found; find them again"
                    )
            yield Removal(facts(member.keeper), facts(member.row))


def trash_files(
    writer: Writer,
    removals: Sequence[Removal],
    protected: Collection[str],
    outcome: Outcome,
    progress: Progress,
) -> None:
    """Move files to the trash; what has gone leaves the gallery, also after Ctrl-C."""
    journal = CatalogueJournal(writer.catalogue)
    settled = [entry.path for entry in settle_interrupted(journal) if entry.state == "done"]
    try:
        move_to_trash(removals, journal, protected=protected, outcome=outcome, progress=progress)
    finally:
        with uninterrupted():
            _drop(writer, [*settled, *outcome.moved])


def undo_trash(writer: Writer, outcome: Outcome, progress: Progress) -> None:
    """Bring back what was moved last; the next `add` or `update` finds it."""
    journal = CatalogueJournal(writer.catalogue)
    _drop(writer, [entry.path for entry in settle_interrupted(journal) if entry.state == "done"])
    bring_back(journal, outcome=outcome, progress=progress)


def _drop(writer: Writer, paths: Iterable[str]) -> None:
    """Remove images whose files have gone; the folders are looked at as before."""
    gone = {os.fsencode(path) for path in paths if not os.path.lexists(path)}
    if gone:
        roots = dict(writer.catalogue.roots())
        rows, places = writer.catalogue.rows(), writer.catalogue.places()
        writer.switch(
            [
                row
                for row, (root, path) in zip(rows, places, strict=True)
                if os.path.join(roots[root], path) in gone
            ]
        )


def note_different(catalogue: Catalogue, one: bytes, other: bytes) -> bool:
    """Note that pictures of two contents are different ones; False if that is known already."""
    if _said_different(catalogue, one, other):
        return False
    with catalogue.transaction():
        catalogue.note_decision(_decision("different", one, other))
    return True


def take_back_different(catalogue: Catalogue, one: bytes, other: bytes) -> bool:
    """Take back what `note_different` noted; False if it has noted nothing of the two."""
    said = _said_different(catalogue, one, other)
    with catalogue.transaction():
        for number in said:
            catalogue.settle_decision(number, "undone")
    return bool(said)


def _said_different(catalogue: Catalogue, one: bytes, other: bytes) -> list[int]:
    return [
        each.id
        for each in catalogue.decisions("different")
        if each.state == "done" and {each.hash, each.other} == {one, other} and each.id is not None
    ]
