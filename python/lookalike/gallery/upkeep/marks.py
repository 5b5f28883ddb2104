"""What a person has marked of duplicates, by path and content, in the gallery's journal."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lookalike.duplicates.choice import Rules
from lookalike.gallery.storage.records import DecisionRecord

if TYPE_CHECKING:
    from lookalike.duplicates.marks import Mark
    from lookalike.gallery.storage.catalogue import Catalogue
    from lookalike.gallery.storage.snapshot import Snapshot

__all__ = ["marks_in", "note_marks", "note_rules", "rules_in"]

File = tuple[str, str]
"""A path, and the SHA-256 of its content in hexadecimal."""


def marks_in(source: Snapshot | Catalogue) -> dict[File, Mark]:
    """Return what is marked."""
    found: dict[File, Mark] = {}
    for each in source.decisions("mark"):
        if each.path is not None and each.detail in ("keep", "remove"):
            found[os.fsdecode(each.path), each.hash.hex()] = each.detail  # type: ignore[assignment]
    return found


def note_marks(catalogue: Catalogue, marks: Mapping[File, Mark | None]) -> None:
    """Mark files, or take their marks back; all of it or nothing."""
    for mark in marks.values():
        if mark not in ("keep", "remove", None):
            raise ValueError(f"a mark must be keep, remove or None, got {mark!r}")
    names = {(os.fsencode(path), bytes.fromhex(digest)): m for (path, digest), m in marks.items()}
    earlier = [
        each.id
        for each in catalogue.decisions("mark")
        if each.id is not None and (each.path, each.hash) in names
    ]
    with catalogue.transaction():
        catalogue.forget_decisions(earlier)
        for (path, digest), mark in names.items():
            if mark is not None:
                catalogue.note_decision(_record("mark", digest, path, mark))


def rules_in(source: Snapshot | Catalogue) -> Rules:
    """Return the rules that were noted last."""
    for each in reversed(source.decisions("rules")):
        try:
            return Rules(**json.loads(each.detail or ""))
        except (TypeError, ValueError):
            continue  # of a later version: none is better than half of them
    return Rules()


def note_rules(catalogue: Catalogue, rules: Rules) -> None:
    """Note rules in place of those before."""
    said = {"prefer": rules.prefer, "protect": rules.protect, "keep": rules.keep}
    earlier = [each.id for each in catalogue.decisions("rules") if each.id is not None]
    with catalogue.transaction():
        catalogue.forget_decisions(earlier)
        catalogue.note_decision(_record("rules", b"", None, json.dumps(said)))


def _record(kind: str, digest: bytes, path: bytes | None, detail: str) -> DecisionRecord:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return DecisionRecord(None, now, None, kind, "done", digest, None, path, detail)
