"""Searches with contended reservoirs, for ThreadSanitizer to watch: `race.py [METRIC...]`."""

import sys
import threading

import numpy as np

import lookalike as la

METRICS = tuple(sys.argv[1:]) or la.ALL_METRICS
rng = np.random.default_rng(0)
X = rng.random((1500, 24), dtype=np.float32)
X[::3] = X[0]  # masses of ties: reservoirs are refined while others wait
indexes = {metric: la.Index(X, metric) for metric in METRICS}


def work() -> None:
    for metric, index in indexes.items():
        la.knn(X, k=7, metric=metric, threads=4)
        la.radius_neighbors(X[:600], radius=0.05, metric=metric, threads=4)
        la.cdist(X, X, metric, threads=4)
        index.knn(X[:3], k=7, threads=4)
        index.knn(X[:90], k=7, threads=4)


callers = [threading.Thread(target=work) for _ in range(2)]
for caller in callers:
    caller.start()
for caller in callers:
    caller.join()
print(f"no race in {', '.join(METRICS)}")
