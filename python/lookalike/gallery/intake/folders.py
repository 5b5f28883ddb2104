"""Image files below a folder, and the labels that their folders or a table give them."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label

__all__ = [
    "IMAGE_SUFFIXES",
    "FoundFile",
    "LabelSource",
    "find_images",
    "folder_label",
    "labeller",
    "source_paths",
]

IMAGE_SUFFIXES = frozenset(
    b".jpg .jpeg .jpe .jfif .png .webp .avif .gif .tif .tiff .bmp .dib .jp2 .j2k .jpx .ppm .pgm "
    b".pbm .pnm .heic .heif .hif".split()
)

LabelSource: TypeAlias = (
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
        The folder's path.
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
                    found = entry.stat()
                except OSError:  # a dangling link; reading it will say why
                    yield FoundFile(path, -1, -1)
                else:
                    yield FoundFile(path, found.st_size, found.st_mtime_ns)
        waiting.extend(reversed(folders))


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


def folder_label(path: bytes) -> str | None:
    """Return the first folder of a relative path, None for a file that lies in no folder.

    >>> folder_label(b"cats/young/1.jpg"), folder_label(b"1.jpg")
    ('cats', None)
    """
    first, slash, _ = path.partition(b"/")
    return os.fsdecode(first) if slash else None


def labeller(labels: LabelSource, folder: bytes) -> Callable[[bytes], Label] | None:
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
        `labels` is none of these.
    """
    if labels is None:
        return None
    if labels == "folder":
        return folder_label
    if isinstance(labels, (str, os.PathLike)):
        pairs = read_label_table(labels)
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


def read_label_table(path: str | os.PathLike[str]) -> dict[str, Label]:
    """Read a CSV file with the columns ``path`` and ``label``."""
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
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        raise ValueError(f"a label must be an int of at most 64 bits, got {value}")
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return value
    raise TypeError(f"a label must be a str, an int or None, got {label!r}")
