"""What can still be read of a damaged catalogue."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from lookalike.gallery.storage.records import Header

__all__ = ["Salvaged", "salvage"]


class Salvaged(NamedTuple):
    """Rows of the tables of a damaged catalogue, for `Catalogue.restore`."""

    header: Header
    roots: list[tuple[Any, ...]]
    images: list[tuple[Any, ...]]


def salvage(path: str) -> Salvaged | None:
    """Read what is readable; None where not even the gallery's width and folders are."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        try:
            (header,) = damaged.execute("SELECT dim, space, generation, rows FROM gallery")
            roots = damaged.execute("SELECT * FROM roots WHERE id != 0").fetchall()
        except (sqlite3.DatabaseError, ValueError):
            return None
        images = {row[0]: row for order in ("", "DESC") for row in _readable(damaged, order)}
    return Salvaged(Header(*header), roots, list(images.values()))


def _readable(damaged: sqlite3.Connection, order: str) -> Iterator[tuple[Any, ...]]:
    """Yield images up to the first page that cannot be read."""
    with contextlib.suppress(sqlite3.DatabaseError):
        yield from damaged.execute(f"SELECT * FROM images NOT INDEXED ORDER BY row {order}")
