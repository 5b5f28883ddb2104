"""The catalogue's settings: what is left out of folders, and which network embeds."""

from __future__ import annotations

from collections.abc import Iterable

from lookalike.gallery.storage.catalogue_connection import CatalogueConnection
from lookalike.gallery.storage.records import NetworkRecord

__all__ = ["Settings"]


class Settings(CatalogueConnection):
    """The tables ``patterns`` and ``network``."""

    def patterns(self) -> list[tuple[str, str]]:
        """Return kind ("exclude" or "include") and text of the patterns, in the order given."""
        return self._select("SELECT kind, pattern FROM patterns ORDER BY id")

    def network(self) -> NetworkRecord | None:
        """Return the network that is not GoogLeNet, None if it is."""
        found = self._select("SELECT path, sha256, preprocessing, output FROM network")
        return NetworkRecord(*found[0]) if found else None

    # Changes, each for the inside of a transaction

    def set_patterns(self, patterns: Iterable[tuple[str, str]]) -> None:
        """Note all patterns, in the place of those before."""
        self._change("DELETE FROM patterns")
        self._change_all("INSERT INTO patterns (kind, pattern) VALUES (?, ?)", patterns)

    def set_network(self, network: NetworkRecord | None) -> None:
        """Note which network embeds; None: GoogLeNet."""
        self._change("DELETE FROM network")
        if network is not None:
            self._change("INSERT INTO network VALUES (1, ?, ?, ?, ?)", *network)
