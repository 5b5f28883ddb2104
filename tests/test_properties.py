"""Properties that hold for every metric and all finite values, hunted for counter-examples."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lookalike
from matrices import HOSTILE
from reference import (
    METRICS,
    assert_float32,
    assert_pairs,
    assert_same_bits,
    assert_true,
    filtered,
    first_k,
)

every_metric = pytest.mark.parametrize("metric", METRICS)

# Values at which arithmetic changes its ways, each for the types that can hold it.
EDGES = [0.0, -0.0, 1.0, -1.0, 1 / 3, 0.1, 1 + 2**-23, 1 + 2**-52, 2.0**24, 16777217.0, 1e8]
EDGES += [1e-38, -1e-38, 1e38, -1e38, 1e-45, 3e38, 1e18, 1e-18]
WIDE_EDGES = [1e200, -1e200, 1e-200, 1e300, 1e-300, 5e-324, -5e-324, 1.7e308, -1.7e308, 2.3e-308]


def values(dtype):
    """Small integers (ties), edges, and any finite number of the type."""
    finite = st.floats(width=32 if dtype == "float32" else 64, allow_nan=False)
    edges = EDGES if dtype == "float32" else EDGES + WIDE_EDGES
    return st.one_of(
        st.integers(-2, 2).map(float), st.sampled_from(edges), finite.filter(np.isfinite)
    )


SOME_ROWS, SOME_COLUMNS = st.integers(1, 14), st.integers(1, 20)


@st.composite
def matrices(draw, rows=SOME_ROWS, columns=SOME_COLUMNS):
    """A matrix of hostile values, of few different rows so that duplicates are common."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    n, d = draw(rows), draw(columns)
    elements = draw(st.sampled_from(["hostile", "plain"]))
    drawn = values(dtype) if elements == "hostile" else st.integers(-3, 3).map(float)
    X = draw(arrays.arrays(dtype, (n, d), elements=drawn.map(np.dtype(dtype).type)))
    return X[draw(arrays.arrays(np.int64, n, elements=st.integers(0, n - 1)))]


@st.composite
def pairs_of_matrices(draw):
    columns = st.just(draw(SOME_COLUMNS))
    return draw(matrices(columns=columns)), draw(matrices(columns=columns))


def cdist64(X, Y, metric):
    return lookalike.cdist(X.astype(np.float64), Y.astype(np.float64), metric)


@every_metric
@given(pair=pairs_of_matrices())
@settings(max_examples=40)
def test_symmetry(metric, pair):
    X, Y = pair
    there, back = lookalike.cdist(X, Y, metric), lookalike.cdist(Y, X, metric)
    assert_same_bits(there, np.ascontiguousarray(back.T))
    assert not np.isnan(there).any()
    assert not np.signbit(there).any()


@every_metric
@given(X=matrices())
@settings(max_examples=40)
def test_identity(metric, X):
    zero = np.zeros(len(X), X.dtype)
    for D in (lookalike.cdist(X, X, metric), lookalike.cdist(X, X.copy(), metric)):
        assert_same_bits(np.diagonal(D).copy(), zero)
    if metric in ("cosine", "correlation"):
        assert D.max() <= 2


@every_metric
@given(pair=pairs_of_matrices())
@settings(max_examples=60)
def test_accuracy(metric, pair):
    X, Y = pair
    exact = cdist64(X, Y, metric)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric, dtype=np.float32), exact)


@every_metric
@given(X=matrices(), data=st.data())
@settings(max_examples=50)
def test_permuting_the_rows_permutes_the_result(metric, X, data):
    order = np.array(data.draw(st.permutations(range(len(X)))))
    D = lookalike.cdist(X, X, metric)
    assert_same_bits(lookalike.cdist(X[order], X[order], metric), D[np.ix_(order, order)])


@every_metric
@given(pair=pairs_of_matrices(), data=st.data())
@settings(max_examples=50)
def test_knn_is_the_stable_argsort(metric, pair, data):
    X, Y = pair
    k = data.draw(st.integers(1, len(Y)))
    distances, indices = lookalike.knn(X, Y, k=k, metric=metric)
    values, order = first_k(cdist64(X, Y, metric), k)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@every_metric
@given(X=matrices(rows=st.integers(2, 14)), data=st.data())
@settings(max_examples=50)
def test_self_join_is_the_stable_argsort_without_self(metric, X, data):
    k = data.draw(st.integers(1, len(X) - 1))
    distances, indices = lookalike.knn(X, k=k, metric=metric)
    values, order = first_k(cdist64(X, X, metric), k, without_self=True)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@every_metric
@given(X=matrices(rows=st.integers(3, 14)), data=st.data())
@settings(max_examples=40)
def test_fewer_neighbours_are_the_first_of_more(metric, X, data):
    k = data.draw(st.integers(2, len(X) - 1))
    more = lookalike.knn(X, k=k, metric=metric)
    fewer = lookalike.knn(X, k=k - 1, metric=metric)
    assert_same_bits(fewer.indices, more.indices[:, :-1].copy())
    assert_same_bits(fewer.distances, more.distances[:, :-1].copy())


@every_metric
@given(pair=pairs_of_matrices(), data=st.data())
@settings(max_examples=50)
def test_radius_search_is_the_filtered_matrix(metric, pair, data):
    X, Y = pair
    D = cdist64(X, Y, metric)
    radius = data.draw(st.sampled_from(sorted({0.0, 1.0, *D.ravel().tolist()})))
    found = lookalike.radius_neighbors(X, Y, radius=radius, metric=metric)
    assert_pairs(found, filtered(D, radius))


@given(
    D=arrays.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 6), st.integers(1, 80)),
        elements=st.one_of(
            st.integers(-2, 2).map(float), st.floats(width=32, allow_nan=False), st.just(np.inf)
        ),
    ),
    data=st.data(),
)
def test_topk_is_the_stable_argsort(D, data):
    k = data.draw(st.integers(1, D.shape[1]))
    distances, indices = lookalike.topk(D, k)
    values, order = first_k(D.astype(np.float64), k)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@pytest.mark.slow
@every_metric
@given(pair=pairs_of_matrices(), data=st.data())
@settings(max_examples=3000, derandomize=False, suppress_health_check=[HealthCheck.too_slow])
def test_long_search(metric, pair, data):
    X, Y = pair
    exact = cdist64(X, Y, metric)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric, dtype=np.float32), exact)
    k = data.draw(st.integers(1, len(Y)))
    distances, indices = lookalike.knn(X, Y, k=k, metric=metric)
    values, order = first_k(exact, k)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
@every_metric
@given(n=st.integers(2, 400), d=st.integers(1, 200), seed=st.integers(0, 2**32), data=st.data())
@settings(max_examples=30, derandomize=False)
def test_long_search_on_hostile_data(metric, name, n, d, seed, data):
    X = HOSTILE[name](np.random.default_rng(seed), n, d)
    k = data.draw(st.integers(1, n - 1))
    distances, indices = lookalike.knn(X, k=k, metric=metric)
    values, order = first_k(cdist64(X, X, metric), k, without_self=True)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)
