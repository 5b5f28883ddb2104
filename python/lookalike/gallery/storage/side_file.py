"""A database beside the catalogue, of what can be made again: it is replaced when it is damaged.

What is deleted in it is overwritten. Nothing in it is needed to open or search a gallery, so
readers take what they find, and its damage stops nobody.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from typing import Any

from lookalike.gallery.storage.connection import connected
from lookalike.gallery.storage.errors import GalleryError

__all__ = ["SideFile", "delete", "integrity", "read_side_file"]

APPLICATION_ID = 0x4C4F4F4B
SUFFIXES = ("", "-journal")
WAIT = 30.0


class SideFile:
    """A side file open to its one writer, by whoever holds the gallery's lock.

    Parameters
    ----------
    path : str
        Its path; it is made if there is none, and anew if it is damaged.
    tables : str
        The statements that make its tables.
    """

    def __init__(self, path: str, tables: str) -> None:
        self.path = path
        self._tables = tables
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if _is_of_the_disk(error):
                raise GalleryError(f"cannot write {path}: {error}") from error
            delete(path)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = connected(self.path, "rwc", WAIT)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {self._tables}"
                    f"PRAGMA application_id = {APPLICATION_ID}; COMMIT"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Return all rows of a query; none if the file is found damaged, and then made anew."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            self._replace(error)
            return []

    def change(self, *changes: tuple[str, Iterable[tuple[Any, ...]]]) -> None:
        """Make changes, each for many rows, in one transaction."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, rows in changes:
                self._connection.executemany(sql, rows)
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._replace(error)

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the disk."""
        with contextlib.suppress(sqlite3.DatabaseError):
            self._connection.execute("VACUUM")

    def _replace(self, error: sqlite3.DatabaseError) -> None:
        if _is_of_the_disk(error):
            raise GalleryError(
                f"cannot write {self.path}: {error}; what was committed before is intact"
            ) from error
        self._connection.close()
        delete(self.path)
        self._connection = self._open()


def read_side_file(path: str, sql: str, rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return the first row that a query gives for each of `rows`; None where there is none."""
    found: list[Any] = []
    with (
        contextlib.suppress(sqlite3.DatabaseError),
        contextlib.closing(connected(path, "rw", WAIT)) as db,
    ):
        db.execute("BEGIN")
        for values in rows:
            found.append(db.execute(sql, values).fetchone())
    return found


def integrity(path: str) -> str:
    """Return ``"ok"``, or what SQLite finds wrong with a file; one that is not there is sound."""
    if not os.path.exists(path):
        return "ok"
    try:
        with contextlib.closing(connected(path, "rw", WAIT)) as db:
            return str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return "ok" if _is_of_the_disk(error) else str(error)


def delete(path: str) -> None:
    """Delete a file and its journal, as far as they are there."""
    for suffix in reversed(SUFFIXES):  # a journal that is left would be rolled into the next file
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + suffix)


def _is_of_the_disk(error: sqlite3.DatabaseError) -> bool:
    """Tell whether an error says nothing of what is in the file."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
    )
