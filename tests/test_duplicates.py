"""Groups of the same picture: linked by content, features or hash, one keeper, nothing lost."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import lookalike as la
from command_line import draw
from lookalike.duplicates import (
    METRIC,
    THRESHOLD,
    Facts,
    Witnesses,
    file_facts,
    find_duplicates,
)
from lookalike.duplicates import links as links_module
from lookalike.duplicates.groups import SERIES
from lookalike.duplicates.links import Joined, join_near

SAME, NEAR = 20, 60


def scattered(rng, count):
    """Rows far from each other, as features of different photos are."""
    return (rng.gamma(0.5, size=(count, 64)) * (rng.random((count, 64)) < 0.3)).astype(np.float32)


def groups_of(found):
    return {frozenset(member.path for member in group.members) for group in found.groups}


def witnesses(hashes, why_not=lambda one, other: "", different=()):
    """Witnesses who know all hashes and are asked about each pair."""
    return Witnesses(
        np.asarray(hashes, np.uint8),
        np.ones(len(hashes), bool),
        SAME,
        NEAR,
        lambda pairs: [why_not(*pair) for pair in pairs],
        different,
    )


def hash_with(bits):
    """A hash that differs from the empty one in so many bits."""
    return np.packbits(np.arange(256) < bits)


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_components_are_scipys(count, links):
    left, right = (np.array([link[i] % count for link in links], np.int64) for i in (0, 1))
    joined = Joined(count)
    for block in np.array_split(np.arange(len(links)), 3):  # in any portions
        joined.join(left[block], right[block])
    label = joined.label
    _, expected = connected_components(coo_matrix((left >= 0, (left, right)), (count, count)))
    assert (label <= np.arange(count)).all()
    assert (label[label] == label).all()
    for lowest in np.unique(label):
        assert len(set(expected[label == lowest])) == 1
    assert len(np.unique(label)) == len(set(expected))


def test_a_long_chain_is_one_component(rng):
    order = rng.permutation(100_000)
    joined = Joined(len(order))
    joined.join(order[:-1], order[1:])
    assert not joined.label.any()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.6), st.integers(2, 300))
def test_near_rows_are_joined_whatever_the_crowd(seed, radius, count):
    """With 3 nearest and 50 pairs at once nearly all rows are crowded, and take the other way."""
    rng = np.random.default_rng(seed)
    rows = rng.random((count, 2))
    near = la.cdist(rows, rows, "euclidean") <= radius
    allowed = rng.random((count, count)) < 0.5
    allowed |= allowed.T
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(links_module, "NEAREST", 3)
        patched.setattr(links_module, "PAIRS_AT_ONCE", 50)
        joined = Joined(count)
        join_near(joined, np.arange(count), rows, radius, "euclidean", lambda a, b: allowed[a, b])
    _, expected = connected_components(near & allowed)
    pairs = np.column_stack([joined.label, expected])
    assert len(np.unique(pairs, axis=0)) == len(np.unique(joined.label)) == len(set(expected))


def test_groups_are_those_of_the_matrix(rng):
    features = scattered(rng, 120)
    features[60:90] = features[:30] * rng.uniform(0.9, 1.1, (30, 64))
    features[90:100] = features[60:70] * rng.uniform(0.9, 1.1, (10, 64))
    paths = [f"{i:03}" for i in range(len(features))]
    near = la.cdist(features, features, METRIC, dtype="float64") <= THRESHOLD
    _, label = connected_components(near)
    expected = {
        frozenset(paths[i] for i in np.flatnonzero(label == each)) for each in np.unique(label)
    }
    found = find_duplicates(features, paths, [None] * len(paths))
    assert groups_of(found) == {group for group in expected if len(group) > 1}
    assert len(found.groups) > 20
    assert found.images == 120
    assert found.remove == []  # nothing but features says so
    assert len(found.look) == sum(len(group.others) for group in found.groups)


def test_equal_contents_are_duplicates_at_any_distance(rng):
    features = scattered(rng, 5)
    hashes = ["x", "y", None, "x", None]
    for threshold in (None, 0.0, THRESHOLD):
        found = find_duplicates(features, list("abcde"), hashes, threshold=threshold)
        assert groups_of(found) == {frozenset("ad")}
        (member,) = found.groups[0].others
        assert member.exact
        assert member.removable
        assert member.reason == "same content"
        assert (found.keep, found.remove, found.look) == (["a"], ["d"], [])


class TestWitnesses:
    """Features, hashes, a comparison of the pictures, and a person."""

    FACTS = (Facts(200, 100, 50_000), Facts(100, 50, 9_000))

    def found(self, distance, bits, why_not=lambda one, other: "", **others):
        u, v = np.eye(2)
        near = (1 - distance) * u + distance * v
        assert la.cdist([u], [near], METRIC)[0, 0] == pytest.approx(distance)
        return find_duplicates(
            np.array([u, near]),
            ["a", "b"],
            [None, None],
            facts=lambda row: self.FACTS[row],
            witnesses=witnesses([hash_with(0), hash_with(bits)], why_not),
            **others,
        )

    @pytest.mark.parametrize(
        ("distance", "bits", "linked"),
        [
            (0.1, 0, True),
            (0.1, NEAR, True),
            (0.1, NEAR + 1, False),  # the hash speaks against the features
            (0.9, SAME, True),  # the hash alone
            (0.9, SAME + 1, False),
        ],
    )
    def test_what_links(self, distance, bits, linked):
        found = self.found(distance, bits)
        assert found.remove == (["b"] if linked else [])
        assert len(found.groups) == linked

    def test_a_difference_in_the_pictures_is_for_a_person(self):
        found = self.found(0.0, 0, lambda one, other: "they differ at the top left")
        assert (found.keep, found.remove, found.look) == (["a", "b"], [], ["b"])
        assert found.groups[0].others[0].reason == "they differ at the top left"

    def test_a_person_has_the_last_word(self):
        rows, hashes = np.ones((3, 2)), [hash_with(0)] * 3
        facts = [*self.FACTS, self.FACTS[1]]

        def found(different):
            return find_duplicates(
                rows,
                list("abc"),
                [None] * 3,
                facts=facts.__getitem__,
                witnesses=witnesses(hashes, different=different),
            )

        assert found([]).remove == ["b", "c"]
        assert found([(0, 1)]).remove == ["c"]  # b is still linked to c
        assert groups_of(found([(0, 1), (2, 1)])) == {frozenset("ac")}
        # b and c are not one picture, so one of them at least is not a's.
        assert found([(1, 2)]).remove == []

    def test_a_chain_is_not_removed(self, rng):
        u, v = np.abs(scattered(rng, 2))
        steps = np.array([(1 - t) * u + t * v for t in (0, 0.1, 0.2, 0.3, 0.6)])
        gaps = la.cdist(steps, steps, METRIC, dtype="float64")
        threshold = gaps[1, 3]
        assert gaps[0, 2] < threshold < gaps[0, 3]
        apart = np.packbits(rng.random((5, 256)) < 0.5, axis=1)
        apart[:, 7:] = 0  # between the two limits, so that features decide
        found = find_duplicates(
            steps,
            list("abcde"),
            [None] * 5,
            facts=lambda row: Facts(100 - row, 100),
            witnesses=witnesses(apart),
            threshold=threshold,
        )
        (group,) = found.groups
        assert group.keeper.path == "a"
        assert [member.path for member in group.others] == list("bcd")
        assert [member.distance for member in group.others] == gaps[0, 1:4].tolist()
        assert [member.removable for member in group.others] == [True, True, False]
        assert "another of the group" in group.others[2].reason
        assert (found.keep, found.remove) == (["a", "d"], ["b", "c"])

    def test_a_series_is_not_compared(self):
        count = SERIES + 1
        asked = []
        found = find_duplicates(
            np.ones((count, 4)),
            [f"{i:03}" for i in range(count)],
            [None] * count,
            facts=lambda row: Facts(9, 9),
            witnesses=witnesses([hash_with(0)] * count, lambda *pair: asked.append(pair) or ""),
        )
        assert found.remove == []
        assert len(found.look) == SERIES
        assert "one of a series of 101 pictures" in found.groups[0].others[0].reason
        assert asked == []

    def test_copies_of_what_goes_go_for_its_keepers_sake(self):
        facts = [Facts(200, 100), Facts(100, 50), Facts(100, 50)]
        found = find_duplicates(
            np.ones((3, 2)),
            list("abc"),
            [None, "x", "x"],
            facts=facts.__getitem__,
            witnesses=witnesses([hash_with(0)] * 3),
        )
        assert found.remove == ["b", "c"]
        assert {member.keeper for member in found.groups[0].others} == {0}
        # One that stays for a person keeps its own copies' content on the disk.
        found = find_duplicates(
            np.ones((3, 2)),
            list("abc"),
            [None, "x", "x"],
            facts=facts.__getitem__,
            witnesses=witnesses([hash_with(0)] * 3, lambda one, other: "another"),
        )
        assert (found.remove, found.look) == (["c"], ["b"])
        assert found.groups[0].others[1].keeper == 1


def test_many_equal_rows_are_cheap():
    features = np.zeros((20_000, 8), np.float32)
    features[::2, 0] = 1
    paths = [str(i) for i in range(len(features))]
    found = find_duplicates(features, paths, [None] * len(features))
    assert [1 + len(group.others) for group in found.groups] == [10_000, 10_000]


@pytest.mark.long
def test_memory_grows_with_the_images_alone(run_python):
    """Of 5,000 frames of one scene all 12 million pairs are within the threshold."""
    script = """
import resource, numpy as np
from lookalike.duplicates import Witnesses, find_duplicates
rng = np.random.default_rng(0)
rows = (rng.random((5_000, 64)) + rng.random(64) * 50).astype(np.float32)
hashes = np.packbits(rng.random((len(rows), 256)) < .02, axis=1)
names = [str(i) for i in range(len(rows))]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = find_duplicates(
    rows, names, [None] * len(rows), witnesses=Witnesses(hashes, np.ones(len(rows), bool), 20, 60)
)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
assert len(found.groups) == 1 and len(found.look) == len(rows) - 1, found.groups
"""
    assert int(run_python(script)) < 300 << 10  # KiB; all pairs at once would take 400 MiB, twice


def test_nothing_and_wrong_arguments():
    nothing = find_duplicates(np.empty((0, 4), np.float32), [], [])
    assert (nothing.groups, nothing.images, nothing.keep) == ([], 0, [])
    rows = np.ones((2, 4), np.float32)
    with pytest.raises(ValueError, match="equal lengths, got 2, 1 and 2"):
        find_duplicates(rows, ["a"], [None] * 2)
    with pytest.raises(ValueError, match="threshold must be at least 0, got -1"):
        find_duplicates(rows, ["a", "b"], [None] * 2, threshold=-1)
    with pytest.raises(ValueError, match="metric must be one of"):
        find_duplicates(rows, ["a", "b"], [None] * 2, metric="dice")
    with pytest.raises(ValueError, match=r"must be \(2, 32\) and \(2,\), got \(1, 32\)"):
        find_duplicates(rows, ["a", "b"], [None] * 2, witnesses=witnesses([hash_with(0)]))


class TestFiles:
    """What files are on the disk decides what may be removed."""

    @pytest.fixture
    def files(self, tmp_path):
        draw("round", 1).save(tmp_path / "a.png")
        (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
        return tmp_path

    def found(self, folder, *names, known=None):
        paths = [str(folder / name) for name in names]
        stats = known or [os.stat(path) for path in paths]

        def facts(row):
            return file_facts(paths[row], stats[row].st_size, stats[row].st_mtime_ns)

        found = find_duplicates(
            np.ones((len(paths), 4), np.float32), paths, ["same"] * len(paths), facts=facts
        )
        return [os.path.basename(path) for path in found.remove], found.groups[0]

    def test_a_copy_may_go(self, files):
        removed, group = self.found(files, "b.png", "a.png")
        assert removed == ["b.png"]
        assert group.keeper.facts.bytes == group.winnable == (files / "a.png").stat().st_size

    def test_a_file_that_changed_stays_and_is_not_relied_on(self, files):
        known = [os.stat(files / name) for name in ("a.png", "b.png")]
        os.utime(files / "a.png", ns=(1, 1))
        removed, group = self.found(files, "a.png", "b.png", known=known)
        assert removed == []
        assert group.keeper.path.endswith("b.png")
        assert group.others[0].reason == "has changed since it was indexed"
        (files / "b.png").unlink()
        removed, group = self.found(files, "a.png", "b.png", known=known)
        assert removed == []
        assert {group.keeper.reason, group.others[0].reason} == {
            "No such file or directory",
            "has changed since it was indexed",
        }

    def test_a_second_name_of_the_same_file_is_never_removed(self, files):
        os.link(files / "a.png", files / "hard.png")
        (files / "soft.png").symlink_to("a.png")
        (files / "folder").symlink_to(".")
        removed, group = self.found(files, "soft.png", "hard.png", "folder/a.png", "a.png", "b.png")
        assert removed == ["b.png"]
        assert os.path.basename(group.keeper.path) in ("a.png", "hard.png")
        assert "a symbolic link" in [member.reason for member in group.others]

    def test_rows_that_are_no_files_stay(self):
        assert file_facts("row 1", None, None).doubt == "not a file"
