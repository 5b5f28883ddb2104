"""The measures as their definitions read: one query and one neighbour at a time.

The order of neighbours comes from scipy's float64 distances or, where data are made of small whole
numbers, is exact anyway.
"""

import math
from fractions import Fraction

import numpy as np
from scipy.spatial.distance import cdist

SCIPY = {"manhattan": "cityblock"}


def missing(label):
    return label is None or label == "" or label != label


def distances(features, metric, queries=slice(None)):
    rows = np.asarray(features, np.float64)
    return cdist(rows[queries], rows, SCIPY.get(metric, metric))


def order(row, query, include_self):
    """Rows by distance, then by index, the query left out if it does not count."""
    ranked = sorted(range(len(row)), key=lambda other: (row[other], other))
    return [other for other in ranked if include_self or other != query]


def query_measures(row, query, labels, k, include_self):
    """Everything there is to say of one query; None if it has no one to find."""
    label = labels[query]
    if missing(label):
        return None
    same = [not missing(other) and other == label for other in labels]
    relevant = sum(same) - (not include_self)
    if relevant == 0:
        return None
    ranked = order(row, query, include_self)
    found = [same[other] for other in ranked]
    hits = sum(found[:k])
    best = min(k, relevant)
    gain = sum(1 / math.log2(place + 2) for place in range(k) if found[place])
    ideal = sum(1 / math.log2(place + 2) for place in range(best))
    at_hits = [Fraction(sum(found[: place + 1]), place + 1) for place in range(k) if found[place]]
    places = [place for place, hit in enumerate(found) if hit]
    return {
        "category": label,
        "precision": Fraction(hits, k),
        "recall": Fraction(hits, relevant),
        "tied": k < len(ranked) and row[ranked[k - 1]] == row[ranked[k]],
        "expected": expected_hits(row, ranked, found, k) / k,
        "ap": float(sum(at_hits, Fraction(0)) / best),
        "ap_over_r": float(sum(at_hits, Fraction(0)) / relevant),
        "rr": next((1 / (place + 1) for place in range(k) if found[place]), 0.0),
        "hit": float(hits > 0),
        "ndcg": gain / ideal,
        "r_precision": Fraction(sum(found[:relevant]), relevant),
        "full_ap": float(
            sum((Fraction(r + 1, place + 1) for r, place in enumerate(places)), Fraction(0))
            / relevant
        ),
        "curve": [(r + 1) / (place + 1) for r, place in enumerate(places)],
    }


def expected_hits(row, ranked, found, k):
    last = row[ranked[k - 1]]
    before = [hit for other, hit in zip(ranked, found, strict=True) if row[other] < last]
    block = [hit for other, hit in zip(ranked, found, strict=True) if row[other] == last]
    return sum(before) + (k - len(before)) * Fraction(sum(block), len(block))


def evaluate(matrix, labels, k, include_self):
    """Measures of all queries, and their exact means by category."""
    queries = [
        query_measures(matrix[query], query, labels, k, include_self)
        for query in range(len(labels))
    ]
    queries = [query for query in queries if query is not None]
    categories = list(dict.fromkeys(query["category"] for query in queries))

    def mean(name, category):
        values = [query[name] for query in queries if query["category"] == category]
        return sum(values) / len(values)

    of_places = ("ap", "ap_over_r", "rr", "hit", "ndcg")
    names = ("precision", "recall", "expected", *of_places, "r_precision", "full_ap")
    return queries, {
        name: {category: mean(name, category) for category in categories} for name in names
    }
