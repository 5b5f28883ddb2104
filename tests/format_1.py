"""Galleries as version 0.1.0 wrote them, and models of which it had the earlier decoding."""

import hashlib
import os
import sqlite3
import zlib

import numpy as np

from lookalike.gallery.storage.catalogue_file import APPLICATION_ID, MIGRATIONS
from tiny_embedder import SPACE, WIDTH, TinyEmbedder, features_of

OF_TODAY = "tiny, decoded as today"


class TodaysEmbedder(TinyEmbedder):
    """The model whose features the galleries of format 1 are, and its features of today: twice."""

    earlier_spaces = ("something older", SPACE)

    def __init__(self, **options):
        super().__init__(space=OF_TODAY, **options)

    def embed_iter(self, images):
        for position, result in super().embed_iter(images):
            yield position, result * 2 if isinstance(result, np.ndarray) else result


def write_format_1(folder, photos, labels=None, space=SPACE, names=(), features=None):
    """A gallery of the photos below a folder and of names that are no files."""
    folder.mkdir()
    files = sorted(path for path in photos.rglob("*") if path.is_file())
    if features is None:
        features = [features_of(path) for path in files] + [[7] * WIDTH] * len(names)
    features = np.array(features, "<f4")
    features.tofile(folder / "features-0.f32")
    with sqlite3.connect(folder / "catalogue.sqlite") as database:
        database.executescript(MIGRATIONS[0])
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
        database.execute(
            "INSERT INTO gallery VALUES (1, ?, ?, 0, ?)", (features.shape[1], space, len(features))
        )
        database.execute("INSERT INTO roots VALUES (1, ?, 1, 0)", (os.fsencode(photos),))
        for row, path in enumerate(files):
            digest = hashlib.sha256(path.read_bytes()).digest()
            of_file = path.stat().st_size, path.stat().st_mtime_ns, digest
            name = os.fsencode(path.relative_to(photos))
            database.execute(
                "INSERT INTO images VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
                (row, name, (labels or {}).get(path.name), *of_file, zlib.crc32(features[row])),
            )
        for row, name in enumerate(names, len(files)):
            database.execute(
                "INSERT INTO images VALUES (?, 0, ?, NULL, NULL, NULL, NULL, ?)",
                (row, name.encode(), zlib.crc32(features[row])),
            )
    database.close()
    return folder
