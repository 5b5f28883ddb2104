"""Self-joins by screens against the brute force: `python screened_batch.py SEED [hostile]`.

Run under LOOKALIKE_SCREENS=always, it exits with an error at the first bit that differs.
Prints which stages ran.
"""

import sys

import numpy as np

import lookalike
from matrices import AGAINST_CODES, HOSTILE, googlenet_like
from reference import METRICS, assert_same_bits, first_k

SCREENED = ("euclidean", "cosine", "correlation", "chebyshev")


def _beside_the_sample(rng, n, d):
    # The rows that a basis is taken from span half the features, all others the other half.
    X = np.zeros((n, d))
    half = d // 2 + 1
    X[:, :half] = rng.standard_normal((n, half))
    X[3::7] = 0
    X[3::7, half:] = rng.standard_normal((len(X[3::7]), d - half))
    return X


def _only_the_rest(rng, n, d):
    # A direction far above all others, equal in all rows; what tells them apart is what it leaves.
    X = 1e-3 * rng.standard_normal((n, d))
    X[:, 0] = 50
    return X


def _equal_rests(rng, n, d):
    X = rng.standard_normal((n, d))
    X[:, d // 2 :] *= 3 / np.linalg.norm(X[:, d // 2 :], axis=1, keepdims=True)
    return X * np.array([10] * (d // 2) + [1] * (d - d // 2))


def _rotated_noise(rng, n, d):
    turned = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (rng.standard_normal((n, d)) * np.geomspace(1, 1e-4, d)) @ turned


def _an_ulp_from_the_kth(rng, n, d):
    # Around each centre rows at one distance in as many directions, moved by ulps.
    centres = 4 * rng.standard_normal((n // 20 + 1, d))
    X = centres[np.arange(n) // 20]
    X[np.arange(n), rng.integers(0, d, n)] += rng.choice([-1, 1], n)
    return X * (1 + rng.integers(-2, 3, (n, d)) * 2.0**-52)


AGAINST_SCREENS = {
    "beside the sample": _beside_the_sample,
    "only the rest": _only_the_rest,
    "equal rests": _equal_rests,
    "rotated noise": _rotated_noise,
    "an ulp from the k-th": _an_ulp_from_the_kth,
    "clusters": lambda rng, n, d: googlenet_like(n, d, 9),
}


def check(X, k, metric, threads, include_self=False):
    """Hold one search against the brute force; give the stages that it used."""
    X64 = np.asarray(X, np.float64)
    D = lookalike.cdist(X64, X64, metric)
    values, order = first_k(D, k, without_self=not include_self)
    (distances, indices), stats = lookalike.knn(
        X, k=k, metric=metric, include_self=include_self, return_stats=True, threads=threads
    )
    assert_same_bits(indices, order)
    assert_same_bits(distances, values)
    return stats["stages"], stats["screened"]


def main(seed: int, hostile: bool) -> None:
    rng = np.random.default_rng(seed)
    kinds = AGAINST_SCREENS | (HOSTILE | AGAINST_CODES if hostile else {})
    used, screened = set(), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for name, kind in kinds.items():
            n, d = int(rng.integers(260, 600)), int(rng.choice([1, 2, 3, 17, 64, 100, 201, 400]))
            X = kind(rng, n, d)
            if X.dtype.kind == "f":
                X = np.nan_to_num(X, posinf=1, neginf=-1)
            for metric in SCREENED:
                for k, threads in ((1, 5), (7, 2), (150, 1)):
                    try:
                        stages, count = check(X, k, metric, threads, include_self=k == 7)
                    except AssertionError:
                        sys.exit(f"{name}, {metric}, {X.shape}, k = {k}, {threads} threads")
                    used.add(" then ".join(stages))
                    screened += count
    # Many tiles, many of whose pairs a screen excludes.
    X = googlenet_like(2000, 96, 11)
    for metric in METRICS:
        stages, count = check(X, 9, metric, 5)
        used.add(" then ".join(stages))
        screened += count
    print("\n".join(sorted(used)), f"screened {screened}", sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), "hostile" in sys.argv)
