"""A connection to a database of SQLite's."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.parse

__all__ = ["Connection", "connected"]


class Connection(sqlite3.Connection):
    """One that is closed with the last reference, also out of a circle of them.

    From Python 3.13 on, one that is left open warns; who holds it may be finalised after it.
    """

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


def connected(path: str, mode: str, timeout: float) -> sqlite3.Connection:
    """Open a file of a gallery.

    Parameters
    ----------
    path : str
        The file.
    mode : str
        ``"rwc"`` makes it if there is none, ``"rw"`` does not; where it is write-protected, both
        read.
    timeout : float
        Seconds to wait for a lock.
    """
    url = f"file:{urllib.parse.quote(os.fsencode(os.path.abspath(path)))}?mode={mode}"
    return sqlite3.connect(
        url,
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
