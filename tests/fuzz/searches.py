"""Draws searches against the float64 brute force, to the bit: `searches.py [--seconds 60]`.

Shapes, types, kinds of rows, metrics, k and functions are drawn; the instruction set and its
extensions are those of the process (LOOKALIKE_SIMD, LOOKALIKE_EXTENSIONS). Prints how many pairs
were compared. A counter-example is printed and kept in a file, and the exit status is 1.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import lookalike
from matrices import AGAINST_CODES, DTYPES, HOSTILE, of_dtype
from reference import METRICS, TO_THE_BIT, filtered, first_k, pairwise

KINDS = {**HOSTILE, **AGAINST_CODES}
WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 127, 128, 130, 255, 257, 1024, 1031)


def rows_of(rng):
    """Draw a matrix: a kind of rows, or a type in its whole range, at some scale."""
    n, d = int(rng.integers(2, 420)), int(rng.choice(WIDTHS))
    if rng.random() < 0.02:
        n, d = int(rng.integers(2, 12)), int(rng.choice([8191, 8193, 32767, 32768, 32769, 65537]))
    if rng.random() < 0.2:
        name = str(rng.choice(DTYPES))
        return name, of_dtype(name, n, d, int(rng.integers(1 << 30)))
    name = str(rng.choice(list(KINDS)))
    X = KINDS[name](rng, n, d)
    if X.dtype.kind == "f" and rng.random() < 0.4:
        power = float(rng.choice([-149, -140, -126, -100, -60, -20, 20, 54, 60, 100, 126]))
        with np.errstate(over="ignore"):
            scaled = (X.astype(np.float64) * 2.0**power).astype(X.dtype)
        if np.isfinite(scaled).all():
            name, X = f"{name} × 2^{power:.0f}", scaled
    if X.dtype.kind == "f" and rng.random() < 0.2:
        X = X.copy()
        X[rng.integers(n)] *= X.dtype.type(2.0 ** float(rng.integers(-60, 8)))
    return name, X


def same(found, expected):
    """Tell whether arrays are equal to the bit."""
    return all(
        a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(found, expected, strict=True)
    )


def within_range(*matrices):
    """Tell whether NumPy's squares and sums of these rows stay within a double's normal range."""
    sizes = np.concatenate([np.abs(X.astype(np.float64)).ravel() for X in matrices])
    return sizes.max() < 1e100 and sizes[sizes > 0].min(initial=1) > 1e-100


def searches(rng, X, Y, metric, D):
    """Run every function once on one pair of matrices: names, results, and what they must be."""
    own = Y is None
    among = X if own else Y
    most = len(among) - own
    k = int(min(most, rng.choice([1, 2, 5, 17, 100, most])))
    threads = int(rng.integers(1, 4))
    if metric in TO_THE_BIT and D.size * X.shape[1] < 400_000 and within_range(X, among):
        yield "cdist", [D], [pairwise(metric, X, among, np.float64)]
    if k < 1:
        return
    yield (
        f"knn, k = {k}",
        lookalike.knn(X, Y, k=k, metric=metric, threads=threads),
        first_k(D, k, without_self=own),
    )
    some = X[: int(rng.choice([1, 2, 7, 9, len(X)]))]
    index = lookalike.Index(among, metric)
    if rng.random() < 0.2:
        with tempfile.TemporaryDirectory() as folder:
            index.save(Path(folder, "index"))
            index = lookalike.Index.open(Path(folder, "index"))
            yield "Index of a file", index.knn(some, k), first_k(D[: len(some)], k)
    else:
        yield f"Index, k = {k}", index.knn(some, k), first_k(D[: len(some)], k)
    finite = D[np.isfinite(D)]
    if finite.size:
        radius = float(rng.choice(finite))
        if rng.random() < 0.3:
            radius = float(np.nextafter(radius, rng.choice([0, np.inf])))
        yield (
            f"radius {radius!r}",
            lookalike.radius_neighbors(X, Y, radius=radius, metric=metric, threads=threads),
            filtered(D, radius, without_self=own),
        )


def main() -> int:
    """Draw until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    seed = arguments.seed or int(np.random.SeedSequence().entropy % 2**32)
    rng = np.random.default_rng(seed)
    end = time.monotonic() + arguments.seconds
    pairs = drawn = 0
    while time.monotonic() < end:
        name, X = rows_of(rng)
        Y = None
        if rng.random() < 0.5:
            cut = int(rng.integers(1, len(X)))
            X, Y = X[:cut], X[cut:]
        among = X if Y is None else Y
        for metric in METRICS:
            with np.errstate(all="ignore"):
                D = lookalike.cdist(X.astype(np.float64), among.astype(np.float64), metric)
                for what, found, expected in searches(rng, X, Y, metric, D):
                    pairs += D.size
                    if not same(found, expected):
                        file = Path(tempfile.mkdtemp(), "counter-example.npz")
                        np.savez(file, X=X, Y=among)
                        print(f"{metric}, {what}, {name}, {X.shape}, {X.dtype}: {file}")
                        print(f"seed {seed}, {lookalike.cpu_info()}")
                        return 1
        drawn += 1
    info = lookalike.cpu_info()
    level = "+".join([info["simd"], *info["extensions"]])
    print(f"{level}: {pairs:,} pairs of {drawn:,} matrices agree to the bit (seed {seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
