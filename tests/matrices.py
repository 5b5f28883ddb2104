"""Matrices to test with: features like those of photos, and data that breaks naive arithmetic."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.generic]

# Around every vector width (4 to 64 lanes), the unrolled loops and the block of the sums.
LENGTHS = (1, 3, 7, 15, 16, 17, 31, 33, 130, 1024, 8193)
DTYPES = ("float16", "float32", "float64", "int8", "uint8", "bool", "int16", "uint16", "int32")
DTYPES += ("uint32", "int64", "uint64")


def googlenet_like(n: int, d: int = 1024, seed: int = 0) -> npt.NDArray[np.float32]:
    """Features with neighbours: mixtures of cluster centres, a third zeros, a heavy tail."""
    rng = np.random.default_rng(seed)
    centres = rng.gamma(0.5, 1.7, (max(2, n // 20), d)).astype(np.float32)
    own, other = rng.integers(len(centres), size=(2, n))
    share = rng.uniform(0.55, 1, (n, 1)).astype(np.float32)
    rows = share * centres[own] + (1 - share) * centres[other]
    rows *= rng.uniform(0.6, 1.4, (n, d)).astype(np.float32)
    rows -= np.quantile(rows[:: max(1, n // 50)], 0.32)
    return np.maximum(rows, 0)


def of_dtype(dtype: str, n: int, d: int, seed: int = 0) -> Matrix:
    """Features cast to a type so that its whole range is in use."""
    rows = googlenet_like(n, d, seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return rows.astype(kind)
    if kind.kind == "b":
        return rows > 0.5
    limits = np.iinfo(kind)
    low, high = max(limits.min, -(2**60)), min(limits.max, 2**60)
    return np.clip((rows.astype(np.float64) - 1) / 8 * high, low, high).astype(kind)


def _rescaled(rng: np.random.Generator, n: int, d: int) -> Matrix:
    return googlenet_like(n, d, 1) * 10.0 ** rng.uniform(-14, 14, (n, 1))


def _one_huge_row(rng: np.random.Generator, n: int, d: int) -> Matrix:
    X = googlenet_like(n, d, 2)
    X[n // 2] *= np.float32(1e15)
    return X


def _near_ties(rng: np.random.Generator, n: int, d: int) -> Matrix:
    # Rounded to float32 the rows of a group are equal: only float64 knows their order.
    groups = googlenet_like(max(1, n // 30), d, 3).astype(np.float64)
    return groups[rng.integers(len(groups), size=n)] * (1 + 1e-11 * rng.standard_normal((n, d)))


def _sparse(rng: np.random.Generator, n: int, d: int) -> Matrix:
    return np.where(rng.random((n, d)) < 3 / d, rng.standard_normal((n, d)), 0)


def _degenerate(rng: np.random.Generator, n: int, d: int) -> Matrix:
    X = googlenet_like(n, d, 4)
    X[::3] = rng.integers(-1, 2, (len(X[::3]), 1))
    return X


def _opposite(rng: np.random.Generator, n: int, d: int) -> Matrix:
    # A row and its negative: Bray-Curtis divides by zero, the angle is straight.
    X = rng.standard_normal((n, d)).astype(np.float32)
    X[1::2] = -X[: len(X[1::2]) * 2 : 2]
    return X


# Each takes (rng, n, d); every metric and every search must be exact on all of them.
HOSTILE: dict[str, Callable[[np.random.Generator, int, int], Matrix]] = {
    "features": lambda rng, n, d: googlenet_like(n, d),
    "gaussian": lambda rng, n, d: rng.standard_normal((n, d)),
    "offset": lambda rng, n, d: (1e4 + rng.standard_normal((n, d))).astype(np.float32),
    "rescaled": _rescaled,
    "one huge row": _one_huge_row,
    "near ties": _near_ties,
    "small integers": lambda rng, n, d: rng.integers(0, 3, (n, d)).astype(np.int8),
    "duplicates": lambda rng, n, d: googlenet_like(5, d)[rng.integers(5, size=n)],
    "equal rows": lambda rng, n, d: np.tile(googlenet_like(1, d), (n, 1)),
    "sparse": _sparse,
    "one-hot": lambda rng, n, d: np.eye(d, dtype=np.uint8)[rng.integers(d, size=n)],
    "degenerate": _degenerate,
    "opposite": _opposite,
    "tiny": lambda rng, n, d: (googlenet_like(n, d) * 1e-38).astype(np.float32),
    "huge": lambda rng, n, d: (googlenet_like(n, d) * 1e36).astype(np.float32),
    "1e-200": lambda rng, n, d: googlenet_like(n, d) * np.float64(1e-200),
    "1e200": lambda rng, n, d: googlenet_like(n, d) * np.float64(1e200),
}


def _halfway(rng: np.random.Generator, n: int, d: int, low: float = 0) -> Matrix:
    # Values midway between two codes, where all that rounding does adds up, or goes all one way.
    grid = np.clip(rng.integers(0, 510, (n, d)) + rng.choice([-1, 1], (n, 1)) / 64, 0, 510)
    grid[:, 0], grid[:, -1] = 510, 0  # each row uses the whole range
    return (grid / 2 + low).astype(np.float32)


def _one_ulp_apart(rng: np.random.Generator, n: int, d: int, kind: type) -> Matrix:
    # To the rows of another group, those of a group are as far as each other but for a few ulps.
    groups = (1 + googlenet_like(max(2, n // 40), d, 5)).astype(kind)
    X = groups[rng.integers(len(groups), size=n)]
    rows, feature = np.arange(n), rng.integers(0, max(1, d // 8), n)
    X[rows, feature] *= 1 + rng.integers(-2, 3, n) * np.finfo(kind).eps
    return X


def _outlying_value(rng: np.random.Generator, n: int, d: int, value: float) -> Matrix:
    X = googlenet_like(n, d, 6)
    X[n // 3, d // 2] = value
    return X


def _denormal_differences(rng: np.random.Generator, n: int, d: int) -> Matrix:
    rows = (rng.integers(0, 9000, (n, d)) * 2.0**-149).astype(np.float32)
    rows[:, 0] = 1.1
    return rows


def _of_two_worlds(rng: np.random.Generator, n: int, d: int) -> Matrix:
    return googlenet_like(n, d, 7) + np.float32(1e5) * (np.arange(n)[:, None] % 3 == 0)


def _mostly_zero_rows(rng: np.random.Generator, n: int, d: int) -> Matrix:
    X = googlenet_like(n, d, 8)
    X[rng.random(n) < 0.6] = 0
    return X


def _lost_in_steps(rng: np.random.Generator, n: int, d: int) -> Matrix:
    # Sizes of the smallest rows are float32 numbers, but not in the steps that the largest want.
    X = rng.random((n, d)) * 2.0 ** np.array([50, 0, 0, 50, 0, -120])[np.arange(n) % 6, None]
    X[5::6, ::2] = 0
    X[5::12] = X[5::12, ::-1]
    return X


# Made against 8-bit codes in particular: their range, their steps, their residuals.
AGAINST_CODES: dict[str, Callable[[np.random.Generator, int, int], Matrix]] = {
    "halfway": _halfway,
    "halfway, both signs": lambda rng, n, d: _halfway(rng, n, d, -100),
    "an ulp of float64": lambda rng, n, d: _one_ulp_apart(rng, n, d, np.float64),
    "an ulp of float32": lambda rng, n, d: _one_ulp_apart(rng, n, d, np.float32),
    "one huge value": lambda rng, n, d: _outlying_value(rng, n, d, 1e16),
    "one value out of range": lambda rng, n, d: _outlying_value(rng, n, d, 3e38),
    "one large negative value": lambda rng, n, d: _outlying_value(rng, n, d, -1e3),
    "denormal differences": _denormal_differences,
    "all negative": lambda rng, n, d: -1 - googlenet_like(n, d),
    "both signs": lambda rng, n, d: googlenet_like(n, d) - googlenet_like(n, d, 1),
    "offset 1e6": lambda rng, n, d: (1e6 + googlenet_like(n, d)).astype(np.float32),
    "two worlds": _of_two_worlds,
    "norms from 1e-6 to 1e6": lambda rng, n, d: (
        googlenet_like(n, d) * 10 ** rng.uniform(-6, 6, (n, 1))
    ),
    "sorted rows": lambda rng, n, d: np.sort(googlenet_like(n, d), axis=0),
    "sorted features": lambda rng, n, d: np.sort(googlenet_like(n, d), axis=1),
    "mostly zero rows": _mostly_zero_rows,
    "binary": lambda rng, n, d: rng.integers(0, 2, (n, d)).astype(np.uint8),
    "all of int8": lambda rng, n, d: rng.integers(-128, 128, (n, d)).astype(np.int8),
    "all of uint8": lambda rng, n, d: rng.integers(0, 256, (n, d)).astype(np.uint8),
    "all of int16": lambda rng, n, d: rng.integers(-(2**15), 2**15, (n, d)).astype(np.int16),
    "float16": lambda rng, n, d: googlenet_like(n, d).astype(np.float16),
    "lost in steps": _lost_in_steps,
    "Cauchy": lambda rng, n, d: rng.standard_cauchy((n, d)),
    "log-normal": lambda rng, n, d: rng.lognormal(0, 5, (n, d)),
    "tiny among normal rows": lambda rng, n, d: (
        googlenet_like(n, d) * np.where(rng.random((n, 1)) < 0.4, 1e-44, 1.0)
    ),
}


def _as_memmap(X: Matrix, folder: Path) -> Matrix:
    path = folder / "rows.bin"
    X.tofile(path)
    return np.memmap(path, X.dtype, mode="r", shape=X.shape)


def _read_only(X: Matrix, folder: Path) -> Matrix:
    X = X.copy()
    X.flags.writeable = False
    return X


def _inside(X: Matrix, rows: slice, columns: slice) -> Matrix:
    """Lay X out inside a larger matrix whose other elements are a value that would show."""
    n, d = X.shape
    larger = np.full((3 * n + 2, 3 * d + 2), 77).astype(X.dtype)
    view = larger[rows, columns][:n, :d]
    view[...] = X
    return view


def _unaligned(X: Matrix, folder: Path) -> Matrix:
    raw = np.empty(X.nbytes + 1, np.uint8)
    view = raw[1:].view(X.dtype).reshape(X.shape)
    view[...] = X
    return view


# Each lays the same values out differently: (X, empty folder) -> equal matrix.
LAYOUTS: dict[str, Callable[[Matrix, Path], Matrix]] = {
    "C": lambda X, folder: np.ascontiguousarray(X),
    "Fortran": lambda X, folder: np.asfortranarray(X),
    "strided rows": lambda X, folder: _inside(X, slice(1, None, 2), slice(0, X.shape[1])),
    "strided columns": lambda X, folder: _inside(X, slice(None), slice(1, None, 2)),
    "negative rows": lambda X, folder: np.ascontiguousarray(X[::-1])[::-1],
    "negative columns": lambda X, folder: np.ascontiguousarray(X[:, ::-1])[:, ::-1],
    "offset": lambda X, folder: _inside(X, slice(1, None), slice(1, None)),
    "read-only": _read_only,
    "memmap": _as_memmap,
    "unaligned": _unaligned,
    "other byte order": lambda X, folder: X.astype(X.dtype.newbyteorder()),
}
