"""p, w, V and VI wherever a metric is taken: against scipy, the brute force, and what rows give."""

import pickle
import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy.spatial import distance as scipys

import lookalike as la
from lookalike.all_pairs import neighbor_graph, write_distances, write_table
from lookalike.gallery.gallery import Gallery
from matrices import googlenet_like
from reference import assert_neighbours, assert_pairs, assert_same_bits, filtered, first_k, total

D = 37
RNG = np.random.default_rng(2)
# Every column varies.
X = googlenet_like(60, D).astype(np.float64) + RNG.random((60, D)) / 8
Y = googlenet_like(45, D, seed=1).astype(np.float64) + RNG.random((45, D)) / 8
W = RNG.gamma(1, 1, D) * (RNG.random(D) < 0.8)
MIXED = RNG.standard_normal((D, D))
VI = MIXED @ MIXED.T
V = RNG.gamma(1, 1, D) + 0.01
CHOICES = {
    **{f"{m} w": (m, {"w": W}) for m in la.METRICS},
    "sqeuclidean": ("sqeuclidean", {}),
    "sqeuclidean w": ("sqeuclidean", {"w": W}),
    "seuclidean V": ("seuclidean", {"V": V}),
    "mahalanobis VI": ("mahalanobis", {"VI": VI}),
    "jensenshannon": ("jensenshannon", {}),
    "hamming": ("hamming", {}),
    "hamming w": ("hamming", {"w": W}),
    **{f"minkowski p={p}": ("minkowski", {"p": p}) for p in (0.5, 1, 1.5, 2, 3, 7.25, np.inf)},
    **{f"minkowski p={p} w": ("minkowski", {"p": p, "w": W}) for p in (0.5, 1, 2, 3, np.inf)},
}
every_choice = pytest.mark.parametrize("choice", CHOICES)
from_rows = pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])


def rows_for(metric):
    """Rows that the metric's features make sense for."""
    return (np.round(X), np.round(Y)) if metric == "hamming" else (X, Y)


def scipys_name(metric):
    return {"manhattan": "cityblock"}.get(metric, metric)


@every_choice
def test_they_are_scipys(choice):
    metric, given = CHOICES[choice]
    A, B = rows_for(metric)
    expected = scipys.cdist(A, B, scipys_name(metric), **given)
    tolerance = {"rtol": 1e-11, "atol": 1e-14}
    np.testing.assert_allclose(la.cdist(A, B, metric, **given), expected, **tolerance)
    np.testing.assert_allclose(la.cdist(A, B, la.Metric(metric, **given)), expected, **tolerance)
    out = np.empty_like(expected)
    assert la.cdist(A, B, scipys_name(metric), out=out, **given) is out
    np.testing.assert_allclose(out, expected, **tolerance)
    condensed = scipys.pdist(A, scipys_name(metric), **given)
    np.testing.assert_allclose(la.pdist(A, metric, **given), condensed, **tolerance)
    narrow = la.cdist(A.astype(np.float32), B.astype(np.float32), metric, **given)
    wide = la.cdist(A.astype(np.float32), B.astype(np.float32), metric, dtype="float64", **given)
    assert narrow.dtype == np.float32
    into = la.cdist(A.astype(np.float32), B.astype(np.float32), metric, out=out, **given)
    assert_same_bits(into, wide)  # as scipy's, into float64
    np.testing.assert_allclose(narrow, wide, rtol=1e-5)


@from_rows
def test_defaults_are_scipys(metric):
    np.testing.assert_allclose(la.cdist(X, Y, metric), scipys.cdist(X, Y, metric), rtol=1e-9)
    np.testing.assert_allclose(la.pdist(X, metric), scipys.pdist(X, metric), rtol=1e-9)
    assert_same_bits(la.cdist(X, Y, metric), la.cdist(X, Y, la.Metric(metric).fitted(X, Y)))
    assert_same_bits(la.pdist(X, metric), la.pdist(X, la.Metric(metric).fitted(X)))


@every_choice
def test_searches_are_the_brute_force(choice, tmp_path):
    metric, given = CHOICES[choice]
    A, B = (each.astype(np.float32) for each in rows_for(metric))
    matrix = la.cdist(A, B, metric, dtype="float64", **given)
    assert_neighbours(la.knn(A, B, k=7, metric=metric, **given), first_k(matrix, 7))
    radius = float(np.median(matrix))
    found = la.radius_neighbors(A, B, radius=radius, metric=metric, **given)
    assert_pairs(found, filtered(matrix, radius))
    own = la.cdist(B, B, metric, dtype="float64", **given)
    found = la.knn(B, k=5, metric=la.Metric(metric, **given))
    assert_neighbours(found, first_k(own, 5, without_self=True))
    index = la.Index(B, metric, **given)
    index.save(tmp_path / "an.index")
    for each in (index, la.Index.open(tmp_path / "an.index"), pickle.loads(pickle.dumps(index))):
        assert each.metric == metric
        assert la.Metric(each.metric, **each.parameters) == la.Metric(metric, **given)
        assert_neighbours(each.knn(A, 7), first_k(matrix, 7))
        assert_neighbours(each.knn(k=5), first_k(own, 5, without_self=True))
    among = la.radius_neighbors(B, radius=radius, metric=metric, **given)
    assert_pairs(index.radius_neighbors(radius=radius), tuple(among))


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_three_of_minkowskis_are_the_faster_ones(p):
    other = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}[p]
    rows = googlenet_like(3000, 64)
    assert_same_bits(la.cdist(X, Y, "minkowski", p=p), la.cdist(X, Y, other))
    found, stats = la.knn(rows, k=9, metric="minkowski", p=p, threads=1, return_stats=True)
    expected, same = la.knn(rows, k=9, metric=other, threads=1, return_stats=True)
    assert_neighbours(found, tuple(expected))
    assert {**stats, "seconds": 0} == {**same, "seconds": 0}
    index = la.Index(rows, "minkowski", p=p)
    assert (index.metric, index.parameters) == ("minkowski", {"p": p})
    assert f"float32, minkowski:p={p}, " in repr(index)
    assert_neighbours(index.knn(rows[:5], 9), tuple(la.knn(rows[:5], rows, k=9, metric=other)))


@pytest.mark.parametrize("seed", range(12))
def test_a_singular_matrix_serves_as_any_other(seed):
    rng = np.random.default_rng(seed)
    rank, d = 22 + 4 * seed, 200
    rows = rng.standard_normal((rank, d))
    scales = 10.0 ** rng.integers(-60, 60, d) if seed % 2 else np.ones(d)
    VI = (rows.T @ rows if seed % 3 else np.linalg.pinv(np.cov(rows.T), hermitian=True)) * scales
    VI *= scales[:, None]
    A = rng.standard_normal((9, d)) / scales
    expected = scipys.cdist(A, A, lambda u, v: np.sqrt(max(0, (u - v) @ VI @ (u - v))))
    found = la.cdist(A, A, "mahalanobis", VI=VI)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.max())


@from_rows
def test_a_self_join_and_an_index_take_their_rows(metric, tmp_path):
    whole = la.Metric(metric).fitted(X)
    expected = la.knn(X, k=4, metric=whole)
    assert_neighbours(la.knn(X, k=4, metric=metric), tuple(expected))
    radius = expected.distances[:, -1].mean()
    found = la.radius_neighbors(X, radius=radius, metric=metric)
    assert_pairs(found, tuple(la.radius_neighbors(X, radius=radius, metric=whole)))
    index = la.Index(X, metric)
    assert la.Metric(metric, **index.parameters) == whole
    index.save(tmp_path / "an.index")
    opened = la.Index.open(tmp_path / "an.index")
    assert la.Metric(metric, **opened.parameters) == whole
    near = la.knn(Y, X, k=4, metric=whole)
    assert_neighbours(opened.knn(Y, 4), tuple(near))
    assert_neighbours(opened.knn(Y[:1], 4), (near.distances[:1], near.indices[:1]))
    graph = neighbor_graph(X, 4, metric, work=tmp_path / "work", block_rows=13)
    assert_neighbours(graph, tuple(expected))
    write_distances(tmp_path / "D.npy", X, metric, dtype="float64")
    square = scipys.squareform(la.pdist(X, metric))
    assert_same_bits(np.load(tmp_path / "D.npy"), square)
    write_table(tmp_path / "D.csv", X[:, :3], list(map(str, range(len(X)))), metric)


@from_rows
@pytest.mark.parametrize("search", [la.knn, la.radius_neighbors])
def test_with_y_they_must_be_given(search, metric):
    limit = {"k": 1} if search is la.knn else {"radius": 1}
    name = {"seuclidean": "V", "mahalanobis": "VI"}[metric]
    with pytest.raises(ValueError, match=f"{name} must be given for {metric} where ") as error:
        search(X, Y, metric=metric, **limit)
    assert f'Metric("{metric}").fitted(rows)' in str(error.value)
    search(X, Y, metric=la.Metric(metric).fitted(Y), **limit)


CALLS = {
    "cdist": lambda **given: la.cdist(X, Y, **given),
    "cdist of nothing": lambda **given: la.cdist(X[:0], Y, **given),
    "pdist": lambda **given: la.pdist(X, **given),
    "knn": lambda **given: la.knn(X, k=1, **given),
    "knn of nothing": lambda **given: la.knn(X[:0], Y, k=1, **given),
    "radius_neighbors": lambda **given: la.radius_neighbors(X, radius=1, **given),
    "Index": lambda **given: la.Index(X, **given),
    "find_duplicates": lambda **given: la.find_duplicates(
        X, list(map(str, range(len(X)))), [None] * len(X), threshold=0.1, **given
    ),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"metric": "l1", "p": 3}, TypeError, "p is no parameter of manhattan, but of minkowski"),
        ({"metric": "m", "p": 0}, ValueError, "p must be above 0, got 0"),
        ({"metric": "cos", "w": W[1:]}, ValueError, f"w must have {D} numbers for rows of {D} col"),
        ({"metric": "cos", "w": -W}, ValueError, "w must be at least 0, got -"),
        ({"metric": "se", "V": [1]}, ValueError, f"V must have {D} numbers .*, got 1"),
        ({"metric": "se", "V": V * 0}, ValueError, "V must be above 0, got 0 for column 0"),
        ({"metric": "mah", "VI": np.eye(3)}, ValueError, f"VI must have {D} × {D} numbers"),
        ({"metric": "mah", "VI": MIXED}, ValueError, "VI must be symmetric"),
        (
            {"metric": la.Metric("m", p=3), "p": 4},
            TypeError,
            "p must be left out where metric is a",
        ),
        ({"metric": la.Metric("l1", w=[1, 2])}, ValueError, f"w must have {D} numbers"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, dict) else "",
)
def test_what_cannot_be_is_refused_everywhere(call, given, kind, message):
    with pytest.raises(kind, match=message):
        CALLS[call](**given)


@pytest.mark.parametrize("call", ["pdist", "knn", "radius_neighbors", "Index", "find_duplicates"])
def test_rows_that_give_no_default_are_refused_everywhere(call, monkeypatch):
    constant = X.copy()
    constant[:, 5] = 3
    monkeypatch.setitem(globals(), "X", constant)
    for metric, name in (("seuclidean", "V"), ("mahalanobis", "VI")):
        with pytest.raises(ValueError, match=f"{name} cannot be taken .*: column 5 has one value"):
            CALLS[call](metric=metric)
    constant[:, 5] = constant[:, 4] * 2
    with pytest.raises(ValueError, match=r"VI cannot be taken .* singular, 1 of 37 columns"):
        CALLS[call](metric="mahalanobis")
    constant[3, 7] = np.nan
    with pytest.raises(ValueError, match=r"(X|features) row 3 has a value that is not finite"):
        CALLS[call](metric="mahalanobis")


def test_of_nothing_there_is_nothing_to_take():
    assert la.pdist(X[:1], "mahalanobis").shape == (0,)
    assert la.cdist(X[:0], Y, "seuclidean").shape == (0, len(Y))
    assert la.knn(X[:0], Y, k=1, metric="mahalanobis").indices.shape == (0, 1)
    assert la.radius_neighbors(X, Y[:0], radius=1, metric="seuclidean").indices.size == 0


def test_a_gallery_takes_its_rows(tmp_path):
    with Gallery.import_features(tmp_path / "a.gallery", X.astype(np.float32)) as gallery:
        rows = gallery.features
        for given in ({"metric": "seuclidean"}, {"metric": "minkowski", "p": 3}, {"w": W}):
            metric = la.Metric(given.get("metric", "correlation"), **{**given, "metric": None})
            expected = la.knn(rows[:2], rows, k=3, metric=metric.fitted(rows))
            hits = gallery.search(rows[:2], k=3, **given)
            np.testing.assert_array_equal([hit.indices for hit in hits], expected.indices)
            alone = gallery.search(rows[0], 3, **given)
            np.testing.assert_array_equal(alone.indices, expected.indices[0])
        with pytest.raises(TypeError, match="q is no parameter of correlation"):
            gallery.search(rows[0], q=1)
        found = gallery.find_duplicates(threshold=1e-9, metric="seuclidean")
        assert found.metric == la.Metric("seuclidean").fitted(rows)
        assert gallery.find_duplicates(metric="braycurtis").threshold == 0.2
        for given in ({"metric": "cosine"}, {"w": W}):
            names, needed = [None] * len(rows), r"threshold must be given for .*, got none: 0\.2"
            with pytest.raises(ValueError, match=needed):
                gallery.find_duplicates(**given)
            with pytest.raises(ValueError, match=needed):
                la.find_duplicates(rows, gallery.paths, names, **given)
            assert la.find_duplicates(rows, gallery.paths, names, threshold=None, **given).images


def exact(metric, u, v, p, w):
    """The formulas again, in extended precision."""
    u, v, w = (np.asarray(each, np.longdouble) for each in (u, v, w))
    d = abs(u - v)
    if metric == "minkowski":
        return total(w * d ** np.longdouble(p)) ** (1 / np.longdouble(p))
    if metric == "euclidean":
        return np.sqrt(total(w * d * d))
    if metric == "chebyshev":
        return np.where(w > 0, d, 0).max(axis=-1)
    if metric == "hamming":
        return total(w * (u != v)) / total(w)
    terms = {
        "manhattan": d,
        "sqeuclidean": d * d,
        "canberra": np.where(d == 0, 0, d / np.where(d == 0, 1, abs(u) + abs(v))),
    }
    return total(w * terms[metric])


numbers = st.floats(-1e6, 1e6, width=64).map(lambda x: 0.0 if abs(x) < 1e-6 else x)
metrics = ["minkowski", "euclidean", "chebyshev", "hamming", "manhattan", "sqeuclidean", "canberra"]


@hypothesis.settings(max_examples=120)
@hypothesis.given(
    st.sampled_from(metrics),
    st.floats(1 / 16, 256),
    st.integers(1, 20).flatmap(
        lambda d: st.tuples(
            *(st.lists(numbers, min_size=d, max_size=d) for _ in "uv"),
            st.lists(
                st.floats(0, 1e3).filter(lambda x: x == 0 or x > 1e-9), min_size=d, max_size=d
            ),
        )
    ),
)
def test_any_parameters_give_the_true_value(metric, p, values):
    u, v, w = map(np.array, values)
    hypothesis.assume(w.any())
    given = {"p": p, "w": w} if metric == "minkowski" else {"w": w}
    found = la.cdist(u[None], v[None], metric, **given)[0, 0]
    expected = exact(metric, u, v, p, w)
    largest = np.finfo(np.float64).max
    assert abs(found - expected) <= 1e-12 * expected or (np.isinf(found) and expected >= largest)
    assert la.cdist(v[None], u[None], metric, **given)[0, 0] == found
    assert la.cdist(u[None], u[None], metric, **given)[0, 0] == 0


class TestCommandLine:
    @pytest.fixture
    def gallery(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        rows = X.astype(np.float32)
        labels = ["a", "b"] * 30
        Gallery.import_features("lookalike.gallery", rows, labels=labels).close()
        np.save("w.npy", W)
        np.save("a,b.npy", V)
        np.save("short.npy", W[1:])
        np.save("texts.npy", np.array(["a"]))
        (tmp_path / "no.npy").write_bytes(b"no")
        return rows

    def test_parameters_follow_a_colon(self, lookalike, gallery):
        done = lookalike("distances", "-o", "D.npy", "--metric", "Minkowski:p=3,w=w.npy")
        assert re.match(r"D.npy: 60 images, minkowski:p=3,w=#[0-9a-f]{8} \(", done.out), done.out
        assert_same_bits(np.load("D.npy"), la.cdist(gallery, gallery, "minkowski", p=3, w=W))
        done = lookalike("neighbors", "-k", "3", "--metric", "se:V=a,b.npy", "--json")
        assert done.json["metric"].startswith("seuclidean:V=#")
        with np.load("neighbors.npz") as read:
            expected = la.knn(gallery, k=3, metric="seuclidean", V=V)
            np.testing.assert_array_equal(read["indices"], expected.indices)
            assert str(read["metric"]) == done.json["metric"]
        options = ["--threshold", "0.5", "--metric", "minkowski:p=0.5", "--json"]
        assert lookalike("duplicates", *options).json["metric"] == "minkowski:p=0.5"
        options = ["-k", "4", "--metric", "m:p=3", "--metric", "se", "--metric", "cosine:w=w.npy"]
        done = lookalike("evaluate", *options)
        assert (done.code, done.err) == (0, "")
        for title in ("Minkowski", "p=3", "Standardised", "Weighted"):
            assert title in done.out

    @pytest.mark.parametrize(
        ("metric", "message"),
        [
            ("minkowski:p=0", "'minkowski:p=0': p must be above 0, got '0'"),
            ("minkowski:p=x", "p must be a number, got 'x'"),
            ("minkowski:", "there are the parameters p=, w=, V= and VI=, got ''"),
            ("minkowski:q=3", "there are the parameters p=, w=, V= and VI=, got 'q=3'"),
            ("minkowski:p=3,p=4", "'minkowski:p=3,p=4': p= stands twice"),
            ("l1:p=3", "p is no parameter of manhattan, but of minkowski, got p='3'"),
            ("dice:p=3", "'dice' is not one of 'manhattan'"),
            ("l1:w=none.npy", "w must be a .npy file, none.npy: No such file or directory"),
            ("l1:w=no.npy", "w must be a .npy file, and no.npy is not a NumPy array file"),
            ("l1:w=texts.npy", "w must hold real numbers, got <U1"),
            ("l1:w=short.npy", "w must have 37 numbers for rows of 37 columns, got 36"),
        ],
    )
    @pytest.mark.parametrize(
        "verb",
        [
            ["distances", "-o", "D.npy"],
            ["neighbors", "-k", "3"],
            ["duplicates", "--threshold", "1"],
            ["evaluate"],
        ],
        ids=lambda verb: verb[0],
    )
    def test_one_line_says_what_is_wrong(self, lookalike, gallery, tmp_path, verb, metric, message):
        before = sorted(tmp_path.iterdir())
        done = lookalike(*verb, "--metric", metric)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
        assert message in done.err
        assert sorted(tmp_path.iterdir()) == before
