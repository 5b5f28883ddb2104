"""What bringing images in did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Report"]


@dataclass
class Report:
    """What an `add` or `update` did, in numbers of images.

    Attributes
    ----------
    added : int
        New images.
    updated : int
        Images whose file has other content than before.
    moved : int
        Images whose file has another name or place.
    removed : int
        Images whose file is gone.
    unchanged : int
        Images that are as they were.
    failed : list of (path, reason)
        Files that cannot be used, those of earlier calls that have not changed among them.
    left_out : dict
        How many files and folders each pattern has left out; those below a folder that is left
        out are not looked at, nor counted.
    notes : list of str
        What else is to be known, a line each: rows of a table of labels that match no image,
        folders that are no longer looked at.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter, repr=False)
    notes: list[str] = field(default_factory=list, repr=False)
