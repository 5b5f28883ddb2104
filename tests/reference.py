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


def divergence(p: Array, q: Array) -> Array:
    """Jensen and Shannon's divergence from the mean, term by term."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (np.where(r > 0, r * np.log(2 * r / (p + q)), 0) for r in (p, q))
    near = abs(p - q) < (p + q) / 1024
    x = quotient(p - q, p + q) ** 2
    return np.where(near, (p + q) * x * (1 + x / 6 + x**2 / 15) / 2, one + other)


def power_mean(terms: Array, p: float, w: Array | float) -> Array:
    """The p-th root of the sum of p-th powers, which may leave the range of any float."""
    largest = terms.max(axis=-1, keepdims=True)
    return largest[..., 0] * total(w * quotient(terms, largest) ** p) ** (1 / p)


def mapped(differences: Array, VI: Array) -> Array:
    return np.sqrt(np.maximum(0, ((differences @ VI) * differences).sum(axis=-1)))


def weighted_centred(rows: Array, w: Array) -> Array:
    """Take the weighted mean off each row, and multiply it by the roots of the weights."""
    for _ in range(2):
        rows = rows - (rows * w).sum(axis=-1, keepdims=True) / w.sum()
    some = rows[..., w > 0]
    constant = some.max(axis=-1, keepdims=True) == some.min(axis=-1, keepdims=True)
    return np.where(constant, 0, rows * np.sqrt(w))


REFERENCE: dict[str, Callable[..., Array]] = {
    "manhattan": lambda u, v: total(abs(u - v)),
    "euclidean": lambda u, v: np.sqrt(total((u - v) ** 2)),
    "cosine": lambda u, v: angular(u, v),
    "braycurtis": lambda u, v: quotient(total(abs(u - v)), total(abs(u + v))),
    "canberra": lambda u, v: total(quotient(abs(u - v), abs(u) + abs(v))),
    "chebyshev": lambda u, v: abs(u - v).max(axis=-1),
    "correlation": lambda u, v: angular(centred(u), centred(v)),
    "sqeuclidean": lambda u, v: total((u - v) ** 2),
    "seuclidean": lambda u, v, V: np.sqrt(total((u - v) ** 2 * (1 / V))),
    "minkowski": lambda u, v, p: power_mean(abs(u - v), p, 1),
    "mahalanobis": lambda u, v, VI: mapped(u - v, VI),
    "hellinger": lambda u, v: np.sqrt(total((np.sqrt(shares(u)) - np.sqrt(shares(v))) ** 2) / 2),
    "jensenshannon": lambda u, v: np.sqrt(total(divergence(shares(u), shares(v))) / 2),
    "chisquare": lambda u, v: total(quotient(u - v, u + v) * (u - v)),
    "hamming": lambda u, v: total((u != v).astype(u.dtype)) / u.shape[-1],
}
METRICS = tuple(REFERENCE)[:7]
ALL_METRICS = tuple(REFERENCE)
# The same with weights of the features, w.
WEIGHTED: dict[str, Callable[..., Array]] = {
    "manhattan": lambda u, v, w: total(w * abs(u - v)),
    "euclidean": lambda u, v, w: np.sqrt(total(w * (u - v) ** 2)),
    "cosine": lambda u, v, w: angular(u * np.sqrt(w), v * np.sqrt(w)),
    "braycurtis": lambda u, v, w: quotient(total(w * abs(u - v)), total(w * abs(u + v))),
    "canberra": lambda u, v, w: total(w * quotient(abs(u - v), abs(u) + abs(v))),
    "chebyshev": lambda u, v, w: abs(u - v)[..., w > 0].max(axis=-1),
    "correlation": lambda u, v, w: angular(weighted_centred(u, w), weighted_centred(v, w)),
    "sqeuclidean": lambda u, v, w: total(w * (u - v) ** 2),
    "minkowski": lambda u, v, p, w: power_mean(abs(u - v), p, w),
    "hamming": lambda u, v, w: total(w * (u != v)) / total(w),
}
ALIASES = {"cityblock": "manhattan", "l1": "manhattan", "l2": "euclidean", "linf": "chebyshev"}
# Distances of directions are promised within 1e-12 relative and `absolute_error`: the way their
# rows are normalised is not fixed. All others are fixed to the last bit.
ANGULAR = ("cosine", "correlation")
TO_THE_BIT = tuple(metric for metric in METRICS if metric not in ANGULAR)

RELATIVE = 1e-12
RELATIVE_FLOAT32 = 1e-5


def samples(metric: str, d: int) -> list[dict[str, float | Array]]:
    """Parameters to try a metric of d features with; of other metrics than these none."""
    rng = np.random.default_rng(d)
    w, V = rng.choice([0, 0.5, 1, 3.7, 1e-3], d), rng.choice([0.25, 1, 3.7, 1e-3], d)
    w[rng.integers(d)] = 2
    own: list[dict[str, float | Array]] = [{}]
    if metric == "seuclidean":
        own = [{"V": V}]
    elif metric == "mahalanobis":
        A = rng.normal(size=(2 * d, d)) + 0.3
        own = [{"VI": A.T @ A / d}]
    elif metric == "minkowski":
        own = [{"p": p} for p in (3.0, 0.5, 2.5, 7.0, 1 / 3, 40.25)]
    return own + [of | {"w": w} for of in own if metric in WEIGHTED and of.get("p", 0.5) == 0.5]


def pairwise(
    metric: str, A: npt.ArrayLike, B: npt.ArrayLike, dtype: npt.DTypeLike, **parameters: object
) -> Array:
    """All distances between rows of A and rows of B, computed in `dtype`."""
    A, B = np.asarray(A, np.float64).astype(dtype), np.asarray(B, np.float64).astype(dtype)
    given = {name: np.asarray(value, dtype)[()] for name, value in parameters.items()}
    reference = (WEIGHTED if "w" in parameters else REFERENCE)[metric]
    result = np.empty((len(A), len(B)), dtype)
    for i, row in enumerate(A):
        result[i] = reference(row[None, :], B, **given)
    return result


def truth(metric: str, A: npt.ArrayLike, B: npt.ArrayLike, **parameters: object) -> Array:
    """All distances in extended precision (64 bits of mantissa on x86, more elsewhere)."""
    assert np.finfo(np.longdouble).nmant >= 63, "no extended precision on this platform"
    return pairwise(metric, A, B, np.longdouble, **parameters)


def absolute_error(d: int) -> float:
    """Bound the error of cosine and correlation beyond 1e-12 of the distance: docs/accuracy.md."""
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
