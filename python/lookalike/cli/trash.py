"""What ``duplicates --trash`` and ``undo`` have in common: a list, a question, what was done."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.printable import size_shown
from lookalike.terminal import is_terminal

if TYPE_CHECKING:
    from lookalike.duplicates.result import Duplicates
    from lookalike.gallery.gallery import Gallery
    from lookalike.trash.moves import Outcome

__all__ = ["bring_back", "move_to_trash", "note_different", "note_same", "require_consent"]


def require_consent(yes: bool) -> None:
    """Raise click.UsageError if nobody can be asked, nor has agreed beforehand."""
    if not yes and not is_terminal(sys.stdin):
        raise click.UsageError(
            "--trash asks before it moves anything, and there is no terminal to ask on: --yes "
            "goes ahead without asking"
        )


def move_to_trash(
    gallery: Gallery,
    found: Duplicates,
    *,
    protect: Sequence[str],
    yes: bool,
    absolute: bool,
    as_json: bool,
) -> None:
    """Show what would go, ask, and move it to the trash; exit 1 if something was left."""
    from lookalike.trash.moves import Outcome

    going = [member for group in found.groups for member in group.others if member.removable]
    if not (as_json and yes):  # nobody agrees to what has not been shown
        _show_plan(found, absolute, stderr=as_json)
    size = sum(member.facts.bytes for member in going)
    what = f"{console.plural(len(going), 'file')} ({size_shown(size)})"
    if going and not yes and not click.confirm(f"Move {what} to the trash?", err=True):
        console.remark("Nothing has been moved.")
        return
    outcome = Outcome()
    try:
        with console.bar("files") as progress:
            gallery.trash(found, protect=protect, outcome=outcome, progress=progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted; {_moved(outcome)}") from None
    _tell(gallery, outcome, as_json, _moved(outcome), "trashed")


def bring_back(gallery: Gallery, *, absolute: bool, as_json: bool) -> None:
    """Bring back what was moved last; exit 1 if something stays in the trash."""
    from lookalike.trash.moves import Outcome

    outcome = Outcome()
    try:
        with console.bar("files") as progress:
            gallery.undo(outcome=outcome, progress=progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted; {_files(outcome)} brought back, the same command goes on from there"
        ) from None
    if not as_json:
        for path in outcome.moved:
            console.say(console.line(console.shown(path, absolute=absolute)))
    told = f"{_files(outcome)} brought back."
    if outcome.moved:
        told += " `lookalike index` adds to the gallery what is back."
    elif not outcome.left:
        told = "Nothing is in the trash that this gallery knows of."
    _tell(gallery, outcome, as_json, told, "restored")


def note_different(gallery: Gallery, one: str, other: str) -> None:
    """Remember that two pictures are not the same."""
    new = gallery.note_different(one, other)
    console.remark(
        f"Noted: {console.shown(one)} and {console.shown(other)} are different pictures."
        if new
        else "That is noted already."
    )


def note_same(gallery: Gallery, one: str, other: str) -> None:
    """Take back that two pictures are not the same."""
    console.remark(
        f"Taken back: {console.shown(one)} and {console.shown(other)} are compared again."
        if gallery.note_same(one, other)
        else "Nothing was noted of these two."
    )


def _show_plan(found: Duplicates, absolute: bool, *, stderr: bool) -> None:
    from lookalike.trash.sidecars import sidecars

    rows = []
    for group in found.groups:
        paths = {member.row: member.path for member in group.members}
        for member in group.others:
            if member.removable:
                beside = [os.path.basename(path) for path in sidecars(member.path).paths]
                rows.append(
                    (
                        "trash",
                        f"{member.facts.bytes:,} B",
                        console.shown(member.path, absolute=absolute),
                        f"with {', '.join(beside)}" if beside else "-",
                        f"stays: {console.shown(paths[member.keeper], absolute=absolute)}",
                    )
                )
    styles = ["bold", "dim", "", "green", "dim"]
    justified = ["left", "right", "left", "left", "left"]
    if rows:
        console.table(list(zip(styles, justified, strict=True)), rows, stderr=stderr)
    looks = f" {console.plural(len(found.look), 'image')} to look at stay." if found.look else ""
    if looks or not rows:
        console.remark(("" if rows else "There is nothing to move.") + looks)


def _files(outcome: Outcome) -> str:
    return console.plural(len(outcome.moved), "file")


def _moved(outcome: Outcome) -> str:
    told = f"{_files(outcome)} moved to the trash ({size_shown(outcome.bytes)})"
    return told + "; `lookalike undo` takes that back" * bool(outcome.moved)


def _tell(gallery: Gallery, outcome: Outcome, as_json: bool, told: str, done: str) -> None:
    if as_json:
        console.write_json(
            gallery=gallery.path,
            **{done: outcome.moved},
            bytes=outcome.bytes,
            left=[{"path": path, "reason": reason} for path, reason in outcome.left],
        )
    else:
        console.remark(told)
    console.failures("left alone", outcome.left)
    if outcome.left:
        click.get_current_context().exit(1)
