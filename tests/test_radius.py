"""radius_neighbors: the pairs that filtering the float64 matrix gives, as CSR."""

import numpy as np
import pytest

import lookalike
from lookalike.distance.few_pairs import few_pairs
from matrices import googlenet_like
from reference import ALIASES, METRICS, assert_pairs, assert_same_bits, filtered

every_metric = pytest.mark.parametrize("metric", METRICS)


def matrix(X, Y, metric):
    return lookalike.cdist(np.asarray(X, np.float64), np.asarray(Y, np.float64), metric)


def radii(D):
    """Radii that an entry equals, that lie just beside one, and that keep none or all."""
    values = np.sort(D, axis=None)
    some = [values[int(part * (values.size - 1))] for part in (0.001, 0.02, 0.3)]
    below = np.nextafter(some[1], 0)
    return [0.0, *some, below, np.finfo(np.float64).max]


def check(X, Y, metric, **options):
    D = matrix(X, Y, metric)
    for radius in radii(D):
        found = lookalike.radius_neighbors(X, Y, radius=radius, metric=metric, **options)
        assert_pairs(found, filtered(D, radius))


@pytest.mark.parametrize("queries", [1, 2, 7, 8, 9])
@every_metric
def test_small_batches_are_exact(metric, queries):
    check(googlenet_like(queries, 65, seed=1), googlenet_like(900, 65), metric)


@every_metric
def test_threads_change_no_bit(metric):
    X = googlenet_like(500, 40)
    radius = float(np.quantile(lookalike.pdist(X[:100], metric), 0.05))
    expected = lookalike.radius_neighbors(X, radius=radius, metric=metric, threads=1)
    for threads in (2, 3, 8):
        found = lookalike.radius_neighbors(X, radius=radius, metric=metric, threads=threads)
        assert_pairs(found, (expected.indptr, expected.indices, expected.distances))


@every_metric
def test_radius_zero_finds_the_equal_rows(metric):
    X = np.tile(googlenet_like(1, 30), (700, 1))
    found = lookalike.radius_neighbors(X, radius=0, metric=metric)
    assert_same_bits(found.indptr, np.arange(701) * 699)
    assert not found.distances.any()


def test_an_infinite_radius_keeps_the_infinite_distances():
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [2.0, 1.0]])
    found = lookalike.radius_neighbors(X, radius=np.inf, metric="braycurtis", include_self=True)
    assert_pairs(found, filtered(matrix(X, X, "braycurtis"), np.inf))
    assert np.isinf(found.distances).sum() == 2


@pytest.mark.parametrize(("alias", "metric"), ALIASES.items())
def test_aliases(alias, metric):
    X = googlenet_like(20, 11)
    expected = lookalike.radius_neighbors(X, radius=4, metric=metric)
    found = lookalike.radius_neighbors(X, radius=4, metric=alias)
    assert_pairs(found, (expected.indptr, expected.indices, expected.distances))


def test_correlation_is_the_default():
    X = googlenet_like(50, 20)
    expected = lookalike.radius_neighbors(X, radius=0.5, metric="correlation")
    found = lookalike.radius_neighbors(X, radius=0.5)
    assert_pairs(found, (expected.indptr, expected.indices, expected.distances))


@every_metric
def test_no_rows_give_empty_results(metric):
    none, some = np.empty((0, 5)), np.ones((4, 5))
    for found, rows in (
        (lookalike.radius_neighbors(none, radius=1, metric=metric), 0),
        (lookalike.radius_neighbors(none, some, radius=1, metric=metric), 0),
        (lookalike.radius_neighbors(some, none, radius=1, metric=metric), 4),
    ):
        assert_same_bits(found.indptr, np.zeros(rows + 1, np.int64))
        assert (found.indices.dtype, found.indices.shape) == (np.int64, (0,))
        assert (found.distances.dtype, found.distances.shape) == (np.float64, (0,))


@every_metric
@pytest.mark.parametrize("rows", [600, 40])
def test_a_search_for_few_pairs_gives_up_beyond_so_many(metric, rows):
    X = googlenet_like(rows, 40)
    radius = float(np.quantile(lookalike.pdist(X, metric), 0.05))
    expected = lookalike.radius_neighbors(X, radius=radius, metric=metric)
    count = len(expected.indices)
    found = few_pairs(X, radius, metric, most=count)
    assert_pairs(found, (expected.indptr, expected.indices, expected.distances))
    assert few_pairs(X, radius, metric, most=count - 1) is None
