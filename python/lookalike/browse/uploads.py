"""Pictures that were searched by, which are no part of the gallery."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Upload", "Uploads"]

KEPT = 32


class Upload(NamedTuple):
    """A picture that was searched by: its hash, its features and a thumbnail of it."""

    digest: str
    vector: npt.NDArray[np.float32]
    thumbnail: bytes


class Uploads:
    """The last pictures that were searched by, so that Back leads to them; in memory alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._guard = threading.Lock()

    def keep(self, upload: Upload) -> str:
        """Keep one, and return the name that finds it."""
        with self._guard:
            name = secrets.token_urlsafe(9)
            self._kept[name] = upload
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return name

    def find(self, name: str) -> Upload | None:
        """Return one by its name, None if it is not kept any more."""
        return self._kept.get(name)
