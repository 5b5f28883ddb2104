"""cdist: values, lengths, accuracy, and what must not change a bit."""

import numpy as np
import pytest
from scipy.spatial import distance as scipy_distance

import lookalike
from matrices import LENGTHS, googlenet_like
from reference import (
    ALIASES,
    METRICS,
    TO_THE_BIT,
    assert_float32,
    assert_same_bits,
    assert_true,
    pairwise,
)

every_metric = pytest.mark.parametrize("metric", METRICS)


def test_the_package_lists_the_metrics_of_the_reference():
    assert tuple(lookalike.METRICS) == METRICS


@pytest.mark.parametrize("d", LENGTHS)
@pytest.mark.parametrize("metric", TO_THE_BIT)
def test_float64_is_the_promised_sum_to_the_bit(metric, d):
    X = googlenet_like(19, d).astype(np.float64)
    Y = googlenet_like(23, d, seed=1) - np.float64(0.7)
    assert_same_bits(lookalike.cdist(X, Y, metric), pairwise(metric, X, Y, np.float64))


@pytest.mark.parametrize("d", [*LENGTHS, 20_000])
@every_metric
def test_float64_is_within_its_accuracy_of_the_truth(metric, d):
    X = googlenet_like(6, d).astype(np.float64)
    Y = np.concatenate([X[:3] * (1 + 1e-9), googlenet_like(5, d, seed=1) - 0.7])
    assert_true(lookalike.cdist(X, Y, metric), metric, X, Y)


@pytest.mark.parametrize("d", LENGTHS)
@every_metric
def test_float32_is_near_float64_for_every_pair(metric, d):
    X = googlenet_like(40, d)
    # Near-duplicates: one feature moved by one unit in the last place, and by a little noise.
    near = X[:10].copy()
    near[:, d // 2] = np.nextafter(near[:, d // 2], np.float32(100))
    noisy = (X[:10] * (1 + 1e-4 * np.sin(np.arange(d)))).astype(np.float32)
    Y = np.concatenate([near, noisy, -X[:5], googlenet_like(30, d, seed=1)])
    exact = lookalike.cdist(X, Y, metric, dtype=np.float64)
    assert_float32(lookalike.cdist(X, Y, metric), exact)


@every_metric
def test_float32_stays_near_float64_in_long_rows(metric):
    d = 65_536
    X = googlenet_like(5, d)
    Y = np.concatenate([(X[:3] * (1 + 1e-5 * np.cos(np.arange(d)))), X[3:] + 100])
    Y = Y.astype(np.float32)
    assert_float32(lookalike.cdist(X, Y, metric), pairwise(metric, X, Y, np.longdouble))


@every_metric
def test_agrees_with_scipy(metric):
    X, Y = googlenet_like(31, 130), googlenet_like(17, 130, seed=1)
    name = {"manhattan": "cityblock"}.get(metric, metric)
    expected = scipy_distance.cdist(X.astype(np.float64), Y.astype(np.float64), name)
    # scipy's cosine is 1 minus a quotient of plain sums: off by about d units of 1e-16.
    found = lookalike.cdist(X, Y, metric, dtype=np.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=2e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_metric
def test_a_matrix_with_itself_is_symmetric_with_a_zero_diagonal(metric, dtype):
    X = googlenet_like(150, 67).astype(dtype)
    X[::7] = X[0]
    D = lookalike.cdist(X, X, metric)
    assert_same_bits(D, np.ascontiguousarray(D.T))
    assert_same_bits(np.diagonal(D).copy(), np.zeros(len(X), dtype))
    # The half matrix must hold what the whole one does.
    assert_same_bits(D, lookalike.cdist(X, X.copy(), metric))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_metric
def test_overlapping_matrices_are_not_taken_for_the_same(metric, dtype):
    X = googlenet_like(60, 33).astype(dtype)
    whole = lookalike.cdist(X, X, metric)
    assert_same_bits(lookalike.cdist(X[:-1], X[1:], metric), whole[:-1, 1:].copy())
    assert_same_bits(lookalike.cdist(X, X[::-1], metric), whole[:, ::-1].copy())
    square = googlenet_like(33, 33).astype(dtype)
    assert_same_bits(
        lookalike.cdist(square, square.T, metric), lookalike.cdist(square, square.T.copy(), metric)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_metric
def test_threads_and_batches_change_no_bit(metric, dtype):
    X, Y = googlenet_like(203, 130).astype(dtype), googlenet_like(97, 130, seed=1).astype(dtype)
    expected = lookalike.cdist(X, Y, metric, threads=1)
    for threads in (2, 3, 7):
        assert_same_bits(lookalike.cdist(X, Y, metric, threads=threads), expected)
    batches = [lookalike.cdist(X[i : i + 29], Y, metric) for i in range(0, len(X), 29)]
    assert_same_bits(np.concatenate(batches), expected)
    columns = [lookalike.cdist(X[:5], Y[j : j + 1], metric) for j in range(len(Y))]
    assert_same_bits(np.concatenate(columns, axis=1), expected[:5])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_out_is_filled_and_returned(dtype):
    X, Y = googlenet_like(12, 20), googlenet_like(9, 20, seed=1)
    out = np.full((12, 9), -1, dtype)
    assert lookalike.cdist(X, Y, "manhattan", out=out, dtype=dtype) is out
    assert_same_bits(out, lookalike.cdist(X, Y, "manhattan", dtype=dtype))
    square = np.full((12, 12), -1, dtype)
    assert lookalike.cdist(X, X, "cosine", out=square, dtype=dtype) is square
    assert_same_bits(square, lookalike.cdist(X, X.copy(), "cosine", dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_out_over_the_input_is_refused_or_right(dtype):
    X = googlenet_like(40, 40).astype(dtype)
    expected = lookalike.cdist(X, X.copy(), "manhattan")
    try:
        result = lookalike.cdist(X, X, "manhattan", out=X)
    except ValueError:
        return
    assert_same_bits(result, expected)


@every_metric
def test_dtype_overrides_without_losing_what_float64_rows_hold(metric):
    # Rounded to float32 first, these rows would be equal and every distance zero.
    X = googlenet_like(20, 50).astype(np.float64)
    Y = X * (1 + 1e-10 * np.cos(np.arange(50)))
    found = lookalike.cdist(X, Y, metric, dtype=np.float32)
    assert_float32(found, lookalike.cdist(X, Y, metric))


@pytest.mark.parametrize(("alias", "metric"), ALIASES.items())
def test_aliases(alias, metric):
    X = googlenet_like(6, 11)
    assert_same_bits(lookalike.cdist(X, X, alias), lookalike.cdist(X, X, metric))


@pytest.mark.parametrize(("n", "m"), [(0, 4), (4, 0), (0, 0)])
@every_metric
def test_no_rows_give_an_empty_matrix(metric, n, m):
    D = lookalike.cdist(np.empty((n, 5)), np.empty((m, 5), np.float32), metric)
    assert D.shape == (n, m)
    assert D.dtype == np.float64


def test_euclidean_is_the_default():
    X = googlenet_like(6, 11)
    assert_same_bits(lookalike.cdist(X, X), lookalike.cdist(X, X, "euclidean"))
