"""Which gallery is meant where none is named, and those that this user has used."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import click
import platformdirs

from lookalike.files import replacing
from lookalike.gallery.storage.catalogue_file import FILE_NAME

__all__ = ["DEFAULT_GALLERY", "default_gallery", "find_gallery", "known_galleries", "note_gallery"]

DEFAULT_GALLERY = "lookalike.gallery"
VARIABLE = "LOOKALIKE_GALLERY"
MOST_LINES = 1000
MOST_BYTES = 1 << 20


def find_gallery(
    ctx: click.Context | None = None, param: click.Parameter | None = None, named: str | None = None
) -> str:
    """Return the gallery that is named or else found, as a click callback.

    The variable LOOKALIKE_GALLERY names one; else it is ``lookalike.gallery`` in the current folder
    or the nearest one above that has it, else the user's default if there is one.
    """
    if named is not None:
        return named
    if variable := os.environ.get(VARIABLE):
        return os.path.expanduser(variable)
    if os.path.lexists(DEFAULT_GALLERY):
        return DEFAULT_GALLERY
    with contextlib.suppress(FileNotFoundError):  # the current folder has been deleted
        for above in Path.cwd().parents:
            if is_gallery(os.path.join(above, DEFAULT_GALLERY)):
                return os.path.join(above, DEFAULT_GALLERY)
    default = default_gallery()
    return default if is_gallery(default) else DEFAULT_GALLERY


def default_gallery() -> str:
    """Return where the user's default gallery is or would be; it may be a link to another."""
    return os.path.join(platformdirs.user_data_dir("lookalike"), "default.gallery")


def is_gallery(path: str) -> bool:
    """Tell whether a folder holds a catalogue."""
    return os.path.isfile(os.path.join(path, FILE_NAME))


def note_gallery(path: str) -> None:
    """Remember a gallery that has been used; a note that cannot be written is none."""
    path = os.path.realpath(path)
    file = _notes()
    with contextlib.suppress(OSError):
        lines, known = _read(file)
        if path in known:
            return
        os.makedirs(os.path.dirname(file), exist_ok=True)
        if lines > MOST_LINES:  # of galleries that are gone, mostly
            with replacing(file) as fresh:
                there = [each for each in known if is_gallery(each)]
                fresh.write_text("".join(json.dumps(each) + "\n" for each in [*there, path]))
            return
        # One write at the end of the file: others may do the same at this moment. It begins a line
        # of its own, whatever a process that was killed has left.
        with open(file, "ab", buffering=0) as stream:
            stream.write(f"\n{json.dumps(path)}\n".encode())


def known_galleries() -> list[str]:
    """Return the galleries that this user has used and that may still be there, sorted.

    Left out is what is gone from a folder that is there; a disk may be mounted again.
    """
    found = set(_read(_notes())[1])
    if is_gallery(default_gallery()):
        found.add(os.path.realpath(default_gallery()))
    return sorted(
        path for path in found if is_gallery(path) or not os.path.isdir(os.path.dirname(path))
    )


def _notes() -> str:
    return os.path.join(platformdirs.user_state_dir("lookalike"), "galleries")


def _read(file: str) -> tuple[int, list[str]]:
    """Return how many lines the notes have, and the paths in those that are whole."""
    try:
        with open(file, "rb") as stream:
            lines = [line for line in stream.read(MOST_BYTES).splitlines() if line]
    except OSError:
        return 0, []
    known: dict[str, None] = {}
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            path = json.loads(line)
            if isinstance(path, str) and os.path.isabs(path) and "\0" not in path:
                known[path] = None
    return len(lines), list(known)
