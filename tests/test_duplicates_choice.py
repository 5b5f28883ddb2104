"""Which of several files of one picture stays, and whether another may go for its sake."""

import numpy as np
import pytest

from lookalike.duplicates import Facts, Rules, Witnesses, find_duplicates


def found(facts, paths="ab", hashes=None, rules=None):
    hashes_alike = np.zeros((len(facts), 32), np.uint8)
    known = np.ones(len(facts), bool)
    alike = Witnesses(hashes_alike, known, 20, 60, lambda pairs: [""] * len(pairs))
    return find_duplicates(
        np.ones((len(facts), 4), np.float32),
        list(paths),
        hashes or [None] * len(facts),
        facts=facts.__getitem__,
        witnesses=alike,
        rules=rules,
    )


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        (Facts(9, 9, 100), Facts(9, 8, 100), "fewer pixels"),
        (Facts(9, 9, 101), Facts(9, 9, 100), "fewer bytes"),
        (Facts(9, 9, 10), Facts(9, 9, 100, grey=True), "without colour"),  # more bytes, yet
        (Facts(9, 9, 100), Facts(9, 9, 10, grey=True), "without colour"),
        (Facts(9, 9, 100, camera="X"), Facts(9, 9, 10), "without the camera's data"),
        (Facts(9, 9, 10, camera="X"), Facts(9, 9, 100), None),
        (Facts(9, 9, 10, camera="X", format="JPEG"), Facts(9, 9, 99, format="PNG"), "camera"),
        (Facts(9, 9, 10, format="JPEG"), Facts(9, 9, 99, format="PNG"), None),
        (Facts(9, 8, 10, camera="X"), Facts(9, 9, 99), None),  # each is better in something
        (Facts(9, 9, 99, taken="1"), Facts(9, 9, 10, taken="2"), None),
        (Facts(9, 9, 99, taken="1"), Facts(8, 8, 10, taken="2"), None),
        (Facts(9, 9, 99, taken="1"), Facts(8, 8, 10), "without its time in EXIF"),
        (Facts(9, 9, 10, taken="1"), Facts(9, 9, 99), None),
        # Saved again at a higher quality, enlarged: more bytes or pixels, and younger.
        (Facts(9, 9, 99, mtime_ns=2 * 10**9), Facts(9, 9, 10, mtime_ns=10**9), None),
        (Facts(9, 9, 99, mtime_ns=2 * 10**9), Facts(5, 5, 10, mtime_ns=10**9), None),
        (Facts(9, 9, 99, mtime_ns=10**9), Facts(5, 5, 10, mtime_ns=2 * 10**9), "fewer pixels"),
        (Facts(9, 9, 9, 2 * 10**9, camera="X"), Facts(9, 9, 9, 10**9), "without the camera's data"),
        (Facts(9, 9, 9, format="JPEG"), Facts(5, 5, 9, format="TIFF"), None),
        (Facts(9, 9, 9, format="TIFF"), Facts(5, 5, 9, format="JPEG"), "fewer pixels"),
        (Facts(), Facts(), None),  # nothing is known
    ],
)
def test_of_other_copies(better, worse, reason):
    for facts, first in (([better, worse], "a"), ([worse, better], "b")):
        outcome = found(facts)
        (other,) = outcome.groups[0].others
        if reason is None:
            assert outcome.remove == []
            assert other.verdict == "look"
            assert other.reason
        else:
            assert outcome.groups[0].keeper.path == first
            assert outcome.remove == [other.path]
            assert reason in other.reason


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("/nas/album/a.jpg", "/nas/#recycle/a.jpg", "in a bin or cache"),
        ("/x/IMG_1.jpg", "/x/IMG_1 (1).jpg", "named like a copy"),
        ("/x/IMG_1.jpg", "/x/Copy of IMG_1.jpg", "named like a copy"),
        ("/x/IMG_1.jpg", "/IMG_1-edited.jpg", "named like a copy"),
        ("/x/a.jpg", "/x/deep/er/b.jpg", "same content"),
        ("/tmp/album/a.jpg", "/tmp/temp/a.jpg", "in a bin or cache"),  # not the whole of /tmp
    ],
)
def test_of_equal_contents_the_place_decides(first, second, reason):
    for paths in ((first, second), (second, first)):
        outcome = found([Facts(9, 9, 100)] * 2, paths, ["x", "x"])
        assert outcome.remove == [second]
        assert reason in outcome.groups[0].others[0].reason


def test_of_equal_contents_the_oldest_stays():
    facts = [Facts(9, 9, 9, mtime_ns=2), Facts(9, 9, 9, mtime_ns=1)]
    assert found(facts, hashes=["x", "x"]).keep == ["b"]
    newest = Rules(keep="newest")
    assert found(facts, hashes=["x", "x"], rules=newest).keep == ["a"]


def test_wishes():
    facts = [Facts(9, 9, 9, mtime_ns=2 * 10**9), Facts(8, 8, 8, mtime_ns=3 * 10**9)]
    assert found(facts).remove == ["b"]
    assert found(facts, rules=Rules(keep="oldest")).remove == ["b"]
    assert found(facts, rules=Rules(keep="largest")).remove == ["b"]
    outcome = found(facts, rules=Rules(keep="newest"))
    assert (outcome.groups[0].keeper.path, outcome.remove) == ("b", [])  # a has more pixels
    assert outcome.groups[0].others[0].reason == "has more pixels"
    equal = [facts[0], facts[0]]
    assert found(equal, rules=Rules(keep="newest")).remove == ["b"]
    # No wish keeps an edit for its original.
    facts = [facts[0], Facts(9, 9, 9, mtime_ns=3 * 10**9, grey=True)]
    assert found(facts, rules=Rules(keep="newest")).keep == ["a"]


def test_preferred_and_protected_folders(tmp_path):
    paths = [str(tmp_path / "in" / "a.jpg"), str(tmp_path / "out" / "b.jpg")]
    facts = [Facts(8, 8, 8), Facts(9, 9, 9)]
    assert found(facts, paths).remove == [paths[0]]
    prefer = Rules(prefer=[tmp_path / "in"])
    outcome = found(facts, paths, rules=prefer)
    assert (outcome.groups[0].keeper.path, outcome.remove) == (paths[0], [])  # b has more pixels
    assert found(facts, paths, ["x", "x"], rules=prefer).remove == [paths[1]]
    assert found([facts[0]] * 2, paths, rules=prefer).remove == [paths[1]]
    both = Rules(protect=[tmp_path])
    outcome = found(facts, paths, rules=both)
    assert outcome.remove == []
    assert outcome.groups[0].others[0].reason == "protected"
    assert found(facts, paths, ["x", "x"], rules=both).remove == []
    one = Rules(protect=[tmp_path / "in"])
    assert found([facts[1]] * 2, paths, rules=one).remove == [paths[1]]


def test_wrong_rules():
    with pytest.raises(TypeError, match="prefer must be several folders, got one, '/a'"):
        Rules(prefer="/a")
    with pytest.raises(ValueError, match="keep must be one of oldest, newest, largest or None"):
        Rules(keep="best")
