"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replacing"]


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
    # Not tempfile: its files are readable by nobody else, whatever the umask says. The end of a
    # long name is left out, as there is a limit on its length.
    beside = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
    except OSError as error:  # the name that was asked for, not the one of our making
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    try:
        yield beside
        _sync(beside)  # or a power cut may leave an empty file under the final name
        os.replace(beside, target)
        _sync(target.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
