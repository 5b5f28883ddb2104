"""The libraries compared: for each, the fastest way it offers to do each job.

A peer says how it wants the rows (`prepare`), what it builds over a database once (`index`), and
how it searches or fills a matrix. The first two are outside the clock. Adding a library is one
class and one entry in `PEERS`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from brute_force import Array, Found, centred, in_blocks, normalised, smallest
from faiss_peers import Faiss, FaissHnsw, FaissOtherPath, FaissPanorama
from peer import CORES, METRICS, PRODUCTS, Peer


class Lookalike(Peer):
    name, module = "lookalike", "lookalike"
    matrix_metrics: tuple[str, ...] = METRICS
    search_metrics: tuple[str, ...] = METRICS

    def index(self, rows: Any, metric: str) -> Any:
        import lookalike as la

        return la.Index(rows, metric)

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        found = index.knn(queries, k)
        return found.distances, found.indices

    def self_join(self, index: Any, rows: Any, k: int, metric: str) -> Found:
        import lookalike as la

        found = la.knn(rows, k=k, metric=metric, include_self=True)
        return found.distances, found.indices

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        import lookalike as la

        return la.cdist(queries, rows, metric)

    def topk(self, distances: Array, k: int) -> Found:
        import lookalike as la

        found = la.topk(distances, k)
        return found.distances, found.indices


class Scipy(Peer):
    """`cdist`, float64 inside: the rows are converted outside the clock."""

    name, module = "scipy", "scipy"
    matrix_metrics: tuple[str, ...] = METRICS
    search_metrics: tuple[str, ...] = METRICS

    def prepare(self, rows: Array, metric: str) -> Array:
        return rows.astype(np.float64)

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        return in_blocks(lambda q: smallest(self.matrix(q, index, metric), k), queries, 256)

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        from scipy.spatial.distance import cdist

        return cdist(queries, rows, "cityblock" if metric == "manhattan" else metric)


class ScipyCondensed(Scipy):
    """`pdist`, half the work of `cdist`, then the square it stands for."""

    name = "scipy pdist"
    search_metrics: tuple[str, ...] = ()

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        from scipy.spatial.distance import pdist, squareform

        if queries is not rows:
            return super().matrix(queries, rows, metric)
        return squareform(pdist(rows, "cityblock" if metric == "manhattan" else metric))


class ScikitLearn(Peer):
    """Fused neighbours; cosine and correlation as fused Euclidean on rows normalised beforehand."""

    name, module = "scikit-learn", "sklearn"
    matrix_metrics: tuple[str, ...] = METRICS
    search_metrics: tuple[str, ...] = METRICS

    def note(self, metric: str) -> str:
        return "½d² of Euclidean on normalised rows" if metric in ("cosine", "correlation") else ""

    def prepare(self, rows: Array, metric: str) -> Array:
        return normalised(rows, metric)

    def index(self, rows: Any, metric: str) -> Any:
        from sklearn.neighbors import NearestNeighbors

        fused = "euclidean" if metric in PRODUCTS else metric
        return NearestNeighbors(algorithm="brute", metric=fused, n_jobs=-1).fit(rows)

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        distances, ids = index.kneighbors(queries, n_neighbors=k)
        return (
            distances if metric == "euclidean" or metric not in PRODUCTS else distances**2 / 2
        ), ids

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        from sklearn.metrics import pairwise_distances

        if metric in PRODUCTS:  # BLAS has the cores already
            return pairwise_distances(queries, rows, "cosine" if metric != "euclidean" else metric)
        return pairwise_distances(queries, rows, metric, n_jobs=-1)


class NumPy(Peer):
    """The matrix product, then argpartition; in blocks, so that a block stays in the cache."""

    name, module = "NumPy", "numpy"
    matrix_metrics: tuple[str, ...] = PRODUCTS
    search_metrics: tuple[str, ...] = PRODUCTS

    def prepare(self, rows: Array, metric: str) -> Array:
        return normalised(rows, metric)

    def index(self, rows: Any, metric: str) -> Any:
        return rows, np.einsum("ij,ij->i", rows, rows)

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        rows, squares = index

        def nearest(block: Array) -> Found:
            values = block @ rows.T
            if metric != "euclidean":
                values, ids = smallest(np.negative(values, out=values), k)
                return 1 + values, ids
            values *= -2
            values += squares
            values, ids = smallest(values, k)
            values += np.einsum("ij,ij->i", block, block)[:, None]
            return np.sqrt(np.maximum(values, 0)), ids

        return in_blocks(nearest, queries, 512)

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        values = queries @ rows.T
        if metric != "euclidean":
            return np.subtract(1, values, out=values)
        squares = np.einsum("ij,ij->i", rows, rows)
        values *= -2
        values += squares
        values += (squares if queries is rows else np.einsum("ij,ij->i", queries, queries))[:, None]
        return np.sqrt(np.maximum(values, 0, out=values), out=values)

    def topk(self, distances: Array, k: int) -> Found:
        return smallest(distances, k)


class NumKong(Peer):
    """Packed products and argpartition, on a pool of threads: the library itself has none."""

    name, module = "NumKong", "numkong"
    matrix_metrics: tuple[str, ...] = PRODUCTS
    search_metrics: tuple[str, ...] = PRODUCTS
    dtypes = ("float32",)
    upper_triangle = True
    tensor_dtype: Any = ""  # as the rows are
    result_dtype: Any = "float64"

    def prepare(self, rows: Array, metric: str) -> Any:
        import numkong as nk

        rows = centred(rows) if metric == "correlation" else rows
        return nk.astype(nk.from_dlpack(rows), self.tensor_dtype) if self.tensor_dtype else rows

    def index(self, rows: Any, metric: str) -> Any:
        import numkong as nk

        return nk.dots_pack(rows)

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        import numkong as nk

        packed = nk.euclideans_packed if metric == "euclidean" else nk.angulars_packed
        return in_blocks(
            lambda block: smallest(np.asarray(packed(block, index)), k),
            queries,
            max(1, min(256, -(-len(queries) // CORES))),
            threads=CORES,
        )

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        import numkong as nk

        out = nk.empty((len(queries), len(rows)), dtype=self.result_dtype)
        share = -(-len(queries) // (8 * CORES))
        family = "euclideans" if metric == "euclidean" else "angulars"
        if queries is rows:
            fill = partial(getattr(nk, f"{family}_symmetric"), rows, out=out)
        else:
            fill = partial(getattr(nk, f"{family}_packed"), queries, nk.dots_pack(rows), out=out)
        with ThreadPoolExecutor(CORES) as pool:
            starts = range(0, len(queries), share)
            for done in [
                pool.submit(fill, start_row=a, end_row=min(a + share, len(queries))) for a in starts
            ]:
                done.result()
        return np.asarray(out)


class NumKongBfloat16(NumKong):
    """The same with the rows rounded to bfloat16 beforehand: its fastest floating-point form."""

    name = "NumKong bf16"
    tensor_dtype, result_dtype = "bfloat16", "float32"

    def note(self, metric: str) -> str:
        return "rows rounded to bfloat16"


PEERS: tuple[Peer, ...] = (
    Lookalike(),
    Scipy(),
    ScipyCondensed(),
    ScikitLearn(),
    Faiss(),
    FaissOtherPath(),
    FaissPanorama(),
    FaissHnsw(),
    NumPy(),
    NumKong(),
    NumKongBfloat16(),
)
