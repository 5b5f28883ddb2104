"""Who may write a gallery: one process at a time."""

from __future__ import annotations

import os

from lookalike.gallery.storage.errors import GalleryError
from lookalike.system import FileLock, HeldError

__all__ = ["LOCK_NAME", "WriterLock"]

LOCK_NAME = "writer.lock"


class WriterLock:
    """A lock on a gallery's folder that the system takes back when the process dies.

    Raises
    ------
    GalleryError
        Another writer holds it, or the folder cannot be written.
    """

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, LOCK_NAME)
        try:
            self._lock = FileLock(path)
        except OSError as error:
            raise GalleryError(f"cannot write {folder}: {error.strerror}") from error
        try:
            self._lock.take()
        except HeldError as error:
            mine = error.holder == str(os.getpid())
            who = "this process" if mine else f"process {error.holder or '?'}"
            raise GalleryError(
                f"{folder} is being written by {who}; one writer at a time, "
                "it can be read meanwhile"
            ) from error
        except OSError as error:
            raise GalleryError(f"cannot lock {path}: {error.strerror}") from error

    def release(self) -> None:
        """Let others write."""
        self._lock.release()
