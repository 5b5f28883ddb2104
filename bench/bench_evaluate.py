"""From features to the paper's two tables under all metrics, against scipy's matrices.

    LOOKALIKE_DATA=... pytest bench/bench_evaluate.py --benchmark-columns=median,min,max

Without LOOKALIKE_DATA the features that come with the package are used. scipy computes each matrix
in float64 on one thread and NumPy sorts it whole, as a person would write it; both find the query
too. ``extra_info`` says of how many queries the hits differ.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

import lookalike as la

K = 100
SCIPY = {"manhattan": "cityblock"}

Photos = tuple[NDArray[np.float32], list[str]]

pytestmark = pytest.mark.benchmark(group="evaluate")


@pytest.fixture(scope="module")
def photos() -> Photos:
    """Give real features and labels."""
    folder = os.environ.get("LOOKALIKE_DATA")
    if not folder:
        six = la.datasets.load_six()
        return six.features, six.labels.tolist()
    with (Path(folder) / "six_rows.csv").open(newline="") as file:
        labels = [row["category"] for row in csv.DictReader(file)]
    return np.load(Path(folder) / "six_pool5.npy"), labels


def evaluated(features: NDArray[np.float32], labels: list[str]) -> la.Evaluation:
    """Evaluate and make both tables."""
    found = la.evaluate(features, labels, k=K, include_self=True)
    assert found.mean_precision
    assert found.mean_recall
    return found


def scipys_hits(features: NDArray[np.float32], labels: list[str]) -> dict[str, NDArray[np.int64]]:
    """Count the hits of every query under every metric."""
    rows, known = features.astype(np.float64), np.asarray(labels)
    hits = {}
    for metric in la.METRICS:
        matrix = cdist(rows, rows, SCIPY.get(metric, metric))
        order = np.argsort(matrix, axis=1, kind="stable")[:, :K]
        hits[metric] = (known[order] == known[:, None]).sum(axis=1)
    return hits


def test_lookalike(benchmark: Any, photos: Photos) -> None:
    benchmark.pedantic(evaluated, photos, rounds=5, warmup_rounds=1)


def test_bootstrap(benchmark: Any, photos: Photos) -> None:
    found = evaluated(*photos)
    benchmark.pedantic(found.bootstrap, rounds=1)


def test_scipy(benchmark: Any, photos: Photos) -> None:
    expected = benchmark.pedantic(scipys_hits, photos, rounds=1)
    found = evaluated(*photos)
    differ = sum(int((found.hits(metric) != expected[metric]).sum()) for metric in la.METRICS)
    benchmark.extra_info.update(
        queries=len(la.METRICS) * len(photos[1]), queries_whose_hits_differ=differ
    )
