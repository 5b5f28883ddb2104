"""The catalogue of a gallery: an SQLite database of what each row of features belongs to.

Writers change it in transactions with a rollback journal. Readers copy it into memory in one read
transaction and hold no lock after that, so that they never keep a writer waiting and see one state
however long they look at it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from lookalike.interrupts import uninterrupted

__all__ = ["FILE_NAME", "FORMAT", "Catalogue", "GalleryError", "State", "expect"]

FILE_NAME = "catalogue.sqlite"
APPLICATION_ID = 0x4C4F4F4B  # "LOOK", so that no other program's database is taken for a gallery
BUSY_SECONDS = 30

MIGRATIONS = (
    """
    CREATE TABLE gallery (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        dim INTEGER NOT NULL,
        space TEXT,                   -- NULL: not known
        generation INTEGER NOT NULL,  -- of the features file
        rows INTEGER NOT NULL         -- committed rows in it, dead ones included
    );
    CREATE TABLE roots (
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,    -- absolute; empty for names that are not files
        scanned INTEGER NOT NULL,     -- whether all images below it are wanted
        folder_labels INTEGER NOT NULL
    );
    INSERT INTO roots VALUES (0, x'', 0, 0);
    CREATE TABLE images (
        row INTEGER PRIMARY KEY,
        root INTEGER NOT NULL REFERENCES roots,
        path BLOB NOT NULL,           -- relative to the root
        label,
        size INTEGER,                 -- NULL, like the next two: not a file
        mtime_ns INTEGER,
        hash BLOB,                    -- SHA-256 of the file
        crc INTEGER NOT NULL,         -- CRC-32 of the row's bytes
        UNIQUE (root, path)
    );
    CREATE TABLE failures (
        root INTEGER NOT NULL REFERENCES roots,
        path BLOB NOT NULL,
        size INTEGER,
        mtime_ns INTEGER,
        decoders TEXT,                -- what could not decode it; NULL: it could not be read
        reason TEXT NOT NULL,
        PRIMARY KEY (root, path)
    ) WITHOUT ROWID;
    """,
)
"""What takes a catalogue from each format to the next, the first from nothing to format 1."""

FORMAT = len(MIGRATIONS)


class GalleryError(ValueError):
    """A gallery that is missing, damaged, busy or not what was asked for; the message names it."""


class _Damaged(sqlite3.DatabaseError):
    """What SQLite finds no fault with and yet cannot be a catalogue."""


class State(NamedTuple):
    """The one row of the table ``gallery``."""

    dim: int
    space: str | None
    generation: int
    rows: int


class Catalogue:
    """An open catalogue: a writer's, or a reader's copy in memory."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def create(cls, path: str, dim: int, space: str | None) -> None:
        """Write the catalogue of an empty gallery to a new file."""
        with _naming(path), contextlib.closing(_connect(path, "rwc")) as connection:
            _migrate(connection, 0)
            connection.execute("INSERT INTO gallery VALUES (1, ?, ?, 0, 0)", (dim, space))

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a catalogue to write; one of an older format is migrated.

        Raises
        ------
        GalleryError
            Missing, not a catalogue, damaged, of a newer format, or locked for long.
        """
        with _naming(path):
            connection = _connect(path, "rw")
            try:
                _migrate(connection, _format(connection, path))
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @classmethod
    def snapshot(cls, path: str) -> Self:
        """Copy a catalogue into memory; it need not be writable.

        Raises
        ------
        GalleryError
            As `open`.
        """
        copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            with _naming(path), contextlib.closing(_connect(path, "rw")) as connection:
                connection.execute("BEGIN")
                _format(connection, path)  # takes the lock, which backup() would not wait for
                connection.backup(copy)
            with _naming(path):
                _migrate(copy, _format(copy, path))
        except BaseException:
            copy.close()
            raise
        return cls(copy, path)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __del__(self) -> None:
        self._connection.close()  # or Python 3.13 warns

    def select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Return all rows of a query."""
        with _naming(self.path):
            return self._connection.execute(sql, values).fetchall()

    def state(self) -> State:
        """Return what the gallery holds as of now."""
        found = self.select("SELECT dim, space, generation, rows FROM gallery")
        with _naming(self.path):
            if not found:
                raise _Damaged("it does not say what the gallery holds")
        return State(*found[0])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all changes in the block or, after an error, none; Ctrl-C waits for its end."""
        with uninterrupted(), _naming(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends some failed ones itself
                    self._connection.execute("ROLLBACK")
                raise


def expect(path: str) -> None:
    """Raise a GalleryError if there is no catalogue at `path`."""
    if not os.path.exists(path):
        raise GalleryError(f"{os.path.dirname(path)} is not a gallery: it has no {FILE_NAME}")


def _connect(path: str, mode: str) -> sqlite3.Connection:
    """Open a database; mode "rw" gives a read-only connection where the file is write-protected."""
    url = f"file:{urllib.parse.quote(os.fsencode(os.path.abspath(path)))}?mode={mode}"
    if mode == "rw":
        expect(path)
    connection = sqlite3.connect(
        url, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    # FULL, and the folder too once the journal is gone: without that a power cut could bring the
    # journal back and with it a generation whose file has been deleted since.
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def _format(connection: sqlite3.Connection, path: str) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not objects:
        raise _Damaged("it is empty")
    if application != APPLICATION_ID:
        raise GalleryError(f"{path} is not a catalogue of lookalike but some other database")
    if version > FORMAT:
        raise GalleryError(
            f"{path} has format {version}, this version of lookalike knows formats up to {FORMAT}; "
            "a newer lookalike wrote it"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    if version == FORMAT:
        return
    steps = "".join(MIGRATIONS[version:])
    script = (
        f"BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {FORMAT}; COMMIT;"
    )
    try:
        connection.executescript(script)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ones that name the file and say what can be done."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, _Damaged):
            code = sqlite3.SQLITE_CORRUPT
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            reason = f"another program has kept it locked for {BUSY_SECONDS} s"
        elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            reason = f"it is damaged ({error}); `lookalike check --repair` saves what can be saved"
        elif code == sqlite3.SQLITE_READONLY:
            reason = "a writer was killed in the middle of a commit; open it where it is writable"
        else:
            reason = str(error)
        raise GalleryError(f"{path}: {reason}") from error
