"""The matrix of all distances as a file, in blocks of rows: Ctrl-C stops at once."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.all_pairs.room import BLOCK_ROWS, reserve
from lookalike.distance import cdist
from lookalike.distance.metrics import AnyMetric, as_metric, complete
from lookalike.files import replacing
from lookalike.progress import Progress, reporting

__all__ = ["write_distances", "write_table"]

TABLE_ROWS = 256


def write_distances(
    path: str | os.PathLike[str],
    features: npt.NDArray[Any],
    metric: AnyMetric,
    *,
    dtype: str = "float32",
    progress: Progress = None,
) -> None:
    """Write the matrix of all distances, `cdist(features, features)`, as a ``.npy`` file.

    Parameters
    ----------
    path : path
        The file; it appears whole or not at all.
    features : (n, d) array
    metric : str or Metric
        One of `lookalike.ALL_METRICS` or an alias. A V or VI that is not given is that of all rows.
    dtype : str
        float32 or float64; the file has n² of them.
    progress : None, True or callable(done, total)
        Counts the rows; True shows a bar on standard error.

    Raises
    ------
    OSError
        The disk has no room for it, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = os.path.join(tempfile.mkdtemp(), "D.npy")
    >>> write_distances(file, np.array([[0.0, 0.0], [3.0, 4.0]]), "euclidean")
    >>> np.load(file, mmap_mode="r")[0]
    memmap([0., 5.], dtype=float32)
    """
    count = len(features)
    cdist(features[:0], features[:1], metric, dtype=dtype)  # the arguments are checked
    with replacing(path) as file, reporting(progress, count, "rows") as report:
        reserve(file, (count, count), dtype, path)
        if not count:
            return
        chosen = complete(as_metric(metric), {"features": features})
        matrix = np.load(file, mmap_mode="r+")
        for start in range(0, count, BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            cdist(features[rows], features, chosen, out=matrix[rows], dtype=dtype)
            report(min(count, start + BLOCK_ROWS))
        matrix.flush()


def write_table(
    path: str | os.PathLike[str],
    features: npt.NDArray[Any],
    paths: Sequence[str],
    metric: AnyMetric,
    *,
    dtype: str = "float32",
) -> None:
    """Write the matrix of all distances as CSV: paths as first line and first column.

    Parameters
    ----------
    path : path
        The file; it appears whole or not at all. A path that is not UTF-8 keeps its bytes.
    features : (n, d) array
    paths : sequence of str
        The names of the n rows.
    metric, dtype
        As for `write_distances`. Every number is written so that it reads back the same.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with (
        replacing(path) as file,
        open(file, "w", newline="", encoding="utf-8", errors="surrogateescape") as stream,
    ):
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["path", *paths])
        chosen = complete(as_metric(metric), {"features": features}) if len(features) else metric
        for start in range(0, len(features), TABLE_ROWS):
            some = slice(start, start + TABLE_ROWS)
            block = cdist(features[some], features, chosen, dtype=dtype)
            for name, row in zip(paths[some], block, strict=True):
                table.writerow([name, *map(str, row)])
