"""Self-joins by screens against the brute force: `python screened_batch.py SEED [hostile]`.

Run under LOOKALIKE_SCREENS=always, it exits with an error at the first bit that differs.
Prints which stages ran.
"""

import sys

import numpy as np

import lookalike
from matrices import AGAINST_CODES, HOSTILE, googlenet_like
from reference import METRICS, Ranked, assert_neighbours, assert_pairs
from screen_matrices import AGAINST_SCREENS

SCREENED = ("euclidean", "cosine", "correlation", "chebyshev")


class Join:
    """A self-join and its brute force; notes the stages that searches use, and what they screen."""

    used: dict[str, set[str]] = {"knn": set(), "radius": set()}  # noqa: RUF012
    screened = 0

    def __init__(self, X, metric, **options):
        X64 = np.asarray(X, np.float64)
        self.X, self.metric, self.options = X, metric, options
        self.D = lookalike.cdist(X64, X64, metric, **options)
        self._ranked: dict[bool, Ranked] = {}

    def ranked(self, itself):
        if itself not in self._ranked:
            self._ranked[itself] = Ranked(self.D, without_self=not itself)
        return self._ranked[itself]

    def search(self, what, include_self, threads, **wanted):
        search = lookalike.knn if what == "knn" else lookalike.radius_neighbors
        wanted |= {"metric": self.metric, "include_self": include_self, "threads": threads}
        found, stats = search(self.X, **wanted, **self.options, return_stats=True)
        Join.used[what].add(" then ".join(stats["stages"]))
        Join.screened += stats["screened"]
        return found

    def nearest(self, k, threads, include_self=False):
        found = self.search("knn", include_self, threads, k=k)
        assert_neighbours(found, self.ranked(include_self).first(k))

    def within(self, radius, threads, include_self=False):
        found = self.search("radius", include_self, threads, radius=radius)
        assert_pairs(found, self.ranked(include_self).within(radius))

    def radii(self):
        """Of those that an entry equals, that lie just beside one, and that keep none or all."""
        values = np.sort(self.ranked(False).distances, axis=None)
        few, some = (values[int(share * (values.size - 1))] for share in (0.001, 0.05))
        return [0.0, few, np.nextafter(few, 0), some, np.nextafter(some, np.inf), np.inf]

    def without_some(self, rng):
        """Hold a search that leaves rows out against the brute force."""
        n = len(self.X)
        mask, exclude = rng.random(n) < 0.3, rng.integers(0, n, n)
        D = np.where(mask | (np.arange(n) == exclude[:, None]), np.nan, self.D)
        index = lookalike.Index(self.X, self.metric)
        itself, radius = bool(rng.integers(2)), self.radii()[3]
        if not itself:
            np.fill_diagonal(D, np.nan)
        found = index.radius_neighbors(
            radius=radius, exclude=exclude, mask=mask, include_self=itself
        )
        assert_pairs(found, Ranked(D).within(radius))


def main(seed: int, hostile: bool) -> None:
    rng = np.random.default_rng(seed)
    kinds = AGAINST_SCREENS | (HOSTILE | AGAINST_CODES if hostile else {})
    with np.errstate(over="ignore", invalid="ignore"):
        for name, kind in kinds.items():
            n, d = int(rng.integers(200, 420)), int(rng.choice([1, 2, 3, 17, 64, 100, 201, 400]))
            X = kind(rng, n, d)
            if X.dtype.kind == "f":
                X = np.nan_to_num(X, posinf=1, neginf=-1)
            for metric in SCREENED:
                join = Join(X, metric)
                try:
                    for k, threads in ((1, 5), (7, 2), (150, 1)):
                        join.nearest(k, threads, include_self=k == 7)
                    for i, radius in enumerate(join.radii()):
                        join.within(radius, 1 + i, include_self=i % 2 == 0)
                    if metric == SCREENED[seed % 4]:
                        join.without_some(rng)
                except AssertionError as error:
                    sys.exit(f"{name}, {metric}, {X.shape}: {error}")
    # Many tiles, many of whose pairs a screen excludes.
    X = googlenet_like(1500, 96, 11)
    for metric in METRICS:
        join = Join(X, metric)
        join.nearest(9, 5)
        if metric in SCREENED:
            join.within(join.radii()[1], 5)
    # One row in the last tile, after tiles whose pairs nearly all stay.
    X = rng.random((513, 64), np.float32)
    for metric in SCREENED:
        join = Join(X, metric)
        for share in (0.8, 0.9, 0.97):
            join.within(np.quantile(join.D, share), 1, include_self=True)
        join.nearest(400, 1, include_self=True)
    # What else is made of products.
    X = googlenet_like(400, 96, 11)
    w = rng.uniform(0.1, 3, 96)
    root = rng.standard_normal((96, 96)) / 10
    for metric, options in (
        ("sqeuclidean", {}),
        ("seuclidean", {"V": w}),
        ("mahalanobis", {"VI": root @ root.T}),
        ("euclidean", {"w": w}),
        ("correlation", {"w": w}),
    ):
        join = Join(X, metric, **options)
        for radius in join.radii()[:4]:
            join.within(radius, 2)
    for what, stages in Join.used.items():
        print("\n".join(f"{what}: {stage}" for stage in sorted(stages)))
    print(f"screened {Join.screened}")


if __name__ == "__main__":
    main(int(sys.argv[1]), "hostile" in sys.argv)
