"""Going on to the next generation of the features file: with fewer rows, or of another space."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.gallery.storage import features_file
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.converting_file import Converting, delete_converted
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.records import Header, ImageRecord
from lookalike.interrupts import uninterrupted

__all__ = ["convert", "switch"]

BLOCK = 1024


def switch(
    catalogue: Catalogue,
    folder: str,
    header: Header,
    source: npt.NDArray[np.float32],
    keep: npt.NDArray[np.int64],
) -> None:
    """Write a features file of some rows of `source` and let the catalogue change over to it.

    Parameters
    ----------
    catalogue : Catalogue
        The writer's catalogue, from which images are removed whose row is not in `keep`.
    folder : str
        The gallery's folder.
    header : Header
        What the catalogue says of the generation that is there.
    source : (n, dim) array
        The rows of the generation that is there.
    keep : int64 array
        The rows that stay, ascending.
    """
    new = header.generation + 1
    features_file.write_selection(folder, new, source, keep)
    with uninterrupted():
        with catalogue.transaction():
            catalogue.switch(new, keep.tolist())
        features_file.delete_others(folder, new)


def convert(
    catalogue: Catalogue,
    folder: str,
    header: Header,
    converting: Converting,
    images: Sequence[ImageRecord],
    space: str,
    decoding: str,
) -> None:
    """Write a features file of what has been converted and let the catalogue change over to it.

    Parameters
    ----------
    catalogue, folder, header
        As for `switch`.
    converting : Converting
        The features of the contents of all images; it is closed, and its file deleted.
    images : sequence of ImageRecord
        The images that stay, ascending by row.
    space, decoding : str
        What the features are of.
    """
    new = header.generation + 1
    checksums: list[int] = []

    def blocks() -> Iterator[npt.NDArray[np.float32]]:
        for start in range(0, len(images), BLOCK):
            rows = [_converted(converting, image) for image in images[start : start + BLOCK]]
            checksums.extend(zlib.crc32(row.tobytes()) for row in rows)
            yield np.stack(rows)

    features_file.write_blocks(folder, new, blocks())
    with uninterrupted():
        with catalogue.transaction():
            kept = list(zip(images, checksums, strict=True))
            catalogue.convert(new, space, decoding, kept)
        converting.close()
        delete_converted(folder)
        features_file.delete_others(folder, new)


def _converted(converting: Converting, image: ImageRecord) -> npt.NDArray[np.float32]:
    features = converting.get(image.hash or b"")
    if features is None:
        raise GalleryError(
            f"{os.fsdecode(image.path)}: what was converted of it was damaged; "
            "`lookalike index` does it again"
        )
    return features
