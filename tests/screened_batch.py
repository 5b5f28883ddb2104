"""Self-joins by screens against the brute force: `python screened_batch.py SEED [hostile]`.

Run under LOOKALIKE_SCREENS=always, it exits with an error at the first bit that differs.
Prints which stages ran.
"""

import sys

import numpy as np

import lookalike
from matrices import AGAINST_CODES, HOSTILE, googlenet_like
from reference import METRICS, assert_same_bits, first_k
from screen_matrices import AGAINST_SCREENS

SCREENED = ("euclidean", "cosine", "correlation", "chebyshev")


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
