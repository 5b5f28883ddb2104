"""The thumbnails of a gallery: a WebP file for each content, in a database beside the catalogue.

They are committed before the catalogue says what the content is, so that a crash leaves at most one
that nothing refers to. One that is missing is made again by the next `index`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from lookalike.gallery.storage.side_file import SideFile, read_side_file

__all__ = ["Thumbnails", "read_thumbnails", "thumbnails_path"]

THUMBNAILS_NAME = "thumbnails.sqlite"
TABLES = "CREATE TABLE thumbnails (hash BLOB PRIMARY KEY, webp BLOB NOT NULL);"


def thumbnails_path(folder: str) -> str:
    """Return the path of a gallery's thumbnails."""
    return os.path.join(folder, THUMBNAILS_NAME)


class Thumbnails:
    """The thumbnails as the gallery's writer has them.

    Parameters
    ----------
    folder : str
        The gallery's folder.
    """

    def __init__(self, folder: str) -> None:
        self._file = SideFile(thumbnails_path(folder), TABLES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def hashes(self) -> set[bytes]:
        """Return the hashes of all contents that have a thumbnail."""
        return {digest for (digest,) in self._file.select("SELECT hash FROM thumbnails")}

    def put(self, thumbnails: Iterable[tuple[bytes, bytes]]) -> None:
        """Commit thumbnails, each given by its content's hash and its WebP file."""
        self._file.change(("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", thumbnails))

    def drop(self, hashes: Iterable[bytes]) -> None:
        """Drop thumbnails; their bytes are overwritten."""
        self._file.change(
            ("DELETE FROM thumbnails WHERE hash = ?", [(digest,) for digest in hashes])
        )

    def vacuum(self) -> None:
        """Give the space of dropped thumbnails back to the disk."""
        self._file.vacuum()


def read_thumbnails(folder: str, hashes: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return those of the contents' thumbnails that there are, whatever state the file is in."""
    wanted = [(digest,) for digest in hashes]
    found = read_side_file(
        thumbnails_path(folder), "SELECT webp FROM thumbnails WHERE hash = ?", wanted
    )
    return {
        digest: row[0] for (digest,), row in zip(wanted, found, strict=False) if row is not None
    }
