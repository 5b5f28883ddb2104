"""Which of several files of one picture stays, and whether that is sure.

Files of equal content differ in place, name and time alone, so one may always go. Of other copies
one may go only if the one that stays is at least as good in all that can be told: colour, what the
camera wrote, pixels, and, of two files of one format, bytes. Where each is better in something, a
person has to look.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lookalike.duplicates.facts import Facts
from lookalike.duplicates.places import is_aside, is_below, named_like_a_copy

__all__ = ["Choice", "Rules", "best", "judge", "judge_equal"]

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
        What decides before anything else but colour and `prefer`: when a picture was taken, or the
        file last changed; or the number of pixels, then of bytes.

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


class _Criterion(NamedTuple):
    """Something in which one file may be better: the greater the value, the better."""

    value: Callable[[str, Facts], Any]
    better: str  # what is said of a file that goes for being worse
    worse: str = ""  # what is said where it would be lost; empty where it may be


def _place(rules: Rules) -> list[_Criterion]:
    """Return what tells a place that was chosen from one where things are left."""
    return [
        _Criterion(lambda path, _: rules.preferred(path), "not in a preferred folder"),
        _Criterion(lambda path, _: rules.protected(path), "the other is protected"),
    ]


_WORTH = (
    _Criterion(lambda path, _: not is_aside(path), "in a bin or cache"),
    _Criterion(lambda path, _: not named_like_a_copy(path), "named like a copy"),
)
_COLOUR = _Criterion(
    lambda _, facts: not facts.grey, "without colour", "in colour, the other is not"
)
_CAMERA = _Criterion(
    lambda _, facts: bool(facts.camera), "without the camera's data", "has the camera's data"
)
_PIXELS = _Criterion(lambda _, facts: facts.pixels, "fewer pixels", "has more pixels")
_BYTES = _Criterion(lambda _, facts: facts.bytes, "fewer bytes", "has more bytes")


def _shape(facts: Facts) -> tuple[object, ...]:
    return facts.width, facts.height, facts.camera


def _wish(keep: Keep | None) -> list[_Criterion]:
    """Return what the rule `keep` says."""
    if keep is None:
        return []
    if keep == "largest":
        return [_PIXELS, _BYTES]
    sign, unknown, word = (-1, 10**14, "later") if keep == "oldest" else (1, 0, "earlier")

    def taken(_: str, facts: Facts) -> int:
        digits = "".join(filter(str.isdigit, facts.taken or ""))[:14]
        return sign * int(digits or unknown)

    return [
        _Criterion(taken, f"taken {word}, or at an unknown time"),
        _Criterion(lambda _, facts: sign * (facts.mtime_ns or 0), f"changed {word}"),
    ]


def _last(path: str, facts: Facts) -> tuple[Any, ...]:
    """Order what nothing else tells apart: the oldest, the shortest path, the first by name."""
    return (facts.mtime_ns or 0, len(path), path)


def best(rows: Sequence[int], facts: dict[int, Facts], paths: Sequence[str], rules: Rules) -> int:
    """Return which of several files of one picture should stay, equal in content or not."""
    criteria = [
        *_place(rules),
        _COLOUR,
        *_wish(rules.keep),
        _CAMERA,
        _PIXELS,
        *_WORTH,
    ]

    def rank(row: int) -> tuple[Any, ...]:
        known, path = facts[row], paths[row]
        values = [-int(each.value(path, known)) for each in criteria]
        return (bool(known.doubt), *values, -known.bytes, *_last(path, known))

    return min(rows, key=rank)


def judge_equal(
    keeper: int, goer: int, facts: dict[int, Facts], paths: Sequence[str], rules: Rules
) -> Choice:
    """Say why a file may go whose content the keeper has too."""
    kept, gone = facts[keeper], facts[goer]
    for each in (*_place(rules), *_wish(rules.keep), *_WORTH):
        if each.value(paths[keeper], kept) > each.value(paths[goer], gone):
            return Choice(True, f"same content, {each.better}")
    if kept.mtime_ns is not None and gone.mtime_ns is not None and kept.mtime_ns < gone.mtime_ns:
        return Choice(True, "same content, newer")
    return Choice(True, "same content")


def judge(
    keeper: int, goer: int, facts: dict[int, Facts], paths: Sequence[str], rules: Rules
) -> Choice:
    """Say whether one of two files that show the same picture may go for the other's sake."""
    kept, gone = facts[keeper], facts[goer]

    def compared(each: _Criterion) -> int:
        here, there = each.value(paths[keeper], kept), each.value(paths[goer], gone)
        return int(here > there) - int(here < there)

    if not (kept.pixels and gone.pixels):
        return Choice(False, "its size is not known")
    moments = {kept.taken, gone.taken} - {None}
    if len(moments) > 1 and _shape(kept) == _shape(gone):
        return Choice(False, "taken at another time by the same camera")
    if compared(_COLOUR) < 0:
        return Choice(False, _COLOUR.worse)
    wanted = [*_place(rules), *_wish(rules.keep)]
    for each in wanted:
        if compared(each) > 0:
            return Choice(True, f"same picture, {each.better}")
    worth = [_COLOUR, _CAMERA, _PIXELS]
    if kept.format == gone.format:
        worth.append(_BYTES)
    for each in worth:
        if compared(each) < 0:
            return Choice(False, f"same picture, but {each.worse}")
    for each in (*worth, *_WORTH):
        if compared(each) > 0:
            return Choice(True, f"same picture, {each.better}")
    if kept.format != gone.format:
        return Choice(False, f"same picture as {gone.format}: which was first cannot be told")
    return Choice(True, "same picture, same size")
