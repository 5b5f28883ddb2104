"""What people write, which a type checker has nothing to say about."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import lookalike as la

X: npt.NDArray[np.float32] = np.eye(5, dtype=np.float32)
labels = ["a", "a", "b", "b", "b"]

# Results are what they say, however they are taken apart.
near = la.knn(X, k=2, metric="cosine")
assert_type(near, la.Neighbors)
distances, indices = near
assert_type(distances, npt.NDArray[np.float64])
assert_type(indices, npt.NDArray[np.int64])
assert_type(la.knn(X, X.tolist(), k=2), la.Neighbors)
assert_type(la.knn(X, k=2, include_self="first").to_umap()[0], npt.NDArray[np.int64])
assert_type(near.to_dict(["a", "b", "c", "d", "e"]), dict[Any, dict[Any, float]])
assert_type(near.columns, int | None)

# Stats come with what was asked for, also where only the run tells.
assert_type(la.knn(X, k=1, return_stats=True), tuple[la.Neighbors, dict[str, Any]])


def search(stats: bool) -> la.Neighbors | tuple[la.Neighbors, dict[str, Any]]:
    return la.knn(X, k=1, return_stats=stats)


def close(stats: bool) -> la.RadiusNeighbors | tuple[la.RadiusNeighbors, dict[str, Any]]:
    return la.radius_neighbors(X, radius=1, return_stats=stats)


assert_type(la.radius_neighbors(X, radius=0.5), la.RadiusNeighbors)
indptr, columns, _ = la.radius_neighbors(X, radius=0.5, include_self=True)
assert_type(columns, npt.NDArray[np.int64])
assert_type(indptr, npt.NDArray[np.int64])

# Metrics by name, by alias, as a value, and in turn.
for metric in la.METRICS:
    la.knn(X, k=1, metric=metric)
    la.cdist(X, X, metric)
for metric in la.ALL_METRICS[:3]:
    la.pdist(X, metric)
la.knn(X, k=1, metric="l1")
la.cdist(X, X, "minkowski", p=3)
la.cdist(X, X, la.Metric("minkowski", p=3))


def by_name(name: str) -> la.Neighbors:
    return la.knn(X, k=1, metric=la.Metric(name))


# An index, and an evaluation.
index = la.Index(X, metric="euclidean")
assert_type(index.knn(X[:2], k=1), la.Neighbors)
la.knn(X, k=1, metric=index.metric)

found = la.evaluate(X, labels, k=[1, 2], metrics=["cosine", "l1"])
assert_type(found, la.Evaluation)
assert_type(found.mean_precision["cosine"], float)
assert_type(found.micro_ndcg["l1"], float)
assert_type(found.hit_rate["l1"]["a"], float)
assert_type(found.to_run("cosine"), dict[str, dict[str, float]])
assert_type(found.to_qrels(), dict[str, dict[str, int]])
wanted = ["canberra", "chebyshev"]
la.evaluate(X, labels, metrics=wanted)
la.knn(X, k=1, metric=found.best_metric)
print(la.topk(la.cdist(X, X), 2).indices, la.cpu_info()["simd"], la.__version__)


def done(rows: int, total: int) -> None:
    print(rows, total)


la.knn(X, k=1, progress=done, threads=2)
