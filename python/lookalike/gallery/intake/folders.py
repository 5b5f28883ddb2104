"""Image files below a folder, each by the real name of the folder it lies in."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lookalike.gallery.intake.exclusions import HIDDEN, Exclusions
from lookalike.pictures.formats import IMAGE_SUFFIXES

__all__ = ["FoundFile", "find_images", "is_listed", "source_paths"]


class FoundFile(NamedTuple):
    """A file as the folder lists it: path relative to the folder, size and time of change."""

    path: bytes
    size: int
    mtime_ns: int


def find_images(
    folder: bytes,
    unreadable: list[tuple[bytes, str]],
    roots: Collection[bytes] = (),
    exclusions: Exclusions | None = None,
    left_out: Counter[str] | None = None,
    kinds: Counter[bytes] | None = None,
) -> Iterator[FoundFile]:
    """Yield the image files below a folder, known by their extension, sorted within each folder.

    A folder is listed once and by its real name, whichever links lead to it as well: links are
    followed last, and only to where neither this listing nor that of another root comes by itself.
    What begins with a dot is left out, and so are folders of other programs.

    Parameters
    ----------
    folder : bytes
        The folder's path.
    unreadable : list
        ``(relative path, reason)`` is appended for each folder that cannot be listed.
    roots : collection of bytes
        Real paths of folders that are listed as well.
    exclusions : Exclusions, optional
        What is left out, if not the defaults alone.
    left_out : Counter, optional
        Counts the files and folders that each pattern leaves out; hidden ones are not counted.
    kinds : Counter, optional
        Counts all files there are by their suffix in lower case.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("b.JPG", "a.png", ".c.png", "notes.txt"):
    ...     _ = (folder / name).write_bytes(b"...")
    >>> [file.path for file in find_images(bytes(folder), [])]
    [b'a.png', b'b.JPG']
    """
    top = os.path.realpath(folder)
    exclusions = exclusions or Exclusions()
    roots = {top, *roots}
    waiting = [(b"", top)]
    links: deque[bytes] = deque()
    linked = False
    seen: set[tuple[int, int]] = set()
    while waiting or links:
        if waiting:
            below, real = waiting.pop()
        else:
            linked, below = True, links.popleft()
            real = os.path.realpath(os.path.join(folder, below))
        if linked and is_listed(real, roots):
            continue
        folders = []
        try:
            here = os.stat(os.path.join(folder, below))
            if (here.st_dev, here.st_ino) in seen:
                continue
            seen.add((here.st_dev, here.st_ino))
            with os.scandir(os.path.join(folder, below)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            unreadable.append((below, error.strerror or str(error)))
            continue
        for entry in entries:
            path = os.path.join(below, entry.name)
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link that leads to itself
                is_folder = False
            if pattern := exclusions.judge(folder, path, folder=is_folder):
                if left_out is not None and pattern != HIDDEN:
                    left_out[pattern] += 1
                continue
            if is_folder:
                if entry.is_symlink():
                    links.append(path)
                else:
                    folders.append((path, os.path.join(real, entry.name)))
                continue
            suffix = os.path.splitext(entry.name)[1].lower()
            if kinds is not None:
                kinds[suffix] += 1
            if suffix in IMAGE_SUFFIXES:
                try:
                    found = entry.stat()
                except OSError:  # a dangling link; reading it will say why
                    yield FoundFile(path, -1, -1)
                else:
                    yield FoundFile(path, found.st_size, found.st_mtime_ns)
        waiting.extend(reversed(folders))


def is_listed(path: bytes, roots: Iterable[bytes]) -> bool:
    """Tell whether the listing of one of the roots comes by a real path.

    >>> is_listed(b"/p/cats", [b"/p"]), is_listed(b"/p/.cats", [b"/p"]), is_listed(b"/q", [b"/p"])
    (True, False, False)
    """
    whole = os.path.join(path, b"")
    return any(
        whole.startswith(inside) and b"/." not in whole[len(inside) - 1 :]
        for inside in (os.path.join(root, b"") for root in roots)
    )


def source_paths(source: Any) -> list[str | os.PathLike[str]] | None:
    """Return the paths in what `Gallery.add` was given, None if it is an array."""
    if isinstance(source, (str, os.PathLike)):
        return [source]
    if isinstance(source, np.ndarray) and source.dtype.kind not in "OU":
        return None
    if isinstance(source, Iterable):
        several = list(source)
        if all(isinstance(each, (str, os.PathLike)) for each in several):
            return several
        if any(isinstance(each, (str, os.PathLike, bytes)) for each in several):
            raise TypeError("source must be paths (str or path-like) or an array, got a mixture")
    return None
