"""Rows made to defeat arithmetic, filters and codes: each kind once, for all that compares rows.

Their matrix is computed once under each metric. A part of it is held against the truth, and against
it the float32 matrix, the neighbours, the pairs within a radius and what an index answers. The
counters of a search say which filter it ran, so that a test of a bound tests that bound.
"""

import numpy as np
import pytest

import lookalike
from filters import assert_codes
from matrices import AGAINST_CODES, HOSTILE
from reference import (
    METRICS,
    Ranked,
    assert_float32,
    assert_neighbours,
    assert_pairs,
    assert_same_bits,
    assert_true,
)

KINDS = HOSTILE | AGAINST_CODES
N, D = 139, 70  # several tiles and a part of one; a width that no vector divides
# A filter must leave no more than three candidates for each neighbour: for so many none does.
HALF = N // 2


class Rows:
    """The rows of a kind, and their distances under a metric."""

    def __init__(self, kind, metric):
        rng = np.random.default_rng(20150915)
        self.metric = metric
        self.X = KINDS[kind](rng, N, D)
        self.queries = np.concatenate([self.X[::5], KINDS[kind](rng, 5, D)])
        self.exact = self.matrix(self.X)
        self.others = Ranked(self.exact, without_self=True)
        self.of_queries = Ranked(self.matrix(self.queries))

    def matrix(self, queries):
        rows = self.X.astype(np.float64)
        return lookalike.cdist(queries.astype(np.float64), rows, self.metric)


@pytest.fixture(
    scope="module",
    params=[(kind, metric) for kind in KINDS for metric in METRICS],
    ids=lambda of: f"{of[1]}-{of[0]}",
)
def rows(request):
    return Rows(*request.param)


def test_cdist(rows):
    X, metric, exact = rows.X, rows.metric, rows.exact
    some, few = np.r_[:20, N // 3, N // 2, N - 2, N - 1], np.r_[:6, N // 3, N // 2, N - 1]
    assert_true(exact[np.ix_(some, few)], metric, X[some], X[few])
    assert_same_bits(lookalike.cdist(X, X, metric, dtype="float64"), exact)
    assert_float32(lookalike.cdist(X, X, metric, dtype="float32"), exact)
    assert_float32(lookalike.cdist(X, X[:33], metric, dtype="float32"), exact[:, :33])


def search(find, ranked, *, most, also, metric, rows):
    """Compare the neighbours for each k with the brute force's; codes are used for the most."""
    for k in (*also, most):
        found, stats = find(k=k, return_stats=True)
        assert_neighbours(found, ranked.first(k))
    (stage,) = stats["stages"]
    assert_codes(stage, metric, *rows)


def test_knn(rows):
    X, Q, metric = rows.X, rows.queries, rows.metric

    def self_join(**options):
        return lookalike.knn(X, metric=metric, **options)

    def rectangular(**options):
        return lookalike.knn(Q, X, metric=metric, **options)

    search(self_join, rows.others, most=HALF, also=(1, 7, 30), metric=metric, rows=[X])
    search(rectangular, rows.of_queries, most=HALF, also=(1, 30), metric=metric, rows=[X, Q])
    found = lookalike.knn(X, k=20, metric=metric, include_self=True)
    assert_neighbours(found, Ranked(rows.exact).first(20))
    found = lookalike.knn(Q[:2], X, k=20, metric=metric)
    assert_neighbours(found, [part[:2] for part in rows.of_queries.first(20)])


def test_index(rows):
    # It chooses its grid, and its scale, before it knows a query.
    X, Q, metric = rows.X, rows.queries, rows.metric
    index = lookalike.Index(X, metric=metric)
    for count in (len(Q), 2):
        ranked = Ranked(rows.matrix(Q[:count]))

        def find(count=count, **options):
            return index.knn(Q[:count], **options)

        search(find, ranked, most=HALF, also=(1, 30), metric=metric, rows=[X])


def test_radius_neighbors(rows):
    X, Q, metric = rows.X, rows.queries, rows.metric
    # Of a pair that is there, so that it lies on the very edge; just below it; none and all.
    edges = np.sort(rows.exact, axis=None)[[N + 20, N + N * N // 50, N * N // 3]].tolist()
    for radius in (0.0, *edges, float(np.nextafter(edges[1], 0)), np.finfo(np.float64).max):
        if np.isfinite(radius):
            found = lookalike.radius_neighbors(X, radius=radius, metric=metric)
            assert_pairs(found, rows.others.within(radius))
            found = lookalike.radius_neighbors(Q, X, radius=radius, metric=metric)
            assert_pairs(found, rows.of_queries.within(radius))
    found = lookalike.radius_neighbors(X, radius=edges[0], metric=metric, include_self=True)
    assert_pairs(found, Ranked(rows.exact).within(edges[0]))
