"""The graph of nearest neighbours as a file: NumPy's, or a list of edges."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.all_pairs.room import BLOCK_ROWS
from lookalike.distance import Neighbors
from lookalike.files import replacing

__all__ = ["write_graph"]


def write_graph(
    path: str | os.PathLike[str],
    near: Neighbors,
    paths: Sequence[str],
    labels: Sequence[object],
    **notes: str,
) -> None:
    """Write a graph as ``.npz`` or, by the name's ending, as a ``.parquet`` list of edges.

    Parameters
    ----------
    path : path
        The file; it appears whole or not at all. An ``.npz`` file holds ``distances`` and
        ``indices``, (n, k), ``paths`` and ``labels``, (n,), and the `notes`. A ``.parquet`` file
        has a row an edge: ``row``, ``rank`` from 1, ``neighbor``, ``distance``, ``path``,
        ``neighbor_path``.
    near : Neighbors
    paths, labels : sequence
        Paths and labels of the n images.
    **notes : str
        What else to note down, such as the metric.

    Raises
    ------
    ImportError
        pyarrow is missing.
    """
    with replacing(path) as file:
        if os.fspath(path).lower().endswith(".parquet"):
            _write_parquet(file, near, paths, notes)
        else:
            arrays: dict[str, Any] = {
                **near._asdict(),
                "paths": np.array(paths, dtype=np.str_),
                "labels": np.array(["" if each is None else str(each) for each in labels]),
                **notes,
            }
            with open(file, "wb") as stream:
                np.savez(stream, **arrays)


def _write_parquet(
    file: Path, near: Neighbors, paths: Sequence[str], notes: dict[str, str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, k = near.indices.shape
    # Parquet's text must be UTF-8.
    names = pa.array([path.encode("utf-8", "backslashreplace").decode() for path in paths])
    schema = pa.schema(
        [
            ("row", pa.int64()),
            ("rank", pa.int32()),
            ("neighbor", pa.int64()),
            ("distance", pa.float64()),
            ("path", pa.string()),
            ("neighbor_path", pa.string()),
        ],
        metadata=notes,
    )
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, count, BLOCK_ROWS):
            indices = near.indices[start : start + BLOCK_ROWS]
            rows = np.repeat(np.arange(start, start + len(indices)), k)
            neighbors = indices.ravel()
            columns = [
                pa.array(rows),
                pa.array(np.tile(np.arange(1, k + 1, dtype=np.int32), len(indices))),
                pa.array(neighbors),
                pa.array(near.distances[start : start + BLOCK_ROWS].ravel()),
                names.take(pa.array(rows)),
                names.take(pa.array(neighbors)),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
