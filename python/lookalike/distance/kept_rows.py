"""Prepared rows that are kept: in a file, in pickles and copies, and added to."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.distance import index_file
from lookalike.distance.arguments import NamingRows, check_same_width, checked_matrix, thread_count
from lookalike.distance.ids import checked_ids, ids_of, joined_ids
from lookalike.distance.index_file import IndexFileError
from lookalike.distance.metric_names import CanonicalName
from lookalike.distance.metrics import Metric
from lookalike.distance.segments import Segments, joined, prepared, restored


class State(NamedTuple):
    """What an index holds at one time, which never changes."""

    segments: Segments
    ids: NDArray[Any] | None
    identity: index_file.Identity | None  # of the file that all of it lies in


class KeptRows:
    """The part of an `Index` that does not search."""

    _metric: Metric
    _now: State
    _adding: threading.Lock

    def _hold(self, now: State) -> None:
        self._now = now
        self._adding = threading.Lock()

    @property
    def metric(self) -> CanonicalName:
        """Canonical name of the metric."""
        return self._metric.name

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameters of the metric, those that were taken from the rows among them."""
        return self._metric.parameters

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        segments = self._now.segments
        return len(segments), segments.each[0].rows.shape[1]

    @property
    def rows(self) -> NDArray[Any]:
        """The rows themselves."""
        return self._as_one().segments.each[0].rows

    @property
    def ids(self) -> NDArray[Any]:
        """What the rows are called: the ids given, or their numbers from 0."""
        now = self._now
        return np.arange(len(now.segments)) if now.ids is None else now.ids

    def __len__(self) -> int:
        return len(self._now.segments)

    def add(
        self, rows: ArrayLike, ids: ArrayLike | None = None, *, threads: int | None = None
    ) -> None:
        """Append rows: from now on all answers are those of an index of all rows.

        The rows are copied. A V or VI that the first rows gave stays, and so does a file that the
        index was opened from; `save` writes them all. Searches that run go on with the rows that
        they began with.

        Parameters
        ----------
        rows : (m, d) array_like
            Where their type cannot be that of the other rows without a loss, `rows` of all becomes
            one that holds both.
        ids : (m,) array_like of int or str
            What they are called, if the others have ids, and only then; by default the index of a
            frame.
        threads : int, optional
            By default ``OMP_NUM_THREADS`` or all cores that this process may use.

        Raises
        ------
        ValueError, TypeError
            As `Index`; also if an id is taken. The index is as it was.

        Examples
        --------
        >>> import lookalike as la
        >>> index = la.Index([[0.0], [1.0]], metric="l1", ids=["a", "b"])
        >>> index.add([[5.0]], ids=["c"])
        >>> index.ids[index.knn([[4.0]], k=1).indices].tolist()
        [['c']]
        """
        more, workers = checked_matrix(rows, "rows"), thread_count(threads)
        if ids is None and self._now.ids is not None:
            ids = ids_of(rows, len(more))
        with self._adding:
            now = self._now
            first = now.segments.each[0].rows
            check_same_width(first, "X", more, "rows")
            if len(now.segments) + len(more) >= 2**31:
                raise ValueError("an index must have fewer than 2**31 rows")
            if (ids is None) != (now.ids is None):
                has = "has none" if ids is not None else "has ids"
                raise ValueError(f"ids must be given for all rows or none, and the index {has}")
            names = now.ids
            if names is not None and ids is not None:
                names = joined_ids(names, checked_ids(ids, len(more)))
            if not len(more):
                return
            more = _as_type(more, first.dtype)
            with NamingRows("rows", "rows"):
                segments = now.segments.appended(more, self._metric.specification(), workers)
            self._now = State(segments, names, None)

    def _as_one(self) -> State:
        """Return the rows in one segment; the answers stay the same."""
        if len(self._now.segments.each) > 1:
            with self._adding:
                now = self._now
                if len(now.segments.each) > 1:
                    rows = joined(now.segments.each)
                    segment = prepared(rows, self._metric.specification(), 0)
                    self._now = now._replace(segments=Segments(segment))
        return self._now

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index, its rows and ids to one file, which appears whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.
        IndexFileError
            The file that it was opened from is damaged.

        Examples
        --------
        >>> import tempfile, numpy as np, lookalike as la
        >>> file = tempfile.mkdtemp() + "/photos.index"
        >>> la.Index(np.eye(5), metric="l1").save(file)
        >>> la.Index.open(file).knn(np.eye(5)[2:3], k=1).indices
        array([[2]])
        """
        from lookalike.files import replacing

        now = self._as_one()
        (segment,) = now.segments.each
        with segment.reporting_damage():
            segment.core.verify()
        with replacing(path) as file, file.open("wb") as out:
            parts = segment.core.parts()
            index_file.write(out, self._metric, segment.rows, parts, now.ids)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open what `save` wrote. Rows and codes stay in the file and are read as they are needed.

        Raises
        ------
        IndexFileError
            The file is no index, is cut short, or does not fit together.
        OSError
            The file cannot be read.
        """
        index = cls.__new__(cls)
        index._take(index_file.read(path), os.fsdecode(path))
        return index

    def _take(self, contents: index_file.Contents, path: str) -> None:
        """Become the index of a file, or of its bytes where `path` is empty."""
        self._metric = contents.metric
        segment = restored(contents, path)
        self._hold(State(Segments(segment), contents.ids, contents.identity if path else None))

    def __getstate__(self) -> dict[str, Any]:
        """Return where the file lies and which it is, or the bytes of an index without a file."""
        now = self._as_one()
        (segment,) = now.segments.each
        if now.identity is None:
            parts = segment.core.parts()
            content = index_file.to_bytes(self._metric, segment.rows, parts, now.ids)
            return {"content": content}
        return {"path": os.path.abspath(segment.path), "identity": tuple(now.identity)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "content" in state:
            self._take(index_file.from_bytes(state["content"]), "")
            return
        path, expected = state["path"], index_file.Identity(*state["identity"])
        try:
            contents = index_file.read(path)
        except OSError as error:
            raise IndexFileError(
                f"{path}, which a pickled index lies in, cannot be read: {error.strerror}"
            ) from error
        if contents.identity != expected:
            raise IndexFileError(f"{path} has changed since the index in it was pickled")
        self._take(contents, path)

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied._metric = self._metric
        copied._hold(self._now)  # which never changes: each adds for itself
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()


def _as_type(rows: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return rows as this type if it holds each of their values."""
    with np.errstate(invalid="ignore", over="ignore"):
        cast = rows.astype(dtype)
    return cast if np.array_equal(cast, rows) else rows
