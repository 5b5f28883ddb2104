"""What tells states of a catalogue, and of the features that it is of, from all others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lookalike.gallery.storage.catalogue_connection import CatalogueConnection

__all__ = ["Checksums"]

TABLES = ("gallery", "roots", "images", "failures", "contents", "decisions", "patterns", "network")
PRIME = 4294967291  # the largest below 2**32


class Checksums(CatalogueConnection):
    """Checksums of rows, as they were written, and of all tables."""

    def checksums(self) -> list[tuple[int, int]]:
        """Return every image's row and the CRC-32 of its features, in the order of the rows."""
        return self._select("SELECT row, crc FROM images ORDER BY row")

    def features_checksum(self, rows: int) -> int:
        """Return a checksum of the features of the first rows, and of their order."""
        # Of 2**31 rows, each below 2**31 times a CRC below 2**32: all within 63 bits.
        said = f"SELECT sum((row + 1) * crc % {PRIME}) FROM images WHERE row < ?"
        ((found,),) = self._select(said, (rows,))
        return int(found or 0)

    def digest(self, tables: Sequence[str] = TABLES) -> str:
        """Return a checksum of all that the gallery holds: equal ones are of one state."""
        made = hashlib.blake2b(digest_size=16)
        for table in tables:
            for row in self._select_raw(f"SELECT * FROM {table} ORDER BY 1, 2"):
                made.update(repr(row).encode("utf-8", "surrogatepass"))
        return made.hexdigest()
