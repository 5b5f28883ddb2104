"""Groups of the same picture: linked by content or distance, one keeper, nothing lost."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import lookalike as la
from command_line import draw
from lookalike.duplicates import METRIC, THRESHOLD, Facts, connected, file_facts, find_duplicates


def scattered(rng, count):
    """Rows far from each other, as features of different photos are."""
    return (rng.gamma(0.5, size=(count, 64)) * (rng.random((count, 64)) < 0.3)).astype(np.float32)


def groups_of(found):
    return {frozenset(m.path for m in (g.keeper, *g.others)) for g in found.groups}


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_components_are_scipys(count, links):
    left, right = (np.array([link[i] % count for link in links], np.int64) for i in (0, 1))
    label = connected(count, left, right)
    _, expected = connected_components(coo_matrix((left >= 0, (left, right)), (count, count)))
    assert (label <= np.arange(count)).all()
    assert (label[label] == label).all()
    for lowest in np.unique(label):
        assert len(set(expected[label == lowest])) == 1
    assert len(np.unique(label)) == len(set(expected))


def test_a_long_chain_is_one_component(rng):
    order = rng.permutation(100_000)
    assert not connected(len(order), order[:-1], order[1:]).any()


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


def test_equal_contents_are_duplicates_at_any_distance(rng):
    features = scattered(rng, 5)
    hashes = ["x", "y", None, "x", None]
    for threshold in (None, 0.0, THRESHOLD):
        found = find_duplicates(features, list("abcde"), hashes, threshold=threshold)
        assert groups_of(found) == {frozenset("ad")}
        (member,) = found.groups[0].others
        assert member.exact
        assert member.removable
        assert (found.keep, found.remove) == (["a"], ["d"])


@pytest.mark.parametrize(
    ("pixels", "sizes", "expected"),
    [
        ([1, 3, 2], [9, 1, 9], "b"),  # most pixels
        ([3, 3, 2], [1, 2, 9], "b"),  # then most bytes
        ([3, 3, 3], [2, 2, 2], "a"),  # then the first path
    ],
)
def test_the_keeper_has_most_pixels_then_bytes_then_the_first_path(pixels, sizes, expected):
    features = np.ones((3, 4), np.float32)
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        paths = ["abc"[i] for i in order]

        def facts(row, order=order):
            return Facts(pixels[order[row]], sizes[order[row]])

        found = find_duplicates(features, paths, [None] * 3, facts=facts)
        assert found.keep == [expected]
        assert sorted(found.remove) == sorted(set("abc") - {expected})


def test_distances_are_to_the_keeper_and_a_chain_is_not_removed(rng):
    u, v = np.abs(scattered(rng, 2))
    steps = np.array(
        [u, 0.9 * u + 0.1 * v, 0.8 * u + 0.2 * v, 0.7 * u + 0.3 * v, 0.4 * u + 0.6 * v]
    )
    gaps = la.cdist(steps, steps, METRIC, dtype="float64")
    threshold = gaps[1, 3]
    assert gaps[0, 2] < threshold < gaps[0, 3]
    found = find_duplicates(steps, list("abcde"), [None] * 5, threshold=threshold)
    (group,) = found.groups
    assert group.keeper.path == "a"
    assert [member.path for member in group.others] == list("bcd")
    assert [member.distance for member in group.others] == gaps[0, 1:4].tolist()
    assert [member.removable for member in group.others] == [True, True, False]
    assert "another of the group" in group.others[2].note
    assert (found.keep, found.remove) == (["a", "d"], ["b", "c"])


def test_many_equal_rows_are_cheap():
    features = np.zeros((20_000, 8), np.float32)
    features[::2, 0] = 1
    paths = [str(i) for i in range(len(features))]
    found = find_duplicates(features, paths, [None] * len(features))
    assert [1 + len(group.others) for group in found.groups] == [10_000, 10_000]


def test_nothing_and_wrong_arguments():
    nothing = find_duplicates(np.empty((0, 4), np.float32), [], [])
    assert (nothing.groups, nothing.images, nothing.keep) == ([], 0, [])
    rows = np.ones((2, 4), np.float32)
    with pytest.raises(ValueError, match="equal lengths, got 2, 1 and 2"):
        find_duplicates(rows, ["a"], [None] * 2)
    with pytest.raises(ValueError, match="threshold must be at least 0, got -1"):
        find_duplicates(rows, ["a", "b"], [None] * 2, threshold=-1)
    with pytest.raises(ValueError, match="metric must be one of"):
        find_duplicates(rows, ["a", "b"], [None] * 2, metric="hamming")


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
        assert group.keeper.pixels == 160 * 120
        assert group.keeper.bytes == (files / "a.png").stat().st_size

    def test_a_file_that_changed_stays_and_is_not_relied_on(self, files):
        known = [os.stat(files / name) for name in ("a.png", "b.png")]
        os.utime(files / "a.png", ns=(1, 1))
        removed, group = self.found(files, "a.png", "b.png", known=known)
        assert removed == []
        assert group.keeper.path.endswith("b.png")
        assert group.others[0].note == "has changed since it was indexed"
        (files / "b.png").unlink()
        removed, group = self.found(files, "a.png", "b.png", known=known)
        assert removed == []
        assert {group.keeper.note, group.others[0].note} == {
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
        assert "a symbolic link" in [member.note for member in group.others]

    def test_rows_that_are_no_files_stay(self):
        assert file_facts("row 1", None, None).doubt == "not a file"
