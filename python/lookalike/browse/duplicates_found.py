"""The duplicates that are found, with what is marked of them: the same for every page and process.

They are searched once for each state of the images. What a person decides later concerns the
groups alone, so that only these are judged again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.browse.answers import AskedError
from lookalike.duplicates.choice import Rules
from lookalike.duplicates.marks import Mark, marked
from lookalike.embedding.spaces import is_untrained
from lookalike.gallery.gallery import Gallery
from lookalike.trash.moves import Outcome

if TYPE_CHECKING:
    from lookalike.browse.jobs import Job, Report
    from lookalike.browse.state import State
    from lookalike.duplicates.result import Duplicates, Group, Member
    from lookalike.gallery.upkeep.trash import Batch

__all__ = ["Found", "Moving", "Worklist", "file_id", "kind_of", "potential"]

File = tuple[str, str]


class Subject(NamedTuple):
    """What duplicates are found of; equal ones have equal duplicates.

    Attributes
    ----------
    kind : str
        For the server's list of jobs.
    state : str
        Which image stands in which row.
    different : frozenset
        Pairs of contents that are said to be different.
    rules : Rules
        By which they are judged.
    """

    kind: str
    state: str
    different: frozenset[frozenset[str]]
    rules: Rules


class Found:
    """Duplicates as they were found by some rules, and what is marked of them now.

    Parameters
    ----------
    duplicates : Duplicates
        As `Gallery.find_duplicates` returned them.
    marks : dict
        What is marked, by path and content.
    subject : Subject
        What they were found of.
    """

    def __init__(self, duplicates: Duplicates, marks: dict[File, Mark], subject: Subject) -> None:
        self.marks, self.subject = marks, subject
        self.state, self.rules = subject.state, subject.rules
        self.images = duplicates.images
        self.found = sorted(
            duplicates.groups, key=lambda each: (-potential(each), each.keeper.path)
        )
        self.all = duplicates

    @cached_property
    def groups(self) -> dict[str, Group]:
        """The groups with what is marked, by id; those first by which most can be won."""
        return {
            group_id(group): marked(
                group,
                {
                    member.row: mark
                    for member in group.members
                    if (mark := self.mark_of(member)) is not None
                },
                self.rules,
            )
            for group in self.found
        }

    @property
    def duplicates(self) -> Duplicates:
        """All of it as `Gallery.trash` takes it."""
        return replace(self.all, groups=list(self.groups.values()))

    @property
    def void(self) -> list[str]:
        """Paths that are marked, but with another content than they have now, or none."""
        here = {(each.path, each.content) for group in self.found for each in group.members}
        return sorted(
            path for path, digest in self.marks if (path, bytes.fromhex(digest)) not in here
        )

    def mark_of(self, member: Member) -> Mark | None:
        """Return what a person has marked a file as."""
        if not isinstance(member.content, bytes):
            return None
        return self.marks.get((member.path, member.content.hex()))

    def group(self, name: object) -> Group:
        """Return the group of an id.

        Raises
        ------
        AskedError
            There is none, any more.
        """
        group = self.groups.get(name) if isinstance(name, str) else None
        if group is None:
            raise AskedError("this group is not there any more: something has changed", 409)
        return group


class Moving(NamedTuple):
    """Files on their way: "to the trash" or "back", what became of them, and what moves them."""

    what: str
    outcome: Outcome
    job: Job


class Worklist:
    """Finds duplicates for a server, and has decisions written.

    Parameters
    ----------
    state : State
        The gallery.

    Attributes
    ----------
    moving : Moving or None
        What is moved now, or was last.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._subject: Any = None
        self._among: tuple[Any, list[int]] | None = None
        self._compared: dict[Any, str] = {}
        self._last: Found | None = None
        self._guard = threading.Lock()
        self.moving: Moving | None = None

    def begun(self) -> tuple[Job, dict[File, Mark], Subject]:
        """Return the search for what there is now, what is marked of it, and what it is of."""
        with Gallery.open(self._state.path, mode="r") as gallery:
            marks, subject = gallery.marks, self.subject_of(gallery)
        if self._subject not in (None, subject):
            if (earlier := self._state.jobs.find(self._subject)) is not None:
                earlier.stop()
            self._state.jobs.forget(self._subject)
        self._subject = subject
        job = self._state.jobs.begin(
            subject, "duplicates", lambda report: self._find(subject, report)
        )
        return job, marks, subject

    def found(self, seconds: float = 30.0) -> Found:
        """Return what is found now.

        Raises
        ------
        AskedError
            It takes longer than so many seconds, or cannot be done.
        """
        job, marks, subject = self.begun()
        job.wait(seconds)
        if job.error is not None:
            raise AskedError(job.error, 500)
        if job.result is None:
            raise AskedError("duplicates are being searched: again in a moment", 503)
        return self.laid_over(job.result, marks, subject)

    def laid_over(self, duplicates: Duplicates, marks: dict[File, Mark], subject: Subject) -> Found:
        """Return what is found with what is marked, as before if nothing is otherwise."""
        last = self._last
        if last is None or last.all is not duplicates or last.marks != marks:
            last = self._last = Found(duplicates, marks, subject)
        return last

    @contextmanager
    def changing(self) -> Iterator[Gallery]:
        """Open the gallery to write down what is decided."""
        with self._state.writing() as gallery:
            yield gallery

    def batches(self) -> list[Batch]:
        """Return what lies in the trash, what was moved last first."""
        with Gallery.open(self._state.path, mode="r") as gallery:
            return gallery.batches

    def move(self, what: str, work: Callable[[Outcome, Report], None]) -> Moving:
        """Begin to move files, or bring them back; one move at a time.

        Raises
        ------
        AskedError
            Another is at work.
        """
        with self._guard:
            if self.moving is not None and self.moving.job.running:
                raise AskedError(f"files are being moved {self.moving.what}: wait for that", 409)
            outcome = Outcome()
            subject = ("moving", object())
            job = self._state.jobs.begin(subject, "moving", lambda report: work(outcome, report))
            self.moving = Moving(what, outcome, job)
            return self.moving

    @staticmethod
    def subject_of(gallery: Gallery) -> Subject:
        """Return what there is to be searched in a state of the gallery."""
        different = frozenset(gallery.different)
        return Subject("duplicates", gallery.row_identity(), different, gallery.rules)

    def _find(self, subject: Subject, report: Report) -> Duplicates:
        """Find duplicates: among all, or among those found earlier if these have all links."""
        with Gallery.open(self._state.path, mode="r") as gallery:
            if self.subject_of(gallery) != subject:
                raise ValueError("the gallery is being changed: again in a moment")
            among = None
            if self._among is not None:
                (earlier, before), rows = self._among
                if earlier == subject.state and before <= subject.different:
                    among = rows
            found = gallery.find_duplicates(
                exact=is_untrained(gallery.space),
                rules=subject.rules,
                progress=report,
                comparing=report,
                among=among,
                compared=self._compared,
            )
        if among is None:
            rows = sorted(member.row for group in found.groups for member in group.members)
            self._among = (subject.state, subject.different), rows
        return found


def file_id(member: Member) -> str:
    """Return what is equal for one path of one content."""
    content = member.content if isinstance(member.content, bytes) else b""
    return hashlib.blake2b(os.fsencode(member.path) + b"\0" + content, digest_size=8).hexdigest()


def group_id(group: Group) -> str:
    """Return what is equal for one set of files."""
    text = " ".join(sorted(map(file_id, group.members)))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def kind_of(group: Group) -> str:
    """Return "identical", "same" or "look", by what was found of a group's files."""
    if any(member.verdict == "look" for member in group.others):
        return "look"
    return "identical" if all(member.exact for member in group.others) else "same"


def potential(group: Group) -> int:
    """Return the bytes that would be won if all but the best went."""
    return sum(member.facts.bytes for member in group.others)
