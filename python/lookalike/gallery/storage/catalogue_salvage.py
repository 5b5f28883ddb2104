"""What can still be read of a damaged catalogue."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any, NamedTuple

from lookalike.gallery.storage.records import Header

__all__ = ["Salvaged", "salvage"]


OTHERS = ("contents", "decisions", "patterns", "network")


class Salvaged(NamedTuple):
    """Rows of the tables of a damaged catalogue, for `Catalogue.restore`."""

    header: Header
    decoding: str | None
    roots: list[tuple[Any, ...]]
    images: list[tuple[Any, ...]]
    others: dict[str, list[tuple[Any, ...]]]


def salvage(path: str) -> Salvaged | None:
    """Read what is readable; None where not even the gallery's width and folders are."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        try:
            (header,) = damaged.execute("SELECT dim, space, generation, rows FROM gallery")
            roots = damaged.execute("SELECT * FROM roots WHERE id != 0").fetchall()
        except (sqlite3.DatabaseError, ValueError):
            return None
        decoding = None
        with contextlib.suppress(sqlite3.DatabaseError):  # as in format 1, which does not say
            ((decoding,),) = damaged.execute("SELECT decoding FROM gallery")
        images, *others = (_readable(damaged, table) for table in ("images", *OTHERS))
    return Salvaged(
        Header(*header), decoding, roots, images, dict(zip(OTHERS, others, strict=True))
    )


def _readable(damaged: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table up to the first page that cannot be read, from both its ends."""
    found = {}
    for order in ("", "DESC"):
        with contextlib.suppress(sqlite3.DatabaseError):
            for row in damaged.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY 1 {order}"):
                found[row[0]] = row
    return list(found.values())
