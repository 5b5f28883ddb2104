"""The features of 2,640 real photos: the figures that scipy's float64 matrix gives for them."""

import csv

import numpy as np
import pytest

import lookalike
from reference import METRICS, assert_same_bits, first_k

# Mean precision and recall over the six categories among the 100 nearest, the query counted.
INCLUDED = {
    "manhattan": (0.6355, 0.1444),
    "cosine": (0.7112, 0.1616),
    "euclidean": (0.6156, 0.1399),
    "braycurtis": (0.7086, 0.1610),
    "canberra": (0.7087, 0.1611),
    "chebyshev": (0.4270, 0.0971),
    "correlation": (0.7246, 0.1647),
}
# The same with the query left out of what is retrieved and of what is relevant.
EXCLUDED = {
    "manhattan": (0.6307, 0.1437),
    "cosine": (0.7071, 0.1611),
    "euclidean": (0.6107, 0.1391),
    "braycurtis": (0.7046, 0.1605),
    "canberra": (0.7048, 0.1605),
    "chebyshev": (0.4203, 0.0957),
    "correlation": (0.7208, 0.1642),
}


@pytest.fixture(scope="module")
def features(data):
    return np.load(data / "six_pool5.npy")


@pytest.fixture(scope="module")
def categories(data):
    with (data / "six_rows.csv").open() as rows:
        return np.array([row["category"] for row in csv.DictReader(rows)])


def mean_precision_and_recall(indices, categories, *, include_self):
    hits = (categories[indices] == categories[:, None]).sum(axis=1)
    names, sizes = np.unique(categories, return_counts=True)
    per_category = np.array([hits[categories == name].mean() for name in names])
    relevant = sizes - (not include_self)
    return per_category.mean() / indices.shape[1], (per_category / relevant).mean()


@pytest.mark.parametrize("metric", INCLUDED)
def test_precision_and_recall(metric, features, categories):
    include_self = metric in METRICS[::2]  # either is evaluated for every metric: test_evaluate.py
    found = lookalike.knn(features, metric=metric, include_self=include_self)
    figures = mean_precision_and_recall(found.indices, categories, include_self=include_self)
    expected = (INCLUDED if include_self else EXCLUDED)[metric]
    assert figures == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_those_of_the_float64_matrix(metric, features):
    found = lookalike.knn(features, metric=metric, include_self=True)
    some = slice(3, None, 11)
    rows = features.astype(np.float64)
    values, order = first_k(lookalike.cdist(rows[some], rows, metric), 100)
    assert_same_bits(found.indices[some].copy(), order)
    assert_same_bits(found.distances[some].copy(), values)
