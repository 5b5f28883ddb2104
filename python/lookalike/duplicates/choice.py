"""Which of several files of one picture stays, and whether that is sure.

Files of equal content differ in place, name and time alone, so one may always go. Of other copies
one may go only if the one that stays is at least as good in all that can be told: colour, what the
camera wrote, pixels, and, of two files of one format, bytes; and, unless the camera's data tell
them apart, not the younger one. Where each is better in something, a person has to look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lookalike.duplicates.facts import Facts
from lookalike.duplicates.places import is_aside, is_below, named_like_a_copy

__all__ = ["Choice", "Rules", "best", "judge", "judge_equal"]

LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "HEIF"}
SECONDS = len("YYYY-MM-DD HH:MM:SS")

Keep = Literal["oldest", "newest", "largest"]


@dataclass(frozen=True)
class Rules:
    """What a person wants kept.

    Parameters
    ----------
    prefer : sequence of paths
        Folders whose files stay rather than others.
    protect : sequence of paths
        Folders of which nothing may go.
    keep : {"oldest", "newest", "largest"}, optional
        What is kept rather: the picture that was taken first or last, or whose file changed so;
        or that of most pixels, then of most bytes. What is better in anything else stays, too.

    Examples
    --------
    >>> Rules(keep="best")
    Traceback (most recent call last):
    ValueError: keep must be one of oldest, newest, largest or None, got 'best'
    """

    prefer: Sequence[str | os.PathLike[str]] = ()
    protect: Sequence[str | os.PathLike[str]] = ()
    keep: Keep | None = None

    def __post_init__(self) -> None:
        if self.keep not in (None, "oldest", "newest", "largest"):
            raise ValueError(
                f"keep must be one of oldest, newest, largest or None, got {self.keep!r}"
            )
        for name in ("prefer", "protect"):
            folders = getattr(self, name)
            if isinstance(folders, (str, bytes, os.PathLike)):
                raise TypeError(f"{name} must be several folders, got one, {folders!r}")
            object.__setattr__(self, name, tuple(os.path.abspath(each) for each in folders))

    def preferred(self, path: str) -> bool:
        """Tell whether a path lies in a preferred folder."""
        return is_below(path, self.prefer)

    def protected(self, path: str) -> bool:
        """Tell whether a path lies in a protected folder."""
        return is_below(path, self.protect)


class Choice(NamedTuple):
    """Whether a file may go for another one's sake, and why or why not."""

    sure: bool
    reason: str


class _File(NamedTuple):
    """A file that is compared: `inside` is its path within the folder that all of them lie in."""

    path: str
    inside: str
    facts: Facts


class _Criterion(NamedTuple):
    """Something in which one file may be better: the greater the value, the better."""

    value: Callable[[_File], int]
    better: str  # what is said of a file that goes for being worse
    worse: str = ""  # what is said where it would be lost; empty where it may be

    def compare(self, one: _File, other: _File) -> int:
        """Return 1 if the first is better, -1 if the second is, else 0."""
        here, there = self.value(one), self.value(other)
        return (here > there) - (here < there)


_PLACE = (
    _Criterion(lambda file: not is_aside(file.inside), "in a bin or cache"),
    _Criterion(lambda file: not named_like_a_copy(file.path), "named like a copy"),
)
_COLOUR = _Criterion(lambda file: not file.facts.grey, "without colour", "in colour, the other not")
_CAMERA = _Criterion(
    lambda file: bool(file.facts.camera), "without the camera's data", "has the camera's data"
)
_TAKEN = _Criterion(
    lambda file: bool(file.facts.taken), "without its time in EXIF", "has its time in EXIF"
)
_PIXELS = _Criterion(lambda file: file.facts.pixels, "fewer pixels", "has more pixels")
_BYTES = _Criterion(lambda file: file.facts.bytes, "fewer bytes", "has more bytes")
_WORTH = (_CAMERA, _TAKEN, _PIXELS)
_AGE = _Criterion(lambda file: -(file.facts.mtime_ns or 0) // 10**9, "changed later")


def _files(rows: Sequence[int], facts: dict[int, Facts], paths: Sequence[str]) -> dict[int, _File]:
    whole = [os.path.abspath(paths[row]) for row in rows]
    common = os.path.commonpath(map(os.path.dirname, whole))
    return {
        row: _File(paths[row], os.path.relpath(path, common), facts[row])
        for row, path in zip(rows, whole, strict=True)
    }


def _folders(rules: Rules) -> tuple[_Criterion, ...]:
    """Return what the rules say of folders."""
    return (
        _Criterion(lambda file: rules.preferred(file.path), "not in a preferred folder"),
        _Criterion(lambda file: rules.protected(file.path), "the other is protected"),
    )


def _wish(keep: Keep | None) -> tuple[_Criterion, ...]:
    """Return what the rule `keep` says."""
    if keep is None:
        return ()
    if keep == "largest":
        return (_PIXELS, _BYTES)
    sign, unknown, word = (-1, 10**14, "later") if keep == "oldest" else (1, 0, "earlier")

    def taken(file: _File) -> int:
        digits = "".join(filter(str.isdecimal, file.facts.taken or ""))[:14]
        return sign * int(digits or unknown)

    return (
        _Criterion(taken, f"taken {word}, or at an unknown time"),
        _Criterion(lambda file: sign * (file.facts.mtime_ns or 0), f"changed {word}"),
    )


def best(rows: Sequence[int], facts: dict[int, Facts], paths: Sequence[str], rules: Rules) -> int:
    """Return which of several files of one picture should stay, equal in content or not.

    Of those that nothing tells apart it is the oldest, then that of the shortest path.
    """
    files = _files(rows, facts, paths)
    criteria = (*_folders(rules), _COLOUR, *_wish(rules.keep), *_WORTH, *_PLACE, _BYTES)

    def rank(row: int) -> tuple[Any, ...]:
        file = files[row]
        last = (file.facts.mtime_ns or 0, len(file.path), file.path)
        return (bool(file.facts.doubt), *(-each.value(file) for each in criteria), *last)

    return min(rows, key=rank)


def judge_equal(
    keeper: int, goer: int, facts: dict[int, Facts], paths: Sequence[str], rules: Rules
) -> Choice:
    """Say why a file may go whose content the keeper has too."""
    kept, gone = _files([keeper, goer], facts, paths).values()
    if _is_aside_alone(kept, gone):
        return Choice(False, "the other lies in a bin or cache")
    for each in (*_folders(rules), *_wish(rules.keep), *_PLACE, _AGE):
        if each.compare(kept, gone) > 0:
            return Choice(True, f"same content, {each.better}")
    return Choice(True, "same content")


def judge(
    keeper: int, goer: int, facts: dict[int, Facts], paths: Sequence[str], rules: Rules
) -> Choice:
    """Say whether one of two files that show the same picture may go for the other's sake."""
    kept, gone = _files([keeper, goer], facts, paths).values()
    if not (kept.facts.pixels and gone.facts.pixels):
        return Choice(False, "its size is not known")
    moments = {file.facts.taken[:SECONDS] for file in (kept, gone) if file.facts.taken}
    if len(moments) > 1:
        return Choice(False, "taken at another time")
    if _is_aside_alone(kept, gone):
        return Choice(False, "the other lies in a bin or cache")
    one_format = kept.facts.format == gone.facts.format
    by_camera = _CAMERA.compare(kept, gone) > 0
    made_of = kept.facts.format in LOSSY and gone.facts.format not in LOSSY
    if made_of and not one_format and not by_camera:
        return Choice(False, f"may be what the {kept.facts.format} was made of")
    worth = [_COLOUR, *_WORTH]
    if one_format and not _COLOUR.compare(kept, gone):  # an edit may well have more bytes
        worth.append(_BYTES)
    for each in worth:
        if each.compare(kept, gone) < 0:
            return Choice(False, each.worse)
    # Pixels and bytes grow as well when a copy is enlarged, or saved again at a higher quality.
    if not by_camera and _AGE.compare(kept, gone) < 0:
        return Choice(False, "may be the original: it is older")
    for each in (*worth, *_wish(rules.keep), *_folders(rules), *_PLACE):
        if each.compare(kept, gone) > 0:
            return Choice(True, f"same picture, {each.better}")
    if not one_format:
        return Choice(False, f"in another format than the {kept.facts.format}: either may be first")
    return Choice(True, "same picture, same size")


def _is_aside_alone(one: _File, other: _File) -> bool:
    """Tell whether the first lies where things are thrown away, and the second does not."""
    return _PLACE[0].compare(one, other) < 0
