"""Images that are the same picture: which files say so, which one stays, and which may go.

:mod:`~lookalike.duplicates.links` finds what may be the same picture, by contents, features and
hashes; :mod:`~lookalike.duplicates.choice` chooses which file stays;
:mod:`~lookalike.duplicates.find` puts both together. Nothing here touches a file.
"""

from lookalike.duplicates.choice import Rules
from lookalike.duplicates.facts import Facts, file_facts
from lookalike.duplicates.find import METRIC, THRESHOLD, find_duplicates
from lookalike.duplicates.result import Duplicates, Group, Member
from lookalike.duplicates.witnesses import Witnesses

__all__ = [
    "METRIC",
    "THRESHOLD",
    "Duplicates",
    "Facts",
    "Group",
    "Member",
    "Rules",
    "Witnesses",
    "file_facts",
    "find_duplicates",
]
