"""A small gallery with an index beside its features, and searches that must not depend on it."""

import os

import numpy as np

import lookalike as la
from matrices import googlenet_like
from reference import assert_neighbours, assert_same_bits

DIM = 32
N = 300
LEAST = 100 * DIM * 4


def rows(n=N, seed=0):
    X = googlenet_like(n, DIM, seed=seed)
    X[n // 2 : n // 2 + 9] = X[n // 3]  # ties
    return X


def index_files(folder):
    return sorted(name for name in os.listdir(folder) if ".index" in name)


def held(gallery):
    return [(each.metric, each.rows) for each in gallery.indexes]


def opened_of(gallery, metric="correlation"):
    """The index that a search by a metric uses."""
    return gallery._view._indexes._find(la.Metric(metric))


def assert_searches_exactly(gallery, metric="correlation", by_index=None):
    """Hold searches against those of the features; tell whether an index answers them."""
    X = gallery.features
    for Q in (X[:3], X[-1:] * 1.01, googlenet_like(70, DIM, seed=9), np.float64(X[5:7]) + 0.1):
        k = min(12, len(X) - 1)
        exclude = np.arange(len(Q)) - 1
        for left_out in (None, exclude):
            found = gallery.knn(Q, k=k, metric=metric, exclude=left_out)
            assert_neighbours(found, la.knn(Q, X, k=k, metric=metric, exclude=left_out))
    hits = gallery.search(row=[0, len(X) - 1], k=len(X), metric=metric, exclude_self=True)
    for row, found in zip((0, len(X) - 1), hits, strict=True):
        near = la.knn(X[row][None], X, k=len(X) - 1, metric=metric, exclude=[row])
        assert_same_bits(found.distances, near.distances[0])
        assert_same_bits(found.indices, near.indices[0])
    if by_index is not None:
        assert (opened_of(gallery, metric) is not None) == by_index
