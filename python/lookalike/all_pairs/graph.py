"""The graph of nearest neighbours of many rows, which goes on where it was stopped.

Blocks of rows meet pair by pair, each pair once (`lookalike.distance.blocks`). What a block's rows
have found lies in a file of its own that is replaced whole, and says how many blocks it has met:
they come in the order of their numbers. So whatever is lost, none is met twice or left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.all_pairs.room import BLOCK_ROWS, reserve
from lookalike.distance import Neighbors, knn
from lookalike.distance.blocks import Block, across, within
from lookalike.distance.metrics import (
    AnyMetric,
    Specification,
    as_metric,
    complete,
    metric_label,
)
from lookalike.files import replacing
from lookalike.progress import Progress, reporting
from lookalike.system import FileLock, HeldError

__all__ = ["neighbor_graph"]

SECONDS_TO_LOSE = 20
"""How long a block's finds may be in memory alone while it meets others."""


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
    chosen = as_metric(metric)
    if not 1 <= k < count:
        raise ValueError(f"k must be from 1 to {count - 1} (the other rows), got {k}")
    whole = complete(chosen, {"X": features})
    size = math.ceil(count / math.ceil(count / block_rows))
    job = {
        "rows": count,
        "k": k,
        "metric": metric_label(whole),
        "block_rows": size,
        "features": _fingerprint(features),
    }
    with _workplace(Path(work), job) as (distances, indices):
        blocks = [Block(features[at : at + size], at) for at in range(0, count, size)]
        with reporting(progress, count, "rows") as report:
            _meet_all(Path(work), blocks, k, whole.specification(features.shape[1]), report)
            report(count)
        for number, block in enumerate(blocks):
            some = slice(block.first, block.first + size)
            distances[some], indices[some] = _load(_file(Path(work), number), block, k).near
        return Neighbors(np.asarray(distances), np.asarray(indices), count, itself=True)


class _Kept(NamedTuple):
    """What a block's rows have found, and how many blocks it has met: itself, then the others."""

    near: Neighbors
    met: int


def _meet_all(
    work: Path,
    blocks: list[Block],
    k: int,
    metric: Specification,
    report: Callable[[int], object],
) -> None:
    count = len(blocks)
    steps = _steps(sum(len(each.rows) for each in blocks), count * (count + 1) // 2, report)
    for number, block in enumerate(blocks):
        part = next(steps)
        if not _load(_file(work, number), block, k).met:
            _save(_file(work, number), _Kept(within(block, k, metric, report=part), 1))
    for i, one in enumerate(blocks):
        kept, saved = _load(_file(work, i), one, k), time.monotonic()
        done = kept.met
        try:
            for j in range(i + 1, count):
                part, other = next(steps), blocks[j]
                theirs = _load(_file(work, j), other, k)
                if kept.met > j and theirs.met > i + 1:
                    continue
                sides = (
                    kept.near if kept.met == j else _nothing(one, k, 0),
                    theirs.near if theirs.met == i + 1 else _nothing(other, k, 0),
                )
                mine, found = across(one, other, sides, metric, report=part)
                if theirs.met == i + 1:
                    _save(_file(work, j), _Kept(found, i + 2))
                if kept.met == j:
                    kept = _Kept(mine, j + 1)
                if time.monotonic() - saved > SECONDS_TO_LOSE:
                    _save(_file(work, i), kept)
                    done, saved = kept.met, time.monotonic()
        finally:  # Ctrl-C among others
            if kept.met > done:
                _save(_file(work, i), kept)


def _steps(
    rows: int, count: int, report: Callable[[int], object]
) -> Iterator[Callable[[float], object]]:
    """Yield for each step what counts its progress, as if each were a share of the rows."""
    for step in range(count):

        def part(share: float, step: int = step) -> None:
            report(int((step + share) / count * rows))

        part(0)
        yield part


def _file(work: Path, number: int) -> Path:
    return work / f"block-{number:06d}.npz"


def _save(path: Path, kept: _Kept) -> None:
    with replacing(path) as file, file.open("wb") as stream:
        np.savez(stream, distances=kept.near.distances, indices=kept.near.indices, met=kept.met)


def _load(path: Path, block: Block, k: int) -> _Kept:
    """Return what a block has found, nothing where there is no file or no good one."""
    nothing = _nothing(block, k, np.inf)
    bad = contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
    with bad, path.open("rb") as stream, np.load(stream) as file:
        kept = _Kept(Neighbors(file["distances"], file["indices"]), int(file["met"]))
        if kept.near.distances.shape == kept.near.indices.shape == nothing.indices.shape:
            return kept
    return _Kept(nothing, 0)


def _nothing(block: Block, k: int, bound: float) -> Neighbors:
    """Return lists without a row, of a block that looks no farther than a bound."""
    shape = len(block.rows), k
    return Neighbors(np.full(shape, bound), np.full(shape, -1, np.int64))


@contextlib.contextmanager
def _workplace(
    folder: Path, job: dict[str, Any]
) -> Iterator[tuple[np.memmap[Any, Any], np.memmap[Any, Any]]]:
    """Open the folder of a job, without what is left of another; yield the result's arrays."""
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
        if state != job:
            for file in folder.glob("block-*.npz"):
                file.unlink()
            for path, dtype in files:
                reserve(path, shape, dtype, path)
            with replacing(folder / "state.json") as file:
                file.write_text(json.dumps(job))
        distances, indices = (np.load(file, mmap_mode="r+") for file, _ in files)
        yield distances, indices
    finally:
        lock.release()


def _fingerprint(features: npt.NDArray[Any]) -> str:
    digest = hashlib.blake2b(f"{features.shape} {features.dtype}".encode(), digest_size=16)
    for start in range(0, len(features), BLOCK_ROWS):
        digest.update(features[start : start + BLOCK_ROWS].tobytes())
    return digest.hexdigest()
