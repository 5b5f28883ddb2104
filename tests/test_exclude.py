"""`exclude=` leaves one row out of each query's list, and nothing else."""

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from reference import METRICS, assert_same_bits

every_metric = pytest.mark.parametrize("metric", METRICS)


def brute_force(X, Y, ids, k, metric, *, without_self=False):
    distances = lookalike.cdist(X, Y, metric, dtype=np.float64)
    order = np.argsort(distances, axis=1, kind="stable")
    left = order != np.asarray(ids)[:, None]
    if without_self:
        left &= order != np.arange(len(X))[:, None]
    indices = np.array([row[keep][:k] for row, keep in zip(order, left, strict=True)])
    return np.take_along_axis(distances, indices, axis=1), indices


def assert_excluded(found, expected):
    assert_same_bits(found.indices, expected[1])
    assert_same_bits(found.distances, expected[0])


@every_metric
@pytest.mark.parametrize("queries", [1, 7, 300])
def test_the_excluded_row_is_left_out(metric, queries, rng):
    X = googlenet_like(300, 40)
    X[100:200] = X[0]  # masses of ties: it is known by its index, not by its distance
    ids = rng.integers(-1, 300, queries)
    found = lookalike.knn(X[:queries], X, k=25, metric=metric, exclude=ids)
    assert_excluded(found, brute_force(X[:queries], X, ids, 25, metric))
    index = lookalike.Index(X, metric)
    assert_excluded(
        index.knn(X[:queries], 25, exclude=ids), brute_force(X[:queries], X, ids, 25, metric)
    )


@every_metric
def test_a_self_join_excludes_one_more(metric, rng):
    X = googlenet_like(600, 40)
    ids = rng.integers(-1, 600, 600)
    ids[5] = 5
    found = lookalike.knn(X, k=20, metric=metric, exclude=ids)
    assert_excluded(found, brute_force(X, X, ids, 20, metric, without_self=True))
    found = lookalike.knn(X, k=20, metric=metric, include_self=True, exclude=ids)
    assert_excluded(found, brute_force(X, X, ids, 20, metric))


def test_all_others_but_the_excluded(rng):
    X = rng.random((12, 3))
    others = lookalike.knn(X, X.copy(), k=11, metric="l1", exclude=np.arange(12))
    assert_excluded(others, lookalike.knn(X, k=11, metric="l1"))
    with pytest.raises(ValueError, match=r"from 1 to 11 .*but the excluded one\), got 12"):
        lookalike.knn(X, X.copy(), k=12, exclude=np.arange(12))
    assert lookalike.knn(X, X.copy(), k=12, exclude=np.full(12, -1)).indices.shape == (12, 12)


def test_bad_ids():
    X = np.eye(4)
    for ids, says in [
        ([0, 1], r"exclude must have a row for each of 4 queries, got \(2,\)"),
        ([[0, 1, 2, 3]], r"each of 4 queries, got \(1, 4\)"),
        ([0, 1, 2, 4], "exclude must hold rows from 0 to 3, or -1, got 4"),
        ([0, 1, 2, -2], "or -1, got -2"),
    ]:
        with pytest.raises(ValueError, match=says):
            lookalike.knn(X, X.copy(), k=1, exclude=ids)
    for ids in ([0.0, 1.0, 2.0, 3.0], ["a"] * 4, [None] * 4):
        with pytest.raises(TypeError, match="exclude must hold integers"):
            lookalike.knn(X, X.copy(), k=1, exclude=ids)
    assert lookalike.knn(np.empty((0, 4)), X, k=1, exclude=[]).indices.shape == (0, 1)
