"""Data made to defeat the bounds of the 8-bit filters: knn is the float64 brute force, to the bit.

The counters of each search say which filter it ran, so that a test of a bound tests that bound.
"""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lookalike
from filters import assert_codes
from long_search import examples
from matrices import AGAINST_CODES, HOSTILE, googlenet_like
from reference import ANGULAR, METRICS, assert_same_bits, first_k

every_metric = pytest.mark.parametrize("metric", METRICS)
EVERYTHING = HOSTILE | AGAINST_CODES


def search(X, Y=None, *, k, metric, also=(), include_self=False, index=False):
    """Search, compare with the brute force for each k, and return the filter that ran for `k`."""
    X64 = np.asarray(X, np.float64)
    D = lookalike.cdist(X64, X64 if Y is None else np.asarray(Y, np.float64), metric)
    values, order = first_k(D, max(k, *also, 1), without_self=Y is None and not include_self)
    options = {} if index else {"metric": metric, "include_self": include_self}
    find = lookalike.Index(Y, metric=metric).knn if index else partial(lookalike.knn, Y=Y)
    for count in (*also, k):
        (distances, indices), stats = find(X, k=count, return_stats=True, **options)
        assert_same_bits(indices, order[:, :count])
        assert_same_bits(distances, values[:, :count])
    (stage,) = stats["stages"]
    return stage


@every_metric
def test_queries_unlike_the_rows(metric, rng):
    # The grid is chosen for the rows: what a query has beyond it is clipped, and in its residual.
    Y = googlenet_like(203, 45)
    for X in (Y[:50] * np.float32(1e3), Y[:50] + np.float32(50), 1 / (Y[:50] + np.float32(0.01))):
        assert_codes(search(X, Y, k=100, metric=metric, also=(3,)), metric, X, Y)
        assert_codes(search(Y, X, k=25, metric=metric), metric, X, Y)
    X = rng.standard_normal((50, 45)).astype(np.float32)
    assert_codes(search(X, Y, k=100, metric=metric), metric, X, Y)


@pytest.mark.parametrize("d", range(1, 18))
@every_metric
def test_every_width_and_a_number_of_rows_that_is_no_multiple(metric, d):
    X = np.abs(AGAINST_CODES["both signs"](np.random.default_rng(d), 61 + d, d))
    assert_codes(search(X, k=40, metric=metric, also=(2,)), metric, X)
    assert_codes(search(X[:9], X, k=40, metric=metric), metric, X)
    search(X, k=3, metric=metric, include_self=True)


@pytest.mark.parametrize("d", [32760, 32767, 32768, 32769, 65600])
@every_metric
def test_the_longest_rows_in_codes(metric, d):
    # All codes are at their ends: the largest sums that integers must hold.
    rng = np.random.default_rng(d)
    X = (googlenet_like(12, 1, 3) + 1) * rng.integers(0, 2, (12, d)).astype(np.float32)
    X[:4] = [[0], [9], [9], [0]]
    X[3, ::2] = 9
    stage = search(X, k=6, metric=metric)
    degenerate = metric in ANGULAR
    if d + degenerate <= 32768:
        assert_codes(stage, metric, X)
    else:
        assert stage.startswith("float32")
    search(-X[:8], X, k=2, metric=metric)


@pytest.mark.parametrize("steps", [200.5, 100.5])
def test_squares_at_the_end_of_float32(steps):
    # A value may be coded as half a step more than it is, and 32,768 squares of 2^56 are 2^127: the
    # squares of two rows pass 2^128, and so does twice their product.
    rng = np.random.default_rng(0)
    X = rng.random((24, 32768), np.float32)
    high = np.float32(2.0**56 * (1 - 2.0**-24))
    X[[1, 5, 9]] = high * np.float32([[1], [1], [0.985 if steps > 127 else 0.97]])
    X[[1, 5, 9], 0] = -high / np.float32(steps)
    X[5, 100 : 100 + (350 if steps > 127 else 900)] *= np.float32(0.7)
    for scale in (1, 0.5, 0.25):
        search(X * np.float32(scale), k=1, metric="euclidean")


def test_weights_too_small_for_float32():
    # To float32 the third row is the second, and a row of zeros is at 0 from another.
    X = np.array([[0.8], [0], [7e-48]])
    search(X, k=1, metric="braycurtis")
    search(X[1:], X[:2], k=1, metric="braycurtis")


@every_metric
def test_many_rows_of_few_directions(metric, rng):
    # k neighbours at one distance, more of them just beyond it, on both sides of several tiles.
    base = rng.integers(0, 4, (13, 24))
    X = base[rng.integers(13, size=603)] * np.float32(1.1)
    X[::2] *= np.float32(1 + 2**-23)
    assert_codes(search(X, k=300, metric=metric, also=(11,)), metric, X)


@st.composite
@np.errstate(over="ignore", invalid="ignore")  # what overflows is replaced
def searches(draw):
    """Rows of a few levels, halves of a step, ulps and outliers; queries; how many are wanted."""
    n, d = draw(st.integers(2, 90)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    name = draw(st.sampled_from(["levels", *EVERYTHING]))
    if name == "levels":
        levels = draw(st.sampled_from([1, 2, 3, 127, 254, 255, 510, 1020]))
        X = rng.integers(0, levels + 1, (n, d)) / draw(st.sampled_from([1, 2, 3, 255]))
        X = X + draw(st.sampled_from([0, 0, -1, -levels / 2, 0.5, 1000]))
    else:
        X = EVERYTHING[name](rng, n, d)
    if X.dtype.kind == "f" or draw(st.booleans()):
        X = np.array(X, draw(st.sampled_from(["float32", "float64"])))
        if draw(st.booleans()):  # an outlier, in range of the filters or not
            X[rng.integers(n), rng.integers(d)] *= draw(st.sampled_from([-1, 2, 1e2, 1e4, 1e16]))
        if draw(st.booleans()):
            X *= rng.choice([1, 1, 0, 0.5, 3, 1e3, 1e-3], (n, 1)).astype(X.dtype)
        if draw(st.booleans()):
            X *= 1 + rng.integers(-3, 4, (n, d)) * np.finfo(X.dtype).eps
        if draw(st.booleans()):
            X = np.abs(X)
        if not np.isfinite(X).all():
            X = np.nan_to_num(X, nan=0, posinf=1, neginf=-1)
    X = X[rng.integers(n, size=n)] if draw(st.booleans()) else X
    queries = draw(st.integers(1, 40))
    Y = X[rng.integers(n, size=queries)] if draw(st.booleans()) else None
    if Y is not None and Y.dtype.kind == "f":
        Y = Y * Y.dtype.type(draw(st.sampled_from([1, 1, 1.001, 1.5, 30])))
        Y = np.nan_to_num(Y, nan=0, posinf=1, neginf=-1)
    return X, Y, draw(st.integers(1, n - (Y is None))), draw(st.booleans())


@pytest.mark.slow
@every_metric
@given(case=searches())
@examples(5000)
def test_long_search_for_a_pair_wrongly_excluded(metric, case):
    X, queries, k, index = case
    if queries is None:
        search(X, k=k, metric=metric)
    else:
        search(queries, X, k=k, metric=metric, index=index)
