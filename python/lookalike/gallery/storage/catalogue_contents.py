"""The catalogue's facts about contents: what is known of a picture, whatever its files' names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lookalike.gallery.storage.catalogue_connection import CatalogueConnection
from lookalike.gallery.storage.records import ContentRecord

__all__ = ["Contents"]

COLUMNS = "hash, phash, width, height, format, taken, camera"


class Contents(CatalogueConnection):
    """The table ``contents``."""

    def contents(self) -> dict[bytes, ContentRecord]:
        """Return what is known of all contents, by their hash."""
        found = self._select(f"SELECT {COLUMNS} FROM contents")
        return {each[0]: ContentRecord(*each) for each in found}

    def content(self, digest: bytes) -> ContentRecord | None:
        """Return what is known of a content, None if nothing is."""
        found = self._select(f"SELECT {COLUMNS} FROM contents WHERE hash = ?", (digest,))
        return ContentRecord(*found[0]) if found else None

    def content_column(self, name: str) -> list[Any]:
        """Return a column of the contents of all images, in the order of their rows."""
        found = self._select(
            f"SELECT contents.{name} FROM images LEFT JOIN contents USING (hash) ORDER BY row"
        )
        return [value for (value,) in found]

    def content_count(self) -> int:
        """Return of how many contents something is known."""
        return int(self._select("SELECT count(*) FROM contents")[0][0])

    # Changes, each for the inside of a transaction

    def put_contents(self, contents: Iterable[ContentRecord]) -> None:
        """Note what is known of contents, in the place of what was noted before."""
        self._change_all(
            f"INSERT OR REPLACE INTO contents ({COLUMNS}) VALUES (?,?,?,?,?,?,?)", contents
        )

    def forget_unused_contents(self) -> None:
        """Drop what is known of contents that no image has."""
        self._change(
            "DELETE FROM contents WHERE NOT EXISTS "
            "(SELECT 1 FROM images WHERE images.hash = contents.hash)"
        )
