"""A model for tests of the gallery: instant, exact, and it remembers what it was asked."""

import itertools
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.pictures.images import ImageError, open_picture

WIDTH = 12
SPACE = "tiny"


def features_of(source):
    """The mean colour of each quarter of an image."""
    quarters = open_picture(source).image.resize((2, 2), Image.Resampling.BOX)
    return np.asarray(quarters, np.float32).ravel()


class Gate:
    """Lets photos by as far as it is told, whoever is slow: a file as long as their number."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def open(self, photos: int = 10**6) -> None:
        with self._file.open("ab"):
            os.truncate(self._file, photos)

    def pass_by(self, photo: int) -> None:
        while os.path.getsize(self._file) <= photo:
            time.sleep(0.005)


class TinyEmbedder:
    width = WIDTH

    def __init__(self, space=SPACE, seconds=0.0, log=None, ahead=1, gate=None):
        self.space = space
        self.embedded = 0
        self._seconds = seconds
        self._log = log
        self._ahead = ahead
        self._gate = gate

    def embed_iter(self, images):
        for position, image in enumerate(self._read_ahead(images)):
            if self._gate is not None:
                self._gate.pass_by(self.embedded)
            time.sleep(self._seconds)
            self.embedded += 1
            if self._log is not None:  # survives being killed
                os.write(self._log, b".")
            try:
                yield position, features_of(image)
            except ImageError as error:
                yield position, error

    def _read_ahead(self, images):
        source = iter(images)
        while batch := list(itertools.islice(source, self._ahead)):
            yield from batch

    def embed(self, images):
        return np.stack([features for _, features in self.embed_iter(images)])


def write_image(path, seed):
    """A small image of its own content for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    Image.fromarray(random.integers(0, 256, (6, 6, 3), np.uint8)).save(path)
    return path


def assert_matches_disk(gallery):
    """Each image has the features of the file that lies at its path."""
    assert len(gallery.paths) == len(gallery.labels) == len(gallery.features) == len(gallery)
    assert len(set(gallery.paths)) == len(gallery)
    for path, row in zip(gallery.paths, gallery.features, strict=True):
        np.testing.assert_array_equal(row, features_of(path), err_msg=path)
