"""knn: the ids, the order and the distances of the float64 brute force, to the bit."""

import numpy as np
import pytest

import lookalike
from matrices import HOSTILE, LENGTHS, googlenet_like
from reference import ALIASES, METRICS, assert_neighbours, assert_same_bits, first_k

every_metric = pytest.mark.parametrize("metric", METRICS)


def brute_force(X, Y, metric, k):
    X, Y = np.asarray(X, np.float64), np.asarray(Y, np.float64)
    return first_k(lookalike.cdist(X, Y, metric), k)


def check(X, Y, metric, k, **options):
    found = lookalike.knn(X, Y, k=k, metric=metric, **options)
    assert_neighbours(found, brute_force(X, Y, metric, k))


def check_self_join(X, metric, k, **options):
    X64 = np.asarray(X, np.float64)
    D = lookalike.cdist(X64, X64, metric)
    found = lookalike.knn(X, k=k, metric=metric, **options)
    assert_neighbours(found, first_k(D, k, without_self=True))
    found = lookalike.knn(X, k=k, metric=metric, include_self=True, **options)
    assert_neighbours(found, first_k(D, k))


@pytest.mark.parametrize("queries", [1, 2, 3, 5, 7, 8, 9])
@every_metric
def test_small_batches_are_exact(metric, queries, rng):
    Y = googlenet_like(3000, 130)
    Y[500:600] = Y[3]
    check(googlenet_like(queries, 130, seed=1), Y, metric, 100)
    check(Y[3 : 3 + queries], Y, metric, 150)
    check(Y[:queries], HOSTILE["near ties"](rng, 1000, 130), metric, 10)


@pytest.mark.parametrize("d", LENGTHS)
@every_metric
def test_every_length_is_exact(metric, d):
    Y = googlenet_like(120, d)
    check_self_join(Y, metric, 7)
    check(googlenet_like(3, d, seed=1), Y, metric, 7)


@pytest.mark.parametrize("n", [2, 3, 15, 16, 17, 63, 64, 65, 127, 129])
def test_every_number_of_rows_and_neighbours(n):
    X = googlenet_like(n, 12)
    for k in sorted({1, 2, n // 2, n - 2, n - 1} & set(range(1, n))):
        check_self_join(X, "manhattan", k)
    for k in sorted({1, 2, n // 2, n - 1, n} & set(range(1, n + 1))):
        check(X[: n // 2 + 1], X, "correlation", k)
    found = lookalike.knn(X, k=n, metric="cosine", include_self=True)
    assert_neighbours(found, brute_force(X, X, "cosine", n))


@every_metric
def test_k_from_one_to_all(metric, rng):
    X = HOSTILE["small integers"](rng, 60, 5)
    everything = brute_force(X, X, metric, 60)
    for k in range(1, 61):
        found = lookalike.knn(X, X.copy(), k=k, metric=metric)
        assert_neighbours(found, (everything[0][:, :k], everything[1][:, :k]))


@every_metric
def test_masses_of_ties_go_to_the_lower_index(metric, rng):
    # Two values in three features: 8 different rows, so that ties fill every list.
    X = rng.integers(0, 2, (1500, 3)).astype(np.float32)
    check_self_join(X, metric, 50)
    check(X[:200], X, metric, 300)
    check(X[:4], X, metric, 300)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_metric
def test_equal_rows_are_each_others_neighbours_in_order(metric, dtype):
    X = np.tile(googlenet_like(1, 30).astype(dtype), (3000, 1))
    distances, indices = lookalike.knn(X, k=10, metric=metric)
    assert not distances.any()
    expected = np.tile(np.arange(10), (3000, 1))
    for i in range(10):
        expected[i] = np.delete(np.arange(11), i)
    assert_same_bits(indices, expected)
    assert_same_bits(
        lookalike.knn(X, k=10, metric=metric, include_self=True).indices,
        np.tile(np.arange(10), (3000, 1)),
    )


@pytest.mark.parametrize("name", ["features", "near ties", "duplicates", "rescaled"])
@every_metric
def test_threads_and_batches_change_no_bit(metric, name, rng):
    X = HOSTILE[name](rng, 700, 50)
    expected = lookalike.knn(X, k=25, metric=metric, threads=1)
    for threads in (2, 3, 8):
        assert_neighbours(lookalike.knn(X, k=25, metric=metric, threads=threads), expected)
    expected = lookalike.knn(X, X.copy(), k=25, metric=metric, threads=1)
    for size, threads in ((1, 3), (5, 2), (100, 3)):
        parts = [
            lookalike.knn(X[i : i + size], X, k=25, metric=metric, threads=threads)
            for i in range(0, 200, size)
        ]
        assert_same_bits(np.concatenate([part.indices for part in parts]), expected.indices[:200])
        joined = np.concatenate([part.distances for part in parts])
        assert_same_bits(joined, expected.distances[:200])


@every_metric
def test_realistic_features_in_full_length(metric):
    X = googlenet_like(1000, 1024)
    check_self_join(X, metric, 100)
    check(X[:7] * np.float32(1.01), X, metric, 100)


@every_metric
def test_the_same_matrix_given_twice_excludes_nothing(metric):
    X = googlenet_like(80, 20)
    check(X, X, metric, 80)


def test_defaults_are_100_neighbours_by_correlation():
    X = googlenet_like(150, 20)
    found = lookalike.knn(X)
    assert found.indices.shape == (150, 100)
    assert_neighbours(found, lookalike.knn(X, k=100, metric="correlation"))
    assert isinstance(found, lookalike.Neighbors)
    assert found._fields == ("distances", "indices")
    assert (found.distances.dtype, found.indices.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize(("alias", "metric"), ALIASES.items())
def test_aliases(alias, metric):
    X = googlenet_like(20, 11)
    assert_neighbours(lookalike.knn(X, k=3, metric=alias), lookalike.knn(X, k=3, metric=metric))


@every_metric
def test_no_queries_give_an_empty_result(metric):
    found = lookalike.knn(np.empty((0, 5)), np.ones((4, 5)), k=3, metric=metric)
    assert found.distances.shape == found.indices.shape == (0, 3)
    assert (found.distances.dtype, found.indices.dtype) == (np.float64, np.int64)


@pytest.mark.slow
@every_metric
def test_many_random_searches(metric):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        name = list(HOSTILE)[seed % len(HOSTILE)]
        n, d = int(rng.integers(2, 1500)), int(rng.integers(2, 300))
        X = HOSTILE[name](rng, n, d)
        k = int(rng.integers(1, n))
        check_self_join(X, metric, k)
        check(X[: int(rng.integers(1, n))], X, metric, k)
