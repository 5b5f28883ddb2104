"""What is left out below a folder: what other programs keep there, and what a person named.

A pattern is matched as in ``.gitignore``, in any case and any Unicode normal form. One without a
slash is of a name, anywhere below a folder that is added; one with a slash is of a path, from that
folder on. ``*``, ``?`` and ``[a-z]`` do not match a slash, ``**`` stands for any folders, a slash
at the end for folders alone, one at the beginning for an absolute path. The last pattern that
matches decides. What lies in a folder that is left out is not looked at.
"""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from lookalike.gallery.storage.catalogue import Catalogue

__all__ = ["DEFAULTS", "HIDDEN", "Exclusions", "checked_pattern", "note_patterns", "without_effect"]

HIDDEN = ".*"

DEFAULTS = (
    ("exclude", HIDDEN),  # .thumbnails, .@__thumb, .picasaoriginals … with it
    *(
        ("exclude", f"{name}/")
        for name in (
            "@eaDir",  # of a NAS: thumbnails, bins and snapshots
            "@__thumb",
            "#recycle",
            "@Recycle",
            "#snapshot",
            "@Recently-Snapshot",
            "@tmp",
            "$RECYCLE.BIN",
            "RECYCLER",
            ".Trash*",
            "lost+found",
            "__MACOSX",
            ".thumbnails",
            "Thumbs",
            "*.lrdata",  # of Lightroom: previews
        )
    ),
    *(
        rule
        for library in ("*.photoslibrary", "*.aplibrary", "*.migratedphotolibrary")
        for rule in (
            ("exclude", f"**/{library}/*/"),
            ("include", f"**/{library}/originals/"),
            ("include", f"**/{library}/Masters/"),
        )
    ),
)
"""Folders of other programs that hold copies of photos, or photos thrown away."""


class _Rule(NamedTuple):
    excludes: bool
    pattern: str
    parts: tuple[re.Pattern[str] | None, ...]  # of the path; None: any folders
    where: str  # what it is matched with: "name", "below", "named" or "absolute"
    folders_only: bool


class Exclusions:
    """The default patterns and those of a gallery, in order.

    Parameters
    ----------
    patterns : sequence of (kind, pattern)
        "exclude" or "include", and the pattern.

    Examples
    --------
    >>> rules = Exclusions([("exclude", "*.gif"), ("include", "@eadir")])
    >>> rules.judge(b"/photos", b"2019/A.GIF", folder=False)
    '*.gif'
    >>> rules.judge(b"/photos", b"@eaDir", folder=True)
    """

    def __init__(self, patterns: Iterable[tuple[str, str]] = ()) -> None:
        rules = [_rule(*each) for each in (*DEFAULTS, *patterns)]
        self._for_folders = rules[::-1]
        self._for_files = [rule for rule in self._for_folders if not rule.folders_only]

    def judge(self, root: bytes, relative: bytes, *, folder: bool) -> str | None:
        """Return the pattern that leaves out what lies in a folder that is looked at.

        Parameters
        ----------
        root, relative : bytes
            The folder that has been added, and the path from there on.
        folder : bool
            Whether this is a folder itself.
        """
        name = os.path.basename(relative)
        if not folder and len(self._for_files) == 1:  # most galleries have no patterns
            return HIDDEN if name.startswith(b".") else None
        subjects: dict[str, Sequence[str]] = {"name": [_plain(name)]}
        for rule in self._for_folders if folder else self._for_files:
            if rule.where not in subjects:
                subjects[rule.where] = _plain(_subject(rule.where, root, relative)).split("/")
            if _fits(rule.parts, subjects[rule.where]):
                return rule.pattern if rule.excludes else None
        return None

    def judge_all(self, root: bytes, relative: bytes) -> str | None:
        """Return the pattern that leaves out a file, or a folder that it lies in."""
        places = [place for place, byte in enumerate(relative) if byte == ord(b"/")]
        for place in places:
            if found := self.judge(root, relative[:place], folder=True):
                return found
        return self.judge(root, relative, folder=False)


def _subject(where: str, root: bytes, relative: bytes) -> bytes:
    if where == "below":
        return relative
    above = root if where == "absolute" else os.path.basename(root)
    return os.path.join(above, relative)


def checked_pattern(pattern: str) -> str:
    """Return a pattern without what says nothing, such as a ``./`` before it.

    Raises
    ------
    ValueError
        It can match nothing.

    Examples
    --------
    >>> checked_pattern("./2019//raw/"), checked_pattern("/home/ann/private/")
    ('2019/raw/', '/home/ann/private/')
    """
    if not isinstance(pattern, str):
        raise TypeError(f"a pattern must be text, got {pattern!r}")
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in pattern:
        raise ValueError(
            "a pattern must be a name or a path below the folder that is indexed, or an absolute "
            f"path, got {pattern!r}"
        )
    anchored = pattern.startswith("./") and len(parts) == 1
    before = "/" if pattern.startswith("/") else "./" if anchored else ""
    return before + "/".join(parts) + ("/" if pattern.endswith("/") else "")


def note_patterns(
    catalogue: Catalogue,
    exclude: Sequence[str] | str = (),
    include: Sequence[str] | str = (),
    drop: Sequence[str] | str = (),
) -> None:
    """Let a gallery remember patterns, after those that it has; one that it has moves to the end.

    Raises
    ------
    ValueError
        A pattern can match nothing, or one to drop is not the gallery's; nothing is changed then.
    """
    given = [
        *(("exclude", pattern) for pattern in _checked(exclude)),
        *(("include", pattern) for pattern in _checked(include)),
    ]
    dropped = _checked(drop)
    if not given and not dropped:
        return
    latest = {pattern: kind for kind, pattern in given}
    before = catalogue.patterns()
    for pattern in dropped:
        if pattern not in [known for _, known in before]:
            raise ValueError(f"the gallery has no pattern {pattern!r}")
    kept = [each for each in before if each[1] not in latest and each[1] not in dropped]
    after = [*kept, *((kind, pattern) for pattern, kind in latest.items())]
    if after != before:
        with catalogue.transaction():
            catalogue.set_patterns(after)


def _checked(patterns: Sequence[str] | str) -> list[str]:
    return [
        checked_pattern(each) for each in ([patterns] if isinstance(patterns, str) else patterns)
    ]


def without_effect(exclude: Sequence[str] | str, left_out: Collection[str]) -> Iterator[str]:
    """Yield a remark for each pattern that has just been given and has left out nothing."""
    for pattern in [exclude] if isinstance(exclude, str) else exclude:
        if checked_pattern(pattern) not in left_out:
            yield f"{pattern!r} has left out nothing, so far"


def _rule(kind: str, pattern: str) -> _Rule:
    path = pattern.rstrip("/")
    parts = path.removeprefix("./").split("/")
    if path.startswith("/"):
        where = "absolute"
    elif parts[0] == "**":
        where = "named"
    else:
        where = "below" if "/" in path else "name"
    compiled = tuple(
        None if part == "**" else re.compile(fnmatch.translate(_plain(part))) for part in parts
    )
    return _Rule(kind == "exclude", pattern, compiled, where, pattern.endswith("/"))


def _plain(text: str | bytes) -> str:
    return unicodedata.normalize("NFC", os.fsdecode(text)).casefold()


def _fits(pattern: tuple[re.Pattern[str] | None, ...], parts: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    first, rest = pattern[0], pattern[1:]
    if first is None:
        return any(_fits(rest, parts[place:]) for place in range(len(parts) + 1))
    return bool(parts) and first.match(parts[0]) is not None and _fits(rest, parts[1:])
