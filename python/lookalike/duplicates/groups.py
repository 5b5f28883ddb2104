"""What becomes of each image of a group."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.distance import cdist
from lookalike.distance.metrics import AnyMetric
from lookalike.duplicates.choice import Choice, Rules, best, judge, judge_equal
from lookalike.duplicates.facts import Facts
from lookalike.duplicates.result import Group, Member
from lookalike.duplicates.witnesses import Looks, Pair

__all__ = ["SERIES", "Judgement"]

SERIES = 100
"""Pictures of a group beyond which they are a series (frames of a fixed camera), none of which is
compared with another."""


class Judgement:
    """All that is asked before an image may go.

    Parameters
    ----------
    features : (n, d) array
        The images' rows.
    paths, contents
        Of each image, its path and its content's hash.
    facts : dict
        Of each image of a group, what is known of its file.
    looks : Looks
        What else is known.
    rules : Rules
        What a person wants.
    threshold : float or None
        Largest distance of features that are near.
    metric : str or Metric
        The distance.
    """

    def __init__(
        self,
        features: npt.NDArray[Any],
        paths: Sequence[str],
        contents: Sequence[Hashable | None],
        facts: dict[int, Facts],
        looks: Looks,
        rules: Rules,
        threshold: float | None,
        metric: AnyMetric,
    ) -> None:
        self._features = features
        self._paths = paths
        self._contents = contents
        self._facts = facts
        self._looks = looks
        self._rules = rules
        self._threshold = threshold
        self._metric = metric

    def of(self, groups: Sequence[Sequence[int]]) -> list[Group]:
        """Judge groups of rows; the groups by which most bytes can be won come first."""
        drafts = [_Draft(rows, self) for rows in groups]
        # All pictures that have to be compared, at once: it is most of the work.
        pairs = [pair for draft in drafts for pair in draft.to_compare]
        why_not = dict(zip(pairs, self._looks.compare(pairs), strict=True))
        judged = [draft.group(why_not) for draft in drafts]
        return sorted(judged, key=lambda group: (-group.winnable, group.keeper.path))

    def best(self, rows: Sequence[int]) -> int:
        """Return the one that should stay of some that are one picture."""
        return best(rows, self._facts, self._paths, self._rules)

    def copies(self, rows: Sequence[int]) -> dict[int, list[int]]:
        """Return the rows of each content, by the one of them that should stay."""
        alike: dict[Hashable, list[int]] = {}
        for row in rows:
            content = self._contents[row]
            alike.setdefault(("row", row) if content is None else content, []).append(row)
        return {self.best(some): some for some in alike.values()}

    def distances(self, keeper: int, rows: Sequence[int]) -> dict[int, float]:
        """Return the distances of rows to the keeper's."""
        made = cdist(
            self._features[[keeper]], self._features[list(rows)], self._metric, dtype="float64"
        )
        return dict(zip(rows, made[0].tolist(), strict=True))

    def before_comparing(self, keeper: int, goer: int, distance: float) -> Choice:
        """Say whether an image of another content may go if the pictures turn out to be one."""
        near = self._threshold is not None and distance <= self._threshold
        if not self._looks.links(keeper, goer, near=near):
            return Choice(False, "like another of the group, not like the one to keep")
        if doubt := self.doubt(keeper, goer):
            return Choice(False, doubt)
        if not self._looks.knows(keeper, goer):
            return Choice(False, "one of the two pictures has not been looked at yet")
        return judge(keeper, goer, self._facts, self._paths, self._rules)

    def equal(self, keeper: int, goer: int) -> Choice:
        """Say whether an image of the keeper's content may go."""
        if doubt := self.doubt(keeper, goer):
            return Choice(False, doubt)
        return judge_equal(keeper, goer, self._facts, self._paths, self._rules)

    def doubt(self, keeper: int, goer: int) -> str:
        """Return why nothing may be removed here whatever the pictures are; empty if it may."""
        if self._rules.protected(self._paths[goer]):
            return "protected"
        about_keeper = self._facts[keeper].doubt
        return self._facts[goer].doubt or (
            f"the one to keep is in doubt: {about_keeper}" if about_keeper else ""
        )

    def member(
        self, row: int, keeper: int, choice: Choice, distance: float, *, best: bool = False
    ) -> Member:
        """Return an image as it is shown."""
        exact = row == keeper or (
            self._contents[row] is not None and self._contents[row] == self._contents[keeper]
        )
        verdict = "keep" if best else "remove" if choice.sure else "look"
        return Member(
            row=row,
            path=self._paths[row],
            verdict=verdict,  # type: ignore[arg-type]  # one of the three
            reason=choice.reason,
            keeper=keeper,
            distance=distance,
            exact=exact,
            facts=self._facts[row],
            content=self._contents[row],
        )

    def contradicting(self, rows: Sequence[int]) -> set[int]:
        """Return those of some images, all like one, that a person has said to be different."""
        one, other = np.triu_indices(len(rows), 1)
        left, right = np.asarray(rows, np.int64)[one], np.asarray(rows, np.int64)[other]
        apart = ~self._looks.not_different(left, right)
        return {*left[apart].tolist(), *right[apart].tolist()}

    def remark(self, keeper: int) -> str:
        """Return what there is to say of an image that stays."""
        known = self._facts[keeper]
        if known.doubt:
            return known.doubt
        if self._rules.protected(self._paths[keeper]):
            return "protected"
        return ""


class _Draft:
    """A group before its pictures have been compared."""

    def __init__(self, rows: Sequence[int], judgement: Judgement) -> None:
        self._judgement = judgement
        self._copies = judgement.copies(rows)
        contents = list(self._copies)
        self._keeper = judgement.best(contents)
        self._distances = judgement.distances(self._keeper, rows)
        others = [row for row in contents if row != self._keeper]
        if len(contents) > SERIES:
            series = Choice(False, f"one of a series of {len(contents):,} pictures")
            self._choices = dict.fromkeys(others, series)
        else:
            self._choices = {
                row: judgement.before_comparing(self._keeper, row, self._distances[row])
                for row in others
            }
        self.to_compare: list[Pair] = [
            (self._keeper, row) for row, choice in self._choices.items() if choice.sure
        ]

    def group(self, why_not: dict[Pair, str]) -> Group:
        """Return the group, given what comparing its pictures found."""
        judgement, keeper = self._judgement, self._keeper
        choices = {
            row: Choice(False, reason) if (reason := why_not.get((keeper, row), "")) else choice
            for row, choice in self._choices.items()
        }
        gone = [row for row, choice in choices.items() if choice.sure]
        for row in judgement.contradicting(gone):
            choices[row] = Choice(False, "said to be different from another copy")
        members = []
        for first, copies in self._copies.items():
            choice = choices.get(first)
            stays = choice is None or not choice.sure
            for row in copies:
                if row == keeper:
                    remark = Choice(False, judgement.remark(row))
                    made = judgement.member(row, row, remark, 0.0, best=True)
                elif row == first:
                    assert choice is not None
                    made = judgement.member(row, keeper, choice, self._distances[row])
                elif stays:
                    found = judgement.equal(first, row)
                    made = judgement.member(row, first, found, self._distances[row])
                else:  # what goes for another picture's sake takes its copies along
                    assert choice is not None
                    doubt = judgement.doubt(keeper, row)
                    found = Choice(False, doubt) if doubt else choice
                    made = judgement.member(row, keeper, found, self._distances[row])
                members.append(made)
        members = _without_second_names(members)
        members.sort(key=lambda each: (each.verdict != "keep", each.distance, each.path))
        return Group(members[0], tuple(members[1:]))


def _without_second_names(members: list[Member]) -> list[Member]:
    """Keep all names of a file that stays under one of them, or whoever removes one loses it."""
    staying = {each.facts.identity for each in members if not each.removable} - {None}
    return [
        replace(each, verdict="look", reason="another name of a file that stays")
        if each.removable and each.facts.identity in staying
        else each
        for each in members
    ]
