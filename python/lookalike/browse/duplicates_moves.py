"""What is marked into the trash, after a review, and back: through the gallery's own journal."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lookalike.browse.answers import AskedError, data
from lookalike.browse.duplicates import asked
from lookalike.browse.duplicates_found import Found, file_id
from lookalike.printable import printable
from lookalike.trash.files import LeftAloneError, looked_at
from lookalike.trash.sidecars import sidecars

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lookalike.browse.duplicates_found import Moving, Worklist
    from lookalike.browse.jobs import Report
    from lookalike.duplicates.result import Member
    from lookalike.trash.moves import Outcome

__all__ = ["moves", "review", "trash", "undo"]


def review(request: Request) -> Response:
    """Answer with all that would go, what stays for it, and what of it could not go."""
    found = asked(request).found()
    going, refused = [], []
    for name, group in found.groups.items():
        members = {member.row: member for member in group.members}
        for member in group.others:
            if not member.removable:
                continue
            keeper = members[member.keeper]
            said = {
                "group": name,
                "file": file_id(member),
                "row": member.row,
                "mark": _short(member),
                "name": printable(os.path.basename(member.path)),
                "folder": printable(os.path.dirname(member.path)),
                "bytes": member.facts.bytes,
                "reason": printable(member.reason),
                "keeper": printable(_seen_from(member.path, keeper.path)),
                "keeper_row": keeper.row,
                "keeper_mark": _short(keeper),
                "by_hand": found.mark_of(member) is not None,
            }
            if why := _doubt(member) or _doubt(keeper, "what stays for it "):
                refused.append({**said, "why": printable(why)})
            else:
                beside = map(os.path.basename, sidecars(member.path).paths)
                going.append({**said, "beside": [printable(each) for each in beside]})
    return data(
        {
            "state": found.state,
            "review": review_id(found),
            "going": going,
            "refused": refused,
            "void": [printable(path) for path in found.void],
            "bytes": sum(each["bytes"] for each in going),
            "looks": sum(
                member.verdict == "look"
                for group in found.groups.values()
                for member in group.others
            ),
        }
    )


def review_id(found: Found) -> str:
    """Return what is equal as long as the same files go for the same files' sake."""
    pairs = [
        f"{file_id(member)} {member.keeper} {group.keeper.row}"
        for group in found.groups.values()
        for member in group.others
        if member.removable
    ]
    text = " ".join([found.state, *sorted(pairs)])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def trash(values: dict[str, Any], work: Worklist) -> Any:
    """Move to the trash what has been reviewed, and nothing else."""
    found = work.found()
    if values.get("review") != review_id(found):
        raise AskedError("what is marked has changed since it was reviewed: look again", 409)
    if not found.duplicates.remove:
        raise AskedError("nothing is marked to go")

    def move(outcome: Outcome, report: Report) -> None:
        with work.changing() as gallery:
            if work.subject_of(gallery) != found.subject or gallery.marks != found.marks:
                raise ValueError("what is marked has changed since it was reviewed: look again")
            gallery.trash(
                found.duplicates, protect=found.rules.protect, outcome=outcome, progress=report
            )
            gone = set(outcome.moved)
            gallery.mark({file: None for file in found.marks if file[0] in gone})

    return _told(work.move("to the trash", move))


def undo(values: dict[str, Any], work: Worklist) -> Any:
    """Bring back the batch that was moved last, if it is the one that is meant."""
    batches = _batches(work)
    if not batches:
        raise AskedError("nothing is in the trash that this gallery knows of", 409)
    if values.get("batch") != batches[0]["batch"]:
        raise AskedError(
            "something else was moved since: what was moved last comes back first", 409
        )

    def back(outcome: Outcome, report: Report) -> None:
        with work.changing() as gallery:
            gallery.undo(outcome=outcome, progress=report)

    return _told(work.move("back", back))


def moves(request: Request) -> Response:
    """Answer with how far a move is, or what came of it, and what can be brought back."""
    work = asked(request)
    return data({**_told(work.moving), "batches": _batches(work)})


def _batches(work: Worklist) -> list[dict[str, Any]]:
    """Return what lies in the trash, by batch, the last first."""
    return [
        {
            "batch": batch.number,
            "at": f"{datetime.fromisoformat(batch.at).astimezone():%Y-%m-%d %H:%M}",
            "files": len(batch.files),
            "bytes": sum(entry.detail["bytes"] for entry in batch.files),
            "names": [printable(os.path.basename(entry.path)) for entry in batch.files[:5]],
        }
        for batch in work.batches()
    ]


def _told(moving: Moving | None) -> dict[str, Any]:
    if moving is None:
        return {"what": None, "running": False}
    what, outcome, job = moving
    job.wait(0.25)
    return {
        "what": what,
        "running": job.running,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "moved": [printable(path) for path in list(outcome.moved)],
        "bytes": outcome.bytes,
        "left": [[printable(path), printable(why)] for path, why in list(outcome.left)],
    }


def _seen_from(path: str, other: str) -> str:
    """Return another file's path, of one in the same folder the name alone."""
    alike = os.path.dirname(path) == os.path.dirname(other)
    return os.path.basename(other) if alike else other


def _doubt(member: Member, said: str = "") -> str:
    """Return why a file would not be moved, or not be relied on, as far as a look tells."""
    facts = member.facts
    try:
        status = looked_at(member.path)
    except LeftAloneError as error:
        return f"{said}{error}"
    if facts.doubt or (status.st_size, status.st_mtime_ns) != (facts.bytes, facts.mtime_ns):
        return f"{said}{facts.doubt or 'has changed since it was indexed'}"
    if not said and status.st_nlink > 1:
        return "has a second name (hard link), so that nothing would be won"
    return ""


def _short(member: Member) -> str:
    return member.content.hex()[:16] if isinstance(member.content, bytes) else ""
