"""All pairs as files: the matrix of distances, and the graph of nearest neighbours.

Both are made in blocks of rows, so that memory stays small, there is progress to show and Ctrl-C
stops at once.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.distance import Neighbors, cdist, knn
from lookalike.distance.metrics import AnyMetric, as_metric, complete, metric_label
from lookalike.files import replacing
from lookalike.progress import Progress, reporting
from lookalike.system import FileLock, HeldError, reserve

__all__ = ["BLOCK_ROWS", "neighbor_graph", "write_distances", "write_graph", "write_table"]

BLOCK_ROWS = 16384
"""Rows a step. Fewer than this are compared among themselves in one, with half the work."""

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
        _reserve(file, (count, count), dtype, path)
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


def neighbor_graph(
    features: npt.NDArray[Any],
    k: int,
    metric: AnyMetric,
    *,
    work: str | os.PathLike[str],
    block_rows: int = BLOCK_ROWS,
    progress: Progress = None,
) -> Neighbors:
    """Find the `k` nearest other rows of every row, as `knn(features)`, and remember on the way.

    Parameters
    ----------
    features : (n, d) array
    k : int
        From 1 to n − 1.
    metric : str or Metric
        One of `lookalike.ALL_METRICS` or an alias. A V or VI that is not given is that of all rows.
    work : path
        A folder for the blocks that are done: a later call with the same rows, k and metric goes on
        from there. It is made when there is more than one block; whoever has saved the result
        removes it.
    block_rows : int
        How many rows are compared in one step.
    progress : None, True or callable(done, total)
        Counts the rows; True shows a bar on standard error.

    Returns
    -------
    Neighbors

    Raises
    ------
    OSError
        The folder cannot be written, or another process works in it.

    Examples
    --------
    >>> rows = np.array([[0.0], [1.0], [5.0], [7.0]])
    >>> neighbor_graph(rows, 1, "euclidean", work="unused").indices.ravel()
    array([1, 0, 3, 2])
    """
    count = len(features)
    if count <= block_rows:
        return knn(features, k=k, metric=metric, progress=progress)
    if not 1 <= k < count:
        raise ValueError(f"k must be from 1 to {count - 1} (the other rows), got {k}")
    chosen = complete(as_metric(metric), {"features": features})
    job = {
        "rows": count,
        "k": k,
        "metric": metric_label(chosen),
        "features": _fingerprint(features),
    }
    with _workplace(Path(work), job) as (state, distances, indices):
        done = state["done"]
        with reporting(progress, count, "rows") as report:
            while done < count:
                end = min(count, done + block_rows)
                near = knn(
                    features[done:end],
                    features,
                    k=k,
                    metric=chosen,
                    exclude=np.arange(done, end),
                    progress=partial(_report_part, report, done),
                )
                distances[done:end], indices[done:end] = near
                distances.flush()
                indices.flush()
                done = end
                with replacing(Path(work, "state.json")) as file:
                    file.write_text(json.dumps({**job, "done": done}))
                report(done)
        return Neighbors(np.asarray(distances), np.asarray(indices), count, itself=True)


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


def _report_part(report: Callable[[int], object], before: int, part: int, _: int | None) -> None:
    report(before + part)


@contextlib.contextmanager
def _workplace(
    folder: Path, job: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], np.memmap[Any, Any], np.memmap[Any, Any]]]:
    """Open the folder of a job, with what is done of it if the same job was begun there."""
    folder.mkdir(exist_ok=True)
    lock = FileLock(str(folder / "lock"))
    try:
        try:
            lock.take()
        except HeldError as error:
            raise OSError(None, error.strerror, str(folder)) from None
        state = {}
        with contextlib.suppress(OSError, ValueError):
            state = json.loads((folder / "state.json").read_text())
        shape = job["rows"], job["k"]
        files = [(folder / "distances.npy", "float64"), (folder / "indices.npy", "int64")]
        if {name: state.get(name) for name in job} != job:
            state = {**job, "done": 0}
            for file, dtype in files:
                _reserve(file, shape, dtype, file)
        distances, indices = (np.load(file, mmap_mode="r+") for file, _ in files)
        yield state, distances, indices
    finally:
        lock.release()


def _reserve(file: Path, shape: tuple[int, ...], dtype: str, name: str | os.PathLike[str]) -> None:
    """Make a ``.npy`` file whose room on the disk is taken already.

    Without that, a full disk would end the program by a signal when it writes to the mapping.
    """
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    free = shutil.disk_usage(file.parent).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"needs {size / 1e9:,.1f} GB, the disk has {free / 1e9:,.1f} GB",
            os.fspath(name),
        )
    with open(file, "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        if size:
            stream.flush()
            reserve(stream.fileno(), stream.tell(), size)


def _fingerprint(features: npt.NDArray[Any]) -> str:
    digest = hashlib.blake2b(f"{features.shape} {features.dtype}".encode(), digest_size=16)
    for start in range(0, len(features), BLOCK_ROWS):
        digest.update(features[start : start + BLOCK_ROWS].tobytes())
    return digest.hexdigest()


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
