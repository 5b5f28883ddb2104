"""Values at which distances go wrong elsewhere: degenerate rows, extreme scales, type limits."""

import contextlib
import ctypes
import mmap
import platform

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from reference import (
    ANGULAR,
    METRICS,
    assert_float32,
    assert_same_bits,
    assert_true,
    assert_within,
    first_k,
    truth,
)

every_metric = pytest.mark.parametrize("metric", METRICS)
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def assert_exact_search(X, Y, metric, k):
    X64, Y64 = np.asarray(X, np.float64), np.asarray(Y, np.float64)
    values, order = first_k(lookalike.cdist(X64, Y64, metric), k)
    distances, indices = lookalike.knn(X, Y, k=k, metric=metric)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@both_types
def test_zero_rows_and_cosine(dtype):
    X = np.array([[0, 0, 0], [1, 2, 3], [-0.0, 0, -0.0], [5, 5, 5]], dtype)
    D = lookalike.cdist(X, X.copy(), "cosine")
    assert D[0].tolist() == D[2].tolist() == D[:, 0].tolist() == [0, 1, 0, 1]
    assert lookalike.knn(X, k=3, metric="cosine").indices[0].tolist() == [2, 1, 3]


@both_types
def test_constant_rows_and_correlation(dtype):
    # 0.1 seven times: the mean is not 0.1 in any rounding, the row is constant all the same.
    X = np.array([[0.1] * 7, [1, 2, 3, 4, 5, 6, 8], [0] * 7, [-3] * 7], dtype)
    D = lookalike.cdist(X, X.copy(), "correlation")
    assert D.tolist() == [[0, 1, 0, 0], [1, 0, 1, 1], [0, 1, 0, 0], [0, 1, 0, 0]]
    assert lookalike.knn(X, k=3).indices.tolist() == [[2, 3, 1], [0, 2, 3], [0, 3, 1], [0, 2, 1]]


def test_a_constant_row_is_one_whose_values_are_all_equal():
    one_ulp = np.nextafter(1.0, 2)
    X = np.array([[1, 1, one_ulp], [1, one_ulp, 1], [one_ulp, 1, 1], [1e300, 1e300, -1e300]])
    assert_true(lookalike.cdist(X, X.copy(), "correlation"), "correlation", X, X)
    assert lookalike.cdist(X, X[3:], "correlation")[:, 0].tolist() != [1, 1, 1, 0]


@every_metric
@both_types
def test_one_feature(metric, dtype):
    X = np.array([[0], [-0.0], [2], [-2], [5], [1e30], [1e-30]], dtype)
    D = lookalike.cdist(X, X.copy(), metric)
    if metric == "correlation":
        assert not D.any()
    exact = lookalike.cdist(X.astype(np.float64), X.astype(np.float64), metric)
    assert_true(exact, metric, X, X)
    assert_exact_search(X, X.copy(), metric, 7)


@both_types
def test_braycurtis_of_opposite_rows_is_infinite_and_last(dtype):
    X = np.array([[1, -1], [-1, 1], [0, 0], [1, -1], [1, 2]], dtype)
    D = lookalike.cdist(X, X.copy(), "braycurtis")
    assert D[0].tolist() == [0, np.inf, 1, 0, 1]
    assert D[2, 2] == 0
    distances, indices = lookalike.knn(X, k=4, metric="braycurtis")
    assert indices[0].tolist() == [3, 2, 4, 1]
    assert distances[0, -1] == np.inf
    many = np.tile(X[1], (300, 1))
    found = lookalike.knn(X[:1], many, k=300, metric="braycurtis")
    assert_same_bits(found.indices[0], np.arange(300))
    assert np.isinf(found.distances).all()


@every_metric
@both_types
def test_one_row(metric, dtype):
    X = googlenet_like(1, 20).astype(dtype)
    assert lookalike.cdist(X, X, metric).tolist() == [[0]]
    found = lookalike.knn(X, k=1, metric=metric, include_self=True)
    assert found.indices.tolist() == [[0]]
    assert found.distances.tolist() == [[0]]
    assert lookalike.radius_neighbors(X, radius=1, metric=metric).indptr.tolist() == [0, 0]


@every_metric
@pytest.mark.parametrize("scale", [1e-323, 1e-310, 1e-300, 1e-200, 1e-160, 1e155, 1e200, 1e300])
def test_any_scale_of_float64(metric, scale):
    X, other = (googlenet_like(30, 40, seed).astype(np.float64) * scale for seed in (0, 1))
    Y = np.concatenate([X[:5] * 3, other])
    exact = lookalike.cdist(X, Y, metric)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric, dtype=np.float32), exact)
    assert_exact_search(X, Y, metric, 9)
    assert_exact_search(X[:3], Y, metric, 9)


@every_metric
@pytest.mark.parametrize("scale", [1e-45, 1e-42, 1e-38, 1e-30, 1e-20, 1e18, 1e30, 5e36])
def test_any_scale_of_float32(metric, scale):
    X = (googlenet_like(30, 40) * scale).astype(np.float32)
    Y = (googlenet_like(40, 40, seed=1) * scale).astype(np.float32)
    exact = lookalike.cdist(X, Y, metric, dtype=np.float64)
    assert_true(exact, metric, X, Y)
    assert_float32(lookalike.cdist(X, Y, metric), exact)
    assert_exact_search(X, Y, metric, 9)
    assert_exact_search(X[:3], Y, metric, 9)


@every_metric
def test_scales_that_differ_within_a_row_and_between_rows(metric, rng):
    X = googlenet_like(40, 30) * 10.0 ** rng.uniform(-150, 150, (40, 1))
    mixed = googlenet_like(40, 30) * 10.0 ** rng.uniform(-300, 300, (40, 30))
    for rows in (X, mixed):
        assert_true(lookalike.cdist(rows, rows[:9], metric), metric, rows, rows[:9])
        assert_exact_search(rows, rows.copy(), metric, 20)


@every_metric
def test_the_largest_numbers(metric):
    largest = np.finfo(np.float64).max
    X = np.array([[largest, largest], [-largest, largest], [largest, 0], [1, 2], [0, -largest]])
    D = lookalike.cdist(X, X.copy(), metric)
    assert_true(D, metric, X, X)
    assert_exact_search(X, X.copy(), metric, 5)
    single = np.sign(X).astype(np.float32) * np.finfo(np.float32).max
    single[3] = X[3]
    exact = lookalike.cdist(single, single.copy(), metric, dtype=np.float64)
    assert_true(exact, metric, single, single)
    assert_float32(lookalike.cdist(single, single.copy(), metric), exact)


@pytest.mark.parametrize("metric", ["manhattan", "euclidean", "chebyshev"])
def test_a_result_beyond_the_output_type_is_inf(metric):
    X = np.array([[3e38, 3e38], [-3e38, -3e38]], np.float32)
    assert lookalike.cdist(X, X.copy(), metric).tolist() == [[0, np.inf], [np.inf, 0]]
    assert np.isfinite(lookalike.cdist(X, X.copy(), metric, dtype=np.float64)).all()
    X = np.array([[1.5e308, 1.5e308], [-1.5e308, -1.5e308]])
    assert lookalike.cdist(X, X.copy(), metric).tolist() == [[0, np.inf], [np.inf, 0]]
    assert lookalike.knn(X, k=1, metric=metric).indices.tolist() == [[1], [0]]


@pytest.mark.parametrize("scale", [2.0**21, 1e30, 1e300])
@pytest.mark.parametrize("smallest", [5e-324, 1e-310, 1e-30])
def test_canberra_counts_the_smallest_beside_the_largest(scale, smallest):
    # Beside a zero any value adds 1, however it compares with the other features of its row.
    X = np.array([[0, scale], [smallest, scale], [0, 2 * scale], [-smallest, scale]])
    D = np.array([[0, 1, 1 / 3, 1], [1, 0, 4 / 3, 1], [1 / 3, 4 / 3, 0, 4 / 3], [1, 1, 4 / 3, 0]])
    assert_within(lookalike.cdist(X, X.copy(), "canberra"), D, 1e-12, 0)
    assert_float32(lookalike.cdist(X, X.copy(), "canberra", dtype="float32"), D)
    for queries in (X, np.tile(X, (5, 1))):
        for k in (1, 2, 3):
            assert_exact_search(queries, X.copy(), "canberra", k)
    near = lookalike.radius_neighbors(X, radius=0.5, metric="canberra")
    assert near.indices.tolist() == [2, 0]


@every_metric
def test_distances_beyond_float64_are_ties(metric):
    # Twelve features near 1e308: many results are inf, and by how much cannot count.
    X = (1 + googlenet_like(50, 12)) * np.float64(2e307)
    X[10:20] *= -1
    X[20:] *= 1e-3
    for k in (1, 10, 40):
        assert_exact_search(X, X.copy(), metric, k)
        assert_exact_search(X[:3], X, metric, k)


@every_metric
@both_types
def test_zeros_of_both_signs_are_equal(metric, dtype):
    X = googlenet_like(40, 33).astype(dtype)
    negative = np.where(X == 0, dtype(-0.0), X)
    D = lookalike.cdist(X, X.copy(), metric)
    assert_same_bits(lookalike.cdist(X, negative, metric), D)
    assert not np.signbit(lookalike.cdist(negative, negative.copy(), metric)).any()
    assert_same_bits(np.diagonal(lookalike.cdist(X, negative, metric)).copy(), np.zeros(40, dtype))


@every_metric
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_integers_at_their_limits(metric, dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if np.dtype(dtype).itemsize == 8:
        high -= 2**11 - 1  # what float64 holds; of more bits they are refused
    X = np.array([[low, low, 0], [high, high, 1], [low, high, 2], [0, 1, high]], dtype)
    Y = np.tile(X, (20, 1))
    exact = lookalike.cdist(X.astype(np.float64), Y.astype(np.float64), metric)
    assert_true(exact, metric, X, Y)
    found = lookalike.cdist(X, Y, metric)
    if np.dtype(dtype).itemsize >= 4:
        assert_same_bits(found, exact)
    else:
        assert_float32(found, exact)
    assert_exact_search(X, Y, metric, 80)
    assert_exact_search(np.tile(X, (5, 1)), Y, metric, 7)


@pytest.mark.parametrize(
    ("metric", "rows", "queries"),
    [*((metric, 2**17, 2) for metric in METRICS), ("euclidean", 2**20, 2), ("euclidean", 2**20, 9)],
)
def test_very_many_rows_of_one_feature(metric, rows, queries, rng):
    Y = rng.permutation(rows).astype(np.float64)[:, None] / 7 + 1
    X = Y[:queries] + 0.01
    assert_exact_search(X, Y, metric, 5)


@every_metric
@pytest.mark.parametrize("scale", [1e6, 1e15, 1e37])
def test_one_huge_row_spoils_nothing(metric, scale):
    X = googlenet_like(300, 60)
    X[123] *= np.float32(scale / X.max())
    assert_exact_search(X, X.copy(), metric, 15)
    exact = lookalike.cdist(X[:150], X, metric, dtype=np.float64)
    assert_float32(lookalike.cdist(X[:150], X, metric), exact)


@pytest.mark.parametrize("offset", [1e3, 1e8, -1e8, 1e12])
@pytest.mark.parametrize("d", [5, 130, 1024])
def test_correlation_sees_through_a_large_offset(offset, d, rng):
    X = offset + rng.standard_normal((12, d))
    Y = np.concatenate([X[:4] + 1e-3 * rng.standard_normal((4, d)), X[:4] * 2])
    assert_true(lookalike.cdist(X, Y, "correlation"), "correlation", X, Y)
    assert_exact_search(X, Y, "correlation", 8)


@pytest.mark.parametrize("metric", ANGULAR)
def test_nearly_equal_directions_keep_their_distance(metric, rng):
    # 1 - cos would cancel: these distances lie between 1e-6 and 1e-20.
    X = googlenet_like(8, 200).astype(np.float64)
    for noise in (1e-3, 1e-5, 1e-7, 1e-10):
        Y = X * (1 + noise * rng.standard_normal(X.shape))
        D = lookalike.cdist(X, Y, metric)
        expected = truth(metric, X, Y)
        # Directions are rounded to 2**-53 of their length: it is relative to the root of D.
        error = np.abs(D - expected)
        assert (error <= 1e-12 * expected + 1e-15 * np.sqrt(expected) + 1e-30).all()


@contextlib.contextmanager
def flush_to_zero():
    """Switch this thread to flush denormals to zero, as code built with -ffast-math does."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the flush-to-zero mode is switched by x86-64 machine code")
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except PermissionError:
        pytest.skip("this system gives no executable memory")
    page.write(b"\x0f\xae\x1f\xc3" + b"\x0f\xae\x17\xc3")  # stmxcsr [rdi]; ret; ldmxcsr [rdi]; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    store, load = (ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address + at) for at in (0, 4))
    before, flushing, after = ctypes.c_uint32(), ctypes.c_uint32(), ctypes.c_uint32()
    store(ctypes.byref(before))
    flushing.value = before.value | 0x8040  # FTZ and DAZ
    load(ctypes.byref(flushing))
    try:
        yield
        store(ctypes.byref(after))
    finally:
        load(ctypes.byref(before))
    # The modes are the caller's to keep; the lowest six bits are flags that any operation sets.
    assert after.value & ~0x3F == flushing.value & ~0x3F


@every_metric
@pytest.mark.parametrize("threads", [1, 3])
def test_a_callers_flush_to_zero_mode_changes_no_bit(metric, threads):
    single = (googlenet_like(90, 40) * 1e-40).astype(np.float32)
    single[:20] = googlenet_like(20, 40)
    double = single * np.float64(1e-270)
    radius = float(single[single > 0].min())  # not in there: the mode flushes constants as well

    def everything():
        options = {"metric": metric, "threads": threads}
        for X in (single, double):
            yield lookalike.cdist(X, X[:50], **options)
            yield lookalike.pdist(X, dtype="float32", **options)
            yield from lookalike.knn(X, k=20, **options)
            yield from lookalike.knn(X[:2], X, k=20, **options)
            yield lookalike.radius_neighbors(X, radius=radius, **options).distances
            yield from lookalike.topk(X, 20, threads=threads)

    expected = list(everything())
    with flush_to_zero():
        found = list(everything())
    for one, other in zip(found, expected, strict=True):
        assert_same_bits(one, other)


@every_metric
def test_denormals_are_numbers(metric):
    X = (googlenet_like(20, 30) * 1e-40).astype(np.float32)
    exact = lookalike.cdist(X, X.copy(), metric, dtype=np.float64)
    assert_true(exact, metric, X, X)
    assert exact[0, 1] > 0
    assert_float32(lookalike.cdist(X, X.copy(), metric), exact)
