"""Files of one content among what a search finds, and files that are not there."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lookalike.cli import console

if TYPE_CHECKING:
    from lookalike.distance.metrics import AnyMetric
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.hits import Hits

__all__ = ["Contents"]

SPARE = 16
"""How many more than asked for are looked at first, as some will be copies."""


class Contents:
    """The contents of a gallery's files.

    Parameters
    ----------
    gallery : Gallery
        A gallery that is open.
    fold : bool
        Whether one file stands for all of its content.
    """

    def __init__(self, gallery: Gallery, fold: bool) -> None:
        self.gallery = gallery
        self._fold = fold

    @cached_property
    def hashes(self) -> list[str | None]:
        """Of each image."""
        return self.gallery.hashes

    @cached_property
    def _counts(self) -> Counter[str | None]:
        return Counter(self.hashes)

    @cached_property
    def _sizes(self) -> list[int | None]:
        return self.gallery.sizes

    def digest(self, name: str) -> str | None:
        """Return the hash of a file, None if it cannot be read."""
        try:
            with open(name, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def search(
        self,
        images: Sequence[str],
        k: int,
        metric: AnyMetric,
        exclude_self: bool,
        network: Embedder | None,
    ) -> list[Hits]:
        """Find the k nearest of each image; folded, of k contents."""
        if not self._fold:
            return list(
                self.gallery.search(list(images), k, metric, exclude_self, embedder=network)
            )
        found: dict[int, Hits] = {}
        wanted, room = list(range(len(images))), k + SPARE
        while wanted:
            some = self.gallery.search(
                [images[i] for i in wanted], room, metric, exclude_self, embedder=network
            )
            whole = [len(hits.paths) < room or room >= len(self.gallery) for hits in some]
            found |= {i: self._folded(hits, k) for i, hits in zip(wanted, some, strict=True)}
            wanted = [
                i
                for i, all_of_it in zip(wanted, whole, strict=True)
                if len(found[i].paths) < k and not all_of_it
            ]
            room *= 4
        return [found[i] for i in range(len(images))]

    def _folded(self, hits: Hits, k: int) -> Hits:
        seen: set[str] = set()
        kept = []
        for place, index in enumerate(hits.indices.tolist()):
            content = self.hashes[index]
            if content is not None:
                if content in seen:
                    continue
                seen.add(content)
            kept.append(place)
        kept = kept[:k]
        chosen = np.array(kept, np.int64)
        return type(hits)(
            [hits.paths[place] for place in kept],
            hits.distances[chosen],
            hits.indices[chosen],
            [hits.labels[place] for place in kept],
        )

    def copies(self, hits: Hits) -> list[str]:
        """Say of each hit how many other files of its content it stands for."""
        if not self._fold:
            return [""] * len(hits.paths)
        others = [
            0 if (content := self.hashes[index]) is None else self._counts[content] - 1
            for index in hits.indices.tolist()
        ]
        return [f"+{n:,} {'copy' if n == 1 else 'copies'}" if n else "" for n in others]

    def say_own(self, name: str) -> None:
        """Say, in one line, under which other names the content of a query is in the gallery."""
        if (own := self.digest(name)) is None or not self._counts[own]:
            return
        paths = self.gallery.paths
        others = [
            paths[index]
            for index, content in enumerate(self.hashes)
            if content == own and not _is_same(paths[index], name)
        ]
        if others:
            more = f" and {len(others) - 1:,} more" * (len(others) > 1)
            console.remark(f"{name} is in the gallery as {console.shown(others[0])}{more}")

    def is_missing(self, path: str, index: int) -> bool:
        """Tell whether an image's file is not where the gallery has it."""
        return self._sizes[index] is not None and not os.path.exists(path)

    def say_missing(self, found: Sequence[Hits]) -> None:
        """Say, in one line, which of the paths found do not exist."""
        missing = {
            path: None
            for hits in found
            for path, index in zip(hits.paths, hits.indices.tolist(), strict=True)
            if self.is_missing(path, index)
        }
        if missing:
            first = console.shown(next(iter(missing)))
            console.remark(
                f"{console.plural(len(missing), 'image')} found but not there, such as {first}: "
                "`lookalike relocate OLD NEW` if the folder has moved, else `lookalike index`"
            )


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except OSError:
        return False
