"""Every way around the common path is taken when it must be, proven by the counters of a search."""

import numpy as np
import pytest

import lookalike
from filters import first_stage
from matrices import HOSTILE, googlenet_like
from reference import ANGULAR, METRICS, assert_same_bits, first_k

every_metric = pytest.mark.parametrize("metric", METRICS)

CODES = {
    "manhattan": "differences",
    "euclidean": "products",
    "cosine": "products",
    "braycurtis": "differences",
    "canberra": "ratios",
    "chebyshev": "largest",
    "correlation": "products",
}


def search(X, Y=None, *, k, metric, **options):
    """Search, compare with the brute force, and return the counters."""
    found, stats = lookalike.knn(X, Y, k=k, metric=metric, return_stats=True, **options)
    X64 = np.asarray(X, np.float64)
    Y64 = X64 if Y is None else np.asarray(Y, np.float64)
    D = lookalike.cdist(X64, Y64, metric)
    values, order = first_k(D, k, without_self=Y is None)
    assert_same_bits(found.indices, order)
    assert_same_bits(found.distances, values)
    return stats


@every_metric
def test_features_take_the_common_path(metric):
    n, k = 1000, 20
    stats = search(googlenet_like(n, 130), k=k, metric=metric)
    assert stats["stages"] == [first_stage(metric)]
    assert stats["unbounded_rows"] == 0
    assert stats["overflows"] < n
    assert stats["row_major"] == 0
    # Each pair of neighbours is refined once, for both if either is the other's; only pairs within
    # the filter's bound of the k-th come on top.
    assert n * k / 2 <= stats["refined"] <= stats["candidates"]
    assert stats["refined"] < 3 * n * k


def test_rows_far_from_the_origin_leave_the_product_form():
    # |u|² + |v|² − 2 u·v loses distances that are small against the rows to rounding.
    rng = np.random.default_rng(5)
    X = (1000 + rng.random((1500, 60)) / 8).astype(np.float32)
    stats = search(X, k=10, metric="euclidean")
    assert stats["stages"] == ["float32"]
    assert stats["refined"] < 1500 * 1500 / 10


@every_metric
def test_a_self_join_computes_half_of_the_pairs(metric):
    n = 1200
    stats = search(googlenet_like(n, 40), k=10, metric=metric)
    # The tiles on the diagonal are computed whole: some of them on top of the half.
    assert n * (n - 1) / 2 <= stats["pairs"] < 0.6 * n * n
    _, whole = lookalike.knn(
        googlenet_like(n, 40), googlenet_like(n, 40), k=10, metric=metric, return_stats=True
    )
    assert n * n <= whole["pairs"] < 1.1 * n * n


@every_metric
def test_the_filter_excludes_most_pairs_of_a_radius_search(metric):
    X = googlenet_like(1000, 130)
    radius = float(np.quantile(lookalike.pdist(X, metric), 0.01))
    found, stats = lookalike.radius_neighbors(X, radius=radius, metric=metric, return_stats=True)
    assert len(found.indices) / 2 <= stats["refined"] < 1.5 * len(found.indices)
    assert stats["unbounded_rows"] == 0


@every_metric
@pytest.mark.parametrize("queries", [1, 3, 7])
def test_small_batches_take_the_row_major_kernel(metric, queries):
    Y = googlenet_like(2000, 130)
    X = googlenet_like(queries, 130, seed=1)
    assert search(X, Y, k=10, metric=metric)["row_major"] == 1
    _, stats = lookalike.radius_neighbors(X, Y, radius=1, metric=metric, return_stats=True)
    assert stats["row_major"] == 1


@every_metric
def test_large_batches_take_the_tiles(metric):
    X = googlenet_like(300, 40)
    assert search(X[:100], X, k=10, metric=metric)["row_major"] == 0


@every_metric
@pytest.mark.parametrize("kinds", [1, 2])
def test_masses_of_ties_overflow_the_reservoirs(metric, kinds):
    n = 1500
    X = np.tile(googlenet_like(kinds, 30), (n // kinds, 1))
    stats = search(X, k=10, metric=metric)
    assert stats["overflows"] > 0
    # Adopting the exact threshold ends it: not every one of the tied pairs is refined.
    assert stats["refined"] < 0.5 * n * n


@every_metric
def test_near_ties_that_float32_cannot_tell_are_refined(metric, rng):
    n, k = 1200, 5
    stats = search(HOSTILE["near ties"](rng, n, 40), k=k, metric=metric)
    # Some thirty rows are as near as float32 can tell.
    assert stats["refined"] > 2 * n * k


# Rows are divided by their norms before the filter of an angle sees them: none is out of its range.
as_they_are = pytest.mark.parametrize("metric", [m for m in METRICS if m not in ANGULAR])


@as_they_are
@pytest.mark.parametrize("scale", [1e30, 1e300])
def test_rows_out_of_range_are_always_refined(metric, scale):
    X = googlenet_like(200, 40).astype(np.float64)
    X[50:60] *= scale
    assert search(X, k=10, metric=metric)["unbounded_rows"] == 10
    assert search(X, X[:120].copy(), k=10, metric=metric)["unbounded_rows"] == 20
    found, stats = lookalike.radius_neighbors(
        X, radius=float(lookalike.pdist(X, metric).max()), metric=metric, return_stats=True
    )
    assert stats["unbounded_rows"] == 10
    assert len(found.indices) == 200 * 199


@as_they_are
def test_small_batches_among_rows_out_of_range(metric):
    Y = googlenet_like(500, 40).astype(np.float64)
    Y[::50] *= 1e250
    stats = search(Y[:3], Y, k=20, metric=metric)
    assert stats["row_major"] == 1
    assert stats["unbounded_rows"] == 11


@every_metric
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_rows_of_one_scale_are_never_out_of_range(metric, scale):
    X = googlenet_like(200, 40) * np.float64(scale)
    stats = search(X, k=10, metric=metric)
    assert stats["unbounded_rows"] == 0
    assert stats["refined"] < 2 * 200 * 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_braycurtis_of_values_of_both_signs(dtype, rng):
    # The weights of rows do not add up then: the filter takes quotients of two sums, and has a
    # bound for rows that float32 holds exactly.
    n, k = 400, 10
    X = rng.standard_normal((n, 40)).astype(dtype)
    stats = search(X, k=k, metric="braycurtis")
    if dtype == np.float32:
        assert stats["refined"] < 2 * n * k
    else:
        assert stats["refined"] >= n * (n - 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_canberra_of_values_too_small_for_its_filter(dtype):
    # A value that the filter takes for zero may add a whole 1 to a distance.
    n, k = 300, 10
    X = googlenet_like(n, 40).astype(dtype)
    X[:, ::2] *= dtype(1e-36)
    stats = search(X, k=k, metric="canberra")
    assert stats["refined"] > 2 * n * k


def test_counters_are_integers_and_empty_searches_have_them():
    _, stats = lookalike.knn(np.empty((0, 4)), np.ones((3, 4)), k=2, return_stats=True)
    counters = ["pairs", "candidates", "refined", "overflows", "unbounded_rows"]
    for name in [*counters, "row_major"]:
        assert isinstance(stats[name], int)
    assert stats["pairs"] == stats["refined"] == 0
    assert all(isinstance(stage, str) for stage in stats["stages"])


def test_rows_whose_sum_overflows_still_have_their_nearest():
    rng = np.random.default_rng(0)
    search(rng.random((400, 64)) * 1e308, k=9, metric="braycurtis")


def test_what_the_papers_metrics_state():
    stated = {metric: lookalike._core.statements(metric) for metric in lookalike.METRICS}
    assert {metric: of["codes"] for metric, of in stated.items() if metric in CODES} == CODES
    products = {metric for metric in CODES if stated[metric]["inner_product"]}
    assert products == {"euclidean", "cosine", "correlation"}
    for metric in CODES:
        assert stated[metric]["float32"]
        assert stated[metric]["triangle"]
        assert stated[metric]["negative_values"]
        assert stated[metric]["weighted"] == (metric == "braycurtis")
