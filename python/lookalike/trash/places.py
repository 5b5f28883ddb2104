"""Where the trash is, and what lies in it, by freedesktop.org's specification 1.0.

A trash is a folder with ``files`` and ``info``: beside each file in the one, a record in the other
says where it lay.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
import urllib.parse
from collections.abc import Iterator
from itertools import chain

from lookalike.files import reason
from lookalike.system import open_to_read, sync_folder
from lookalike.trash.files import LeftAloneError, content_of, identity

__all__ = ["find_in_trash", "moved_without_overwriting", "put_back", "send", "trash_for"]

RECORD = ".trashinfo"
NO_REPLACE = 1  # RENAME_NOREPLACE of Linux's renameat2
AT_CURRENT = -100  # AT_FDCWD


def trash_for(path: str) -> str:
    """Return the folder, behind no link, of the trash that a file would go to by being renamed.

    Raises
    ------
    LeftAloneError
        There is none that can be written, or the file would have to be copied to it.
    """
    if not sys.platform.startswith("linux"):
        raise LeftAloneError("the trash of this system keeps no record that `undo` could read")
    folder = os.path.dirname(path)
    try:
        device = os.lstat(folder).st_dev
        home = os.lstat(os.path.realpath(os.path.expanduser("~"))).st_dev
        trash = _home_trash() if device == home else _trash_of_disk(folder)
        for inside in ("files", "info"):
            there = os.path.join(trash, inside)
            while not os.path.lexists(there):
                there = os.path.dirname(there)
            if not (os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK)):
                raise LeftAloneError(f"there is no trash to move it to: {there} cannot be written")
            if os.stat(there).st_dev != device or _mount(there) != _mount(folder):
                raise LeftAloneError(f"the trash is on another disk or mount: {trash}")
    except OSError as error:
        raise LeftAloneError(f"there is no trash to move it to: {reason(error)}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LeftAloneError("its folder cannot be written")
    return os.path.realpath(trash)


def _home_trash() -> str:
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    if not os.path.isabs(data):  # a trash in whatever folder is the current one
        raise LeftAloneError(f"XDG_DATA_HOME must be an absolute path, got {data!r}")
    return os.path.join(data, "Trash")


def _trash_of_disk(folder: str) -> str:
    top = os.path.realpath(folder)
    while not os.path.ismount(top):
        top = os.path.dirname(top)
    user = str(os.getuid())
    shared = os.path.join(top, ".Trash")
    if os.path.isdir(shared) and not os.path.islink(shared):
        own = os.path.join(shared, user)
        can_be_made = os.path.isdir(own) or os.access(shared, os.W_OK | os.X_OK)
        if os.lstat(shared).st_mode & stat.S_ISVTX and can_be_made:
            return own
    return os.path.join(top, f".Trash-{user}")


def _mount(folder: str) -> str:
    """Name the mount that a folder is reached by: between two of one disk nothing is renamed."""
    descriptor = os.open(folder, os.O_PATH)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}") as lines:
            return next((line for line in lines if line.startswith("mnt_id:")), "")
    finally:
        os.close(descriptor)


def send(path: str) -> str | None:
    """Move a file to the trash; return where it lies now, None if the system does not say.

    Raises
    ------
    OSError
        It cannot be moved, and lies where it lay.
    """
    from send2trash import send2trash

    _follow_the_environment()
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        moved = identity(os.fstat(descriptor))
        send2trash(path)
        place = os.readlink(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    sync_folder(os.path.dirname(path))
    try:
        found = identity(os.lstat(place))
    except OSError:
        return None
    return place if found == moved and place != path else None


def _follow_the_environment() -> None:
    """Let Send2Trash use the trash that `trash_for` names: it reads XDG_DATA_HOME at its import."""
    theirs = sys.modules.get("send2trash.plat_other")
    if theirs is not None and hasattr(theirs, "HOMETRASH_B"):
        home = os.fsencode(os.path.realpath(_home_trash()))
        vars(theirs).update(HOMETRASH_B=home, XDG_DATA_HOME=os.path.dirname(home))


def find_in_trash(trash: str, path: str, sha256: bytes, place: str | None = None) -> str | None:
    """Return where a file of this content lies that was moved to a trash from `path`.

    Parameters
    ----------
    trash : str
        The trash's folder; it may be a link, or lie behind one.
    path : str
        Where the file lay.
    sha256 : bytes
        Of its content.
    place : str, optional
        Where it was put.
    """
    for candidate in chain([place] if place else [], _from(trash, path)):
        try:
            if content_of(candidate).sha256 == sha256:
                return candidate
        except LeftAloneError:
            continue
    return None


def _from(trash: str, path: str) -> Iterator[str]:
    """Yield the files of a trash that lay at `path` by its records, the latest first."""
    found = []
    files = os.path.realpath(os.path.join(trash, "files"))  # nothing is moved from behind a link
    tops = {_top(trash), _top(os.path.realpath(trash))}  # what wrote a record may have known either
    try:
        names = os.listdir(os.path.join(trash, "info"))
    except OSError:
        return
    for name in names:
        if not name.endswith(RECORD):
            continue
        where, when = _record(trash, name)
        if path in {os.path.normpath(os.path.join(top, where)) for top in tops}:
            found.append((when, os.path.join(files, name.removesuffix(RECORD))))
    for _, file in sorted(found, reverse=True):
        yield file


def _record(trash: str, name: str) -> tuple[str, str]:
    """Return where a file in a trash lay, as its record has it, and when it was moved there."""
    try:
        descriptor = open_to_read(os.path.join(trash, "info", name))
        with open(descriptor, encoding="utf-8", errors="replace") as file:
            said = dict(line.rstrip("\n").partition("=")[::2] for line in file)
    except OSError:
        return "", ""
    where = os.fsdecode(urllib.parse.unquote_to_bytes(said.get("Path", "")))
    return where, said.get("DeletionDate", "")


def _top(trash: str) -> str:
    """Return the folder that relative paths in a trash's records start from."""
    above = os.path.dirname(trash)
    return os.path.dirname(above) if os.path.basename(above) == ".Trash" else above


def put_back(place: str, path: str) -> None:
    """Move a file from the trash to where it lay, over nothing, and take its record away.

    Raises
    ------
    LeftAloneError
        Something lies there now, or it cannot be moved; it stays in the trash.
    """
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        moved_without_overwriting(place, path)
        sync_folder(folder)
    except FileExistsError:
        if identity(os.lstat(place)) != identity(os.lstat(path)):
            raise LeftAloneError("something lies there now; it stays in the trash") from None
        os.unlink(place)  # a second name, left by a process that was killed
    except OSError as error:
        raise LeftAloneError(f"cannot be brought back: {reason(error)}") from None
    trash, name = os.path.dirname(os.path.dirname(place)), os.path.basename(place)
    with contextlib.suppress(OSError):  # a record of nothing, which file managers pass over
        os.unlink(os.path.join(trash, "info", name + RECORD))


def moved_without_overwriting(source: str, target: str) -> None:
    """Rename a file unless there is something of the new name.

    Raises
    ------
    FileExistsError
        There is.
    OSError
        The file cannot be moved.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is not None:
        names = os.fsencode(source), os.fsencode(target)
        if rename(AT_CURRENT, names[0], AT_CURRENT, names[1], NO_REPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), target)
    os.link(source, target, follow_symlinks=False)  # some network disks know only this
    os.unlink(source)
