"""What differs between operating systems, with what is done where one of them lacks something."""

from __future__ import annotations

import errno
import os
import sys
import weakref
from collections.abc import Callable

__all__ = [
    "FileLock",
    "HeldError",
    "after_fork_in_child",
    "open_to_read",
    "processors",
    "read_at",
    "reserve",
    "sync_folder",
    "take",
    "write_at",
]

BLOCK_BYTES = 1 << 20


def processors() -> int:
    """Return how many processors this process may use, which is how many threads make sense.

    Examples
    --------
    >>> 1 <= processors() <= os.cpu_count()
    True
    """
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def after_fork_in_child(action: Callable[[], object]) -> None:
    """Have a function called in every child that this process forks, if processes fork here."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)


def open_to_read(path: str | os.PathLike[str] | os.PathLike[bytes]) -> int:
    """Open whatever lies at a path and return its descriptor, without waiting.

    Opening a named pipe would otherwise wait for a writer that may never come.
    """
    # O_BINARY: Windows' C library would translate the ends of lines.
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Wait until created, renamed and deleted names in a folder will survive a power cut.

    Where a folder cannot be opened, which Windows refuses, it is the system that sees to that.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reserve(descriptor: int, offset: int, size: int) -> None:
    """Take room on the disk for bytes of an open file, behind its end, which are then zeros.

    Raises
    ------
    OSError
        The disk is full.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, offset, size)
        return
    os.lseek(descriptor, offset, os.SEEK_SET)
    zeros = memoryview(bytes(min(size, BLOCK_BYTES)))
    while size:
        size -= os.write(descriptor, zeros[:size])


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read bytes of a file that one thread uses."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def write_at(descriptor: int, content: bytes | memoryview, offset: int) -> int:
    """Write bytes of a file that one thread uses; return how many of them were written."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, content, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, content)


def take(descriptor: int) -> None:
    """Take the lock of an open file, without waiting; it lasts until the file is closed.

    Raises
    ------
    OSError
        Somebody else holds it, or the file system, or the system, has no locks.
    """
    try:
        import fcntl
    except ImportError:
        raise OSError(errno.ENOTSUP, "there are no file locks on this system") from None
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

    The system takes the lock back when the process dies.

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
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

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
            write_at(self._descriptor, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            holder = read_at(self._descriptor, 20, 0).decode(errors="replace").strip()
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


after_fork_in_child(_release_inherited)
