"""The catalogue's journal: what was decided about contents and files, and what came of it."""

from __future__ import annotations

from collections.abc import Collection

from lookalike.gallery.storage.catalogue_connection import CatalogueConnection
from lookalike.gallery.storage.records import DecisionRecord

__all__ = ["Journal"]


IN_TRASH = "kind = 'trash' AND state IN ('intended', 'done')"
"""Entries about files that lie in the trash or may do so, which are needed to undo it."""
HELD = (
    "SELECT hash FROM images WHERE hash IS NOT NULL "
    f"UNION SELECT hash FROM decisions WHERE {IN_TRASH}"
)
"""The contents that decisions may be about."""


class Journal(CatalogueConnection):
    """The table ``decisions``."""

    def decisions(self, kind: str | None = None) -> list[DecisionRecord]:
        """Return the decisions, or those of one kind, in the order they were noted in."""
        found = self._select(
            "SELECT id, at, batch, kind, state, hash, other, path AS path_or_none, detail "
            "FROM decisions WHERE kind = ifnull(?, kind) ORDER BY id",
            (kind,),
        )
        return [DecisionRecord(*each) for each in found]

    # Changes, each for the inside of a transaction

    def note_decision(self, decision: DecisionRecord) -> int:
        """Note a decision; return the id that it has from now on, its own is None."""
        self._change("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *decision)
        return int(self._select("SELECT last_insert_rowid()")[0][0])

    def settle_decision(self, number: int, state: str, detail: str | None = None) -> None:
        """Note what became of the decision of an id; without a detail it keeps the one it has."""
        self._change(
            "UPDATE decisions SET state = ?, detail = ifnull(?, detail) WHERE id = ?",
            *(state, detail, number),
        )

    def forget_decisions_about_nothing(self) -> None:
        """Drop decisions about contents that no image has; what lies in the trash stays known."""
        self._change(
            f"DELETE FROM decisions WHERE NOT ({IN_TRASH}) AND kind NOT IN ('rules', 'indexes') "
            f"AND (hash NOT IN ({HELD}) OR other NOT IN ({HELD}))"
        )
        self._change(
            f"UPDATE decisions SET other = NULL WHERE {IN_TRASH} AND other NOT IN ({HELD})"
        )

    def forget_decisions(self, numbers: Collection[int]) -> None:
        """Drop the decisions of some ids."""
        self._change_all("DELETE FROM decisions WHERE id = ?", [(number,) for number in numbers])
