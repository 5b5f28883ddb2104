"""An index that is asked in other ways than for queries' nearest, and that grows."""

import pickle
import threading
from copy import copy

import numpy as np
import pytest

import lookalike as la
from matrices import googlenet_like
from reference import METRICS, assert_neighbours, assert_same_bits

every_metric = pytest.mark.parametrize("metric", METRICS)


def rows_with_ties(n=700, d=40):
    X = googlenet_like(n, d)
    X[20:60] = X[5]
    X[n - 30 :] = X[7]
    return X


def grown(X, metric="correlation", first=300, step=90, **options):
    index = la.Index(X[:first], metric, **options)
    for start in range(first, len(X), step):
        index.add(X[start : start + step])
    return index


def assert_same_radius(found, expected):
    for name in ("indptr", "indices", "distances"):
        assert_same_bits(getattr(found, name), getattr(expected, name))


def masked_knn(X, Q, k, metric, mask, exclude=None):
    """The nearest rows that are not masked, by the search of the others alone."""
    left = np.flatnonzero(~mask)
    if exclude is not None:
        places = np.full(len(X) + 1, -1)
        places[left] = np.arange(len(left))
        exclude = places[exclude]
    near = la.knn(Q, X[left], k=k, metric=metric, exclude=exclude)
    return la.Neighbors(near.distances, left[near.indices])


@every_metric
def test_rows_among_themselves(metric, tmp_path):
    X = rows_with_ties()
    la.Index(X, metric).save(tmp_path / "a.index")
    for index in (la.Index(X, metric), la.Index.open(tmp_path / "a.index"), grown(X, metric)):
        for self_too in (False, True):
            expected = la.knn(X, k=30, metric=metric, include_self=self_too)
            assert_neighbours(index.knn(k=30, include_self=self_too), expected)
    stats = la.Index(X, metric).knn(k=30, return_stats=True)[1]
    assert stats["pairs"] <= 700 * 701 // 2


@every_metric
@pytest.mark.parametrize("queries", [1, 9, 60])
def test_rows_within_a_radius(metric, queries):
    X, Q = rows_with_ties(), googlenet_like(queries, 40, seed=1)
    radius = float(np.quantile(la.cdist(Q, X, metric), 0.1))
    for index in (la.Index(X, metric), grown(X, metric)):
        expected = la.radius_neighbors(Q, X, radius=radius, metric=metric)
        assert_same_radius(index.radius_neighbors(Q, radius=radius), expected)
        for self_too in (False, True):
            expected = la.radius_neighbors(X, radius=radius, metric=metric, include_self=self_too)
            found = index.radius_neighbors(radius=radius, include_self=self_too)
            assert_same_radius(found, expected)


@every_metric
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_masked_rows_are_not_found(metric, share, rng):
    X, Q = rows_with_ties(), googlenet_like(40, 40, seed=1)
    mask = rng.random(len(X)) < share
    left = int((~mask).sum())
    exclude = rng.integers(-1, len(X), 40)
    for index in (la.Index(X, metric), grown(X, metric)):
        for k in (1, min(20, left), left):
            expected = masked_knn(X, Q, k, metric, mask)
            assert_neighbours(index.knn(Q, k, mask=mask), expected)
        expected = masked_knn(X, Q, left - 1, metric, mask, exclude)
        assert_neighbours(index.knn(Q, left - 1, mask=mask, exclude=exclude), expected)
        # Among themselves, each but itself; rows that are masked ask as well.
        expected = masked_knn(X, X, left - 1, metric, mask, np.arange(len(X)))
        assert_neighbours(index.knn(k=left - 1, mask=mask), expected)
        with pytest.raises(ValueError, match=rf"from 1 to {left} \(the rows that are not masked\)"):
            index.knn(Q, left + 1, mask=mask)
        with pytest.raises(ValueError, match=f"from 1 to {left - 1} "):
            index.knn(k=left, mask=mask)


@pytest.mark.parametrize("metric", ["euclidean", "canberra"])
def test_masked_and_excluded_rows_are_not_within_a_radius(metric, rng):
    X, Q = rows_with_ties(), googlenet_like(40, 40, seed=1)
    D = la.cdist(X, X, metric, dtype="float64")
    radius = float(np.quantile(D, 0.2))
    mask = rng.random(len(X)) < 0.3
    exclude = rng.integers(-1, len(X), len(X))
    allowed = (radius >= D) & ~mask & (np.arange(len(X)) != exclude[:, None])
    np.fill_diagonal(allowed, False)
    for index in (la.Index(X, metric), grown(X, metric)):
        found = index.radius_neighbors(radius=radius, mask=mask, exclude=exclude)
        assert found.indptr.tolist() == [0, *np.cumsum(allowed.sum(axis=1))]
        for i in range(len(X)):
            some = slice(*found.indptr[i : i + 2])
            order = np.argsort(D[i], kind="stable")
            assert found.indices[some].tolist() == order[allowed[i][order]].tolist()
            assert_same_bits(found.distances[some], D[i][found.indices[some]])
        found = index.radius_neighbors(Q, radius=radius, mask=mask, exclude=exclude[:40])
        assert not mask[found.indices].any()
        whole = la.radius_neighbors(Q, X, radius=radius, metric=metric)
        queries = np.repeat(np.arange(40), np.diff(whole.indptr))
        keep = ~mask[whole.indices] & (whole.indices != exclude[queries])
        assert_same_bits(found.indices, whole.indices[keep])
        assert_same_bits(found.distances, whole.distances[keep])


def test_masks_that_are_none():
    index = la.Index(np.eye(4))
    with pytest.raises(TypeError, match="mask must hold bools"):
        index.knn(np.eye(4), 1, mask=[0, 1, 2, 3])
    with pytest.raises(ValueError, match=r"mask must have a bool for each of 4 rows, got \(3,\)"):
        index.knn(np.eye(4), 1, mask=[True] * 3)
    with pytest.raises(ValueError, match="which is 0: nothing to find"):
        index.knn(np.eye(4), 1, mask=[True] * 4)
    with pytest.raises(ValueError, match="include_self must be False when Q is given"):
        index.knn(np.eye(4), 1, include_self=True)


@every_metric
@pytest.mark.parametrize("step", [1, 7, 150, 400])
def test_added_rows_answer_as_if_always_there(metric, step):
    X, Q = rows_with_ties(500), googlenet_like(11, 40, seed=1)
    index = grown(X, metric, 450 if step == 1 else 100, step)
    assert index.shape == (500, 40)
    exclude = np.arange(11) * 45
    for k in (1, 30, 499):
        expected = la.knn(Q, X, k=k, metric=metric)
        assert_neighbours(index.knn(Q, k), expected)
        expected = la.knn(Q, X, k=k, metric=metric, exclude=exclude)
        assert_neighbours(index.knn(Q, k, exclude=exclude), expected)
    assert_neighbours(index.knn(Q, 500), la.knn(Q, X, k=500, metric=metric))
    assert_same_bits(index.rows, X)


def test_there_are_few_segments():
    index = la.Index(googlenet_like(64, 8))
    for _ in range(200):
        index.add(googlenet_like(1, 8))
    assert len(index._now.segments.each) <= 8
    assert len(index.knn(np.ones((1, 8)), 264, return_stats=True)[1]["stages"]) >= 1


def test_an_opened_file_stays_as_it_is(tmp_path):
    X = googlenet_like(300, 20)
    path = tmp_path / "a.index"
    la.Index(X[:200], "l2").save(path)
    before = path.read_bytes()
    index = la.Index.open(path)
    index.add(X[200:])
    expected = la.knn(X[:9], X, k=20, metric="l2")
    carried = pickle.loads(pickle.dumps(index))
    for each in (index, copy(index), carried):
        assert_neighbours(each.knn(X[:9], 20), expected)
    assert path.read_bytes() == before
    assert len(la.Index.open(path)) == 200
    index.save(path)
    assert_neighbours(la.Index.open(path).knn(X[:9], 20), expected)


def test_damage_is_found_before_it_is_saved_or_joined(tmp_path):
    X = googlenet_like(3000, 20)
    path = tmp_path / "a.index"
    la.Index(X).save(path)
    whole = path.read_bytes()
    at = whole.rindex(X[2000].tobytes())
    path.write_bytes(whole[:at] + b"\x01" + whole[at + 1 :])
    index = la.Index.open(path)
    for call in (
        lambda: index.save(tmp_path / "b.index"),
        lambda: index.knn(k=3),
        lambda: index.radius_neighbors(radius=1),
        lambda: index.add(X),
    ):
        with pytest.raises(la.IndexFileError, match="part 'rows' is not as it was written"):
            call()
    assert not (tmp_path / "b.index").exists()


def test_copies_grow_apart():
    X = googlenet_like(30, 8)
    index = la.Index(X[:10])
    other = copy(index)
    index.add(X[10:])
    assert (len(index), len(other)) == (30, 10)


@pytest.mark.parametrize(
    ("dtype", "more", "becomes"),
    [
        ("float32", [[0.5, 1.0]], "float32"),
        ("float32", [[0.1, 1.0]], "float64"),
        ("uint8", [[3, 255]], "uint8"),
        ("uint8", [[-1, 255]], "int64"),
        ("float64", np.ones((1, 2), np.float16), "float64"),
    ],
)
def test_the_type_holds_every_value(dtype, more, becomes):
    X = np.array([[1, 2], [3, 5]], dtype)
    index = la.Index(X, "l1")
    index.add(more)
    assert index.rows.dtype == becomes
    assert_same_bits(index.rows.astype(float), np.concatenate((X, np.asarray(more))).astype(float))


def test_what_cannot_be_added_leaves_the_index_as_it_was():
    X = googlenet_like(20, 5)
    index = la.Index(X, ids=range(20))
    for rows, ids, says in [
        (np.ones((2, 4)), [20, 21], "rows must have 5 columns like X, got 4"),
        (X * np.nan, range(20, 40), "rows row 0 has a value that is not finite"),
        (X, None, "ids must be given for all rows or none, and the index has ids"),
        (X[:2], [3, 20], "ids must be unique, got 3 more than once"),
        (X[:2], [20, 20], "ids must be unique, got 20 more than once"),
        (X[:2], [20], r"one for each of 2 rows, got \(1,\)"),
    ]:
        with pytest.raises(ValueError, match=says):
            index.add(rows, ids)
    with pytest.raises(TypeError, match="ids must be integers, as those that are there"):
        index.add(X[:1], ["a"])
    with pytest.raises(ValueError, match="and the index has none"):
        la.Index(X).add(X, range(20))
    assert len(index) == len(index.ids) == 20
    index.add(np.empty((0, 5)), [])
    assert len(index) == 20


IDS = [
    [7, -3, 2**62, 0],
    np.array([5, 6, 7, 8], np.uint8),
    ["a", "猫", "", "a\udcff b"],
    np.array(["x", "y", "z", "w" * 300]),
]


@pytest.mark.parametrize("ids", IDS, ids=["int", "uint8", "text", "long text"])
def test_ids_are_kept(ids, tmp_path):
    X = np.eye(4)
    index = la.Index(X[:3], "l1", ids=ids[:3])
    index.add(X[3:], ids[3:])
    index.save(tmp_path / "a.index")
    for each in (index, la.Index.open(tmp_path / "a.index"), pickle.loads(pickle.dumps(index))):
        assert each.ids.tolist() == list(ids)
        assert each.ids[each.knn(X, 1).indices].ravel().tolist() == list(ids)
    with pytest.raises(ValueError, match="read-only"):
        index.ids[0] = index.ids[1]
    assert la.Index(X).ids.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([1, 2, 3], r"one for each of 4 rows, got \(3,\)"),
        ([1, 2, 3, 1], "ids must be unique, got 1 more than once"),
        (["a", "b", "c", "a"], "ids must be unique, got 'a' more than once"),
        ([1, "1", 2, 3], "ids must be all integers or all text"),
        ([True, False, 2, 3], "ids must be all integers or all text"),
        ([1.0, 2.0, 3.0, 4.0], "ids must be all integers or all text"),
        (np.arange(4.0), "ids must be integers or text, got float64"),
        ([2**63, 1, 2, 3], "integers of 64 bits"),
        (np.array([2**63, 1, 2, 3], np.uint64), r"ids must be below 2\*\*63"),
        (["a\0", "a", "b", "c"], "must not end in a zero character"),
    ],
)
def test_ids_that_are_none(ids, says):
    with pytest.raises((ValueError, TypeError), match=says):
        la.Index(np.eye(4), ids=ids)


def test_damaged_ids_are_found(tmp_path):
    path = tmp_path / "a.index"
    la.Index(np.eye(3), ids=["first", "second", "third"]).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"second", b"sEcond"))
    with pytest.raises(la.IndexFileError, match="part 'id text' is not as it was written"):
        la.Index.open(path)


def test_searches_see_the_rows_they_began_with():
    """While rows are added, every answer is that of the rows at some moment."""
    X = googlenet_like(400, 16)
    index, Q = la.Index(X[:100], "l2"), X[:5]
    expected = {n: la.knn(Q, X[:n], k=90, metric="l2") for n in range(100, 401, 20)}
    wrong, done = [], threading.Event()

    def search():
        while not done.is_set():
            found = index.knn(Q, 90)
            if not any(
                np.array_equal(found.indices, each.indices)
                and np.array_equal(found.distances, each.distances)
                for each in expected.values()
            ):
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for each in threads:
        each.start()
    for start in range(100, 400, 20):
        index.add(X[start : start + 20])
        index.knn(k=3)  # prepares all as one
    done.set()
    for each in threads:
        each.join()
    assert not wrong
    assert_neighbours(index.knn(Q, 90), expected[400])
