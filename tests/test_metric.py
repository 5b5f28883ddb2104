"""`Metric`: a metric and its parameters in one value."""

import copy
import pickle

import numpy as np
import pytest
from scipy.spatial import distance as scipys

import lookalike as la
from lookalike.distance.metrics import ALIASES, metric_label, metric_name, metric_title

EIGHT = np.arange(1.0, 9.0)


def test_it_means_its_name_and_its_parameters():
    metric = la.Metric("m", p=3, w=[1, 2, -0.0])
    same = la.Metric("minkowski", w=np.array([1, 2, 0], np.uint8), p=np.float32(3))
    assert metric == same
    assert hash(metric) == hash(same)
    assert {metric: 1}[same] == 1
    others = [la.Metric("minkowski", p=3), la.Metric("minkowski", p=3, w=[1, 2, 1e-30]), "m", None]
    assert all(metric != other for other in others)
    assert (metric.name, metric.parameters["p"]) == ("minkowski", 3.0)
    assert la.Metric("minkowski") == la.Metric("minkowski", p=2, w=None)


def test_it_never_changes():
    weights = np.ones(3)
    metric = la.Metric("cosine", w=weights)
    weights[0] = 5
    assert metric.parameters["w"].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        metric.parameters["w"][0] = 5
    with pytest.raises(TypeError, match="item assignment"):
        metric.parameters["p"] = 3
    with pytest.raises(AttributeError, match="cannot be changed: name"):
        metric.name = "euclidean"
    with pytest.raises(AttributeError, match="cannot be changed: name"):
        del metric.name


@pytest.mark.parametrize(
    "metric",
    [
        la.Metric("chebyshev"),
        la.Metric("minkowski", p=0.5, w=EIGHT),
        la.Metric("seuclidean", V=EIGHT),
        la.Metric("mahalanobis", VI=np.diag(EIGHT)),
        la.Metric("mahalanobis"),
    ],
    ids=str,
)
def test_it_is_pickled_and_copied(metric):
    for again in (pickle.loads(pickle.dumps(metric)), copy.copy(metric), copy.deepcopy(metric)):
        assert again == metric
        assert hash(again) == hash(metric)
        assert again.specification().name == metric.specification().name


@pytest.mark.parametrize(
    ("metric", "text", "title", "label"),
    [
        ("braycurtis", "braycurtis", "Bray-Curtis", "braycurtis"),
        (la.Metric("l1"), 'Metric("manhattan")', "Manhattan", "manhattan"),
        (la.Metric("mi", p=3), 'Metric("minkowski", p=3)', "Minkowski p=3", "minkowski:p=3"),
        (
            la.Metric("mi", p=0.1),
            'Metric("minkowski", p=0.1)',
            "Minkowski p=0.1",
            "minkowski:p=0.1",
        ),
        (
            la.Metric("m", p=np.inf),
            'Metric("minkowski", p=inf)',
            "Minkowski p=inf",
            "minkowski:p=inf",
        ),
        (
            la.Metric("seuclidean", V=[1, 0.5]),
            'Metric("seuclidean", V=[1, 0.5])',
            "Standardised Euclidean",
            "seuclidean:V=#4d3cafbe",
        ),
        (
            la.Metric("cosine", w=np.ones(9)),
            'Metric("cosine", w=<9 numbers>)',
            "Weighted Cosine",
            "cosine:w=#d5d5f0ce",
        ),
        (
            la.Metric("mahalanobis", VI=np.eye(2)),
            'Metric("mahalanobis", VI=[[1, 0], [0, 1]])',
            "Mahalanobis",
            "mahalanobis:VI=#9b2fd6aa",
        ),
    ],
)
def test_it_is_written_as_people_write_it(metric, text, title, label):
    assert str(metric) == text
    assert metric_title(metric) == title
    name, _, digest = metric_label(metric).partition("#")
    expected, _, hexadecimal = label.partition("#")
    assert name == expected
    assert len(digest) == len(hexadecimal)


def test_scipys_names_are_known():
    ours = {"cityblock": "manhattan"}
    found = 0
    for name, info in scipys._METRICS.items():
        if (canonical := ours.get(name, name)) in la.ALL_METRICS:
            found += 1
            for alias in {name, *info.aka}:
                assert metric_name(alias) == metric_name(alias.upper()) == canonical
    assert found == 13  # all of the fifteen but hellinger and chisquare
    known = {alias for info in scipys._METRICS.values() for alias in info.aka}
    assert set(ALIASES) - known == {"l1", "l2", "linf"}


def test_the_papers_seven_come_first():
    seven = ("manhattan", "euclidean", "cosine", "braycurtis", "canberra", "chebyshev")
    others = ("sqeuclidean", "seuclidean", "minkowski", "mahalanobis")
    last = ("hellinger", "jensenshannon", "chisquare", "hamming")
    assert (*seven, "correlation") == la.METRICS
    assert (*la.METRICS, *others, *last) == la.ALL_METRICS


INDEFINITE = [[1.0, 2.0], [2.0, 1.0]]
CASES = {
    "unknown": (lambda: la.Metric("dice"), ValueError, ["metric", "minkowski", "l1", "'dice'"]),
    "no name": (lambda: la.Metric(np.sum), TypeError, ["metric", "manhattan", "function sum"]),
    "not its own": (
        lambda: la.Metric("euclidean", p=3),
        TypeError,
        ["p is no parameter of euclidean, but of minkowski", "p=3"],
    ),
    "nobody's": (lambda: la.Metric("m", q=1), TypeError, ["q is no parameter of minkowski", "q=1"]),
    "no weights": (lambda: la.Metric("se", w=[1]), TypeError, ["w is no parameter of seuclidean"]),
    "p = 0": (lambda: la.Metric("m", p=0), ValueError, ["p must be above 0, got 0"]),
    "p < 0": (lambda: la.Metric("m", p=-2.5), ValueError, ["p must be above 0, got -2.5"]),
    "p NaN": (lambda: la.Metric("m", p=np.nan), ValueError, ["p must be above 0, got nan"]),
    "p too small": (lambda: la.Metric("m", p=0.01), ValueError, ["from 1/16 to 256", "0.01"]),
    "p too large": (lambda: la.Metric("m", p=1e9), ValueError, ["from 1/16 to 256", "1000000000"]),
    "w too small": (lambda: la.Metric("l1", w=[1, 1e-99]), ValueError, ["w must be from", "1e-99"]),
    "V too large": (lambda: la.Metric("se", V=[1, 1e99]), ValueError, ["V must be from", "1e+99"]),
    "VI too large": (lambda: la.Metric("mah", VI=[[1e200]]), ValueError, ["VI must be at most"]),
    "p text": (lambda: la.Metric("m", p="three"), TypeError, ["p must be a number", "'three'"]),
    "p array": (lambda: la.Metric("m", p=[1, 2]), TypeError, ["p must be a number"]),
    "w < 0": (
        lambda: la.Metric("cosine", w=[1, 2, -0.5, -3]),
        ValueError,
        ["w must be at least 0, got -0.5 for column 2"],
    ),
    "w NaN": (
        lambda: la.Metric("cosine", w=[1, np.nan]),
        ValueError,
        ["w must be finite, got nan at column 1"],
    ),
    "w inf": (lambda: la.Metric("l1", w=[np.inf]), ValueError, ["w must be finite, got inf"]),
    "w zeros": (lambda: la.Metric("cos", w=[0, 0]), ValueError, ["w must be above 0", "2 zeros"]),
    "w 2-D": (lambda: la.Metric("l1", w=[[1]]), ValueError, ["w must be 1-D, got shape (1, 1)"]),
    "w text": (lambda: la.Metric("l1", w=["a"]), TypeError, ["w must hold real numbers"]),
    "w ragged": (lambda: la.Metric("l1", w=[[1], [1, 2]]), ValueError, ["w must be an array"]),
    "w complex": (lambda: la.Metric("l1", w=[1j]), TypeError, ["w", "complex128"]),
    "w empty": (lambda: la.Metric("l1", w=[]), ValueError, ["w must hold a number for each"]),
    "V = 0": (
        lambda: la.Metric("se", V=[1, 0]),
        ValueError,
        ["V must be above 0, got 0", "column 1"],
    ),
    "V < 0": (lambda: la.Metric("se", V=[-1, 1]), ValueError, ["got -1 for column 0"]),
    "V 2-D": (
        lambda: la.Metric("se", V=np.eye(2)),
        ValueError,
        ["V must be 1-D, got shape (2, 2)"],
    ),
    "VI 1-D": (lambda: la.Metric("mah", VI=[1]), ValueError, ["VI must be 2-D, got shape (1,)"]),
    "VI not square": (
        lambda: la.Metric("mah", VI=np.ones((2, 3))),
        ValueError,
        ["VI must be square, got shape (2, 3)"],
    ),
    "VI asymmetric": (
        lambda: la.Metric("mah", VI=[[1, 0.5], [0.25, 1]]),
        ValueError,
        ["VI must be symmetric, got 0.5 at row 0, column 1, and 0.25 at row 1, column 0"],
    ),
    "VI indefinite": (
        lambda: la.Metric("mah", VI=INDEFINITE),
        ValueError,
        ["VI must have no negative eigenvalue, got one of -1"],
    ),
    "VI below zero": (
        lambda: la.Metric("mah", VI=[[1, 0], [0, -2]]),
        ValueError,
        ["VI must have no negative eigenvalue, got -2 at row 1, column 1"],
    ),
    "VI of scales": (  # as indefinite as above
        lambda: la.Metric("mah", VI=[[1e-12, 2], [2, 1e12]]),
        ValueError,
        ["VI must have no negative eigenvalue"],
    ),
    "fitted to nothing": (lambda: la.Metric("se").fitted(), TypeError, ["V", "got none"]),
    "one row": (
        lambda: la.Metric("se").fitted([[1.0, 2.0]]),
        ValueError,
        ["V cannot be taken from 1 rows", "at least 2"],
    ),
    "a constant column": (
        lambda: la.Metric("se").fitted([[1.0, 2.0], [2.0, 2.0], [0.5, 2.0]]),
        ValueError,
        ["V cannot be taken", "column 1 has one value only"],
    ),
    "too few rows": (
        lambda: la.Metric("mah").fitted(np.eye(3)),
        ValueError,
        ["VI cannot be taken from 3 rows of 3 columns", "singular", "at least 4"],
    ),
    "a column twice": (
        lambda: la.Metric("mah").fitted(np.random.default_rng(0).random((9, 3))[:, [0, 1, 1]]),
        ValueError,
        ["VI cannot be taken", "singular, 1 of 3 columns"],
    ),
    "not finite": (
        lambda: la.Metric("mah").fitted([[0.0, 1.0], [np.inf, 1.0], [2.0, 2.0]]),
        ValueError,
        ["rows row 1 has a value that is not finite"],
    ),
    "too large to square": (
        lambda: la.Metric("se").fitted([[1e200], [-1e200]]),
        ValueError,
        ["V cannot be taken", "column 0 has the variance inf"],
    ),
    "two widths": (
        lambda: la.Metric("se").fitted(np.eye(3), np.eye(4)),
        ValueError,
        ["rows[1] must have 3 columns like rows[0], got 4"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_is_refused_in_words(case):
    call, kind, words = CASES[case]
    with pytest.raises(kind) as error:
        call()
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)


def test_what_rounding_leaves_of_an_inverse_is_evened_out():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 8)) * 10.0 ** rng.integers(-3, 3, 8)
    inverse = np.linalg.inv(np.cov(X.T))
    inverse[0, 1] *= 1 + 1e-9
    VI = la.Metric("mahalanobis", VI=inverse).parameters["VI"]
    assert (VI == VI.T).all()
    np.testing.assert_allclose(VI, inverse, rtol=1e-8)


def test_a_singular_matrix_is_taken_where_it_is_given():
    assert la.Metric("mahalanobis", VI=np.ones((3, 3))).parameters["VI"].tolist() == [[1.0] * 3] * 3
    assert la.Metric("mahalanobis", VI=np.zeros((2, 2))).parameters["VI"].any() == np.False_


@pytest.mark.parametrize("kind", ["C", "F", "float32", "uint8", "blocks", "two"])
def test_what_rows_give_is_what_scipy_takes(kind):
    rng = np.random.default_rng(1)
    X = rng.gamma(0.5, 10, (9000 if kind == "blocks" else 60, 7)) * 10.0 ** np.arange(-3, 4)
    if kind == "F":
        X = np.asfortranarray(X)
    elif kind in ("float32", "uint8"):
        X = (X if kind == "float32" else rng.integers(0, 255, X.shape)).astype(kind)
    parts = (X[:25], X[25:]) if kind == "two" else (X,)
    wide = X.astype(np.float64)
    V = la.Metric("seuclidean").fitted(*parts).parameters["V"]
    np.testing.assert_allclose(V, np.var(wide, axis=0, ddof=1), rtol=1e-13)
    VI = la.Metric("mahalanobis").fitted(*parts).parameters["VI"]
    np.testing.assert_allclose(VI, np.linalg.inv(np.cov(wide.T)), rtol=1e-9, atol=0)
    fitted = la.Metric("seuclidean", V=V)
    assert fitted.fitted(parts[0]) is fitted
