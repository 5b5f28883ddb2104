"""Every filter's bounds on data made against them: `bounds.py PROGRAM [CASES]`.

PROGRAM is bounds.cpp, linked with the core. It is given every kind of hostile rows in every metric,
then CASES more of random shape (1,000). Prints what share of the allowed error was taken.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from matrices import AGAINST_CODES, HOSTILE
from screen_matrices import AGAINST_SCREENS

KINDS = HOSTILE | AGAINST_CODES | AGAINST_SCREENS


def jobs(cases: int):
    """Names of kinds, and rows."""
    rng = np.random.default_rng(0)
    for name in KINDS:
        yield name, KINDS[name](rng, 61, 45), None
        X = KINDS[name](rng, 61, 45)
        yield name, X[::4], X
    for d in (32760, 32768, 32769, 65600):
        X = rng.integers(0, 2, (12, d)) * rng.random((12, 1))
        yield f"d = {d}", X, None
        yield f"d = {d}, both signs", X - rng.integers(0, 2, (12, d)), None
    # Nearly 2^56 in most of 32,768 features: squares at the end of float32's range.
    X = rng.random((13, 32768))
    X[1:5] = 2.0**56 * (1 - 2.0**-24) * np.array([[1], [1], [0.985], [0.97]])
    X[1:5, 0] = -(2.0**56) / np.array([200.6, 200.6, 100.6, 150])
    X[2, 100:450] *= 0.7
    yield "end of float32", X.astype(np.float32), None
    rng = np.random.default_rng()
    for _ in range(cases):
        name = rng.choice(list(KINDS))
        n, d = rng.integers(2, 40), rng.integers(1, 300)
        X = KINDS[name](rng, n, d)
        X = X * rng.choice([1, 1, 1e-3, 1e3, 1e8, -1]) * rng.choice([1, 1, 0.3, 7], (n, 1))
        Y = X[:: rng.integers(1, 4)] * rng.choice([1, 1.5, 30]) if rng.random() < 0.5 else None
        yield name, X, Y


def main() -> None:
    program, cases = sys.argv[1], int((*sys.argv, 1000)[2])
    taken: dict[str, float] = {}
    wrong = 0
    with (
        np.errstate(over="ignore", invalid="ignore"),
        subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        for name, X, Y in jobs(cases):
            kind = np.float32 if X.dtype.itemsize <= 4 else np.float64
            X, Y = (np.nan_to_num(m, posinf=1, neginf=1) for m in (X, X[:0] if Y is None else Y))
            header = np.array([len(X), len(Y), X.shape[1], np.dtype(kind).itemsize])
            process.stdin.write(header.astype(np.int64).tobytes())
            process.stdin.write(X.astype(kind).tobytes() + Y.astype(kind).tobytes())
            process.stdin.flush()
            while line := process.stdout.readline().decode().strip():
                key, count, share = line.split(",")
                taken[key] = max(taken.get(key, 0), float(share))
                if int(count):
                    print(f"{name}: {count} pairs wrong, {key}, {X.shape} by {Y.shape}")
                    wrong += 1
        process.stdin.close()
    for key, share in sorted(taken.items()):
        print(f"{key:42} {share:.3f} of the bound")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
