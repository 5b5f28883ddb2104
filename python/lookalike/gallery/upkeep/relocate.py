"""Telling a gallery that its photos lie elsewhere now."""

from __future__ import annotations

import os

from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.errors import GalleryError

__all__ = ["relocate"]


def relocate(catalogue: Catalogue, old: bytes, new: bytes) -> int:
    """Let all paths below `old` begin with `new` instead, both absolute; return how many images.

    Raises
    ------
    GalleryError
        Nothing lies below `old`, or `new` is a folder of the gallery already.
    """
    below_old = os.path.join(old, b"")
    moved, matched = 0, False
    with catalogue.transaction():
        roots = [(root, path) for root, path in catalogue.roots() if root != 0]
        for root, path in roots:
            inside = os.path.join(path, b"")
            if inside.startswith(below_old):  # the whole root
                there = os.path.normpath(os.path.join(new, inside[len(below_old) :]))
                moved += catalogue.count_below(root, b"")
                catalogue.place_root(root, there)
            elif below_old.startswith(inside):  # a folder in it
                part = below_old[len(inside) :]
                if not (count := catalogue.count_below(root, part)):
                    continue
                moved += count
                catalogue.split_root(root, part, new)
            else:
                continue
            matched = True
        if not matched:
            known = ", ".join(os.fsdecode(path) for _, path in roots) or "none"
            raise GalleryError(
                f"nothing lies below {os.fsdecode(old)}; the gallery's folders: {known}"
            )
    return moved
