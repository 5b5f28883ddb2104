"""The graph of nearest neighbours of many rows, which goes on where it was stopped.

Blocks of rows meet pair by pair, each pair once (`lookalike.distance.blocks`). What a block's rows
have found is written to a file of its own, which is replaced whole and says how many blocks it has
met: they come in the order of their numbers. So whatever is lost, none is met twice or left out.
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
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.all_pairs.room import BLOCK_ROWS, reserve
from lookalike.distance import Neighbors, knn
from lookalike.distance.arguments import whole_number
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
"""How long what blocks find may be in memory alone."""

WHOLE_ROWS = 1 << 16
"""So many are compared at once: in half the time that blocks of them take, less than a minute."""

WHOLE_SIZE = 1 << 26
"""But no more features of them, as all are in memory, in up to 3 bytes each."""

HELD_BYTES = 1 << 29
"""How much of it is in memory at most, beside that of the two blocks that meet."""


def neighbor_graph(
    features: npt.NDArray[Any],
    k: int,
    metric: AnyMetric,
    *,
    work: str | os.PathLike[str],
    block_rows: int | None = None,
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
    block_rows : int, optional
        How many rows are compared in one step; by default `BLOCK_ROWS`, or all where they are at
        most `WHOLE_ROWS` and nothing is done yet.
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
    if block_rows is None:
        whole = count <= WHOLE_ROWS and features.size <= WHOLE_SIZE and not os.path.isdir(work)
        block_rows = max(count, 1) if whole else BLOCK_ROWS
    if whole_number(block_rows, "block_rows") < 1:
        raise ValueError(f"block_rows must be at least 1, got {block_rows}")
    if count <= block_rows:
        return knn(features, k=k, metric=metric, progress=progress)
    if not 1 <= k < count:
        raise ValueError(f"k must be from 1 to {count - 1} (the other rows), got {k}")
    chosen = complete(as_metric(metric), {"features": features})
    named = chosen.specification(features.shape[1])
    size = math.ceil(count / math.ceil(count / block_rows))
    job = {
        "rows": count,
        "k": k,
        "metric": metric_label(chosen),
        "block_rows": size,
        "features": _fingerprint(features),
    }
    with _workplace(Path(work), job) as (distances, indices):
        blocks = [Block(features[at : at + size], at) for at in range(0, count, size)]
        finds = _Finds(Path(work), blocks, k)
        try:
            with reporting(progress, count, "rows") as report:
                _meet_all(finds, blocks, k, named, report)
                report(count)
        except BaseException:  # Ctrl-C among others
            finds.save()
            raise
        for number, block in enumerate(blocks):
            some = slice(block.first, block.first + size)
            distances[some], indices[some] = finds.of(number).near
        return Neighbors(np.asarray(distances), np.asarray(indices), count, itself=True)


class _Kept(NamedTuple):
    """What a block's rows have found, and how many blocks it has met: itself, then the others."""

    near: Neighbors
    met: int


class _Finds:
    """What every block has found: in memory, and now and then in a file for each."""

    def __init__(self, work: Path, blocks: list[Block], k: int) -> None:
        self._work, self._blocks, self._k = work, blocks, k
        self._held: dict[int, _Kept] = {}
        self._unsaved: set[int] = set()
        self._saved = time.monotonic()

    def of(self, number: int) -> _Kept:
        """Return what a block has found."""
        if number not in self._held:
            if sum(each.near.indices.nbytes for each in self._held.values()) > HELD_BYTES // 2:
                self.save()
                self._held.clear()
            self._held[number] = _load(self._file(number), self._blocks[number], self._k)
        return self._held[number]

    def keep(self, number: int, kept: _Kept) -> None:
        """Take note of what a block has found by now."""
        self._held[number] = kept
        self._unsaved.add(number)
        if time.monotonic() - self._saved >= SECONDS_TO_LOSE:
            self.save()

    def save(self) -> None:
        """Write what is in memory alone."""
        for number in sorted(self._unsaved):
            _save(self._file(number), self._held[number])
        self._unsaved.clear()
        self._saved = time.monotonic()

    def _file(self, number: int) -> Path:
        return self._work / f"block-{number:06d}.npz"


def _meet_all(
    finds: _Finds,
    blocks: list[Block],
    k: int,
    metric: Specification,
    report: Callable[[int], object],
) -> None:
    count = len(blocks)
    steps = _steps(sum(len(each.rows) for each in blocks), count * (count + 1) // 2, report)
    for number, block in enumerate(blocks):
        part = next(steps)
        if not finds.of(number).met:
            finds.keep(number, _Kept(within(block, k, metric, report=part), 1))
    for i, j in combinations(range(count), 2):
        part = next(steps)
        mine, theirs = finds.of(i), finds.of(j)
        if mine.met > j and theirs.met > i + 1:
            continue
        sides = (
            mine.near if mine.met == j else _nothing(blocks[i], k, 0),
            theirs.near if theirs.met == i + 1 else _nothing(blocks[j], k, 0),
        )
        found = across(blocks[i], blocks[j], sides, metric, report=part)
        if mine.met == j:
            finds.keep(i, _Kept(found[0], j + 1))
        if theirs.met == i + 1:
            finds.keep(j, _Kept(found[1], i + 2))


def _steps(
    rows: int, count: int, report: Callable[[int], object]
) -> Iterator[Callable[[float], object]]:
    """Yield for each step what counts its progress, as if each were a share of the rows."""
    for step in range(count):

        def part(share: float, step: int = step) -> None:
            report(int((step + share) / count * rows))

        part(0)
        yield part


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
