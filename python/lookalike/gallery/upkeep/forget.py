"""Dropping what a gallery keeps of images and folders; their files stay as they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import real_name
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.storage.writer import Writer

__all__ = ["Forgotten", "forget"]


class Forgotten(NamedTuple):
    """What has been dropped.

    Attributes
    ----------
    images : int
        Images, with features, label and all else that was kept of them.
    failures : int
        Files that could not be used, and the reasons.
    folders : list of str
        Folders that are no longer looked at.
    returning : list of str
        Those of the paths that are still there, in a folder that is looked at: the next `update`
        finds them again.
    """

    images: int
    failures: int
    folders: list[str]
    returning: list[str]


def forget(writer: Writer, view: Snapshot, paths: Sequence[bytes]) -> Forgotten:
    """Drop what `Gallery.forget` says.

    Raises
    ------
    GalleryError
        Nothing is kept of a path; nothing is dropped then.
    """
    catalogue = writer.catalogue
    roots = dict(catalogue.roots())
    failures = {
        os.path.join(roots[failure.root], failure.path): failure for failure in catalogue.failures()
    }
    decisions = [
        (each.id, each.path)
        for each in catalogue.decisions()
        if each.id is not None and each.path is not None
    ]
    positions: set[int] = set()
    failed: set[bytes] = set()
    dropped: set[int] = set()
    decided: set[int] = set()
    for path in paths:
        images = view.positions_of(path)
        names = {os.path.abspath(path), os.path.realpath(path), real_name(path)}
        lost = [name for name in failures if _is_below(name, names)]
        inside = [root for root, name in roots.items() if root and _is_below(name, names)]
        about = [number for number, name in decisions if _is_below(name, names)]
        if not (images or lost or inside or about):
            raise GalleryError(f"{os.fsdecode(path)} is not in {writer.folder}")
        positions.update(images)
        failed.update(lost)
        dropped.update(inside)
        decided.update(about)
    with_images = set(view.column("root"))
    if decided:
        with catalogue.transaction():
            catalogue.forget_decisions(decided)
    writer.switch([int(view.rows[position]) for position in positions])
    with catalogue.transaction():
        for name in failed:
            catalogue.forget_failure(failures[name].root, failures[name].path)
        catalogue.forget_empty_roots(dropped | with_images)
    left = dict(catalogue.roots())
    looked_at = [path for path, _ in catalogue.scanned_roots()]
    return Forgotten(
        len(positions),
        len(failed),
        [os.fsdecode(path) for root, path in roots.items() if root not in left],
        [
            os.fsdecode(path)
            for path in paths
            if os.path.lexists(path) and _is_below(os.path.realpath(path), looked_at)
        ],
    )


def _is_below(name: bytes, folders: set[bytes] | list[bytes]) -> bool:
    return any(name == each or name.startswith(os.path.join(each, b"")) for each in folders)
