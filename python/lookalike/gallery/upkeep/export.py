"""A gallery as files that other programs read."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING

import numpy as np

from lookalike.files import reason, replacing
from lookalike.gallery.storage.errors import GalleryError

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.gallery.reader import GalleryReader

__all__ = ["export"]

COLUMNS = ("row", "path", "label", "size", "mtime_ns", "sha256")
OF_CONTENTS = ("width", "height", "format", "taken", "camera")


def export(gallery: GalleryReader, path: str, parquet: bool) -> list[str]:
    """Write what `Gallery.export` says."""
    if parquet:
        try:
            import pyarrow  # noqa: F401 - to fail before anything is written
        except ImportError:
            raise GalleryError(
                "Parquet needs a library of its own: pip install 'lookalike[parquet]'"
            ) from None
    if os.path.isdir(path):
        path = os.path.join(path, "features")
    written = [f"{path}.npy", f"{path}.csv"]
    try:
        with replacing(written[0]) as file, open(file, "wb") as stream:
            np.save(stream, np.asarray(gallery.features), allow_pickle=False)
        with replacing(written[1]) as file:
            _write_csv(gallery, file)
        if parquet:
            written.append(f"{path}.parquet")
            with replacing(written[2]) as file:
                _write_parquet(gallery, file)
    except OSError as error:
        raise GalleryError(f"cannot write {error.filename or path}: {reason(error)}") from error
    return written


def _write_csv(gallery: GalleryReader, file: Path) -> None:
    # A path that is not UTF-8 keeps its bytes.
    with open(file, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS + OF_CONTENTS)
        table.writerows(
            zip(
                range(len(gallery)),
                gallery.paths,
                gallery.labels,
                gallery.sizes,
                gallery.mtimes_ns,
                gallery.hashes,
                *gallery.content_columns(OF_CONTENTS),
                strict=True,
            )
        )


def _write_parquet(gallery: GalleryReader, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Parquet's text must be UTF-8.
    paths = [os.fsencode(path).decode("utf-8", "backslashreplace") for path in gallery.paths]
    labels = [
        None
        if label is None
        else str(label).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        for label in gallery.labels
    ]
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("label", pa.string()),
            ("sha256", pa.string()),
            ("features", pa.list_(pa.float32(), gallery.dim)),
        ],
        metadata={"space": gallery.space or ""},
    )
    hashes = gallery.hashes
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, len(gallery), 8192):
            part = slice(start, start + 8192)
            flat = pa.array(np.asarray(gallery.features[part]).ravel())
            columns = [
                pa.array(paths[part], pa.string()),
                pa.array(labels[part], pa.string()),
                pa.array(hashes[part], pa.string()),
                pa.FixedSizeListArray.from_arrays(flat, gallery.dim),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
