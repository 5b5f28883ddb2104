"""Dask arrays on their way in, as blocks of rows, and results on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import uuid4

import dask.array as da
import numpy as np
from dask import delayed
from dask.highlevelgraph import HighLevelGraph
from numpy.typing import ArrayLike

from lookalike.distance.arguments import checked_matrix

__all__ = ["Rows", "check_sides", "joined", "rows_of"]


class Rows(NamedTuple):
    """Rows in blocks, each a task that gives an array."""

    blocks: list[Any]
    sizes: tuple[int, ...]
    columns: int
    name: str

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def starts(self) -> list[int]:
        """The number of each block's first row."""
        return list(accumulate(self.sizes, initial=0))[:-1]

    def label(self, block: int) -> str:
        """Return what an error says of a block."""
        return f"{self.name} block {block}:"


def rows_of(array: da.Array | ArrayLike, name: str) -> Rows:
    """Return a matrix as blocks of rows, refusing one whose chunks are no such blocks."""
    if not isinstance(array, da.Array):
        matrix = checked_matrix(array, name)  # of a NumPy array there is one block
        return Rows([delayed(matrix, traverse=False)], (len(matrix),), matrix.shape[1], name)
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2-D, got {array.ndim}-D of shape {array.shape}")
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of at most 64 bits, got {array.dtype}")
    if any(np.isnan(each) for chunks in array.chunks for each in chunks):
        raise ValueError(
            f"{name} must have chunks of known sizes, got chunks of shape {array.chunksize}: "
            f"{name}.compute_chunk_sizes() finds them"
        )
    if array.shape[1] == 0:
        raise ValueError(f"{name} must have at least one column, got shape {array.shape}")
    if len(array.chunks[1]) > 1:
        raise ValueError(
            f"{name} must have all columns of a row in one chunk, got chunks of {array.chunks[1]} "
            f"columns: {name}.rechunk({{1: -1}}) joins them"
        )
    if len(array) >= 2**31:
        raise ValueError(f"{name} must have fewer than 2**31 rows, got {len(array)}")
    blocks = array.to_delayed().ravel().tolist()
    return Rows(blocks, array.chunks[0], array.shape[1], name)


def check_sides(x: Rows, y: Rows, itself: bool, include_self: bool) -> None:
    """Refuse matrices of different widths, and a row's own place in the list of others."""
    if x.columns != y.columns:
        raise ValueError(f"y must have {x.columns} columns like x, got {y.columns}")
    if include_self and not itself:
        raise ValueError("include_self must be False when y is given, got True")


def joined(
    parts: Sequence[Any], sizes: Sequence[float], columns: int | None, dtype: type
) -> da.Array:
    """Return blocks, each given by a task, as one array: of vectors where there are no columns.

    `da.concatenate` would leave out empty blocks.
    """
    name = f"lookalike-{uuid4().hex}"
    rest = () if columns is None else (0,)
    layer = {(name, place, *rest): part.key for place, part in enumerate(parts)}
    graph = HighLevelGraph.from_collections(name, layer, dependencies=parts)
    chunks = (tuple(sizes),) if columns is None else (tuple(sizes), (columns,))
    return da.Array(graph, name, chunks, dtype=dtype)
