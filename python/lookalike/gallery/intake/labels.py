"""Labels of photos: what their folders are called, or what a table says."""

from __future__ import annotations

import codecs
import csv
import io
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label, real_name

__all__ = ["LabelSource", "LabelTable", "Labeller", "checked_label", "folder_label"]

LabelSource: TypeAlias = (
    "str | os.PathLike[str] | Mapping[str | os.PathLike[str], str | int | None] | None"
)

Labeller: TypeAlias = "Callable[[bytes], tuple[bool, Label]]"
"""Of an absolute path: whether anything is said of its label, and the label."""


def folder_label(path: bytes, roots: Iterable[bytes]) -> tuple[bool, str | None]:
    """Return whether a path lies in one of the roots, and its first folder in the outermost.

    The outermost, so that a label does not depend on which other folders have been named, or when.
    A file that lies directly in the root has no label.

    >>> folder_label(b"/p/cats/young/1.jpg", [b"/p/cats", b"/p"]), folder_label(b"/q/1.jpg", [])
    ((True, 'cats'), (False, None))
    """
    above = [inside for root in roots if path.startswith(inside := os.path.join(root, b""))]
    if not above:
        return False, None
    first, slash, _ = path[len(min(above, key=len)) :].partition(b"/")
    return True, os.fsdecode(first) if slash else None


class Row(NamedTuple):
    """What a table says of one path, which is absolute or relative to a folder that is added."""

    path: str
    label: Label


class LabelTable:
    """A table of paths and labels, and which of its rows were of use.

    Parameters
    ----------
    source : mapping or path
        A mapping from path to label, or a CSV file with a header and the columns ``path`` and
        ``label``, UTF-8 or UTF-16 with its mark. An empty label is none.
    folders : sequence of bytes
        The folders that paths are relative to.

    Raises
    ------
    GalleryError
        The file cannot be read, or it gives a path two labels.
    TypeError
        `source` is neither, or has a label that is not text or an integer.
    """

    def __init__(self, source: object, folders: Sequence[bytes]) -> None:
        self.name = ""
        if isinstance(source, (str, os.PathLike)):
            self.name = os.fsdecode(source)
            self._rows = read_label_table(self.name, folders)
        elif isinstance(source, Mapping):
            self._rows = [Row(os.fsdecode(path), label) for path, label in source.items()]
        else:
            raise TypeError(
                "labels must be None, 'folder', 'none', 'kept', a mapping from path to label or "
                f"the path of a CSV file, got {type(source).__name__}"
            )
        self._rows = [row._replace(label=checked_label(row.label)) for row in self._rows]
        self._real: dict[bytes, bytes] = {}
        self._used: set[int] = set()

    def below(self, folder: bytes) -> Labeller:
        """Return what gives the images below a folder their labels."""
        exact: dict[bytes, int] = {}
        normal: defaultdict[str, set[int]] = defaultdict(set)
        for number, row in enumerate(self._rows):
            key = self._key(os.path.join(folder, os.fsencode(row.path)))
            normal[_normal_form(key)].add(number)
            before = self._rows[exact.setdefault(key, number)].label
            if before is None:
                exact[key] = number
            elif row.label not in (None, before):
                raise GalleryError(
                    f"labels: {self.name or 'the mapping'} gives {row.path} two labels, "
                    f"{before!r} and {row.label!r}"
                )

        def label(path: bytes) -> tuple[bool, Label]:
            key = self._key(path)
            number = exact.get(key)
            alike = normal.get(_normal_form(key), set())
            if number is None:  # ä as one character or as two, as other systems write it
                if len({self._rows[each].label for each in alike}) != 1:
                    return False, None
                number = min(alike)
            self._used |= alike
            found = self._rows[number].label
            return found is not None, found

        return label

    def remark(self) -> str | None:
        """Return what is to be said of rows that name none of the images that were found."""
        unused = [row for number, row in enumerate(self._rows) if number not in self._used]
        if not unused:
            return None
        return (
            f"labels: {len(unused):,} of {len(self._rows):,} rows{' of ' * bool(self.name)}"
            f"{self.name} match no image, for example {unused[0].path}"
        )

    def _key(self, path: bytes) -> bytes:
        folder, name = os.path.split(os.path.normpath(path))
        if folder not in self._real:
            self._real[folder] = os.path.dirname(real_name(os.path.join(folder, b"-")))
        return os.path.join(self._real[folder], name)


def read_label_table(name: str, folders: Sequence[bytes]) -> list[Row]:
    """Read a CSV file with the columns ``path`` and ``label``.

    Bytes that are not UTF-8 are taken as they are in names of files that exist, as an exported
    table may have them, and in labels that are folders on their paths.
    """
    try:
        content = Path(name).read_bytes()
        table = csv.DictReader(io.StringIO(_text(name, content), newline=""))
        columns = table.fieldnames or []
        if "path" not in columns or "label" not in columns:
            raise GalleryError(
                f"labels: {name} must have a header with the columns path and label, "
                f"got {', '.join(columns) or 'an empty file'}"
            )
        rows = []
        for each in table:
            path, label = each["path"], each["label"] or None
            if not path:
                raise GalleryError(f"labels: {name} has no path in line {table.line_num}")
            rows.append(Row(path, label))
            if not _is_known(rows[-1], folders):
                raise GalleryError(
                    f"labels: {name} is not text in UTF-8 (line {table.line_num}); save it as UTF-8"
                )
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise GalleryError(f"labels: cannot read {name}: {reason}") from error
    return rows


def _text(name: str, content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise GalleryError(
                f"labels: {name} begins as UTF-16 does and is not; save it as UTF-8"
            ) from None
    if b"\0" in content:
        raise GalleryError(f"labels: {name} is not text in UTF-8 (NUL bytes); save it as UTF-8")
    return content.decode("utf-8-sig", "surrogateescape")


def _is_known(row: Row, folders: Sequence[bytes]) -> bool:
    """Tell whether what is not UTF-8 in a row is the name of something that exists."""
    path = os.fsencode(row.path)
    odd_path, odd_label = (
        any("\udc80" <= letter <= "\udcff" for letter in str(text)) for text in row
    )
    if odd_path and not any(os.path.lexists(os.path.join(folder, path)) for folder in folders):
        return False
    return not odd_label or os.fsencode(str(row.label)) in path.split(b"/")


def _normal_form(path: bytes) -> str:
    return unicodedata.normalize("NFC", os.fsdecode(path))


def checked_label(label: object) -> Label:
    """Return a label as the catalogue stores it.

    >>> import numpy as np
    >>> checked_label(np.int64(3)), checked_label("cat")
    (3, 'cat')
    """
    value = label.item() if hasattr(label, "item") else label
    if isinstance(value, str):
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise ValueError(f"a label must be text that can be encoded, got {value!r}") from None
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        raise ValueError(f"a label must be an int of at most 64 bits, got {value}")
    if value is None or (isinstance(value, (str, int)) and not isinstance(value, bool)):
        return value
    raise TypeError(f"a label must be a str, an int or None, got {label!r}")
