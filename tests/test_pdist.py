"""pdist: the condensed upper triangle, in scipy's order, with the values of cdist."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

import lookalike
from matrices import LENGTHS, googlenet_like
from reference import METRICS, assert_float32, assert_same_bits

every_metric = pytest.mark.parametrize("metric", METRICS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 64, 65, 200])
@every_metric
def test_is_the_upper_triangle_of_cdist(metric, n, dtype):
    X = googlenet_like(n, 45).astype(dtype)
    condensed = lookalike.pdist(X, metric)
    assert condensed.shape == (n * (n - 1) // 2,)
    above = np.triu_indices(n, 1)
    assert_same_bits(condensed, lookalike.cdist(X, X, metric)[above])
    assert_same_bits(condensed, lookalike.cdist(X, X.copy(), metric)[above])


@pytest.mark.parametrize("d", LENGTHS)
@every_metric
def test_float32_is_near_float64(metric, d):
    X = googlenet_like(20, d)
    X[1] = np.nextafter(X[0], np.float32(100))
    assert_float32(lookalike.pdist(X, metric), lookalike.pdist(X, metric, dtype=np.float64))


@every_metric
def test_scipy_unfolds_it(metric):
    X = googlenet_like(30, 20).astype(np.float64)
    assert_same_bits(squareform(lookalike.pdist(X, metric)), lookalike.cdist(X, X, metric))


@every_metric
def test_threads_change_no_bit(metric):
    X = googlenet_like(211, 33)
    expected = lookalike.pdist(X, metric, threads=1)
    for threads in (2, 3):
        assert_same_bits(lookalike.pdist(X, metric, threads=threads), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_out_is_filled_and_returned(dtype):
    X = googlenet_like(12, 20)
    out = np.full(66, -1, dtype)
    assert lookalike.pdist(X, "canberra", out=out, dtype=dtype) is out
    assert_same_bits(out, lookalike.pdist(X, "canberra", dtype=dtype))


@pytest.mark.parametrize("n", [0, 1])
@every_metric
def test_fewer_than_two_rows_give_nothing(metric, n):
    assert lookalike.pdist(np.ones((n, 5)), metric).shape == (0,)
