"""What lies beside duplicates, and where, can keep them from being removed."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from lookalike.trash.sidecars import in_photo_library, only_beside, sidecars

if TYPE_CHECKING:
    from lookalike.duplicates.result import Duplicates, Group, Member

__all__ = ["with_neighbours"]


def with_neighbours(found: Duplicates) -> Duplicates:
    """Return duplicates of which those need a look that have edits or notes their keeper lacks.

    So do those of a photo library, and those whose side-cars are in doubt.
    """
    groups = [_looked_around(group) for group in found.groups]
    groups.sort(key=lambda group: (-group.winnable, group.keeper.path))
    return replace(found, groups=groups)


def _looked_around(group: Group) -> Group:
    paths = {member.row: member.path for member in group.members}

    def judged(member: Member) -> Member:
        if not member.removable or not (why := _why_not(member.path, paths[member.keeper])):
            return member
        return replace(member, verdict="look", reason=why)

    return replace(group, others=tuple(map(judged, group.others)))


def _why_not(goer: str, keeper: str) -> str:
    if in_photo_library(goer):
        return "in a photo library"
    if lacking := only_beside(goer, keeper):
        return f"{', '.join(map(os.path.basename, lacking))} beside it, not beside the one to keep"
    return sidecars(goer).doubt
