"""From features to the paper's two tables under all seven metrics, against scipy's matrices.

    LOOKALIKE_DATA=... python bench/bench_evaluate.py

Without LOOKALIKE_DATA the features that come with the package are used. scipy computes each matrix
in float64 on one thread and NumPy sorts it whole, as a person would write it; both find the query
too. The hits of every query are compared.
"""

from __future__ import annotations

import csv
import os
import statistics
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

import lookalike as la
from machine import cpu_name, pools, versions

K = 100
ROUNDS = 5
SCIPY = {"manhattan": "cityblock"}


def real_features() -> tuple[NDArray[np.float32], list[str], str]:
    """Give features, labels and where they come from."""
    folder = os.environ.get("LOOKALIKE_DATA")
    if not folder:
        six = la.datasets.load_six()
        return six.features, six.labels.tolist(), "the shipped features"
    with (Path(folder) / "six_rows.csv").open(newline="") as file:
        labels = [row["category"] for row in csv.DictReader(file)]
    return np.load(Path(folder) / "six_pool5.npy"), labels, "the features in LOOKALIKE_DATA"


def ours(features: NDArray[np.float32], labels: list[str]) -> la.Evaluation:
    """Evaluate and make both tables."""
    found = la.evaluate(features, labels, k=K, include_self=True)
    assert found.mean_precision
    assert found.mean_recall
    return found


def scipys(features: NDArray[np.float32], labels: list[str]) -> dict[str, NDArray[np.int64]]:
    """Count the hits of every query under every metric."""
    rows, known = features.astype(np.float64), np.asarray(labels)
    hits = {}
    for metric in la.METRICS:
        matrix = cdist(rows, rows, SCIPY.get(metric, metric))
        order = np.argsort(matrix, axis=1, kind="stable")[:, :K]
        hits[metric] = (known[order] == known[:, None]).sum(axis=1)
    return hits


def main() -> None:
    """Time both in one run and print what came out."""
    features, labels, source = real_features()
    print(f"{len(features):,} × {features.shape[1]:,}, {source}; {cpu_name()}; {versions()}")
    print(f"threads: {pools()}")
    found = ours(features, labels)
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = ours(features, labels)
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    found.bootstrap()
    bootstrap = time.perf_counter() - started
    started = time.perf_counter()
    expected = scipys(features, labels)
    theirs = time.perf_counter() - started
    lists = len(la.METRICS) * len(features)
    other = sum(int((found.hits(m) != expected[m]).sum()) for m in la.METRICS)
    mine = statistics.median(times)
    print(f"lookalike {mine:.2f} s (median of {ROUNDS}; {min(times):.2f} to {max(times):.2f})")
    print(f"scipy {theirs:.1f} s, {theirs / mine:.0f} times as long")
    print(f"hits differ for {other} of {lists:,} queries; bootstrap {bootstrap:.2f} s")


if __name__ == "__main__":
    main()
