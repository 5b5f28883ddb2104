"""Blocks of rows that meet pair by pair keep what one search finds."""

from itertools import combinations, pairwise

import numpy as np
import pytest

import lookalike as la
from lookalike import _core
from lookalike.distance.blocks import Block, across, radius_transposed, within
from lookalike.distance.metrics import specification
from matrices import googlenet_like
from reference import METRICS, assert_neighbours, assert_same_bits

every_metric = pytest.mark.parametrize("metric", METRICS)


def rows_with_ties(n, d=50, signed=False):
    X = googlenet_like(n, d)
    X[n // 2 : n // 2 + 20] = X[3]
    if signed:
        X *= np.sign(np.random.default_rng(0).standard_normal(X.shape)).astype(X.dtype)
    return X


def met(X, cuts, k, metric, rng, include_self=False):
    """All pairs of blocks in some order."""
    named = specification(metric)
    blocks = [Block(X[a:b], a) for a, b in pairwise([0, *cuts, len(X)])]
    kept = [within(each, k, named, include_self=include_self) for each in blocks]
    pairs = list(combinations(range(len(blocks)), 2))
    rng.shuffle(pairs)
    for a, b in pairs:
        kept[a], kept[b] = across(blocks[a], blocks[b], (kept[a], kept[b]), named)
    return la.Neighbors(*(np.concatenate(each) for each in zip(*kept, strict=True)))


@pytest.mark.parametrize(
    ("metric", "cuts"),
    [
        *((metric, cuts) for metric in METRICS for cuts in ([1, 2, 699], [100, 256, 300, 512])),
        ("manhattan", [333]),
        ("cosine", [16]),
        ("canberra", [350, 350]),  # one of them has no rows
    ],
)
def test_blocks_keep_what_one_search_finds(metric, cuts, rng):
    X = rows_with_ties(700, signed=len(cuts) == 4)
    for k in (1, 20, 120):
        expected = la.knn(X, k=k, metric=metric)
        assert_neighbours(met(X, cuts, k, metric, rng), expected)
    expected = la.knn(X, k=700, metric=metric, include_self=True)
    assert_neighbours(met(X, cuts, 700, metric, rng, include_self=True), expected)


@every_metric
def test_masses_of_equal_rows(metric, rng):
    X = np.repeat(googlenet_like(3, 20), 400, axis=0)
    expected = la.knn(X, k=30, metric=metric)
    assert_neighbours(met(X, [500, 800], 30, metric, rng), expected)


def test_a_pair_of_blocks_looks_at_each_pair_once_and_at_little_beyond_the_bounds():
    X = googlenet_like(4000, 64)
    metric = specification("correlation")
    none, some = np.full((4000, 20), np.inf), la.knn(X, k=20).distances
    *_, without = _core.knn_across(X, 2000, metric, 20, none, 0, None)
    *_, bounded = _core.knn_across(X, 2000, metric, 20, some, 0, None)
    assert without["pairs"] == bounded["pairs"] == 2000 * 2000
    assert bounded["refined"] < 0.7 * without["refined"]


def test_rows_that_cannot_be_compared_are_named():
    X = googlenet_like(10, 5)
    X[7, 2] = np.nan
    with pytest.raises(ValueError, match="block 3: row 37 has a value that is not finite"):
        within(Block(X, 30, "block 3:"), 2, specification("l1"))


@every_metric
def test_pairs_within_a_radius_from_the_other_side(metric):
    X, Y = rows_with_ties(90), rows_with_ties(70)
    radius = float(np.quantile(la.cdist(X, Y, metric), 0.3))
    found = radius_transposed(la.radius_neighbors(X, Y, radius=radius, metric=metric), len(Y))
    expected = la.radius_neighbors(Y, X, radius=radius, metric=metric)
    for name in ("indptr", "indices", "distances"):
        assert_same_bits(getattr(found, name), getattr(expected, name))
