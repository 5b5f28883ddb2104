"""topk: the k smallest of each row, ties by lower index, as a stable argsort has them."""

import numpy as np
import pytest

import lookalike
from matrices import of_dtype
from reference import assert_same_bits, first_k

TYPES = ("float16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32")
# Integers beyond 2**53 count as float64, as everywhere: of_dtype keeps to multiples that fit.
TYPES += ("int64", "uint64", "bool")


def check(D, k, **options):
    distances, indices = lookalike.topk(D, k, **options)
    values, order = first_k(np.asarray(D, np.float64), k)
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type(dtype):
    for n, m in ((40, 300), (3, 5000), (1, 17)):
        D = of_dtype(dtype, n, m)
        for k in (1, 2, 16, 17, m):
            if k <= m:
                check(D, k)


def test_every_k(rng):
    D = rng.integers(0, 9, (20, 70)).astype(np.float32)
    for k in range(1, 71):
        check(D, k)


@pytest.mark.parametrize("m", [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 4097])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_awkward_widths(dtype, m, rng):
    D = rng.standard_normal((9, m)).astype(dtype)
    for k in sorted({1, m // 3, m - 1, m} - {0}):
        check(D, k)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_orders_that_are_hard_for_a_selection(dtype, rng):
    m, k = 3000, 40
    ascending = np.arange(m) / 4
    rows = {
        "ascending": ascending,
        "descending": -ascending,
        "equal": np.full(m, 2.5),
        "two values": rng.integers(0, 2, m),
        "saw": np.arange(m) % 7,
        "last is least": np.where(np.arange(m) < m - 5, 1, 0),
        "organ pipe": np.minimum(ascending, ascending[::-1]),
        "infinities": np.where(np.arange(m) % 3, np.inf, -np.inf),
        "one finite": np.where(np.arange(m) == 1234, 1, np.inf),
        "zeros of both signs": np.where(np.arange(m) % 2, 0.0, -0.0),
    }
    check(np.array(list(rows.values())).astype(dtype), k)


def test_infinities_sort_last_with_valid_ids():
    D = np.full((2, 6), np.inf)
    D[0, 4], D[1, 2] = 1, -np.inf
    distances, indices = lookalike.topk(D, 6)
    assert indices.tolist() == [[4, 0, 1, 2, 3, 5], [2, 0, 1, 3, 4, 5]]
    assert distances[0].tolist() == [1, *[np.inf] * 5]


def test_threads_change_no_bit(rng):
    D = rng.integers(0, 50, (301, 400)).astype(np.float32)
    for threads in (1, 2, 3, 8):
        check(D, 33, threads=threads)


def test_denormals_keep_their_order():
    D = np.array([[3e-45, 1.4e-45, 0, 1e-40, -1e-45]], np.float32)
    assert lookalike.topk(D, 5).indices.tolist() == [[4, 2, 1, 0, 3]]
    D = np.array([[1e-310, 5e-324, 0, -5e-324]])
    assert lookalike.topk(D, 4).indices.tolist() == [[3, 2, 1, 0]]


def test_lists_and_empty_matrices():
    found = lookalike.topk([[3, 1, 2]], 2)
    assert isinstance(found, lookalike.Neighbors)
    assert found.indices.tolist() == [[1, 2]]
    assert found.distances.tolist() == [[1, 2]]
    none = lookalike.topk(np.empty((0, 5), np.float32), 3)
    assert none.distances.shape == none.indices.shape == (0, 3)


def test_of_a_distance_matrix_is_knn():
    X = of_dtype("float64", 80, 20)
    D = lookalike.cdist(X, X, "canberra")
    expected = lookalike.knn(X, k=9, metric="canberra", include_self=True)
    found = lookalike.topk(D, 9)
    assert_same_bits(found.indices, expected.indices)
    assert_same_bits(found.distances, expected.distances)
