"""The estimators of `lookalike.sklearn` against scikit-learn's checks and its own estimators."""

import copy
import pickle
import sys
import warnings

import numpy as np
import pytest

import lookalike as la

neighbors = pytest.importorskip("sklearn.neighbors", reason="needs lookalike[sklearn]")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import DataConversionWarning, NotFittedError  # noqa: E402
from sklearn.utils._param_validation import InvalidParameterError  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import lookalike.sklearn as ours  # noqa: E402

pytestmark = pytest.mark.ecosystem


@pytest.fixture
def rows(rng):
    """Rows and queries, without ties."""
    return rng.random((60, 7)), rng.random((20, 7))


def both(name, **parameters):
    """An estimator of ours, and scikit-learn's, which compares each pair."""
    return (
        getattr(ours, name)(**parameters),
        getattr(neighbors, name)(**parameters, algorithm="brute"),
    )


@parametrize_with_checks([getattr(ours, name)() for name in ours.__all__])
def test_checks_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the checks themselves bring about
        check(estimator)


@pytest.mark.parametrize("name", ours.__all__)
def test_parameters_and_kind_are_those_of_scikit_learn(name):
    mine, theirs = both(name)
    assert isinstance(mine, type(theirs))
    assert mine.get_params() | {"algorithm": "brute"} == theirs.get_params()
    with pytest.raises(InvalidParameterError, match="The 'algorithm' parameter"):
        mine.set_params(algorithm="guess").fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("metric", la.METRICS)
def test_nearest(rows, metric):
    X, queries = rows
    mine, theirs = (each.fit(X) for each in both("NearestNeighbors", n_neighbors=9, metric=metric))
    for asked in (None, X, queries):
        found, expected = mine.kneighbors(asked), theirs.kneighbors(asked)
        assert np.array_equal(found[1], expected[1])
        assert found[0] == pytest.approx(expected[0], rel=1e-9, abs=1e-7)
        assert np.array_equal(mine.kneighbors(asked, return_distance=False), expected[1])
        for mode in ("distance", "connectivity"):
            graph, other = (each.kneighbors_graph(asked, mode=mode) for each in (mine, theirs))
            assert abs(graph - other).max() < 1e-7
            assert type(graph) is type(other)
    assert mine.effective_metric_ == metric


@pytest.mark.parametrize("metric", la.METRICS)
def test_within_a_radius(rows, metric):
    X, queries = rows
    radius = np.median(la.cdist(queries, X, metric))
    mine, theirs = (each.fit(X) for each in both("NearestNeighbors", radius=radius, metric=metric))
    for asked in (None, X, queries):
        distances, found = mine.radius_neighbors(asked)
        for i, (expected, other) in enumerate(zip(*theirs.radius_neighbors(asked), strict=True)):
            order = np.argsort(expected, kind="stable")
            assert np.array_equal(found[i], other[order])
            assert distances[i] == pytest.approx(expected[order], rel=1e-9, abs=1e-7)
        graphs = (each.radius_neighbors_graph(asked, mode="distance") for each in (mine, theirs))
        assert abs(next(graphs) - next(graphs)).max() < 1e-7


def test_lists_of_one_length_are_rows_as_well():
    distances, found = ours.NearestNeighbors(radius=1).fit(np.eye(3)).radius_neighbors(np.eye(3))
    assert distances.shape == found.shape == (3,)
    assert found.dtype == object
    assert [each.tolist() for each in found] == [[0], [1], [2]]
    nothing = ours.NearestNeighbors(radius=1).fit(np.eye(3)).radius_neighbors()[1]
    assert [each.tolist() for each in nothing] == [[], [], []]


def test_equal_rows_are_neighbours_and_a_row_is_left_out_by_its_index():
    near = ours.NearestNeighbors(n_neighbors=2).fit(np.ones((4, 3)))
    assert near.kneighbors(return_distance=False).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert near.kneighbors(np.ones((1, 3)), return_distance=False).tolist() == [[0, 1]]
    among = near.kneighbors(near._fit_X, return_distance=False)
    assert np.array_equal(among, near.kneighbors(near._fit_X.copy(), return_distance=False))


@pytest.mark.parametrize(
    ("p", "metric"), [(1, "manhattan"), (2, "euclidean"), (np.inf, "chebyshev")]
)
def test_minkowski(rows, p, metric):
    X, queries = rows
    expected = la.knn(queries, X, k=5, metric=metric)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for near in (
            ours.NearestNeighbors(p=p).fit(X),
            ours.NearestNeighbors(p=None, metric_params={"p": p, "w": None}).fit(X),
        ):
            assert near.effective_metric_ == metric
            assert np.array_equal(near.kneighbors(queries)[0], expected.distances)
    with pytest.warns(SyntaxWarning, match="metric_params"):
        assert ours.NearestNeighbors(metric_params={"p": p}).fit(X).effective_metric_ == metric


@pytest.mark.parametrize(
    ("metric", "p", "given"),
    [
        ("minkowski", 3, {}),
        ("minkowski", 1.5, {"w": np.arange(7.0)}),
        ("minkowski", 2, {"w": np.arange(7.0)}),
        ("sqeuclidean", 2, {}),
        ("seuclidean", 2, {"V": np.arange(1.0, 8)}),
        ("mahalanobis", 2, {"VI": np.diag(np.arange(1.0, 8))}),
    ],
)
def test_parameters_of_metrics(rows, metric, p, given):
    X, queries = rows
    theirs = neighbors.NearestNeighbors(
        metric=metric, p=p, metric_params=given, algorithm="brute"
    ).fit(X)
    expected = theirs.kneighbors(queries)
    own = la.Metric(metric, **given, **({"p": p} if metric == "minkowski" else {}))
    for mine in (
        ours.NearestNeighbors(metric=metric, p=p, metric_params=given),
        ours.NearestNeighbors(metric=own),
    ):
        found = clone(mine).fit(X).kneighbors(queries)
        assert np.array_equal(found[1], expected[1])
        assert found[0] == pytest.approx(expected[0], rel=1e-9)


@pytest.mark.parametrize("metric", sorted({*la.ALL_METRICS} - {"mahalanobis", "seuclidean"}))
def test_every_metric_predicts(rows, metric):
    X, queries = rows
    y = np.arange(60) % 3
    near = la.knn(queries, X, k=1, metric=metric).indices[:, 0]
    for given in (metric, la.Metric(metric)):
        classifier = ours.KNeighborsClassifier(n_neighbors=1, metric=given).fit(X, y)
        assert np.array_equal(classifier.predict(queries), y[near])
        assert np.array_equal(classifier.predict_proba(queries).argmax(axis=1), y[near])


def test_parameters_that_the_rows_tell(rows):
    X, queries = rows
    near = ours.NearestNeighbors(metric="seuclidean").fit(X)
    expected = la.knn(queries, X, k=5, metric="seuclidean", V=X.var(axis=0, ddof=1))
    assert np.array_equal(near.kneighbors(queries)[1], expected.indices)
    assert np.array_equal(pickle.loads(pickle.dumps(near)).kneighbors(queries)[1], expected.indices)
    assert np.array_equal(near.effective_metric_params_["V"], X.var(axis=0, ddof=1))


def test_a_fit_that_fails_leaves_nothing_to_search(rows):
    X, queries = rows
    near = ours.KNeighborsClassifier(metric="hellinger").fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match="below zero"):
        near.fit(-X, np.arange(60) % 3)
    for call in (near.kneighbors, near.predict):
        with pytest.raises(NotFittedError):
            call(queries)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("name", ["KNeighborsTransformer", "RadiusNeighborsTransformer"])
def test_transformers(rows, name, mode):
    X, queries = rows
    reach = {"n_neighbors": 4} if name == "KNeighborsTransformer" else {"radius": 0.7}
    mine, theirs = both(name, mode=mode, **reach)
    graph, expected = mine.fit_transform(X), theirs.fit_transform(X)
    assert graph.nnz == expected.nnz  # a row's zero to itself is there
    assert abs(graph - expected).max() < 1e-6
    assert abs(mine.transform(queries) - theirs.transform(queries)).max() < 1e-6
    assert np.array_equal(mine.get_feature_names_out(), theirs.get_feature_names_out())
    mine.set_output(transform="default").fit(X)


def by_inverse_square(distances):
    return 1 / (1 + distances) ** 2


@pytest.mark.parametrize("weights", ["uniform", "distance", by_inverse_square])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("metric", ["euclidean", "correlation"])
def test_predictions(rows, rng, weights, outputs, metric):
    X, queries = rows
    queries = np.vstack([queries, X[:5]])  # and some at distance 0
    y = rng.choice(["low", "mid", "top"], (60, outputs)).squeeze()
    mine, theirs = both("KNeighborsClassifier", n_neighbors=4, weights=weights, metric=metric)
    assert np.array_equal(mine.fit(X, y).classes_, theirs.fit(X, y).classes_)
    if outputs == 1:
        assert mine.score(queries, y[:25]) == theirs.score(queries, y[:25])
    assert np.array_equal(mine.predict(queries), theirs.predict(queries))
    assert mine.predict(queries).dtype == theirs.predict(queries).dtype
    assert np.allclose(mine.predict_proba(queries), theirs.predict_proba(queries))
    assert mine.outputs_2d_ == theirs.outputs_2d_
    z = rng.random((60, outputs)).squeeze()
    mine, theirs = both("KNeighborsRegressor", n_neighbors=4, weights=weights, metric=metric)
    assert np.allclose(mine.fit(X, z).predict(queries), theirs.fit(X, z).predict(queries))


def test_of_several_classes_the_lowest_is_predicted():
    near = ours.KNeighborsClassifier(n_neighbors=2).fit([[0.0], [1.0]], ["b", "a"])
    assert near.predict([[0.1], [0.9]]).tolist() == ["a", "a"]
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert near.fit([[0.0], [1.0]], [["b"], ["a"]]).predict([[0.1]]).tolist() == ["a"]
    assert not near.outputs_2d_


def test_frames_name_their_features(rows):
    pandas = pytest.importorskip("pandas", reason="needs lookalike[pandas]")
    X, queries = (pandas.DataFrame(each, columns=list("abcdefg")) for each in rows)
    near = ours.NearestNeighbors().fit(X)
    assert near.feature_names_in_.tolist() == list("abcdefg")
    assert np.array_equal(near.kneighbors(queries)[1], near.kneighbors(queries)[1])
    with pytest.raises(ValueError, match="feature names"):
        near.kneighbors(queries[list("gfedcba")])


def test_pickles_and_copies_hold_the_rows_once(rng):
    X = rng.random((500, 64))
    near = ours.KNeighborsClassifier(metric="cosine").fit(X, rng.integers(0, 3, 500))
    kept = pickle.dumps(near)
    assert len(kept) < 1.5 * X.nbytes
    for other in (pickle.loads(kept), copy.deepcopy(near)):
        assert np.array_equal(other.kneighbors()[0], near.kneighbors()[0])
        assert np.array_equal(other.kneighbors(X[:9])[1], near.kneighbors(X[:9])[1])
        assert np.array_equal(other.predict(X), near.predict(X))
    assert not hasattr(clone(near), "_index")


def test_what_is_precomputed_goes_to_scikit_learn(rows):
    X, _ = rows
    D = la.cdist(X, X)
    near = ours.NearestNeighbors(n_neighbors=3).fit(X)
    expected = near.kneighbors()[1]
    graph = near.kneighbors_graph(X, 4, mode="distance")  # each itself among them
    near.set_params(metric="precomputed")
    for given in (D, graph):
        assert np.array_equal(near.fit(given).kneighbors()[1], expected)
        assert np.array_equal(pickle.loads(pickle.dumps(near)).kneighbors()[1], expected)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1, 9999])
def test_threads(rows, n_jobs):
    X, queries = rows
    expected = la.knn(queries, X, k=5, metric="euclidean").distances
    near = ours.NearestNeighbors(n_jobs=n_jobs).fit(X)
    assert np.array_equal(near.kneighbors(queries)[0], expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metric": "haversine"}, "metric must be one of .*, got 'haversine'"),
        ({"metric": "cosine", "metric_params": {"w": [1.0]}}, "w must have 3 numbers"),
        ({"metric": "seuclidean", "metric_params": {"V": [0, 1, 1]}}, "V must"),
        ({"metric": max}, "The 'metric' parameter"),
        ({"n_neighbors": 0}, "The 'n_neighbors' parameter"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_parameters_that_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        ours.NearestNeighbors(**parameters).fit(np.eye(3))


def test_input_that_is_refused(rows):
    from scipy.sparse import csr_array

    X, queries = rows
    near = ours.NearestNeighbors(n_neighbors=60)
    with pytest.raises(NotFittedError):
        near.kneighbors(X)
    with pytest.raises(NotFittedError):
        near.radius_neighbors(X)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        near.fit(csr_array(X))
    near.fit(X)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        near.kneighbors(csr_array(X))
    with pytest.raises(ValueError, match="contains NaN"):
        near.kneighbors(np.full((1, 7), np.nan))
    with pytest.raises(ValueError, match="expecting 7 features"):
        near.kneighbors(queries[:, :5])
    with pytest.raises(ValueError, match=r"Expected n_neighbors < n_samples_fit, .* = 60,"):
        near.kneighbors()
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit"):
        near.kneighbors(queries, 61)
    with pytest.raises(ValueError, match=r"Expected n_neighbors > 0\. Got 0"):
        near.kneighbors(queries, 0)
    with pytest.raises(TypeError, match=r"n_neighbors must be an integer, got 2\.5"):
        near.kneighbors(queries, 2.5)
    with pytest.raises(ValueError, match="return_distance must be True"):
        near.radius_neighbors(queries, return_distance=False, sort_results=True)
    assert near.kneighbors(queries)[0].shape == (20, 60)
    all_of_them = near.radius_neighbors(queries, radius=np.inf, return_distance=False)
    assert [len(each) for each in all_of_them] == [60] * 20


def test_it_is_imported_when_it_is_asked_for(run_python):
    assert run_python(
        "import sys, lookalike as la; print('sklearn' in sys.modules)\n"
        "print(la.sklearn.NearestNeighbors.__module__, 'sklearn' in sys.modules)\n"
        "import sklearn; print(sklearn is la.sklearn)"
    ).split() == ["False", "lookalike.sklearn.neighbors", "True", "False"]


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lookalike.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r'pip install "lookalike\[sklearn\]"'):
        import lookalike.sklearn  # noqa: F401


def test_without_scikit_learn_there_is_help_all_the_same(run_python):
    script = "import sys; sys.modules['sklearn'] = None; import lookalike, pydoc\n"
    assert "datasets" in run_python(script + "print(pydoc.render_doc(lookalike))")
