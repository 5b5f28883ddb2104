"""Features that exist already, on their way into a gallery."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.distance.arguments import dense
from lookalike.gallery.intake.labels import checked_label
from lookalike.gallery.intake.report import Report
from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.photos import Label, PhotoFile, status
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.storage.writer import Writer
from lookalike.sequences import is_missing, values_of

__all__ = ["add_rows", "matrix"]


def matrix(features: Any) -> npt.NDArray[Any]:
    """Return features as a 2-D array; its values are checked later, as they are written."""
    rows = dense(features, "features")
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"an array must hold real numbers, got {rows.dtype}")
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"an array must have the shape (n, dim), got {rows.shape}")
    return rows


def add_rows(
    writer: Writer,
    before: Snapshot,
    features: npt.NDArray[Any],
    paths: Sequence[str | os.PathLike[str]] | None,
    labels: Any,
    root: str | os.PathLike[str] | None,
    space: str | None,
) -> Report:
    """Add an array as `Gallery.add` promises it: all rows or none.

    Parameters
    ----------
    before : Snapshot
        The gallery as it is before.
    """
    names = None if paths is None else [_name(path) for path in values_of(paths, "paths")]
    given: list[Any] = [None] * len(features)
    if labels is not None:
        given = [None if is_missing(each) else each for each in values_of(labels, "labels")]
    for argument, values in (("paths", names), ("labels", given)):
        if values is not None and len(values) != len(features):
            raise ValueError(
                f"{argument} must have one entry for each of the {len(features)} rows, "
                f"got {len(values)}"
            )
    if names is not None and len(set(names)) != len(names):
        raise ValueError("paths must differ from each other")
    given = [checked_label(label) for label in given]
    writer.adopt(space, features.shape[1], "the array")
    if names is None:
        numbers = (b"%d" % number for number in itertools.count(before.count))
        free = (name for name in numbers if name not in before.positions)
        names = list(itertools.islice(free, len(features)))
    folder = b"" if root is None else os.fsencode(os.path.abspath(root))
    number = 0 if root is None else writer.note_root(folder)
    try:
        _put_rows(writer, number, folder, names, given, features)
        writer.commit()
    except BaseException:
        writer.discard()
        raise
    writer.switch()
    updated = sum(os.path.join(folder, name) in before.positions for name in names)
    return Report(added=len(names) - updated, updated=updated)


def _name(path: object) -> bytes:
    if isinstance(path, (str, bytes, os.PathLike)):
        return os.fsencode(path)
    raise TypeError(f"paths must hold paths, got {path!r}")


def _put_rows(
    writer: Writer,
    root: int,
    folder: bytes,
    names: list[bytes],
    labels: list[Label],
    features: npt.NDArray[Any],
) -> None:
    size = max(1, features_file.BLOCK_BYTES // (features.shape[1] * features_file.FLOAT.itemsize))
    for start in range(0, len(features), size):
        with np.errstate(over="ignore"):  # what float32 cannot hold is found below
            block = np.asarray(features[start : start + size], np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"row {start + int(np.argmin(finite))} has a value that is not finite in float32"
            )
        files = [_file(folder, name) for name in names[start : start + size]]
        images = zip(names[start : start + size], labels[start : start + size], files, strict=True)
        writer.put_rows(root, list(images), block)


def _file(folder: bytes, name: bytes) -> PhotoFile:
    """Return size, time and hash of a file that features were given for, if it exists."""
    path = os.path.join(folder, name)
    if not folder or not os.path.isfile(path):
        return PhotoFile()
    found = status(path)
    assert found is not None
    with open(path, "rb") as file:
        return PhotoFile(*found, hashlib.file_digest(file, "sha256").digest())
