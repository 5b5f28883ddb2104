"""Neighbours as a sparse matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["check_mode", "known_columns", "sparse"]

MODES = ("distance", "connectivity")
SYMMETRIC = ("max", "min", "mutual")


def check_mode(mode: str, symmetric: str | None) -> None:
    """Refuse what `to_csr` does not know."""
    if mode not in MODES:
        raise ValueError(f"mode must be distance or connectivity, got {mode!r}")
    if symmetric is not None and symmetric not in SYMMETRIC:
        raise ValueError(f"symmetric must be None, max, min or mutual, got {symmetric!r}")


def known_columns(columns: int | None, indices: NDArray[np.int64], kind: str) -> int:
    """Return how many columns a graph has; they cannot be told from the neighbours."""
    if columns is None:
        raise ValueError(
            f"columns must be known, got a {kind} made by hand: {kind}(…, columns=m) says how many "
            "rows were searched"
        )
    if indices.size and indices.max() >= columns:
        raise ValueError(
            f"columns must be more than every index, got {columns} and row {indices.max()}"
        )
    return columns


def sparse(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    distances: NDArray[np.float64],
    columns: int,
    mode: str,
    symmetric: str | None,
) -> csr_array:
    """Return the graph of edges in compressed sparse rows, each row in the order of distance."""
    try:
        from scipy.sparse import csr_array
    except ImportError:
        raise ImportError("to_csr() needs scipy: pip install scipy") from None
    if symmetric:
        indptr, indices, distances = _both_ways(indptr, indices, distances, symmetric)
    # As narrow as can be: some of scikit-learn takes no others.
    width = np.int32 if max(len(indices), columns) < 2**31 else np.int64
    data = np.array(distances) if mode == "distance" else np.ones(len(indices))
    parts = data, np.array(indices, width), np.array(indptr, width)
    return csr_array(parts, shape=(len(indptr) - 1, columns))


def _both_ways(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    distances: NDArray[np.float64],
    symmetric: str,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Return the edges that either row has, or both, in both rows.

    scipy's own maximum and minimum would drop edges at distance 0. So matrices of the edges'
    numbers, from 1, are combined: the larger of an edge's two, and their sum.
    """
    from scipy.sparse import csr_array

    n = len(indptr) - 1
    numbers = np.arange(1, len(indices) + 1)
    forth = csr_array((numbers, indices, indptr), shape=(n, n), copy=True)  # it is sorted in place
    back = forth.T.tocsr()
    forth.sort_indices()
    larger, both = forth.maximum(back), forth + back
    rows = np.repeat(np.arange(n), np.diff(larger.indptr))
    columns = larger.indices
    one = larger.data - 1
    other = both.data - larger.data - 1  # −1 where the edge goes one way only
    if symmetric == "mutual":
        kept = other >= 0
        rows, columns, one, other = rows[kept], columns[kept], one[kept], other[kept]
    choose = np.minimum if symmetric == "min" else np.maximum
    values = choose(distances[one], distances[np.where(other >= 0, other, one)])
    order = np.lexsort((values, rows))  # stable: equal distances stay in the order of columns
    ends = np.searchsorted(rows, np.arange(n + 1))
    return ends, columns[order], values[order]
