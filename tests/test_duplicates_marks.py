"""What a person has marked, laid over a group: who goes then, and for whose sake."""

import itertools
from dataclasses import replace

from lookalike.duplicates import Facts, Group, Member, Rules
from lookalike.duplicates.marks import BY_HAND, marked


def group_of(*verdicts, contents=None):
    """A group of files that are compared with the first."""
    members = [
        Member(row, f"/p/{row}", verdict, "", 0, 0.0, False, Facts(bytes=10), content)
        for row, (verdict, content) in enumerate(
            zip(verdicts, contents or [bytes([row]) for row in range(len(verdicts))], strict=True)
        )
    ]
    return Group(members[0], tuple(members[1:]))


def told(group):
    return {member.row: (member.verdict, member.keeper) for member in group.members}


def test_what_follows_from_a_mark_for_the_others():
    found = group_of("keep", "remove", "look")
    assert told(marked(found, {})) == told(found)
    # What was compared with the best alone does not go for the sake of another.
    left = marked(found, {0: "remove", 2: "keep"})
    assert told(left)[0] == ("remove", 2)
    assert told(left)[1][0] == "look"
    assert left.keeper.row == 2
    assert left.winnable == 10
    # Nobody else stays: what was to go does.
    assert told(marked(found, {0: "remove", 2: "remove"})) == {
        0: ("remove", 1),
        1: ("keep", 1),
        2: ("remove", 1),
    }
    # All are marked to go: the best stays.
    assert told(marked(found, dict.fromkeys(range(3), "remove")))[0] == ("keep", 0)
    # Another file of the content stays.
    copies = group_of("keep", "remove", "look", contents=[b"a", b"b", b"b"])
    assert told(marked(copies, {0: "remove"}))[1] == ("remove", 2)
    protected = marked(found, {2: "remove"}, Rules(protect=["/p"]))
    assert told(protected)[2][0] == "look"
    assert marked(found, {2: "remove"}).others[1].reason == BY_HAND


def test_a_file_in_doubt_is_no_ones_keeper_if_another_stays():
    found = group_of("keep", "look", "look")
    doubtful = replace(found.keeper, facts=Facts(doubt="has changed since it was indexed"))
    left = marked(Group(doubtful, found.others), {2: "remove"})
    assert told(left)[2] == ("remove", 1)


def test_a_group_always_keeps_one():
    """Whatever is marked, whoever goes has one that stays."""
    for verdicts in itertools.product(("remove", "look"), repeat=2):
        for contents in itertools.product((b"a", b"b"), repeat=3):
            found = group_of("keep", *verdicts, contents=list(contents))
            for marks in itertools.product((None, "keep", "remove"), repeat=3):
                given = {row: mark for row, mark in enumerate(marks) if mark}
                left = marked(found, given)
                verdict = {member.row: member.verdict for member in left.members}
                assert sorted(verdict) == [0, 1, 2]
                assert verdict[left.keeper.row] == "keep"
                for member in left.others:
                    if member.removable:
                        assert verdict[member.keeper] != "remove"
                    assert given.get(member.row) != "keep" or not member.removable
