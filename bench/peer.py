"""What every peer offers, and the metrics there are."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from brute_force import Array, Found

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
