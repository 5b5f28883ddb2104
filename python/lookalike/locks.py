"""Locks on files that the system takes back when the process dies."""

from __future__ import annotations

import errno
import fcntl
import os
import weakref

__all__ = ["FileLock", "HeldError", "take"]


def take(descriptor: int) -> None:
    """Take the lock of an open file, without waiting; it lasts until the file is closed.

    Raises
    ------
    OSError
        Somebody else holds it, or the file system has no locks.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class HeldError(OSError):
    """Somebody else holds a lock.

    Attributes
    ----------
    holder : str
        The number of the process, as it is written in the file; empty where it is not.
    """

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(None, "another process is at work on it", path)
        self.holder = holder


class FileLock:
    """A file whose lock says who may change what it stands for.

    Parameters
    ----------
    path : str
        The file, made if there is none.

    Raises
    ------
    OSError
        It cannot be opened or made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def take(self) -> None:
        """Take the lock and write this process's number into the file.

        Raises
        ------
        HeldError
            Another process has it, or this one by another `FileLock`.
        OSError
            There can be no lock on the file.
        """
        try:
            take(self._descriptor)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            self.release()
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise HeldError(self.path, holder) from error
            raise
        _taken.add(self)

    def release(self) -> None:
        """Let others have it; in a forked child, only let go of what was inherited."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_taken: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _release_inherited() -> None:
    # A lock lasts until all copies of its descriptor are closed: a child that outlives the holder
    # would keep it.
    for lock in list(_taken):
        lock.release()


os.register_at_fork(after_in_child=_release_inherited)
