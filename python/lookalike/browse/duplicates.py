"""The page of duplicates: groups as a worklist, what a person marks, and the rules for the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lookalike.browse import answers
from lookalike.browse.answers import AskedError, data, page
from lookalike.browse.duplicates_found import Found, Worklist, file_id, kind_of, potential
from lookalike.duplicates.choice import Rules
from lookalike.duplicates.find import CALIBRATED_SPACE
from lookalike.embedding.spaces import is_untrained
from lookalike.printable import printable
from lookalike.trash.files import FileFacts, LeftAloneError, looked_at, verified

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lookalike.browse.state import State
    from lookalike.duplicates.result import Group, Member
    from lookalike.gallery.gallery import Gallery

__all__ = ["asked", "different", "duplicates", "group", "mark", "posted", "rules", "worklist"]

WAIT = 0.25
MARKS = ("keep", "remove", None)


def duplicates(request: Request) -> Response:
    """Show the page; it asks for what is in it."""
    return page(request, "duplicates.html", title="Duplicates", count=len(_state(request).shown))


def worklist(request: Request) -> Response:
    """Answer with the groups in short, or with how far finding them is."""
    job, marks, subject = asked(request).begun()
    job.wait(WAIT)
    if job.error is not None:
        raise AskedError(job.error, 500)
    if job.result is None:
        return data({"done": job.done, "total": job.total}, 202)
    found = asked(request).laid_over(job.result, marks, subject)
    kinds = {name: kind_of(each) for name, each in zip(found.groups, found.found, strict=True)}
    return data(
        {
            "state": found.state,
            "images": found.images,
            "groups": [
                {
                    "id": name,
                    "kind": kinds[name],
                    "row": each.keeper.row,
                    "mark": _short(each.keeper),
                    "name": _name(each.keeper),
                    "count": len(each.members),
                    "potential": potential(each),
                    **_progress(found, each),
                }
                for name, each in found.groups.items()
            ],
            "rules": _rules(found.rules),
            "remark": _remark(_state(request).shown.gallery),
            "void": [printable(path) for path in found.void],
        }
    )


def group(request: Request) -> Response:
    """Answer with all that is known of a group's files."""
    found = asked(request).found()
    return data(_group(found, str(request.query_params.get("id"))))


def _group(found: Found, name: str) -> dict[str, Any]:
    each = found.group(name)
    ids = {member.row: file_id(member) for member in each.members}
    return {
        "id": name,
        "state": found.state,
        "members": [
            {
                "file": ids[member.row],
                "row": member.row,
                "mark": _short(member),
                "name": _name(member),
                "folder": printable(os.path.dirname(member.path)),
                "verdict": member.verdict,
                "reason": printable(member.reason),
                "by_hand": found.mark_of(member),
                "keeper": ids.get(member.keeper),
                "exact": member.exact,
                "protected": found.rules.protected(member.path),
                "facts": _facts(member),
            }
            for member in each.members
        ],
        **_progress(found, each),
    }


def mark(values: dict[str, Any], work: Worklist) -> Any:
    """Note what a person marks files of a group as; None takes a mark back."""
    found = work.found()
    name = values.get("group")
    each = found.group(name)
    marks = values.get("marks")
    if not isinstance(marks, dict) or not all(value in MARKS for value in marks.values()):
        raise AskedError("marks must say keep, remove or null of files")
    members = {file_id(member): member for member in each.members}
    if unknown := set(marks) - set(members):
        raise AskedError(f"there is no file {printable(min(unknown))} in this group", 409)
    noted = {}
    for file, value in marks.items():
        member = members[file]
        if value is not None:
            _require_as_indexed(member)
        if value == "remove" and found.rules.protected(member.path):
            raise AskedError(f"{_name(member)} is protected: nothing of its folder goes", 409)
        assert isinstance(member.content, bytes) or value is None
        if isinstance(member.content, bytes):
            noted[member.path, member.content.hex()] = value
    after = {**found.marks, **noted}
    if all(
        after.get((member.path, member.content.hex())) == "remove"
        for member in each.members
        if isinstance(member.content, bytes)
    ):
        raise AskedError("one file of each group stays: keep another one first", 409)
    with work.changing() as gallery:
        gallery.mark(noted)
    return _group(work.found(), str(name))


def different(values: dict[str, Any], work: Worklist) -> Any:
    """Note that two files of a group are different pictures, or take that back."""
    if values.get("back") is not None:
        pair = values["back"]
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair))):
            raise AskedError("back must be two contents")
        with work.changing() as gallery:
            known = dict(zip(gallery.hashes, gallery.paths, strict=True))
            if not set(pair) <= set(known):
                raise AskedError("one of the two is not in the gallery any more", 409)
            if not gallery.note_same(*(known[each] for each in pair)):
                raise AskedError("nothing is noted of these two any more", 409)
        return {"pair": pair}
    found = work.found()
    members = {file_id(member): member for member in found.group(values.get("group")).members}
    try:
        one, other = (members[str(values.get(name))] for name in ("one", "other"))
    except KeyError:
        raise AskedError("one of the two is not in this group any more", 409) from None
    if one.content == other.content:
        raise AskedError("the two have the same content: they are one picture", 409)
    for member in (one, other):
        _require_as_indexed(member, read=True)
    with work.changing() as gallery:
        gallery.note_different(one.path, other.path)
    return {
        "pair": [each.content.hex() for each in (one, other) if isinstance(each.content, bytes)]
    }


def rules(values: dict[str, Any], work: Worklist) -> Any:
    """Note by which rules is judged what a person has not marked."""
    folders = {}
    for name in ("prefer", "protect"):
        given = values.get(name, [])
        if not (isinstance(given, list) and all(map(_is_text, given))):
            raise AskedError(f"{name} must be a list of folders")
        folders[name] = [os.path.expanduser(each.strip()) for each in given if each.strip()]
        for folder in folders[name]:
            if not os.path.isabs(folder):
                raise AskedError(f"{printable(folder)} must be a whole path, from / or ~")
            if not os.path.isdir(folder):
                raise AskedError(f"{printable(folder)} is not a folder")
    try:
        made = Rules(**folders, keep=values.get("keep") or None)
    except ValueError as error:
        raise AskedError(str(error)) from None
    with work.changing() as gallery:
        gallery.note_rules(made)
    return _rules(made)


def posted(change: Callable[[dict[str, Any], Worklist], Any]) -> Callable[[Request], Any]:
    """Return a route that changes what was found, and answers with what is returned."""
    return answers.posted(lambda request, values: change(values, asked(request)))


def asked(request: Request) -> Worklist:
    """Return the worklist of the server that is asked."""
    work: Worklist = request.app.state.duplicates
    return work


def _require_as_indexed(member: Member, *, read: bool = False) -> None:
    """Refuse what cannot be decided about, as the file is not what is shown."""
    facts, content = member.facts, member.content
    if not isinstance(content, bytes) or facts.mtime_ns is None:
        raise AskedError(f"{_name(member)}: {facts.doubt or 'not a file'}", 409)
    try:
        if facts.doubt:
            raise LeftAloneError(facts.doubt)
        if read:
            verified(FileFacts(member.path, facts.bytes, facts.mtime_ns, content))
        else:
            status = looked_at(member.path)
            if (status.st_size, status.st_mtime_ns) != (facts.bytes, facts.mtime_ns):
                raise LeftAloneError("has changed since it was indexed")
    except LeftAloneError as error:
        raise AskedError(f"{_name(member)} {error}: it cannot be marked", 409) from None


def _progress(found: Found, group: Group) -> dict[str, Any]:
    """Return how far a person is with a group, and what it wins."""
    looks = sum(member.verdict == "look" for member in group.members)
    by_hand = sum(found.mark_of(member) is not None for member in group.members)
    return {
        "winnable": group.winnable,
        "going": sum(member.removable for member in group.others),
        "looks": looks,
        "by_hand": by_hand,
    }


def _facts(member: Member) -> dict[str, Any]:
    facts = member.facts
    changed = facts.mtime_ns
    return {
        "pixels": f"{facts.width} × {facts.height}" if facts.pixels else "",
        "bytes": facts.bytes,
        "format": facts.format or "",
        "colour": "" if facts.grey is None else "grey" if facts.grey else "in colour",
        "taken": printable(facts.taken or ""),
        "camera": printable(facts.camera or ""),
        "changed": ""
        if changed is None
        else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(changed // 10**9)),
        "doubt": printable(facts.doubt),
    }


def _remark(gallery: Gallery) -> str:
    """Return what keeps this from finding all that there is."""
    if is_untrained(gallery.space):
        return "The network is untrained, so only files with the same content are found."
    if gallery.is_of_earlier_decoding:
        return "This gallery is of an earlier version: indexing it again finds more that can go."
    if gallery.space != CALIBRATED_SPACE:
        return "How near copies lie is known for GoogLeNet's weights; of these, some may be missed."
    return ""


def _rules(rules: Rules) -> dict[str, Any]:
    return {
        "prefer": [printable(os.fspath(each)) for each in rules.prefer],
        "protect": [printable(os.fspath(each)) for each in rules.protect],
        "keep": rules.keep,
    }


def _name(member: Member) -> str:
    return printable(os.path.basename(member.path) or member.path)


def _short(member: Member) -> str:
    return member.content.hex()[:16] if isinstance(member.content, bytes) else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state
