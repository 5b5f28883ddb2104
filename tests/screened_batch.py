"""Self-joins by screens against the brute force: `python screened_batch.py SEED [hostile]`.

Run under LOOKALIKE_SCREENS=always, it exits with an error at the first bit that differs.
Prints which stages ran.
"""

import sys

import numpy as np

import lookalike
from matrices import AGAINST_CODES, HOSTILE, googlenet_like
from reference import Ranked, assert_neighbours
from screen_matrices import AGAINST_SCREENS

SCREENED = ("euclidean", "cosine", "correlation", "chebyshev")


def check(name, X, metric, searches):
    """Hold searches against the brute force; give the stages that each used."""
    X64 = np.asarray(X, np.float64)
    D = lookalike.cdist(X64, X64, metric)
    ranked = {itself: Ranked(D, without_self=not itself) for itself in {s[2] for s in searches}}
    for k, threads, include_self in searches:
        found, stats = lookalike.knn(
            X, k=k, metric=metric, include_self=include_self, return_stats=True, threads=threads
        )
        try:
            assert_neighbours(found, ranked[include_self].first(k))
        except AssertionError:
            sys.exit(f"{name}, {metric}, {X.shape}, k = {k}, {threads} threads")
        yield " then ".join(stats["stages"]), stats["screened"]


def main(seed: int, hostile: bool) -> None:
    rng = np.random.default_rng(seed)
    kinds = AGAINST_SCREENS | (HOSTILE | AGAINST_CODES if hostile else {})
    ran = []
    with np.errstate(over="ignore", invalid="ignore"):
        for name, kind in kinds.items():
            n, d = int(rng.integers(200, 420)), int(rng.choice([1, 2, 3, 17, 64, 100, 201, 400]))
            X = kind(rng, n, d)
            if X.dtype.kind == "f":
                X = np.nan_to_num(X, posinf=1, neginf=-1)
            for metric in SCREENED:
                ran += check(name, X, metric, [(1, 5, False), (7, 2, True), (150, 1, False)])
    # Many tiles, many of whose pairs a screen excludes.
    X = googlenet_like(1500, 96, 11)
    for metric in SCREENED:
        ran += check("clusters in many tiles", X, metric, [(9, 5, False)])
    stages, screened = zip(*ran, strict=True)
    print("\n".join(sorted(set(stages))), f"screened {sum(screened)}", sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), "hostile" in sys.argv)
