"""What a person has marked, laid over what was found: which files go, and for whose sake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from lookalike.duplicates.choice import Rules
from lookalike.duplicates.result import Group, Member

__all__ = ["BY_HAND", "Mark", "marked"]

Mark: TypeAlias = Literal["keep", "remove"]
BY_HAND = "marked by you"


def marked(group: Group, marks: Mapping[int, Mark], rules: Rules | None = None) -> Group:
    """Return a group with what a person has marked in it, and what follows for the others.

    What is marked goes, or stays, whatever was found. What was found to be removable goes only as
    long as the file that it was compared with stays, or another of that content or its own. One
    file stays in any case: where all are marked to go, the best does not.

    Parameters
    ----------
    group : Group
        As it was found.
    marks : mapping
        Of rows, what a person has marked: "keep" or "remove".
    rules : Rules, optional
        Nothing of a protected folder goes, marked or not.

    Returns
    -------
    Group
        Its `keeper` stays. Each member that goes has a `keeper` that stays.
    """
    members = {member.row: member for member in group.members}
    going = {row for row, mark in marks.items() if mark == "remove" and row in members}
    if rules is not None:
        going = {row for row in going if not rules.protected(members[row].path)}
    kept = {row for row, mark in marks.items() if mark == "keep"}
    staying = [
        member
        for member in group.members
        if member.row not in going and (member.row in kept or not member.removable)
    ]
    orphans = []
    for member in group.members:
        if member.row in going or member in staying:
            continue
        if _keeper_of(member, staying, members, found=True) is None:
            orphans.append(member)
    staying = [each for each in group.members if each in staying or each in orphans]
    if not staying:
        going.discard(group.keeper.row)
        staying = [group.keeper]
    best = min(staying, key=lambda each: (each.row != group.keeper.row, each.row not in kept))
    others = []
    for member in group.members:
        if member.row == best.row:
            continue
        if member.row in going:
            keeper = _keeper_of(member, [best, *staying], members, found=False)
            assert keeper is not None
            others.append(_going(member, keeper, BY_HAND))
        elif member in orphans:
            others.append(replace(member, verdict="look", reason="what it is a copy of goes"))
        elif member in staying:
            others.append(_staying(member, member.row in kept))
        else:
            keeper = _keeper_of(member, staying, members, found=True)
            assert keeper is not None
            others.append(_going(member, keeper, member.reason))
    first = replace(_staying(best, best.row in kept), verdict="keep", keeper=best.row)
    return Group(first, tuple(others))


def _keeper_of(
    member: Member, staying: list[Member], members: Mapping[int, Member], *, found: bool
) -> Member | None:
    """Return which of those that stay a file goes for.

    Where it goes by what was `found`, that is one of its own content, or of the content of the one
    that it was compared with; None if there is none.
    """
    compared = members.get(member.keeper, member)

    def fits(each: Member) -> tuple[bool, ...]:
        return (not _alike(each, member), each.row != compared.row, not _alike(each, compared))

    able = [each for each in staying if not found or not all(fits(each))]
    # min() takes the first of equals, which is the best of the group.
    return min(able, key=lambda each: (bool(each.facts.doubt), *fits(each)), default=None)


def _alike(one: Member, other: Member) -> bool:
    return one.content is not None and one.content == other.content


def _going(member: Member, keeper: Member, reason: str) -> Member:
    return replace(
        member, verdict="remove", keeper=keeper.row, reason=reason, exact=_alike(member, keeper)
    )


def _staying(member: Member, by_hand: bool) -> Member:
    return replace(member, verdict="keep", reason=BY_HAND) if by_hand else member
