"""What rows may be: every type and every layout counts as its values, whoever reads it.

Rows are read before any metric looks at them, so each type is crossed with each layout once, and
the metrics take turns; each metric meets each type, whose values decide how a filter holds them.
"""

import numpy as np
import pytest

import lookalike
from matrices import DTYPES, LAYOUTS, googlenet_like, of_dtype
from reference import (
    METRICS,
    Ranked,
    assert_float32,
    assert_neighbours,
    assert_pairs,
    assert_same_bits,
)

every_metric = pytest.mark.parametrize("metric", METRICS)
every_type = pytest.mark.parametrize("dtype", DTYPES)

WIDE = {"float64", "int32", "uint32", "int64", "uint64"}  # whose values need float64


def everything(X, Q, metric):
    """Give each array that the package computes of rows and of queries."""
    options = {"metric": metric}
    yield lookalike.cdist(Q, X, **options)
    yield lookalike.cdist(X, Q, **options)
    yield lookalike.pdist(X, **options)
    yield from lookalike.knn(X, k=5, **options)
    for queries in (Q, Q[:3]):
        yield from lookalike.knn(queries, X, k=5, **options)
        yield from lookalike.Index(X, **options).knn(queries, 5)
    found = lookalike.radius_neighbors(X, radius=0.4, **options)
    yield from (found.indptr, found.indices, found.distances)
    yield from lookalike.topk(X, 11)
    yield from lookalike.topk(X.T, 11)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int16"])
def test_layout_changes_no_bit(dtype, layout, tmp_path):
    turn = list(LAYOUTS).index(layout) + len(dtype)
    metric = METRICS[turn % len(METRICS)]
    X, Q = of_dtype(dtype, 60, 35), of_dtype(dtype, 18, 35, seed=1)
    (folder := tmp_path / "Q").mkdir()
    laid_out = LAYOUTS[layout](X, tmp_path), LAYOUTS[layout](Q, folder)
    expected = everything(X, Q, metric)
    for found, one in zip(everything(*laid_out, metric), expected, strict=True):
        assert_same_bits(found, one)
    for one, other in ((laid_out[0], Q), (X, laid_out[1])):
        assert_same_bits(lookalike.cdist(one, other, metric), lookalike.cdist(X, Q, metric))


def test_a_broadcast_row_and_lists_are_matrices():
    X = googlenet_like(4, 9)
    repeated = np.broadcast_to(X[0], (6, 9))
    expected = lookalike.cdist(X, np.ascontiguousarray(repeated))
    assert_same_bits(lookalike.cdist(X, repeated), expected)
    expected = lookalike.cdist(X.astype(np.float64), repeated.astype(np.float64))
    assert_same_bits(lookalike.cdist(X.tolist(), repeated.tolist()), expected)


@every_type
@every_metric
def test_types_count_as_their_values(metric, dtype):
    X, Q = of_dtype(dtype, 90, 33), of_dtype(dtype, 40, 33, seed=1)
    X64, Q64 = X.astype(np.float64), Q.astype(np.float64)
    exact, itself = lookalike.cdist(Q64, X64, metric), lookalike.cdist(X64, X64, metric)
    found = lookalike.cdist(Q, X, metric)
    if dtype in WIDE:
        assert_same_bits(found, exact)
    else:
        assert_float32(found, exact)
    assert_same_bits(lookalike.cdist(Q, X, metric, dtype="float64"), exact)

    ranked, others = Ranked(exact), Ranked(itself, without_self=True)
    assert_neighbours(lookalike.knn(X, k=9, metric=metric), others.first(9))
    assert_neighbours(lookalike.knn(Q, X, k=9, metric=metric), ranked.first(9))
    few = lookalike.knn(Q[:5], X, k=9, metric=metric)
    assert_neighbours(few, [part[:5] for part in ranked.first(9)])
    for radius in (ranked.distances[3, 8], ranked.distances[7, 0]):
        pairs = lookalike.radius_neighbors(X, radius=radius, metric=metric)
        assert_pairs(pairs, others.within(radius))
        pairs = lookalike.radius_neighbors(Q, X, radius=radius, metric=metric)
        assert_pairs(pairs, ranked.within(radius))


@every_type
@every_metric
def test_queries_may_be_of_another_type(metric, dtype):
    X = of_dtype(dtype, 90, 33)
    X64 = X.astype(np.float64)
    for Q in (X[:40] + np.float64(1), googlenet_like(40, 33, seed=1)):
        ranked = Ranked(lookalike.cdist(Q.astype(np.float64), X64, metric))
        assert_neighbours(lookalike.knn(Q, X, k=9, metric=metric), ranked.first(9))
    radius = float(ranked.distances[3, 8])
    pairs = lookalike.radius_neighbors(Q, X, radius=radius, metric=metric)
    assert_pairs(pairs, ranked.within(radius))


@pytest.mark.parametrize("other", DTYPES)
@every_type
def test_mixed_types_are_float64_when_either_is(dtype, other):
    X, Q = of_dtype(dtype, 50, 9), of_dtype(other, 20, 9, seed=1)
    exact = lookalike.cdist(Q.astype(np.float64), X.astype(np.float64), "canberra")
    found = lookalike.cdist(Q, X, "canberra")
    assert found.dtype == (np.float64 if {dtype, other} & WIDE else np.float32)
    np.testing.assert_allclose(found, exact, rtol=1e-5)
    ranked = Ranked(lookalike.cdist(Q.astype(np.float64), X.astype(np.float64), "euclidean"))
    assert_neighbours(lookalike.knn(Q, X, k=5, metric="euclidean"), ranked.first(5))
