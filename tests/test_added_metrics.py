"""Every metric beyond the paper's seven, and weights of features, against the brute force.

Through the compiled core: what its callers check and default is tested elsewhere.
"""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from lookalike import _core
from matrices import AGAINST_CODES, HOSTILE
from reference import (
    ALL_METRICS,
    METRICS,
    WEIGHTED,
    Ranked,
    absolute_error,
    assert_float32,
    assert_same_bits,
    assert_within,
    pairwise,
    samples,
    truth,
)

D = 45
LEFT_OUT = ("equal rows", "gaussian", "sparse", "tiny", "small integers", "near ties")
KINDS = {kind: rows for kind, rows in HOSTILE.items() if kind not in LEFT_OUT}
KINDS |= {kind: AGAINST_CODES[kind] for kind in ("denormal differences", "log-normal")}
OF_SHARES = ("hellinger", "jensenshannon")
NOT_NEGATIVE = (*OF_SHARES, "chisquare")
TO_THE_BIT = ("sqeuclidean", "seuclidean", "chisquare", "hamming", *WEIGHTED)
NOT_TO_THE_BIT = ("cosine", "correlation", "minkowski")
CASES = {
    "-".join(
        [metric, *(f"{name}{value if np.ndim(value) == 0 else ''}" for name, value in p.items())]
    ): (
        metric,
        index,
    )
    for metric in ALL_METRICS
    for index, p in enumerate(samples(metric, D))
    if p or metric not in METRICS
}


def case(name, d=D):
    metric, index = CASES[name]
    return metric, samples(metric, d)[index]


def rows_for(metric, X):
    """Rows that the metric is defined for."""
    if metric in NOT_NEGATIVE:
        X = np.abs(X)
    if metric in OF_SHARES:
        X = X.copy()
        X[(X == 0).all(axis=1), 0] = 1
    return X


def distances(X, Y, wanted, dtype=np.float64):
    out = np.empty((len(X), len(X if Y is None else Y)), dtype)
    _core.distances(X, Y, wanted, out, False, 0)
    return out


def absolute_error_of(metric, X, parameters):
    """What docs/accuracy.md allows beyond 1e-12 of the distance."""
    d = X.shape[1]
    eps = (min(d, 8192) / 16 + d / 16384 + 8) * 2.0**-53
    if metric in OF_SHARES:
        return np.sqrt(2) * eps + 1e-15
    if metric in ("cosine", "correlation"):
        return 2 * absolute_error(d)
    if metric == "mahalanobis":
        L, largest = np.abs(np.linalg.cholesky(parameters["VI"])), np.abs(X.astype(float)).max()
        reach = np.linalg.norm(np.abs(X / largest) @ L, axis=1) * largest
        return (reach[:, None] + reach) * 2 * (min(d, 256) + d / 256 + 4) * 2.0**-53
    return 8 * np.finfo(np.float64).smallest_subnormal


@pytest.fixture(
    scope="module", params=[(kind, name) for kind in KINDS for name in CASES], ids="-".join
)
def hostile(request):
    kind, name = request.param
    metric, parameters = case(name)
    X = rows_for(metric, KINDS[kind](np.random.default_rng(3), 30, D))
    return X, metric, parameters, distances(X, None, (metric, parameters))


def test_distances_are_true(hostile):
    X, metric, parameters, exact = hostile
    with np.errstate(all="ignore"):
        expected = truth(metric, X, X, **parameters)
    np.fill_diagonal(expected, 0)
    assert_within(exact, expected, 1e-12, absolute_error_of(metric, X, parameters))
    assert_same_bits(exact, np.ascontiguousarray(exact.T))
    assert not np.signbit(exact).any()
    assert_float32(distances(X, None, (metric, parameters), np.float32), exact)
    rows = X.astype(np.float64)
    in_range = np.abs(rows[rows != 0]).size and 1e-60 < np.abs(rows[rows != 0]).min() < 1e60
    if metric in TO_THE_BIT and metric not in NOT_TO_THE_BIT and in_range and rows.max() < 1e60:
        assert_same_bits(exact, pairwise(metric, X, X, np.float64, **parameters))


def test_searches_are_the_brute_force(hostile):
    X, metric, parameters, exact = hostile
    wanted = (metric, parameters)
    ranked = Ranked(exact, without_self=True)
    for k in (1, 7):
        found = _core.knn(X, None, wanted, k, False, None, 0, None)
        for got, expected in zip(found, ranked.first(k), strict=False):
            assert_same_bits(got, expected)
    across, some = Ranked(exact[:9]), X[:9].copy()
    found = _core.knn(some, X, wanted, 5, False, None, 0, None)
    assert_same_bits(distances(some, X, wanted), exact[:9])
    index = _core.Index(X, wanted, 0)
    answers = [found, index.knn(some, 5, False, None, None, 0, None)]
    answers.append(opened_again(X, wanted, index.parts()).knn(some, 5, False, None, None, 0, None))
    for answer in answers:
        for got, expected in zip(answer, across.first(5), strict=False):
            assert_same_bits(got, expected)
    for radius in (0.0, float(np.median(exact)), float(exact[exact < np.inf].max())):
        found = _core.radius_neighbors(X, None, wanted, radius, False, 0, None)
        for got, expected in zip(found, ranked.within(radius), strict=False):
            assert_same_bits(got, expected)


def opened_again(X, wanted, parts):
    """An index of the parts that a file keeps."""
    X, chunk = np.ascontiguousarray(X), 1 << 12
    parts = {name: part.copy() for name, part in parts.items()}
    large = {"rows": X.reshape(-1).view(np.uint8)}
    large |= {name: parts[name] for name in ("codes", "screen 1", "screen 2") if name in parts}
    guards = {name: (chunk, _core.checksums(part, chunk)) for name, part in large.items()}
    return _core.Index(X, wanted, parts, guards)


@pytest.mark.parametrize("p", [1 / 16, 0.3, 0.5, 1.5, 1.7, 3, 3.3, 5, 31.5, 64, 100.1, 256])
def test_powers_are_accurate(p):
    """Of one feature the distance is the difference, whatever is made of it between."""
    x = np.concatenate([10.0 ** np.arange(-300, 308), 1 + np.arange(100) / 97, [5e-324, 1.7e308]])
    found = distances(x[:, None], np.zeros((1, 1)), ("minkowski", {"p": float(p)}))[:, 0]
    assert_within(found, x.astype(np.longdouble), 1e-12, 0)
    pairs = np.stack([x, x[::-1]], axis=1)
    found = distances(pairs, np.zeros((1, 2)), ("minkowski", {"p": float(p)}))
    assert_within(found, truth("minkowski", pairs, np.zeros((1, 2)), p=p), 1e-12, 0)


@pytest.mark.parametrize("name", CASES)
def test_near_rows_of_many_features(name):
    """Filters that exclude, of rows that are near each other and of many alike."""
    metric, parameters = case(name, 200)
    rng = np.random.default_rng(1)
    X = np.maximum(rng.normal(size=(12, 200)) + 0.3, 0)[rng.integers(0, 12, 400)]
    X = X * (1 + 0.05 * rng.random(X.shape))
    for rows in (X, X.astype(np.float32)):
        exact = distances(rows, None, (metric, parameters))
        found = _core.knn(rows, None, (metric, parameters), 10, False, None, 0, None)
        for got, expected in zip(found, Ranked(exact, without_self=True).first(10), strict=False):
            assert_same_bits(got, expected)
        assert_float32(distances(rows, None, (metric, parameters), np.float32), exact)


def digests():
    """What every level of instructions must compute alike."""
    rng = np.random.default_rng(5)
    X = np.abs(rng.normal(size=(60, 77))) * 10.0 ** rng.integers(-3, 4, (60, 1))
    for name in CASES:
        metric, parameters = case(name, 77)
        one = distances(X, None, (metric, parameters)).tobytes()
        yield f"{name} {hashlib.sha256(one).hexdigest()}"


def test_every_level_computes_the_same_bits():
    script = "import test_added_metrics as t; print('\\n'.join(t.digests()))"
    found = {
        level: subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"LOOKALIKE_SIMD": level},
            cwd=os.path.dirname(__file__),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for level in _core.cpu_info()["levels"]
    }
    here = list(digests())
    assert all(lines == here for lines in found.values())


@pytest.mark.parametrize(
    ("metric", "row", "why"),
    [
        ("hellinger", [1, -1e-300], "negative"),
        ("jensenshannon", [0, 0], "no sum"),
        ("chisquare", [-1, 0], "negative"),
        ("hamming", [0, np.nan], "not finite"),
        (("mahalanobis", {"VI": np.full((2, 2), 4.0)}), [1.7e308, 1], "out of range"),
        (("mahalanobis", {"VI": np.eye(2)}), [np.inf, 1], "not finite"),
    ],
)
def test_a_row_that_the_metric_is_not_defined_for(metric, row, why):
    X = np.ones((7, 2))
    X[4] = row
    with pytest.raises(ArithmeticError) as error:
        distances(X, None, metric)
    assert error.value.args == (0, 4, why)


@pytest.mark.parametrize(
    ("metric", "parameters", "message"),
    [
        ("minkowski", {}, "minkowski does not take no parameters"),
        ("minkowski", {"p": 0.0}, "p = 0"),
        ("minkowski", {"p": float("nan")}, "p = nan"),
        ("manhattan", {"p": 3.0}, "manhattan does not take p"),
        ("hellinger", {"w": np.ones(3)}, "hellinger does not take w"),
        ("manhattan", {"w": np.ones(4)}, "4 features, the rows have 3"),
        ("manhattan", {"w": np.ones((3, 3))}, "1-D"),
        ("manhattan", {"w": np.array([1, -1, 1.0])}, "w must hold .* got -1 at 1"),
        ("manhattan", {"w": np.zeros(3)}, "not 0"),
        ("seuclidean", {"V": np.array([1, 0, 1.0])}, "V must hold .* got 0 at 1"),
        ("mahalanobis", {"VI": np.eye(4)}, "4 features, the rows have 3"),
        ("mahalanobis", {"VI": np.eye(3)[:2]}, "square"),
        ("mahalanobis", {"VI": np.triu(np.ones((3, 3)))}, "symmetric"),
        ("mahalanobis", {"VI": 2 * np.ones((3, 3)) - np.eye(3)}, "semi-definite"),
        ("mahalanobis", {"VI": np.diag([1, 1, np.nan])}, "diagonal"),
    ],
)
def test_parameters_that_a_metric_cannot_take(metric, parameters, message):
    with pytest.raises(ValueError, match=message):
        distances(np.ones((4, 3)), None, (metric, parameters))


def test_a_matrix_that_does_not_see_a_direction():
    v = np.array([[1.0], [2.0], [-1.0]])
    X = np.random.default_rng(0).normal(size=(20, 3))
    D = distances(X, None, ("mahalanobis", {"VI": v @ v.T}))
    np.testing.assert_allclose(D, abs(X @ v - (X @ v).T), rtol=1e-12, atol=1e-14)


def test_the_list_of_metrics_and_their_parameters():
    assert _core.METRICS == ALL_METRICS
    weighted = {metric for metric in ALL_METRICS if "w" in _core.statements(metric)["parameters"]}
    assert weighted == set(WEIGHTED)
    assert _core.statements("seuclidean")["parameters"] == {"V"}
