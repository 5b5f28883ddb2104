"""Image files below a folder, and the labels that their folders or a table give them."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from lookalike.gallery.storage.catalogue import GalleryError

__all__ = [
    "IMAGE_SUFFIXES",
    "FoundFile",
    "Label",
    "Labels",
    "find_images",
    "folder_label",
    "labeller",
    "status",
]

IMAGE_SUFFIXES = frozenset(
    b".jpg .jpeg .jpe .jfif .png .webp .avif .gif .tif .tiff .bmp .dib .jp2 .j2k .jpx .ppm .pgm "
    b".pbm .pnm .heic .heif .hif".split()
)

Label: TypeAlias = "str | int | None"
Labels: TypeAlias = (
    "str | os.PathLike[str] | Mapping[str | os.PathLike[str], str | int | None] | None"
)


class FoundFile(NamedTuple):
    """A file as the folder lists it: path relative to the folder, size and time of change."""

    path: bytes
    size: int
    mtime_ns: int


def find_images(folder: bytes, unreadable: list[tuple[bytes, str]]) -> Iterator[FoundFile]:
    """Yield the image files below a folder, known by their extension, sorted within each folder.

    Links are followed; a folder that is reached twice, by a loop of links for example, is listed
    once. What begins with a dot is left out.

    Parameters
    ----------
    folder : bytes
        A path.
    unreadable : list
        ``(relative path, reason)`` is appended for each folder that cannot be listed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("b.JPG", "a.png", ".c.png", "notes.txt"):
    ...     _ = (folder / name).write_bytes(b"...")
    >>> [file.path for file in find_images(bytes(folder), [])]
    [b'a.png', b'b.JPG']
    """
    waiting = [b""]
    seen: set[tuple[int, int]] = set()
    while waiting:
        below = waiting.pop()
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
            if entry.name.startswith(b"."):
                continue
            path = os.path.join(below, entry.name)
            try:
                if entry.is_dir():
                    folders.append(path)
                    continue
            except OSError:  # a link that leads to itself
                pass
            if os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES:
                try:
                    facts = entry.stat()
                except OSError:  # a dangling link; reading it will say why
                    yield FoundFile(path, -1, -1)
                else:
                    yield FoundFile(path, facts.st_size, facts.st_mtime_ns)
        waiting.extend(reversed(folders))


def status(path: bytes) -> tuple[int, int] | None:
    """Return size and mtime_ns of a file, None if it is not there.

    Raises
    ------
    OSError
        Whether it is there cannot be told.
    """
    try:
        facts = os.stat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    return facts.st_size, facts.st_mtime_ns


def folder_label(path: bytes) -> str | None:
    """Return the first folder of a relative path, None for a file that lies in no folder.

    >>> folder_label(b"cats/young/1.jpg"), folder_label(b"1.jpg")
    ('cats', None)
    """
    first, slash, _ = path.partition(b"/")
    return os.fsdecode(first) if slash else None


def labeller(labels: Labels, folder: bytes) -> Callable[[bytes], Label] | None:
    """Return a function from a path relative to `folder` to its label, None without `labels`.

    Parameters
    ----------
    labels : None, "folder", mapping or path
        Paths in a mapping or in a CSV file are absolute or relative to `folder`. The CSV file is
        UTF-8 and has a header with the columns ``path`` and ``label``; an empty label is none.

    Raises
    ------
    GalleryError
        The CSV file cannot be read.
    TypeError
        `labels` is something else.
    """
    if labels is None:
        return None
    if labels == "folder":
        return folder_label
    if isinstance(labels, (str, os.PathLike)):
        pairs = read_labels(labels)
    elif isinstance(labels, Mapping):
        pairs = {os.fspath(path): label for path, label in labels.items()}
    else:
        raise TypeError(
            "labels must be None, 'folder', a mapping from path to label or the path of a CSV "
            f"file, got {type(labels).__name__}"
        )

    def key(path: bytes) -> bytes:
        return os.path.normpath(os.path.join(folder, path))

    table = {key(os.fsencode(path)): checked_label(label) for path, label in pairs.items()}
    return lambda path: table.get(key(path))


def read_labels(path: str | os.PathLike[str]) -> dict[str, Label]:
    """Read a CSV file of labels."""
    name = os.fsdecode(path)
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            table = csv.DictReader(file)
            columns = table.fieldnames or []
            if "path" not in columns or "label" not in columns:
                raise GalleryError(
                    f"labels: {name} must have a header with the columns path and label, "
                    f"got {', '.join(columns) or 'an empty file'}"
                )
            return {row["path"]: row["label"] or None for row in table}
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise GalleryError(f"labels: cannot read {name}: {reason}") from error


def checked_label(label: object) -> Label:
    """Return a label as the catalogue stores it.

    >>> import numpy as np
    >>> checked_label(np.int64(3)), checked_label("cat")
    (3, 'cat')
    """
    value = label.item() if hasattr(label, "item") else label
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return value
    raise TypeError(f"a label must be a str, an int or None, got {label!r}")
