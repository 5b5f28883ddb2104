"""A connection to a catalogue: queries, changes and transactions, by one thread at a time."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from lookalike.gallery.storage.catalogue_file import fetch, naming
from lookalike.interrupts import uninterrupted

__all__ = ["CatalogueConnection"]


class CatalogueConnection:
    """What all parts of a catalogue stand on."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        # Threads that use one connection get each other's parameters and rows, from Python 3.12 on.
        self._lock = threading.RLock()
        self.path = path

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the disk."""
        with self._lock, naming(self.path):
            self._connection.execute("VACUUM")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes in the block or, after an error, none; Ctrl-C waits for its end."""
        with uninterrupted(), self._lock, naming(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends some failed ones itself
                    self._connection.execute("ROLLBACK")
                raise

    def _select_raw(self, sql: str) -> list[Any]:
        """Select from tables whose columns of one name have several types."""
        with self._lock, naming(self.path):
            return self._connection.execute(sql).fetchall()

    def _select(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock, naming(self.path):
            return fetch(self._connection.execute(sql, values))

    def _change(self, sql: str, *values: Any) -> None:
        with self._lock, naming(self.path):
            self._connection.execute(sql, values)

    def _change_all(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._lock, naming(self.path):
            self._connection.executemany(sql, rows)
