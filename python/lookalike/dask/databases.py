"""An index that tasks search: given, in a file that each process opens once, or made by a task."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
from dask import delayed
from numpy.typing import NDArray

from lookalike.dask.arrays import Rows
from lookalike.dask.threads import threads_of_task
from lookalike.distance.arguments import RowError
from lookalike.distance.index import Index
from lookalike.distance.metrics import (
    AnyMetric,
    Metric,
    Parameters,
    as_metric,
    complete,
    metric_label,
)
from lookalike.distance.parameters import require_width

__all__ = ["Database", "IndexLike", "check_index", "database", "opened"]

IndexLike: TypeAlias = "Index | str | os.PathLike[str] | bool | None"

Database: TypeAlias = "Index | str"
"""What a task is handed: an index, or the path of one."""


def asked_for(metric: AnyMetric, given: Parameters, y: object, rows: Rows) -> Metric:
    """Return the metric that a caller asks for; an index as `y` has what it lacks."""
    chosen = as_metric(metric, **given)
    if isinstance(y, Index) and chosen.missing and chosen.name == y.metric:
        return y._metric
    require_width(chosen.parameters, rows.columns)
    return complete(chosen, None)


def database(index: IndexLike, rows: Rows, metric: Metric) -> Any:
    """Return a task that gives an index of the rows, or the path of its file."""
    if index is True:
        labels = [rows.label(block) for block in range(len(rows.blocks))]
        return delayed(_made, traverse=False)(rows.blocks, labels, metric)
    if isinstance(index, Index):
        check_index(index, len(rows), rows.columns, metric)
        return delayed(index, traverse=False)
    if isinstance(index, (str, os.PathLike)):
        return os.path.abspath(os.fspath(index))
    raise TypeError(f"index must be an Index, the path of one, or True, got {index!r}")


def check_index(index: Index, rows: int | None, columns: int, metric: Metric) -> None:
    """Refuse an index of other rows or of another metric."""
    if rows is not None and len(index) != rows:
        raise ValueError(f"index must hold the {rows} rows to choose from, got {len(index)}")
    if index.shape[1] != columns:
        raise ValueError(f"index must have {columns} columns, got {index.shape[1]}")
    if index._metric != metric:
        found = metric_label(index._metric)
        raise ValueError(f"index must be of the metric {metric_label(metric)}, got {found}")


def opened(index: Database) -> Index:
    """Return the index that a task was handed."""
    if isinstance(index, Index):
        return index
    found = os.stat(index)
    return _open(index, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=4)  # of a process: its tasks share the mapping and what is checked of it
def _open(path: str, *_: int) -> Index:
    return Index.open(path)


def _made(blocks: list[NDArray[Any]], labels: list[str], metric: Metric) -> Index:
    """Make an index of all rows of some blocks."""
    rows = np.concatenate(blocks)
    try:
        return Index(rows, metric, threads=threads_of_task())
    except RowError as error:
        ends = list(accumulate(len(block) for block in blocks))
        label = labels[int(np.searchsorted(ends, error.row, "right"))]
        raise error.renamed(label) from None
