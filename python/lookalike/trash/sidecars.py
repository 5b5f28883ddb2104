"""Files that belong to a photo and lie beside it: edits, Takeout's notes, a Live Photo's film.

==============================  ==============================================================
``IMG_1.xmp IMG_1.aae``         edits, by the photo's name without its ending
``IMG_1.jpg.xmp``               edits, by its whole name
``IMG_1.jpg.json``              Google Takeout; so ``IMG_1.jpg.supplemental-metadata.json``, cut
                                anywhere, and ``IMG_1.jpg(1).json`` of ``IMG_1(1).jpg``
``IMG_1.mov``                   film, if it has the photo's content identifier
==============================  ==============================================================

Endings are known in any case. One that could be another file's as well stays where it is.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from lookalike.files import reason
from lookalike.trash.files import LeftAloneError, content_of
from lookalike.trash.live_photos import film_identifier, photo_identifier

__all__ = ["Sidecars", "in_photo_library", "only_beside", "sidecars"]

EDITS = (".xmp", ".aae")
NOTES = ".json"
FILM = ".mov"
TAKEOUT = ".supplemental-metadata"
SHORTEST = 41
"""Characters that Takeout leaves at least: it cuts a note's name to 46, a number included."""
LIBRARIES = (".photoslibrary", ".aplibrary", ".migratedphotolibrary")
NUMBERED = re.compile(r"(.*)(\(\d+\))", re.DOTALL)


class Sidecars(NamedTuple):
    """What goes with a photo.

    Attributes
    ----------
    paths : list of str
        The files, by name.
    doubt : str
        Why it cannot be told what belongs to the photo, empty if it can.
    """

    paths: list[str]
    doubt: str = ""


def sidecars(path: str) -> Sidecars:
    """Return the files beside a photo that belong to it and to no other file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("1.jpg", "1.xmp", "1.jpg.json", "2.jpg", "2.xmp", "2.cr2"):
    ...     _ = (folder / name).write_bytes(b"...")
    >>> [os.path.basename(each) for each in sidecars(str(folder / "1.jpg")).paths]
    ['1.jpg.json', '1.xmp']
    >>> sidecars(str(folder / "2.jpg")).paths  # it may be the raw file's
    []
    """
    folder, name = os.path.split(path)
    try:
        names = _alike(folder, name)
        going = {name} | {
            film
            for film in names
            if film != name
            and _stem(film) == _stem(name)
            and film.lower().endswith(FILM)
            and _is_film_of(os.path.join(folder, film), path)
        }
    except LeftAloneError as error:
        return Sidecars([], str(error))
    others = [each for each in names if not each.lower().endswith((*EDITS, NOTES))]
    for each in names:
        if _belongs(each, name) and {other for other in others if _belongs(each, other)} <= going:
            going.add(each)
    return Sidecars([os.path.join(folder, each) for each in sorted(going - {name})])


def only_beside(goer: str, keeper: str) -> list[str]:
    """Return what lies beside one file and not beside another.

    Edits and films are looked for with the same content. Notes name their photo and are never
    equal: any of the other's will do, and only those count that would go.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("1.jpg", "1.xmp", "2.jpg"):
    ...     _ = (folder / name).write_bytes(b"...")
    >>> only_beside(f"{folder}/1.jpg", f"{folder}/2.jpg") == [f"{folder}/1.xmp"]
    True
    """
    there = {_content(each) for each in _edits_and_films(keeper)}
    lacking = [
        each
        for each in _edits_and_films(goer)
        if (content := _content(each)) is None or content not in there
    ]
    return sorted([*lacking, *([] if _notes(keeper) else _notes(goer))])


def in_photo_library(path: str) -> bool:
    """Tell whether a file belongs to a library of Apple's, which keeps account of its files.

    >>> in_photo_library("/home/ann/Photos.photoslibrary/originals/1/1.heic")
    True
    """
    return any(part.lower().endswith(LIBRARIES) for part in os.path.dirname(path).split(os.sep))


def _alike(folder: str, name: str) -> list[str]:
    """Return the names in a folder that begin like one of them, sorted."""
    numbered = NUMBERED.fullmatch(_stem(name))
    start = (numbered[1] if numbered else _stem(name))[:SHORTEST]
    try:
        return sorted(each for each in os.listdir(folder or ".") if each.startswith(start))
    except OSError as error:
        raise LeftAloneError(f"its folder cannot be listed: {reason(error)}") from None


def _edits_and_films(path: str) -> list[str]:
    """Return the edits that may be a photo's, whether or not others share them, and its films."""
    folder, name = os.path.split(path)
    try:
        names = _alike(folder, name)
    except LeftAloneError:
        return []
    edits = [each for each in names if each.lower().endswith(EDITS) and _belongs(each, name)]
    films = [each for each in sidecars(path).paths if each.lower().endswith(FILM)]
    return sorted({*(os.path.join(folder, each) for each in edits), *films})


def _notes(path: str) -> list[str]:
    """Return the notes that are a photo's and no other file's."""
    return [each for each in sidecars(path).paths if each.lower().endswith(NOTES)]


def _belongs(sidecar: str, photo: str) -> bool:
    """Tell whether a name is one that a side-car of a photo may have."""
    base, ending = os.path.splitext(sidecar)
    if ending.lower() in EDITS:
        return base in (photo, _stem(photo))
    return ending.lower() == NOTES and _is_note_of(base, photo)


def _is_note_of(base: str, photo: str) -> bool:
    stem, ending = os.path.splitext(photo)
    numbered, inside = NUMBERED.fullmatch(stem), NUMBERED.fullmatch(base)
    if numbered and inside and numbered[2] == inside[2]:  # a(1).jpg has a.jpg(1).json
        base, photo = inside[1], numbered[1] + ending
    return (photo + TAKEOUT).startswith(base) and len(base) >= min(len(photo), SHORTEST)


def _is_film_of(film: str, photo: str) -> bool:
    """Tell whether a film is a photo's.

    Raises
    ------
    LeftAloneError
        It cannot be told.
    """
    try:
        of_film = film_identifier(film)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise _doubtful(film, why) from None
    if not of_film:
        return False
    try:
        of_photo = photo_identifier(photo)
    except OSError as error:
        raise LeftAloneError(reason(error)) from None
    if not of_photo:
        raise _doubtful(film, "it has a content identifier and the photo has none")
    return of_film == of_photo


def _doubtful(film: str, why: str) -> LeftAloneError:
    return LeftAloneError(f"{os.path.basename(film)} beside it may be its film: {why}")


def _content(path: str) -> bytes | None:
    try:
        return content_of(path).sha256
    except LeftAloneError:
        return None


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]
