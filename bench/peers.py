"""The libraries compared: for each, the fastest way it offers to do each job.

A peer says how it wants the rows (`prepare`), what it builds over a database once (`index`), and
how it searches or fills a matrix. The first two are outside the clock. Adding a library is one
class and one entry in `PEERS`.
"""

from __future__ import annotations

import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from blas import faiss_module
from brute_force import Array, Found, centred, in_blocks, normalised, smallest

METRICS = (
    "manhattan",
    "euclidean",
    "cosine",
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
)
PRODUCTS = ("euclidean", "cosine", "correlation")  # metrics that a matrix product gives
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Peer:
    """One library. The metrics it can do, per job, and how."""

    name: str
    module: str  # what must be importable
    matrix_metrics: tuple[str, ...] = ()
    search_metrics: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("float32", "float64")
    upper_triangle = False  # a square matrix comes with nothing below its diagonal

    def note(self, metric: str) -> str:
        """Say what a reader of the figures must know."""
        return ""

    def subject(self, rows: Array, metric: str) -> Array:
        """Give the rows this peer is asked about: the data, unless it cannot do that data."""
        return rows

    def prepare(self, rows: Array, metric: str) -> Any:
        """Give rows, of queries or of a database, in the form this peer is fastest on."""
        return rows

    def index(self, rows: Any, metric: str) -> Any:
        """Build whatever is built once over prepared rows."""
        return rows

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        """Find the k nearest of `index` to each query, nearest first."""
        raise NotImplementedError

    def self_join(self, index: Any, rows: Any, k: int, metric: str) -> Found:
        """Find the k nearest rows to each row, itself among them."""
        return self.search(index, rows, k, metric)

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        """Give all distances; `queries is rows` when the whole square is asked for."""
        raise NotImplementedError

    def topk(self, distances: Array, k: int) -> Found:
        """Give the k smallest of each row of a matrix, smallest first."""
        raise NotImplementedError

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


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


class Faiss(Peer):
    """`IndexFlat` of the metric; cosine and correlation as inner products of normalised rows.

    Its BLAS is helped to the kernels this CPU has: see blas.py.
    """

    name, module = "faiss", "faiss"
    matrix_metrics: tuple[str, ...] = METRICS
    search_metrics: tuple[str, ...] = METRICS
    dtypes = ("float32",)
    shift = np.float32(0.05)

    def note(self, metric: str) -> str:
        return (
            f"on data + {self.shift:.2f}: shared zeros give id −1" if metric == "canberra" else ""
        )

    def subject(self, rows: Array, metric: str) -> Array:
        return rows + self.shift if metric == "canberra" else rows

    def prepare(self, rows: Array, metric: str) -> Array:
        return normalised(rows, metric)

    def index(self, rows: Any, metric: str) -> Any:
        index = faiss_module().IndexFlat(rows.shape[1], self.metric_type(metric))
        index.add(rows)
        return index

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        distances, ids = index.search(queries, k)
        return self.finished(distances, metric), ids

    def matrix(self, queries: Any, rows: Any, metric: str) -> Any:
        faiss = faiss_module()
        return self.finished(
            faiss.pairwise_distances(queries, rows, self.metric_type(metric)), metric
        )

    @staticmethod
    def metric_type(metric: str) -> int:
        faiss = faiss_module()
        types: dict[str, int] = {
            "manhattan": faiss.METRIC_L1,
            "euclidean": faiss.METRIC_L2,
            "braycurtis": faiss.METRIC_BrayCurtis,
            "canberra": faiss.METRIC_Canberra,
            "chebyshev": faiss.METRIC_Linf,
        }
        return types.get(metric, int(faiss.METRIC_INNER_PRODUCT))

    @staticmethod
    def finished(values: Array, metric: str) -> Array:
        if metric == "euclidean":
            return np.sqrt(values, out=values)
        return np.subtract(1, values, out=values) if metric in PRODUCTS else values


class FaissOtherPath(Faiss):
    """faiss with the code path it would not choose: loops for 20 queries and more, BLAS below."""

    name = "faiss, other path"
    matrix_metrics = ()
    search_metrics = PRODUCTS

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        faiss = faiss_module()
        chosen = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = (
            1 if len(queries) < chosen else len(queries) + 1
        )
        try:
            return super().search(index, queries, k, metric)
        finally:
            faiss.cvar.distance_compute_blas_threshold = chosen


class FaissPanorama(Faiss):
    """Exact as the flat index, by partial products and norms of what is left, level after level."""

    name = "faiss Panorama"
    matrix_metrics = ()
    search_metrics = PRODUCTS
    levels, batch = 16, 512

    def note(self, metric: str) -> str:
        return f"{self.levels} levels of turned rows"

    def prepare(self, rows: Array, metric: str) -> Any:
        return np.ascontiguousarray(normalised(rows, metric))

    def index(self, rows: Any, metric: str) -> Any:
        faiss = faiss_module()
        cols = rows.shape[1]
        # Principal directions come first; fewer rows than features have too few of them.
        few = len(rows) < cols
        turn = (faiss.RandomRotationMatrix if few else faiss.PCAMatrix)(cols, cols)
        turn.train(rows[:: max(1, len(rows) // 20000)])
        flat = faiss.IndexFlatL2Panorama(cols, self.levels, self.batch)
        index = faiss.IndexPreTransform(turn, flat)
        index.add(rows)
        return index

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        squares, ids = index.search(queries, k)
        return self.from_squares(squares, metric), ids

    @staticmethod
    def from_squares(squares: Array, metric: str) -> Array:
        """Of normalised rows half the squared distance is 1 − the inner product."""
        return np.sqrt(squares) if metric == "euclidean" else squares / 2

    @property
    def installed(self) -> bool:
        return super().installed and hasattr(faiss_module(), "IndexFlatL2Panorama")


class FaissHnsw(FaissPanorama):
    """Approximate: a graph of near rows, built once; `ef` says how far a search strays in it."""

    name = "faiss HNSW"
    links, ef_construction, least_ef = 32, 200, 64

    def note(self, metric: str) -> str:
        return f"approximate: {self.links} links, ef {self.least_ef} or 2 k"

    def index(self, rows: Any, metric: str) -> Any:
        index = faiss_module().IndexHNSWFlat(rows.shape[1], self.links)
        index.hnsw.efConstruction = self.ef_construction
        index.add(rows)
        return index

    def search(self, index: Any, queries: Any, k: int, metric: str) -> Found:
        index.hnsw.efSearch = max(self.least_ef, 2 * k)
        return super().search(index, queries, k, metric)


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
