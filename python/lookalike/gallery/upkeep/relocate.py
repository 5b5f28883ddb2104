"""Telling a gallery that its photos lie elsewhere now."""

from __future__ import annotations

import os
import sqlite3

from lookalike.gallery.storage.catalogue import Catalogue, GalleryError

__all__ = ["relocate"]


def relocate(catalogue: Catalogue, old: bytes, new: bytes) -> int:
    """Let all paths below `old` begin with `new` instead, both absolute; return how many images.

    Raises
    ------
    GalleryError
        Nothing lies below `old`, or `new` is a folder of the gallery already.
    """
    below_old = os.path.join(old, b"")
    moved, matched = 0, False
    with catalogue.transaction() as connection:
        roots = connection.execute("SELECT id, path FROM roots WHERE id != 0").fetchall()
        for root, path in roots:
            inside = os.path.join(path, b"")
            if inside.startswith(below_old):  # the whole root
                there = os.path.normpath(os.path.join(new, inside[len(below_old) :]))
                moved += _count(connection, root, b"")
                _place(connection, root, there)
            elif below_old.startswith(inside):  # a folder in it
                part = below_old[len(inside) :]
                if not (count := _count(connection, root, part)):
                    continue
                moved += count
                values = {"root": root, "part": part, "length": len(part)}
                connection.execute(
                    "INSERT INTO roots (path, scanned, folder_labels) "
                    "SELECT ?, scanned, 0 FROM roots WHERE id = ?",
                    (b"\0", root),
                )
                values["target"] = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
                for table in ("images", "failures"):
                    connection.execute(
                        f"UPDATE {table} SET root = :target, path = substr(path, :length + 1) "
                        "WHERE root = :root AND substr(path, 1, :length) = :part",
                        values,
                    )
                _place(connection, values["target"], new)
            else:
                continue
            matched = True
        if not matched:
            known = ", ".join(os.fsdecode(path) for _, path in roots) or "none"
            raise GalleryError(
                f"nothing lies below {os.fsdecode(old)}; the gallery's folders: {known}"
            )
    return moved


def _count(connection: sqlite3.Connection, root: int, part: bytes) -> int:
    """Count the images of a root whose relative path begins with `part`."""
    (count,) = connection.execute(
        "SELECT count(*) FROM images WHERE root = ? AND substr(path, 1, ?) = ?",
        (root, len(part), part),
    ).fetchone()
    return int(count)


def _place(connection: sqlite3.Connection, root: int, path: bytes) -> None:
    try:
        connection.execute("UPDATE roots SET path = ? WHERE id = ?", (path, root))
    except sqlite3.IntegrityError:
        raise GalleryError(
            f"{os.fsdecode(path)} is a folder of the gallery already; `add` it, and what is "
            "the same there is found by its content"
        ) from None
