"""The edges of what the proofs suppose.

Where float32 has no relative rounding, or no room, or where there are more features than a sum was
made for. `test_every_level_keeps_the_edges` repeats this file at each instruction set.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from processes import HANGS
from reference import METRICS, assert_same_bits, filtered, first_k, truth
from test_hostile_values import flush_to_zero

every_metric = pytest.mark.parametrize("metric", METRICS)
LEAST = 2.0**-149


def assert_brute_force(X, Y, k, metric):
    D = lookalike.cdist(X.astype(np.float64), Y.astype(np.float64), metric)
    distances, indices = first_k(D, k)
    for found in (lookalike.knn(X, Y, k=k, metric=metric), lookalike.Index(Y, metric).knn(X, k)):
        assert_same_bits(found.indices, indices)
        assert_same_bits(found.distances, distances)
    radius = float(distances[0, -1])
    near = lookalike.radius_neighbors(X, Y, radius=radius, metric=metric)
    expected = filtered(D, radius)
    assert_same_bits(near.indices, expected[1])
    assert_same_bits(near.indptr, expected[0])


@every_metric
def test_a_kth_distance_below_the_normal_range(metric):
    # The nearest of few and of many queries, among rows whose differences are denormal.
    far = np.float32(60000 * LEAST)
    for a in (1, 4489, 4490, 30011):
        Y = np.float32([[1.1, a * LEAST], [1.1, (a + 1) * LEAST], [1.1, far]])
        X = np.repeat(np.float32([[1.1, 0]]), 40, axis=0)
        for queries in (X[:1], X):
            for k in (1, 2):
                assert_brute_force(queries, Y, k, metric)
        assert_brute_force(X[:1], -Y, 1, metric)  # weights of both signs do not add up


@every_metric
def test_small_differences_beside_large_values(metric, rng):
    # No denormal in the input, but in the quotients: differences of 1e-24 over weights of 1e18.
    for large, small in ((1e18, 1e-24), (1e15, 1e-28), (1.0, 1e-44)):
        Y = np.repeat(np.float32([[large, 0, 0]]), 200, axis=0)
        Y[:, 1:] = small * rng.integers(1, 100, (200, 2))
        X = np.repeat(np.float32([[large, 0, 0]]), 33, axis=0)
        for queries in (X[:1], X):
            for k in (1, 5):
                assert_brute_force(queries, Y, k, metric)


@every_metric
@pytest.mark.parametrize("scale", [1e-45, 1e-44, 1e-42, 1e-40, 1e-39, 1e-38, 1e-37])
def test_rows_around_the_end_of_the_normal_range(metric, scale, rng):
    X = (scale * rng.integers(0, 40, (300, 9))).astype(np.float32)
    X[::7, 0] = 1.5  # the median row must not bring the others up
    X[1::2, 1] = 1e-3
    assert_brute_force(X[:40], X, 7, metric)
    assert_brute_force(X[:2], X, 7, metric)


@pytest.mark.parametrize("d", [32768, 32769, 65536, 65537, 70000])
@every_metric
def test_many_features_at_the_end_of_float32(metric, d, rng):
    # Nearly 2^55 each: squares of their differences leave float32 when some 65,536 are added.
    X = np.full((9, d), 2.0**55 * (1 - 2.0**-20), np.float32)
    X *= rng.choice([-1, 1], (9, 1))
    X[:, : d // 3] *= rng.uniform(0.5, 1, (9, 1)).astype(np.float32)
    assert_brute_force(X[:1], X[1:], 3, metric)
    assert_brute_force(X, X.copy(), 4, metric)


@pytest.mark.parametrize("metric", ["euclidean", "braycurtis", "correlation"])
def test_more_features_than_the_bounds_are_made_for(metric, rng):
    X = rng.random((3, 2**24 + 1), dtype=np.float32)
    found, stats = lookalike.knn(X, k=2, metric=metric, return_stats=True)
    assert stats["stages"] == ["float64"]
    D = lookalike.cdist(X, X, metric, dtype="float64")
    assert_same_bits(found.distances, first_k(D, 2, without_self=True)[0])


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_directions_of_a_million_features(metric, rng):
    X = rng.gamma(0.5, size=(2, 10**6)) + 0.3
    Y = X[:1] * (1 + 0.01 * rng.standard_normal((1, 10**6)))
    D = lookalike.cdist(X, Y, metric)
    np.testing.assert_allclose(D, truth(metric, X, Y).astype(float), rtol=1e-12, atol=0)


@every_metric
def test_the_callers_flush_to_zero_mode_changes_no_radius(metric):
    X = np.zeros((40, 3))
    X[:, 0] = np.arange(40) * 5e-324
    X[:, 1] = 1.0
    radius = 3 * 5e-324
    expected = lookalike.radius_neighbors(X, radius=radius, metric=metric)
    with flush_to_zero():
        found = lookalike.radius_neighbors(X, radius=radius, metric=metric)
    for one, other in zip(found, expected, strict=True):
        assert_same_bits(one, other)
    if metric in ("manhattan", "chebyshev"):
        assert len(expected.indices) == 2 * (39 + 38 + 37)


@every_metric
def test_an_entry_depends_on_its_two_rows_only(metric, rng):
    X = googlenet_like(40, 70)
    X[5] *= np.float32(2.0**-95)
    X[6, 3:] = 2.0**-98
    alone = np.array([[lookalike.cdist(u[None], v[None], metric)[0, 0] for v in X] for u in X])
    assert_same_bits(lookalike.cdist(X, X.copy(), metric), alone)
    assert_same_bits(lookalike.cdist(X, X, metric), alone)
    for other in (-X[:1], X[:1] * np.float32(1e30), X[:1] * np.float32(1e-30), 0 * X[:1]):
        Y = np.concatenate([X, np.repeat(other, 100, axis=0)])
        assert_same_bits(lookalike.cdist(X, Y, metric)[:, :40], alone)
        assert_same_bits(lookalike.cdist(Y, Y, metric)[:40, :40], alone)


@pytest.mark.long
@pytest.mark.parametrize("level", lookalike.cpu_info()["levels"])
def test_every_level_keeps_the_edges(level):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    left_out = "not every_level and not bounds_are_made_for and not million"
    environment = os.environ | {"LOOKALIKE_SIMD": level}
    if level == lookalike.cpu_info()["simd"]:
        pytest.skip("this level is what runs here")
    subprocess.run([*command, "-k", left_out], env=environment, check=True, timeout=HANGS)
