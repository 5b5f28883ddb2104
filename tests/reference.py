"""What every result is compared with: the distances in NumPy, one line each.

A reference follows the type of its rows. In float64 it sums in the order that the package promises,
so that sums, maxima and their quotients agree to the bit; in extended precision it gives the true
value, with an exponent range that neither 1e300 squared nor 1e-300 squared leaves.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

LANES = 8
BLOCK = 8192


def total(terms: Array) -> Array:
    """Sum over the last axis in the promised order: eight sums by index mod 8, then pairwise."""
    result = np.zeros(terms.shape[:-1], terms.dtype)
    for start in range(0, terms.shape[-1], BLOCK):
        block = terms[..., start : start + BLOCK]
        s = np.zeros((*terms.shape[:-1], LANES), terms.dtype)
        for first in range(0, block.shape[-1], LANES):
            lanes = block[..., first : first + LANES]
            s[..., : lanes.shape[-1]] += lanes
        s04, s15, s26, s37 = (s[..., j] + s[..., j + 4] for j in range(4))
        result = result + ((s04 + s26) + (s15 + s37))
    return result


def quotient(numerator: Array, denominator: Array) -> Array:
    """Divide, with 0/0 = 0 and otherwise what IEEE 754 says (x/0 = inf)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(numerator == 0, 0, numerator / denominator)


def centred(rows: Array) -> Array:
    """Take the mean off each row; the second pass takes off what rounding left of the first."""
    once = rows - rows.mean(axis=-1, keepdims=True)
    twice = once - once.mean(axis=-1, keepdims=True)
    constant = rows.max(axis=-1, keepdims=True) == rows.min(axis=-1, keepdims=True)
    return np.where(constant, 0, twice)


def shares(rows: Array) -> Array:
    """Divide each row by its sum; of a row of zeros no distance is defined."""
    return rows * (1 / total(rows))[..., None]


def angular(u: Array, v: Array) -> Array:
    """1 - cos(u, v), as half a squared distance of unit vectors; a zero row is 1 from others."""
    norm_u, norm_v = (np.sqrt((row * row).sum(axis=-1, keepdims=True)) for row in (u, v))
    half = total((quotient(u, norm_u) - quotient(v, norm_v)) ** 2) / 2
    return np.where((norm_u == 0)[..., 0] ^ (norm_v == 0)[..., 0], 1, np.minimum(half, 2))


REFERENCE: dict[str, Callable[[Array, Array], Array]] = {
    "manhattan": lambda u, v: total(abs(u - v)),
    "euclidean": lambda u, v: np.sqrt(total((u - v) ** 2)),
    "cosine": lambda u, v: angular(u, v),
    "braycurtis": lambda u, v: quotient(total(abs(u - v)), total(abs(u + v))),
    "canberra": lambda u, v: total(quotient(abs(u - v), abs(u) + abs(v))),
    "chebyshev": lambda u, v: abs(u - v).max(axis=-1),
    "correlation": lambda u, v: angular(centred(u), centred(v)),
    "sqeuclidean": lambda u, v: total((u - v) ** 2),
    "hellinger": lambda u, v: np.sqrt(total((np.sqrt(shares(u)) - np.sqrt(shares(v))) ** 2) / 2),
    "chisquare": lambda u, v: total(quotient(u - v, u + v) * (u - v)),
    "hamming": lambda u, v: total((u != v).astype(u.dtype)) / u.shape[-1],
}
METRICS = tuple(REFERENCE)[:7]
ALL_METRICS = tuple(REFERENCE)
ALIASES = {"cityblock": "manhattan", "l1": "manhattan", "l2": "euclidean", "linf": "chebyshev"}
# Distances of directions are promised within 1e-12 relative and `absolute_error`: the way their
# rows are normalised is not fixed. All others are fixed to the last bit.
ANGULAR = ("cosine", "correlation")
TO_THE_BIT = tuple(metric for metric in METRICS if metric not in ANGULAR)

RELATIVE = 1e-12
RELATIVE_FLOAT32 = 1e-5


def pairwise(metric: str, A: npt.ArrayLike, B: npt.ArrayLike, dtype: npt.DTypeLike) -> Array:
    """All distances between rows of A and rows of B, computed in `dtype`."""
    A, B = np.asarray(A, np.float64).astype(dtype), np.asarray(B, np.float64).astype(dtype)
    result = np.empty((len(A), len(B)), dtype)
    for i, row in enumerate(A):
        result[i] = REFERENCE[metric](row[None, :], B)
    return result


def truth(metric: str, A: npt.ArrayLike, B: npt.ArrayLike) -> Array:
    """All distances in extended precision (64 bits of mantissa on x86, more elsewhere)."""
    assert np.finfo(np.longdouble).nmant >= 63, "no extended precision on this platform"
    return pairwise(metric, A, B, np.longdouble)


def absolute_error(d: int) -> float:
    """Bound the error of cosine and correlation beyond 1e-12 of the distance: docs/exactness.md."""
    direction = (min(d, BLOCK) / (2 * LANES) + d / (2 * BLOCK) + 8) * 2.0**-53
    return max(1e-15, 2.5e12 * direction**2)


def assert_true(actual: Array, metric: str, A: npt.ArrayLike, B: npt.ArrayLike) -> None:
    """Compare a float64 matrix with the true values at the accuracy that is promised."""
    expected = truth(metric, A, B)
    # A result below the normal range cannot be nearer than one unit in its last place.
    smallest = np.finfo(np.float64).smallest_subnormal
    absolute = absolute_error(np.shape(A)[1]) if metric in ANGULAR else 2 * smallest
    assert_within(actual, expected, RELATIVE, absolute)


def assert_float32(actual: Array, expected: Array) -> None:
    """Compare a float32 matrix with float64 distances: 1e-5 relative, however small they are."""
    assert actual.dtype == np.float32
    assert_within(actual, expected, RELATIVE_FLOAT32, np.finfo(np.float32).smallest_subnormal)


def assert_within(actual: Array, expected: Array, relative: float, absolute: float) -> None:
    assert actual.shape == expected.shape
    expected = np.asarray(expected, np.longdouble)
    largest = np.finfo(actual.dtype).max
    found = np.asarray(actual, np.longdouble)
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected)
        allowed = relative * expected + absolute
        # Beyond the output type a result is inf, and at its very edge rounding may go either way.
        beyond = np.isinf(found) & (expected * (1 + relative) >= largest)
        good = (error <= allowed) | beyond
    if not good.all():
        at = tuple(np.argwhere(~good)[0])
        raise AssertionError(
            f"{np.count_nonzero(~good)} of {good.size} entries are off, the first at "
            f"{tuple(map(int, at))}: {actual[at]!r} instead of {expected[at]!r}"
        )


def assert_same_bits(actual: Array, expected: Array) -> None:
    """Compare two arrays to the bit: types, shapes, NaN and the sign of zero included."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if actual.tobytes() != expected.tobytes():
        np.testing.assert_array_equal(actual, expected, strict=True)
        raise AssertionError("equal values with different bits: a zero of the other sign")


class Ranked:
    """The brute force that defines every search: each row of distances in order, ties by index."""

    def __init__(self, D: Array, *, without_self: bool = False) -> None:
        order = np.argsort(D, axis=1, kind="stable")
        if without_self:
            order = order[order != np.arange(len(D))[:, None]].reshape(len(D), -1)
        self.distances = np.take_along_axis(D, order, axis=1)
        self.indices = order.astype(np.int64)

    def first(self, k: int) -> tuple[Array, npt.NDArray[np.int64]]:
        """The distances and indices of the k nearest."""
        return self.distances[:, :k], self.indices[:, :k]

    def within(self, radius: float) -> tuple[npt.NDArray, ...]:
        """CSR (indptr, indices, distances) of the entries at most `radius`."""
        kept = self.distances <= radius
        indptr = np.concatenate([[0], kept.sum(axis=1).cumsum()])
        return indptr.astype(np.int64), self.indices[kept], self.distances[kept]


def first_k(D: Array, k: int, *, without_self: bool = False) -> tuple[Array, npt.NDArray[np.int64]]:
    """The k nearest of each row."""
    return Ranked(D, without_self=without_self).first(k)


def filtered(D: Array, radius: float, *, without_self: bool = False) -> tuple[npt.NDArray, ...]:
    """CSR (indptr, indices, distances) of the entries at most `radius`, in the order of first_k."""
    return Ranked(D, without_self=without_self).within(radius)


def assert_neighbours(found, expected: tuple[npt.NDArray, ...]) -> None:
    """Compare neighbours with (distances, indices), to the bit."""
    assert_same_bits(found.indices, expected[1])
    assert_same_bits(found.distances, expected[0])


def assert_pairs(found, expected: tuple[npt.NDArray, ...]) -> None:
    """Compare a result of radius_neighbors with (indptr, indices, distances), to the bit."""
    assert_same_bits(found.indptr, expected[0])
    assert_same_bits(found.indices, expected[1])
    assert_same_bits(found.distances, expected[2])
