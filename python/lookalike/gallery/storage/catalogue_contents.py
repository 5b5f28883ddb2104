"""The catalogue's facts about contents: what is known of a picture, whatever its files' names."""

from __future__ import annotations

import os
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

    def digest_of(self, row: int) -> bytes | None:
        """Return the hash of the content of the image of a row."""
        ((digest,),) = self._select("SELECT hash FROM images WHERE row = ?", (row,))
        value: bytes | None = digest
        return value

    def has_files(self) -> bool:
        """Tell whether any image is a file."""
        return bool(self._select("SELECT 1 FROM images WHERE size IS NOT NULL LIMIT 1"))

    def hashes(self) -> set[bytes]:
        """Return the hashes of all contents that images have."""
        found = self._select("SELECT hash FROM images WHERE hash IS NOT NULL")
        return {digest for (digest,) in found}

    def hashes_not_looked_at(self) -> set[bytes]:
        """Return the hashes of images' contents of which nothing is known."""
        found = self._select(
            "SELECT hash FROM images WHERE hash IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM contents WHERE contents.hash = images.hash)"
        )
        return {digest for (digest,) in found}

    def hashes_of_pictures(self) -> set[bytes]:
        """Return the hashes of all contents that are known to be pictures."""
        found = self._select("SELECT hash FROM contents WHERE phash IS NOT NULL")
        return {digest for (digest,) in found}

    def files_by_content(self) -> list[tuple[bytes, bytes, int, int]]:
        """Return hash, absolute path, size and mtime_ns of all images that are files."""
        found = self._select(
            "SELECT hash, roots.path, images.path, size, mtime_ns FROM images "
            "JOIN roots ON id = root WHERE hash IS NOT NULL ORDER BY row"
        )
        return [(digest, os.path.join(root, path), *file) for digest, root, path, *file in found]

    # Changes, each for the inside of a transaction

    def put_contents(self, contents: Iterable[ContentRecord]) -> None:
        """Note what is known of contents, in the place of what was noted before."""
        self._change_all(
            f"INSERT OR REPLACE INTO contents ({COLUMNS}) VALUES (?,?,?,?,?,?,?)", contents
        )

    def forget_unused_contents(self) -> None:
        """Drop what is known of contents that no image has."""
        self._change(
            "DELETE FROM contents WHERE hash NOT IN "
            "(SELECT hash FROM images WHERE hash IS NOT NULL)"
        )
