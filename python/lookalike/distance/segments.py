"""The rows of an index in segments, each prepared by itself, searched as if they were one.

Rows that are added become a segment. Segments that are not larger than what comes behind them are
prepared again together with it, so that there are few of them and each row is prepared a few times.
Nothing that a search reads is ever changed: adding makes another `Segments`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from lookalike import _core
from lookalike.distance import index_file
from lookalike.distance.arguments import checked_matrix
from lookalike.distance.index_file import IndexFileError
from lookalike.distance.merging import merge_radius, merge_short
from lookalike.distance.metrics import Specification
from lookalike.distance.results import Neighbors, RadiusNeighbors
from lookalike.progress import share

Stats = dict[str, Any]


class Asked(NamedTuple):
    """What a search is for; without queries the rows ask themselves."""

    queries: NDArray[Any] | None
    include_self: bool
    exclude: NDArray[np.int64] | None
    mask: NDArray[np.uint8] | None
    threads: int

    def within(self, begin: int, end: int) -> Self:
        """Return what is asked of rows [begin, end) alone."""
        exclude, mask = self.exclude, self.mask
        if exclude is not None:
            exclude = np.where((exclude >= begin) & (exclude < end), exclude - begin, -1)
        return self._replace(exclude=exclude, mask=None if mask is None else mask[begin:end])


class Segment(NamedTuple):
    """Some rows, prepared; `path` is the file that they lie in, if any."""

    rows: NDArray[Any]
    core: _core.Index
    path: str

    @contextmanager
    def reporting_damage(self) -> Iterator[None]:
        """Turn what the core finds wrong with the file into an error that names it."""
        try:
            yield
        except _core.DamagedError as error:
            raise _damaged(self.path, error) from error

    def knn(
        self, asked: Asked, k: int, report: Callable[[float], object]
    ) -> tuple[Neighbors, Stats]:
        """Search these rows alone."""
        with self.reporting_damage():
            distances, indices, stats = self.core.knn(
                asked.queries,
                k,
                asked.include_self,
                asked.exclude,
                asked.mask,
                asked.threads,
                report,
            )
        return Neighbors(distances, indices), stats

    def nearest(
        self, asked: Asked, k: int, report: Callable[[float], object]
    ) -> tuple[Neighbors, Stats]:
        """Search for `k` rows, or as many as there are for a query; −1 ends a row early."""
        left = len(self.rows) - (0 if asked.mask is None else int(np.count_nonzero(asked.mask)))
        exclude = asked.exclude
        if not left:
            assert asked.queries is not None
            shape = len(asked.queries), 0
            return Neighbors(np.empty(shape), np.empty(shape, np.int64)), _core.no_stats()
        if k < left or exclude is None:
            return self.knn(asked, min(k, left), report)
        # All rows of the segment are wanted, by some queries all but one.
        near, stats = self.knn(asked._replace(exclude=None), left, report)
        gone = near.indices == exclude[:, None]
        order = np.argsort(gone, axis=1, kind="stable")
        distances = np.where(gone, np.inf, near.distances)
        indices = np.where(gone, -1, near.indices)
        distances, indices = (np.take_along_axis(each, order, 1) for each in (distances, indices))
        return Neighbors(distances, indices), stats

    def radius_neighbors(
        self, asked: Asked, radius: float, report: Callable[[float], object]
    ) -> tuple[RadiusNeighbors, Stats]:
        """Search these rows alone."""
        with self.reporting_damage():
            indptr, indices, distances, stats = self.core.radius_neighbors(
                asked.queries,
                radius,
                asked.include_self,
                asked.exclude,
                asked.mask,
                asked.threads,
                report,
            )
        return RadiusNeighbors(indptr, indices, distances), stats


def prepared(rows: NDArray[Any], wanted: Specification, threads: int) -> Segment:
    """Return rows as a segment."""
    return Segment(rows, _core.Index(rows, wanted, threads), "")


def restored(contents: index_file.Contents, path: str) -> Segment:
    """Return the rows of a file, or of its bytes where `path` is empty, as they lie there."""
    try:
        rows = checked_matrix(contents.rows, "rows")
        core = _core.Index(rows, contents.metric.specification(), contents.parts, contents.guards)
    except _core.DamagedError as error:
        raise _damaged(path, error) from error
    except (TypeError, ValueError) as error:
        raise IndexFileError(f"{path or 'the index'} is damaged: {error}") from error
    return Segment(rows, core, path)


def _damaged(path: str, error: _core.DamagedError) -> IndexFileError:
    what = index_file.damage(str(error))
    return IndexFileError(f"{path or 'the index'} is damaged: {what}")


class Segments:
    """Segments in the order of their rows. A search among the rows themselves needs one alone."""

    def __init__(self, *segments: Segment) -> None:
        self.each = segments
        self.starts = np.cumsum([0, *(len(each.rows) for each in segments)]).tolist()

    def __len__(self) -> int:
        return int(self.starts[-1])

    def appended(self, rows: NDArray[Any], wanted: Specification, threads: int) -> Segments:
        """Return these with more rows, which are copied."""
        more = prepared(np.array(rows), wanted, threads)
        first, behind = len(self.each), len(rows)
        while first and len(self.each[first - 1].rows) <= behind:
            first -= 1
            behind += len(self.each[first].rows)
        if first < len(self.each):
            more = prepared(joined((*self.each[first:], more)), wanted, threads)
        return Segments(*self.each[:first], more)

    def knn(
        self, asked: Asked, k: int, report: Callable[[int], object], total: int
    ) -> tuple[Neighbors, Stats]:
        """Return the nearest of all rows."""
        if len(self.each) == 1:
            return self.each[0].knn(asked, k, share(report, total))
        parts, counts = [], []
        for segment, begin, end, progress in self._parts(report, total):
            near, stats = segment.nearest(asked.within(begin, end), k, progress)
            shifted = np.where(near.indices < 0, -1, near.indices + begin)
            parts.append(Neighbors(near.distances, shifted))
            counts.append(stats)
        return merge_short(parts, k, asked.threads), _all_stats(counts)

    def radius_neighbors(
        self, asked: Asked, radius: float, report: Callable[[int], object], total: int
    ) -> tuple[RadiusNeighbors, Stats]:
        """Return all rows within a radius."""
        parts, counts = [], []
        for segment, begin, end, progress in self._parts(report, total):
            near, stats = segment.radius_neighbors(asked.within(begin, end), radius, progress)
            parts.append(near._replace(indices=near.indices + begin) if begin else near)
            counts.append(stats)
        return merge_radius(parts), _all_stats(counts)

    def _parts(
        self, report: Callable[[int], object], total: int
    ) -> Iterator[tuple[Segment, int, int, Callable[[float], object]]]:
        rows = max(1, len(self))
        for segment, begin, end in zip(self.each, self.starts, self.starts[1:], strict=False):

            def progress(part: float, begin: int = begin, end: int = end) -> None:
                report(int((begin + part * (end - begin)) / rows * total))

            yield segment, begin, end, progress


def joined(segments: tuple[Segment, ...]) -> NDArray[Any]:
    """Return the rows of several segments as one new array, of a type that holds them all."""
    for each in segments:
        with each.reporting_damage():
            each.core.verify()
    some = [each.rows for each in segments if len(each.rows)] or [segments[0].rows]
    return np.concatenate(some)


def _all_stats(counts: list[Stats]) -> Stats:
    if len(counts) == 1:
        return counts[0]
    out = _core.no_stats()
    out["stages"] = list(dict.fromkeys(stage for each in counts for stage in each["stages"]))
    for name in ("pairs", "screened", "candidates", "refined", "overflows", "unbounded_rows"):
        out[name] = sum(each[name] for each in counts)
    out["row_major"] = any(each["row_major"] for each in counts)
    name = "candidates_per_neighbor"
    out[name] = max(each[name] for each in counts)
    for phase in out["seconds"]:
        out["seconds"][phase] = sum(each["seconds"][phase] for each in counts)
    return out
