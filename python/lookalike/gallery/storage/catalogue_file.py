"""The catalogue as a file: its tables, its formats, and what SQLite's errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from lookalike.gallery.storage.connection import connected
from lookalike.gallery.storage.errors import GalleryError

__all__ = [
    "FILE_NAME",
    "FORMAT",
    "Damaged",
    "checked_format",
    "connect",
    "damage",
    "expect",
    "fetch",
    "migrate",
    "naming",
]

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
    """
    ALTER TABLE gallery ADD COLUMN decoding TEXT;  -- of all photos; NULL: as in format 1
    CREATE TABLE contents (           -- what is known of a file's content, whatever its names
        hash BLOB PRIMARY KEY,        -- SHA-256
        phash BLOB,                   -- perceptual hash, 32 bytes; NULL: cannot be decoded
        width INTEGER,
        height INTEGER,
        format TEXT,
        taken TEXT,
        camera TEXT
    ) WITHOUT ROWID;
    CREATE TABLE decisions (          -- the journal
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,             -- UTC, ISO 8601
        batch INTEGER,                -- one run of what moves files; NULL for others
        kind TEXT NOT NULL,           -- 'different', 'mark', 'rules', 'indexes', 'trash'
        state TEXT NOT NULL,          -- 'intended', 'done', 'undone', 'failed'
        hash BLOB NOT NULL,           -- the content decided about
        other BLOB,                   -- of 'different' the other content, of 'trash' the keeper's
        path BLOB,                    -- of 'trash' where the file lay, of 'mark' lies; absolute
        detail TEXT                   -- JSON; of 'mark' 'keep' or 'remove'
    );
    CREATE TABLE patterns (           -- what is left out or taken back, in the order given
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,           -- 'exclude' or 'include'
        pattern TEXT NOT NULL UNIQUE
    );
    CREATE TABLE network (            -- at most one row; none: GoogLeNet
        only INTEGER PRIMARY KEY CHECK (only = 1),
        path BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        preprocessing TEXT NOT NULL,
        output TEXT
    );
    """,
)
"""What takes a catalogue from each format to the next, the first from nothing to format 1."""

FORMAT = len(MIGRATIONS)


class Damaged(sqlite3.DatabaseError):
    """A file that SQLite finds no fault with and that yet cannot be a catalogue."""


_OR_NONE = type(None)
COLUMN_TYPES: dict[str, tuple[type, ...]] = {
    "dim": (int,),
    "space": (str, _OR_NONE),
    "generation": (int,),
    "rows": (int,),
    "decoding": (str, _OR_NONE),
    "id": (int,),
    "path": (bytes,),
    "row": (int,),
    "root": (int,),
    "size": (int, _OR_NONE),
    "mtime_ns": (int, _OR_NONE),
    "hash": (bytes, _OR_NONE),
    "crc": (int,),
    "decoders": (str, _OR_NONE),
    "reason": (str,),
    "phash": (bytes, _OR_NONE),
    "width": (int, _OR_NONE),
    "height": (int, _OR_NONE),
    "format": (str, _OR_NONE),
    "taken": (str, _OR_NONE),
    "camera": (str, _OR_NONE),
    "at": (str,),
    "batch": (int, _OR_NONE),
    "kind": (str,),
    "state": (str,),
    "other": (bytes, _OR_NONE),
    "path_or_none": (bytes, _OR_NONE),
    "detail": (str, _OR_NONE),
    "pattern": (str,),
    "sha256": (bytes,),
    "preprocessing": (str,),
    "output": (str, _OR_NONE),
}
"""What SQLite, which lets any column hold anything, must have read where the catalogue is sound."""


def fetch(cursor: sqlite3.Cursor) -> list[Any]:
    """Return all rows of a query, each value of its column's type."""
    rows = cursor.fetchall()
    for (name, *_), values in zip(cursor.description, zip(*rows, strict=True), strict=False):
        types = COLUMN_TYPES.get(name)
        if types and not set(map(type, values)) <= set(types):
            raise Damaged(f"a {name} in it is of the wrong type")
    return rows


def expect(path: str) -> None:
    """Raise a GalleryError if there is no catalogue at `path`."""
    if not os.path.exists(path):
        raise GalleryError(f"{os.path.dirname(path)} is not a gallery: it has no {FILE_NAME}")


def connect(path: str, mode: str) -> sqlite3.Connection:
    """Open a database; mode "rw" gives a read-only connection where the file is write-protected."""
    if mode == "rw":
        expect(path)
    connection = connected(path, mode, BUSY_SECONDS)
    # FULL, and the folder too once the journal is gone: without that a power cut could bring the
    # journal back and with it a generation whose file has been deleted since.
    try:
        connection.execute("PRAGMA synchronous = EXTRA")
        # What is forgotten is overwritten.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def checked_format(connection: sqlite3.Connection, path: str) -> int:
    """Return the format of an open catalogue, refusing what is none or of a newer version."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not objects:
        raise Damaged("it is empty")
    if application != APPLICATION_ID:
        raise GalleryError(f"{path} is not a catalogue of lookalike but some other database")
    if version > FORMAT:
        raise GalleryError(
            f"{path} has format {version}, this version of lookalike knows formats up to {FORMAT}; "
            "a newer lookalike wrote it"
        )
    return int(version)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Take an open catalogue from one format to today's: all of it or nothing."""
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


def damage(error: GalleryError) -> str | None:
    """Return what is wrong inside the file, None if the error is of another kind."""
    cause = error.__cause__
    inside = isinstance(cause, (sqlite3.DatabaseError, UnicodeDecodeError)) and not isinstance(
        cause, sqlite3.OperationalError
    )
    return str(cause) if inside else None


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ones that name the file and say what can be done."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, Damaged):
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
    except UnicodeDecodeError as error:  # of a message of SQLite's that quotes what it found
        raise GalleryError(
            f"{path}: it is damaged (a name in it is no text); `lookalike check --repair` saves "
            "what can be saved"
        ) from error
