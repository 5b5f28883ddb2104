"""faiss: its flat indexes, both of their code paths, and what is faster than flat."""

from __future__ import annotations

from typing import Any

import numpy as np

from blas import faiss_module
from brute_force import Array, Found, normalised
from peer import METRICS, PRODUCTS, Peer


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
        return np.sqrt(np.maximum(squares, 0)) if metric == "euclidean" else squares / 2

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
