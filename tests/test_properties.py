"""Properties that hold for every metric and all finite values, hunted for counter-examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lookalike
from long_search import examples
from matrices import HOSTILE
from reference import (
    ANGULAR,
    METRICS,
    Ranked,
    assert_float32,
    assert_neighbours,
    assert_pairs,
    assert_same_bits,
    assert_true,
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


def assert_searches(pair, exact, metric, data):
    """Hold every search for rows of Y against the distances from X."""
    X, Y = pair
    k = data.draw(st.integers(1, len(Y)))
    ranked = Ranked(exact)
    assert_neighbours(lookalike.knn(X, Y, k=k, metric=metric), ranked.first(k))
    assert_neighbours(lookalike.Index(Y, metric).knn(X, k), ranked.first(k))
    radius = data.draw(st.sampled_from(sorted({0.0, 1.0, *exact.ravel().tolist()})))
    found = lookalike.radius_neighbors(X, Y, radius=radius, metric=metric)
    assert_pairs(found, ranked.within(radius))


@every_metric
@given(pair=pairs_of_matrices(), data=st.data())
@settings(max_examples=40)
def test_two_matrices(metric, pair, data):
    X, Y = pair
    there, back = lookalike.cdist(X, Y, metric), lookalike.cdist(Y, X, metric)
    assert_same_bits(there, np.ascontiguousarray(back.T))
    assert not np.isnan(there).any()
    assert not np.signbit(there).any()
    exact = cdist64(X, Y, metric)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric, dtype=np.float32), exact)
    assert_searches(pair, exact, metric, data)


@every_metric
@given(X=matrices(rows=st.integers(2, 14)), data=st.data())
@settings(max_examples=35)
def test_a_matrix_with_itself(metric, X, data):
    D = lookalike.cdist(X, X, metric)
    for square in (D, lookalike.cdist(X, X.copy(), metric)):
        assert_same_bits(np.diagonal(square).copy(), np.zeros(len(X), X.dtype))
    if metric in ANGULAR:
        assert D.max() <= 2
    order = np.array(data.draw(st.permutations(range(len(X)))))
    assert_same_bits(lookalike.cdist(X[order], X[order], metric), D[np.ix_(order, order)])

    k = data.draw(st.integers(1, len(X) - 1))
    others = Ranked(cdist64(X, X, metric), without_self=True)
    assert_neighbours(lookalike.knn(X, k=k, metric=metric), others.first(k))
    fewer = max(1, k - 1)  # the first of more
    assert_neighbours(lookalike.knn(X, k=fewer, metric=metric), others.first(fewer))


@given(X=matrices(rows=st.just(1)))
@settings(max_examples=20)
def test_one_row_is_at_zero_from_itself(X):
    for metric in METRICS:
        for D in (lookalike.cdist(X, X, metric), lookalike.cdist(X, X.copy(), metric)):
            assert_same_bits(D, np.zeros((1, 1), X.dtype))


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
@examples(3000)
def test_long_search(metric, pair, data):
    X, Y = pair
    exact = cdist64(X, Y, metric)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric, dtype=np.float32), exact)
    assert_searches(pair, exact, metric, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
@every_metric
@given(n=st.integers(2, 400), d=st.integers(1, 200), seed=st.integers(0, 2**32), data=st.data())
@examples(30)
def test_long_search_on_hostile_data(metric, name, n, d, seed, data):
    X = HOSTILE[name](np.random.default_rng(seed), n, d)
    k = data.draw(st.integers(1, n - 1))
    expected = first_k(cdist64(X, X, metric), k, without_self=True)
    assert_neighbours(lookalike.knn(X, k=k, metric=metric), expected)
