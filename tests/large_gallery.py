"""A gallery of any number of images whose files nobody needs: rows, facts and thumbnails."""

import colorsys
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike import Gallery
from lookalike.gallery.storage.photos import PhotoFile
from lookalike.gallery.storage.records import ContentRecord
from lookalike.gallery.storage.writer import Writer

FOLDERS, DAYS = 25, 3000


def tints(count: int = 64) -> list[bytes]:
    """Tiny thumbnails, each of a colour of its own."""
    made = []
    for number in range(count):
        red, green, blue = colorsys.hsv_to_rgb(number / count, 0.45, 0.55 + 0.4 * (number % 3) / 2)
        out = io.BytesIO()
        colour = (int(255 * red), int(255 * green), int(255 * blue))
        Image.new("RGB", (8, 6), colour).save(out, "WEBP", quality=50)
        made.append(out.getvalue())
    return made


def large_gallery(
    path: Path,
    features: np.ndarray,
    thumbnails: Sequence[bytes] = (),
    copies: int = 0,
    space: str = "synthetic",
) -> Path:
    """Write a gallery of rows; the last `copies` of them have the content of the first ones."""
    n = len(features)
    pictures = thumbnails or tints()
    days = np.datetime64("2012-01-01") + np.arange(n) * DAYS // max(n, 1)
    with Gallery.create(path, dim=features.shape[1], space=space):
        pass
    writer = Writer(str(path))
    try:
        root = writer.note_root(b"/synthetic/photos")
        images = []
        for row in range(n):
            content = row - (n - copies) if row >= n - copies else row
            digest = hashlib.sha256(b"%d" % content).digest()
            name = b"%02d/photo %06d.jpg" % (row * FOLDERS // n, row)
            file = PhotoFile(50_000 + row, 1_600_000_000_000_000_000 + row, digest)
            images.append((name, f"label {row * FOLDERS // n}", file))
            if content == row:
                taken = f"{days[row]} 12:00:00"
                known = ContentRecord(digest, digest, 640, 480, "JPEG", taken, "Maker Model")
                writer.note_content(known, pictures[row % len(pictures)])
        writer.put_rows(root, images, np.asarray(features, np.float32))
        writer.commit()
    finally:
        writer.close()
    return path
