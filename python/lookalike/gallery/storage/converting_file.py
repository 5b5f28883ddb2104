"""Features of another space on their way into a gallery, one row for each content.

They wait in a database beside the catalogue until there are some for all images; then the gallery
goes over to them at one moment. Until then readers see it wholly as it was, and what waits here
outlives a writer that is killed.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage.features_file import FLOAT
from lookalike.gallery.storage.side_file import SideFile, delete

__all__ = ["Converting", "converting_path", "delete_converted", "forget_converted"]

CONVERTING_NAME = "converting.sqlite"
TABLES = """
CREATE TABLE spaces (space TEXT NOT NULL);
CREATE TABLE converted (hash BLOB PRIMARY KEY, features BLOB NOT NULL, crc INTEGER NOT NULL);
"""


def converting_path(folder: str) -> str:
    """Return the path of what waits for a gallery."""
    return os.path.join(folder, CONVERTING_NAME)


class Converting:
    """What has been converted so far.

    Parameters
    ----------
    folder : str
        The gallery's folder.
    space : str or None
        The space that it is to be of; what waits of any other is dropped. None: of whichever it is.
    """

    def __init__(self, folder: str, space: str | None) -> None:
        self._file = SideFile(converting_path(folder), TABLES)
        if space is not None and self._file.select("SELECT space FROM spaces") != [(space,)]:
            self._file.change(
                ("DELETE FROM converted", [()]),
                ("DELETE FROM spaces", [()]),
                ("INSERT INTO spaces VALUES (?)", [(space,)]),
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def hashes(self) -> set[bytes]:
        """Return the hashes of the contents that have features here."""
        return {digest for (digest,) in self._file.select("SELECT hash FROM converted")}

    def put(self, features: Iterable[tuple[bytes, npt.NDArray[np.float32]]]) -> None:
        """Commit features, each given by its content's hash."""
        rows = ((digest, row.astype(FLOAT).tobytes()) for digest, row in features)
        self._file.change(
            (
                "INSERT OR REPLACE INTO converted VALUES (?, ?, ?)",
                [(digest, stored, zlib.crc32(stored)) for digest, stored in rows],
            )
        )

    def get(self, digest: bytes) -> npt.NDArray[np.float32] | None:
        """Return the features of a content, None if there are none or they are damaged."""
        for stored, crc in self._file.select(
            "SELECT features, crc FROM converted WHERE hash = ?", (digest,)
        ):
            if zlib.crc32(stored) == crc:
                return np.frombuffer(stored, FLOAT)
            self._file.change(("DELETE FROM converted WHERE hash = ?", [(digest,)]))
        return None

    def keep_only(self, hashes: set[bytes]) -> None:
        """Drop the features of all other contents; their bytes are overwritten."""
        others = [(digest,) for digest in self.hashes() - hashes]
        self._file.change(("DELETE FROM converted WHERE hash = ?", others))


def forget_converted(folder: str, hashes: set[bytes]) -> None:
    """Drop what waits of all but some contents, if anything waits."""
    if os.path.exists(converting_path(folder)):
        with contextlib.closing(Converting(folder, None)) as converting:
            converting.keep_only(hashes)


def delete_converted(folder: str) -> None:
    """Delete the file, if there is one."""
    delete(converting_path(folder))
