"""What a search for duplicates found."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

from lookalike.distance.metrics import AnyMetric
from lookalike.duplicates.facts import Facts

__all__ = ["Duplicates", "Group", "Member"]


@dataclass(frozen=True)
class Member:
    """An image of a group.

    Attributes
    ----------
    row : int
        Its position in what was searched.
    path : str
        Its path.
    verdict : {"keep", "remove", "look"}
        What to do with it: it is the group's best; it may go as long as `keeper` stays; or a
        person has to look.
    reason : str
        Why, in a few words.
    keeper : int
        Row of the image that it is compared with; its own row if that is itself.
    distance : float
        Its features' distance to those of the group's best.
    exact : bool
        Whether its file has the content of `keeper`'s.
    facts : Facts
        What is known of its file.
    content : hashable or None
        Its content's hash, as it was when this was found; None if that is not known.
    """

    row: int
    path: str
    verdict: Literal["keep", "remove", "look"]
    reason: str
    keeper: int
    distance: float
    exact: bool
    facts: Facts
    content: Hashable | None = None

    @property
    def removable(self) -> bool:
        """Whether it may go if its keeper stays."""
        return self.verdict == "remove"


@dataclass(frozen=True)
class Group:
    """Images that are, or may be, the same picture: the best, and the others by their distance."""

    keeper: Member
    others: tuple[Member, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them, the best first."""
        return (self.keeper, *self.others)

    @property
    def winnable(self) -> int:
        """Bytes that are won if all goes that may go."""
        return sum(member.facts.bytes for member in self.others if member.removable)


@dataclass(frozen=True)
class Duplicates:
    """What `find_duplicates` found.

    Attributes
    ----------
    groups : list of Group
        The groups: first those by which most bytes can be won, then by the keeper's path.
    images : int
        How many were compared.
    metric, threshold
        What was given to `find_duplicates`; the metric as a `Metric` if it has parameters.
    """

    groups: list[Group]
    images: int
    metric: AnyMetric
    threshold: float | None

    def _members(self) -> Iterator[Member]:
        for group in self.groups:
            yield from group.members

    @property
    def keep(self) -> list[str]:
        """Paths of the images that stay: keepers, and those that a person has to look at."""
        return [member.path for member in self._members() if not member.removable]

    @property
    def remove(self) -> list[str]:
        """Paths of the images that may go."""
        return [member.path for member in self._members() if member.removable]

    @property
    def look(self) -> list[str]:
        """Paths of the images that a person has to look at."""
        return [member.path for member in self._members() if member.verdict == "look"]
