"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from lookalike import system

__all__ = ["reason", "replacing"]

LEFTOVER_SECONDS = 60


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the name of an empty file beside `path` that takes its place when the block ends.

    Whoever looks at `path` meanwhile sees the old file, or none; an error leaves it as it was and
    the new file is removed. A symbolic link stays one: what it points to is replaced.

    Parameters
    ----------
    path : path
        A regular file, or a name in an existing folder.

    Raises
    ------
    OSError
        The file cannot be written, or `path` is a folder, a device or a pipe, which cannot be
        replaced by a file.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp(), "a.txt")
    >>> with replacing(target) as file:
    ...     file.write_text("whole")
    5
    >>> target.read_text()
    'whole'
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "not a regular file"
        raise OSError(None, f"is {kind}", os.fspath(path))
    _remove_leftovers(target)
    # Not tempfile: its files are readable by nobody else, whatever the umask says.
    beside = target.with_name(f"{_start(target)}{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:  # the name that was asked for, not the one of our making
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    try:
        with contextlib.suppress(OSError):  # some file systems have no locks
            system.take(descriptor)
        yield beside
        os.fsync(descriptor)  # or a power cut may leave an empty file under the final name
        os.replace(beside, target)
        system.sync_folder(target.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """Return why a file could not be read or written, in words.

    Examples
    --------
    >>> reason(OSError("512 requested and 0 written"))  # as NumPy puts it
    'No space left on device'
    """
    if error.strerror:
        return error.strerror
    short = "requested and" in str(error) and "written" in str(error)
    return os.strerror(errno.ENOSPC) if short else str(error) or type(error).__name__


def _start(target: Path) -> str:
    # The end of a long name is left out: there is a limit on its length.
    return f".{target.name[:60]}."


def _remove_leftovers(target: Path) -> None:
    """Remove what a killed process has left, which nobody has locked or is about to lock."""
    for old in target.parent.glob(f"{glob.escape(_start(target))}*.part"):
        with contextlib.suppress(OSError), open(old, "rb") as file:
            system.take(file.fileno())
            if time.time() - os.fstat(file.fileno()).st_mtime > LEFTOVER_SECONDS:
                old.unlink()
