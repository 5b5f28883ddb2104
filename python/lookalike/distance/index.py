"""A database prepared once for many searches, and kept in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Self, overload

from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.distance import index_file
from lookalike.distance.arguments import (
    NamingRows,
    check_k,
    check_same_width,
    checked_matrix,
    excluded_rows,
    thread_count,
    whole_number,
)
from lookalike.distance.index_file import IndexFileError
from lookalike.distance.metric_names import CanonicalName
from lookalike.distance.metrics import AnyMetric, as_metric, complete
from lookalike.distance.parameters import require_width
from lookalike.distance.results import Neighbors
from lookalike.progress import Progress, reporting, share

__all__ = ["Index", "IndexFileError"]


class Index:
    """Rows prepared for searches under one metric: what `knn` does to `Y` at each call, once.

    The rows are coded in one byte a feature. A search reads the codes, excludes with a proven bound
    and computes what is left from the rows themselves, so its answers are those of `knn` to the
    bit. A single query is bound by memory: it reads a quarter of what float32 rows would take.

    Any number of threads may search it. A pickle of an opened index names its file, which must be
    there unchanged when it is loaded; one of an index in memory holds its rows.

    Parameters
    ----------
    X : (n, d) array_like
        The rows to search. They are not copied and must not be changed.
    metric : str or Metric
        One of `ALL_METRICS` or an alias.
    p, w, V, VI : optional
        The metric's parameters, as `Metric` describes them; `save` keeps them. A `V` or `VI` that
        is not given is that of the rows of `X`.
    threads : int, optional
        By default ``OMP_NUM_THREADS`` or all cores that this process may use.

    Raises
    ------
    ValueError
        If `X` is not 2-D, has no column, a value is not finite, or the metric is unknown.
    TypeError
        If `X` is not of real numbers.

    Examples
    --------
    >>> import numpy as np, lookalike as la
    >>> X = np.random.default_rng(0).random((1000, 64), dtype=np.float32)
    >>> index = la.Index(X, metric="cosine")
    >>> index.knn(X[:2], k=3).indices[:, 0]
    array([0, 1])
    >>> index
    <Index of 1000 × 64 float32, cosine, 8-bit products>
    """

    def __init__(
        self,
        X: ArrayLike,
        metric: AnyMetric = "correlation",
        *,
        p: float | None = None,
        w: ArrayLike | None = None,
        V: ArrayLike | None = None,
        VI: ArrayLike | None = None,
        threads: int | None = None,
    ) -> None:
        self._path = ""  # of the file that the rows lie in, if any
        self._identity: index_file.Identity | None = None
        self._rows = checked_matrix(X, "X")
        chosen = as_metric(metric, p=p, w=w, V=V, VI=VI)
        require_width(chosen.parameters, self._rows.shape[1])
        self._metric = complete(chosen, {"X": self._rows})
        with NamingRows("Q", "X"):
            self._index = _core.Index(
                self._rows, self._metric.specification(), thread_count(threads)
            )

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
        return self._rows.shape[0], self._rows.shape[1]

    @property
    def rows(self) -> NDArray[Any]:
        """The rows themselves."""
        return self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        n, d = self.shape
        kind, stage = self._rows.dtype, self._index.stage()
        return f"<{type(self).__name__} of {n} × {d} {kind}, {self.metric}, {stage}>"

    @overload
    def knn(
        self,
        Q: ArrayLike,
        k: int = ...,
        *,
        exclude: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[False] = ...,
    ) -> Neighbors: ...
    @overload
    def knn(
        self,
        Q: ArrayLike,
        k: int = ...,
        *,
        exclude: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: Literal[True],
    ) -> tuple[Neighbors, dict[str, Any]]: ...
    @overload
    def knn(
        self,
        Q: ArrayLike,
        k: int = ...,
        *,
        exclude: ArrayLike | None = ...,
        threads: int | None = ...,
        progress: Progress = ...,
        return_stats: bool,
    ) -> Neighbors | tuple[Neighbors, dict[str, Any]]: ...
    def knn(
        self,
        Q: ArrayLike,
        k: int = 100,
        *,
        exclude: ArrayLike | None = None,
        threads: int | None = None,
        progress: Progress = None,
        return_stats: bool = False,
    ) -> Neighbors | tuple[Neighbors, dict[str, Any]]:
        """Find the `k` nearest of the rows for each row of `Q`, exactly.

        Parameters
        ----------
        Q : (m, d) array_like
            The queries.
        k : int
            From 1 to the number of rows.
        exclude, threads, progress, return_stats
            As for `lookalike.knn`.

        Returns
        -------
        Neighbors
            What ``lookalike.knn(Q, X, k=k, metric=metric)`` returns.

        Raises
        ------
        ValueError, TypeError
            As `lookalike.knn`.
        """
        queries = checked_matrix(Q, "Q")
        check_same_width(self._rows, "X", queries, "Q")
        count, workers = whole_number(k, "k"), thread_count(threads)
        m = len(queries)
        excluded = excluded_rows(exclude, m, len(self._rows))
        check_k(count, 1, len(self._rows), excluded, "the rows")
        with (
            self._reporting_damage(),
            reporting(progress, m, "neighbours") as report,
            NamingRows("Q", "X"),
        ):
            distances, indices, stats = self._index.knn(
                queries, count, excluded, workers, share(report, m)
            )
            report(m)
        found = Neighbors(distances, indices)
        return (found, stats) if return_stats else found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index and its rows to one file, which appears whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import tempfile, numpy as np, lookalike as la
        >>> file = tempfile.mkdtemp() + "/photos.index"
        >>> la.Index(np.eye(5), metric="l1").save(file)
        >>> la.Index.open(file).knn(np.eye(5)[2:3], k=1).indices
        array([[2]])
        """
        from lookalike.files import replacing

        with replacing(path) as file, file.open("wb") as out:
            index_file.write(out, self._metric, self._rows, self._index.parts())

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
        self._path = path
        self._identity = contents.identity if path else None
        try:
            self._rows = checked_matrix(contents.rows, "rows")
            self._metric = contents.metric
            with self._reporting_damage():
                self._index = _core.Index(
                    self._rows,
                    self._metric.specification(),
                    contents.parts,
                    contents.row_guard,
                    contents.code_guard,
                )
        except IndexFileError:
            raise
        except (TypeError, ValueError) as error:
            raise IndexFileError(f"{path or 'the index'} is damaged: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        """Return where the file lies and which it is, or the bytes of an index without a file."""
        if self._identity is None:
            parts = self._index.parts()
            return {"content": index_file.to_bytes(self._metric, self._rows, parts)}
        return {"path": os.path.abspath(self._path), "identity": tuple(self._identity)}

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
        copied.__dict__.update(self.__dict__)  # nothing of it is ever changed
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    @contextmanager
    def _reporting_damage(self) -> Iterator[None]:
        """Turn what the core finds wrong with the file into an error that names it."""
        try:
            yield
        except _core.DamagedError as error:
            raise IndexFileError(
                f"{self._path or 'the index'} is damaged: {index_file.damage(str(error))}"
            ) from error
