"""What searches return, and the forms in which other libraries take it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from lookalike.distance import edge_lists, graphs

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Neighbors", "RadiusNeighbors"]


class _NeighborFields(NamedTuple):
    distances: NDArray[np.float64]
    indices: NDArray[np.int64]


class _RadiusFields(NamedTuple):
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    distances: NDArray[np.float64]


class Neighbors(_NeighborFields):
    """The nearest rows, ordered by distance, then by index.

    A named tuple of two arrays, which knows beside them what was searched.

    Parameters
    ----------
    distances, indices, columns, itself, row_ids, column_ids
        As the attributes; a search gives them all.

    Attributes
    ----------
    distances : (n, k) float64 array
        Distances of the neighbours of every row.
    indices : (n, k) int64 array
        Rows of the neighbours.
    columns : int or None
        How many rows were searched: m, the columns of a graph. None if nobody said.
    itself : bool or None
        Whether the n rows are the rows searched, in the same order.
    row_ids, column_ids : sequence or None
        Names of the n rows and of the rows searched: the index of the frame they came in.

    Examples
    --------
    >>> import lookalike as la
    >>> near = la.knn([[0.0], [1.0], [5.0]], k=1, metric="l1")
    >>> distances, indices = near
    >>> near.to_csr().toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 4., 0.]])
    >>> near.to_dict(["a", "b", "c"])
    {'a': {'b': 1.0}, 'b': {'a': 1.0}, 'c': {'b': 4.0}}
    """

    columns: int | None = None
    itself: bool | None = None
    row_ids: edge_lists.Ids | None = None
    column_ids: edge_lists.Ids | None = None

    def __new__(  # noqa: D102 - described above
        cls,
        distances: NDArray[np.float64],
        indices: NDArray[np.int64],
        columns: int | None = None,
        *,
        itself: bool | None = None,
        row_ids: edge_lists.Ids | None = None,
        column_ids: edge_lists.Ids | None = None,
    ) -> Self:
        found = super().__new__(cls, distances, indices)
        found.columns, found.itself = columns, itself
        found.row_ids, found.column_ids = row_ids, column_ids
        return found

    def _replace(self, **fields: Any) -> Self:
        replaced = super()._replace(**fields)
        vars(replaced).update(vars(self))
        return replaced

    def to_csr(
        self,
        mode: Literal["distance", "connectivity"] = "distance",
        symmetric: Literal["max", "min", "mutual"] | None = None,
    ) -> csr_array:
        """Return the graph of the neighbours as a sparse matrix.

        Parameters
        ----------
        mode : {"distance", "connectivity"}
            What an edge weighs: the distance, or 1.
        symmetric : {"max", "min", "mutual"}, optional
            By default row i has the neighbours of i alone. "max" and "min" have the edges that
            either of two rows has, "mutual" those that both have. Where the two distances of an
            edge differ, which happens in `topk` of a matrix of your own only, "min" takes the
            smaller and the others the larger.

        Returns
        -------
        (n, m) scipy.sparse.csr_array
            Every row's edges in the order of distance, then of column, as scikit-learn wants graphs
            that are ``metric="precomputed"``; ``.sort_indices()`` orders them by column. Neighbours
            at distance 0 are entries of their own. The arrays are copies.

        Raises
        ------
        ValueError
            If the number of columns is not known, or `symmetric` is asked of rows that were not
            searched among themselves.
        ImportError
            If scipy is not installed.
        """
        graphs.check_mode(mode, symmetric)
        if symmetric:
            self._check_itself("symmetric")
        indptr = np.arange(len(self.indices) + 1) * self.indices.shape[1]
        edges = indptr, self.indices.ravel(), self.distances.ravel()
        return graphs.sparse(*edges, self._columns(), mode, symmetric)

    def to_umap(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return indices and distances, each row itself first, for ``UMAP(precomputed_knn=…)``.

        Where rows are among their own neighbours already, they move to the front and k stays;
        where they are not, they are put there and there are k + 1: UMAP's ``n_neighbors`` counts
        them.

        Raises
        ------
        ValueError
            If the rows were not searched among themselves.
        """
        self._check_itself("to_umap()")
        own = np.arange(len(self.indices))[:, None]
        found = self.indices == own
        if not found.any():
            zeros = np.zeros(own.shape)
            return np.hstack([own, self.indices]), np.hstack([zeros, self.distances])
        if (self.distances[found] != 0).any():
            row = int(np.argwhere(found & (self.distances != 0))[0, 0])
            raise ValueError(f"to_umap() needs rows at distance 0 from themselves: not row {row}")
        # Of many equal rows a row may not have come to be its own: then its last neighbour goes.
        width = self.indices.shape[1]
        place = np.where(found.any(axis=1), found.argmax(axis=1), width - 1)[:, None]
        source = np.arange(width) - (np.arange(width) <= place)
        source[:, 0] = 0
        indices = np.take_along_axis(self.indices, source, axis=1)
        distances = np.take_along_axis(self.distances, source, axis=1)
        indices[:, :1], distances[:, 0] = own, 0
        return indices, distances

    def to_frame(
        self,
        ids: edge_lists.Ids | None = None,
        *,
        query_ids: edge_lists.Ids | None = None,
        library: Literal["pandas", "polars"] | None = None,
    ) -> Any:
        """Return a frame with a line for each neighbour: row, rank from 1, neighbor, distance.

        Parameters
        ----------
        ids : sequence of m, optional
            What names the rows searched. By default the index of the frame that was searched, or
            else the rows' numbers.
        query_ids : sequence of n, optional
            What names the rows that asked; by default `ids` if they were searched themselves.
        library : {"pandas", "polars"}, optional
            By default pandas, or polars where that is installed alone.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Raises
        ------
        ValueError
            If there are more or fewer ids than rows.
        ImportError
            If neither library is installed.
        """
        n, k = self.indices.shape
        names = edge_lists.names(self, n, ids, query_ids)
        ranks = np.tile(np.arange(1, k + 1), n)
        counts = np.full(n, k)
        return edge_lists.frame(counts, ranks, self.indices.ravel(), self.distances, names, library)

    def to_dict(
        self, ids: edge_lists.Ids | None = None, *, query_ids: edge_lists.Ids | None = None
    ) -> dict[Any, dict[Any, float]]:
        """Return ``{row: {neighbor: distance}}``, the nearest first, with ids as in `to_frame`.

        Raises
        ------
        ValueError
            If an id names two rows, or there are more or fewer than rows.
        """
        names = edge_lists.names(self, len(self.indices), ids, query_ids)
        return edge_lists.nested(self.indices, self.distances, names)

    def _columns(self) -> int:
        return graphs.known_columns(self.columns, self.indices, type(self).__name__)

    def _check_itself(self, what: str) -> None:
        n = len(self.indices)
        if self.itself is False or self._columns() != n:
            raise ValueError(
                f"{what} needs the neighbours of rows among themselves, as knn(X) finds them, got "
                f"those of {n} rows among {self.columns} others"
            )


class RadiusNeighbors(_RadiusFields):
    """Rows within a radius, in compressed sparse row form.

    The neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, ordered by distance, then by
    index, at the distances in the same places of ``distances``. A named tuple of these three
    arrays, which knows beside them what was searched.

    Parameters
    ----------
    indptr, indices, distances, columns, itself, row_ids, column_ids
        As the attributes; a search gives them all.

    Attributes
    ----------
    indptr : (n + 1,) int64 array
    indices : int64 array
    distances : float64 array
    columns, itself, row_ids, column_ids
        As those of `Neighbors`.
    """

    columns: int | None = None
    itself: bool | None = None
    row_ids: edge_lists.Ids | None = None
    column_ids: edge_lists.Ids | None = None

    def __new__(  # noqa: D102 - described above
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int64],
        distances: NDArray[np.float64],
        columns: int | None = None,
        *,
        itself: bool | None = None,
        row_ids: edge_lists.Ids | None = None,
        column_ids: edge_lists.Ids | None = None,
    ) -> Self:
        found = super().__new__(cls, indptr, indices, distances)
        found.columns, found.itself = columns, itself
        found.row_ids, found.column_ids = row_ids, column_ids
        return found

    def _replace(self, **fields: Any) -> Self:
        replaced = super()._replace(**fields)
        vars(replaced).update(vars(self))
        return replaced

    def to_csr(self, mode: Literal["distance", "connectivity"] = "distance") -> csr_array:
        """Return the graph as an (n, m) sparse matrix, as `Neighbors.to_csr` does.

        Rows searched among themselves give a symmetric one.
        """
        graphs.check_mode(mode, None)
        columns = graphs.known_columns(self.columns, self.indices, type(self).__name__)
        return graphs.sparse(*self, columns, mode, None)

    def to_frame(
        self,
        ids: edge_lists.Ids | None = None,
        *,
        query_ids: edge_lists.Ids | None = None,
        library: Literal["pandas", "polars"] | None = None,
    ) -> Any:
        """Return a frame with a line for each pair, as `Neighbors.to_frame` does."""
        names = edge_lists.names(self, len(self.indptr) - 1, ids, query_ids)
        counts = np.diff(self.indptr)
        ranks = np.arange(1, len(self.indices) + 1) - np.repeat(self.indptr[:-1], counts)
        return edge_lists.frame(counts, ranks, self.indices, self.distances, names, library)

    def to_dict(
        self, ids: edge_lists.Ids | None = None, *, query_ids: edge_lists.Ids | None = None
    ) -> dict[Any, dict[Any, float]]:
        """Return ``{row: {neighbor: distance}}``, as `Neighbors.to_dict` does."""
        names = edge_lists.names(self, len(self.indptr) - 1, ids, query_ids)
        rows = [slice(*ends) for ends in pairwise(self.indptr.tolist())]
        near, far = [self.indices[row] for row in rows], [self.distances[row] for row in rows]
        return edge_lists.nested(near, far, names)
