"""The folders that images are added from: each has one name, and is forgotten when it is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.writer import Writer

__all__ = ["forget_gone_roots", "name_roots", "still_missing"]


def name_roots(catalogue: Catalogue) -> None:
    """Call each folder by its real name; what had several names becomes one folder."""
    named = [
        (number, real)
        for number, path in catalogue.roots()
        if number and os.path.isdir(path) and (real := os.path.realpath(path)) != path
    ]
    if named:
        with catalogue.transaction():
            for number, real in named:
                catalogue.rename_root(number, real)


def forget_gone_roots(writer: Writer) -> Iterator[str]:
    """No longer look at folders that are gone with all of their images; yield their paths."""
    catalogue = writer.catalogue
    scanned = {path for path, _ in catalogue.scanned_roots() if not os.path.lexists(path)}
    empty = [
        (number, path)
        for number, path in catalogue.roots()
        if path in scanned and not catalogue.count_below(number, b"")
    ]
    if empty:
        writer.forget_roots([number for number, _ in empty])
    for _, path in empty:
        yield os.fsdecode(path)


def still_missing(catalogue: Catalogue, folders: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield those of the folders that have images yet, and what can be done about it."""
    roots = dict(catalogue.roots())
    paths = [os.path.join(roots[root], path) for root, path in catalogue.places()]
    for folder in folders:
        inside = os.path.join(folder, b"")
        count = sum(path.startswith(inside) for path in paths)
        if count:
            yield (
                os.fsdecode(folder),
                f"missing or empty; its {count} image{'s are' if count > 1 else ' is'} kept: "
                "`lookalike relocate` if it has moved, `lookalike forget` if it is gone for good",
            )
