"""Compute a batch of every kind of result: `python simd_batch.py results.npz`.

Run under different LOOKALIKE_SIMD, the batches are compared with one another.
"""

import sys
from collections.abc import Iterator

import numpy as np

import lookalike
from matrices import HOSTILE, googlenet_like, of_dtype
from reference import METRICS

WIDTHS = (1, 3, 7, 15, 16, 17, 31, 33, 130, 1024)


def inputs() -> Iterator[tuple[str, np.ndarray]]:
    for d in WIDTHS:
        yield f"d={d}", googlenet_like(150, d)
    for dtype in ("float16", "float64", "int8", "uint8"):
        yield dtype, of_dtype(dtype, 90, 33)
    rng = np.random.default_rng(7)
    for name in HOSTILE:
        yield name, HOSTILE[name](rng, 90, 37)


def batch() -> Iterator[tuple[str, np.ndarray]]:
    """Names and results: those named single hold within a tolerance, all others to the bit."""
    for name, X in inputs():
        n = len(X)
        yield f"topk {name}", lookalike.topk(X, (X.shape[1] + 1) // 2).indices
        for metric in METRICS:
            label = f"{metric} {name}"
            yield f"cdist {label}", lookalike.cdist(X, X[:40], metric, dtype="float64")
            yield f"pdist {label}", lookalike.pdist(X, metric, dtype="float64")
            yield f"single {label}", lookalike.cdist(X, X[:40], metric, dtype="float32")
            for queries, found in (
                ("self", lookalike.knn(X, k=20, metric=metric)),
                ("three", lookalike.knn(X[:3], X, k=n, metric=metric)),
                ("many", lookalike.knn(X[::2], X, k=9, metric=metric)),
            ):
                yield f"knn {queries} {label}", found.indices
                yield f"knn distances {queries} {label}", found.distances
            radius = float(np.median(found.distances))
            near = lookalike.radius_neighbors(X, radius=radius, metric=metric)
            yield f"radius {label}", near.indices
            yield f"radius distances {label}", near.distances


if __name__ == "__main__":
    results = dict(batch())
    results["level"] = np.array(lookalike.cpu_info()["simd"])
    np.savez(sys.argv[1], **{name.replace("/", "|"): value for name, value in results.items()})
