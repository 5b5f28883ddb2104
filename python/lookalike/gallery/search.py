"""Searching a gallery: what may be asked (images, vectors, rows), and the one answer to all."""

from __future__ import annotations

import hashlib
import numbers
import operator
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.distance.arguments import RowError, dense
from lookalike.distance.metrics import Metric, complete
from lookalike.gallery.hits import Hits
from lookalike.gallery.storage.errors import GalleryError

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.storage.snapshot import Snapshot
    from lookalike.pictures.images import ImageSource

__all__ = ["Query", "embed", "from_rows", "from_source", "known", "nearest"]


class Query(NamedTuple):
    """One query: a vector, or an image to make one from."""

    name: str
    vector: npt.NDArray[Any] | None = None
    image: ImageSource | None = None
    row: int | None = None
    hash: bytes | None = None


def from_rows(
    rows: int | Sequence[int], features: npt.NDArray[np.float32]
) -> tuple[list[Query], bool]:
    """Return queries for rows of the gallery, and whether it was one alone."""
    single = isinstance(rows, numbers.Integral)
    several: Sequence[Any] = [rows] if single else rows  # type: ignore[assignment]
    queries = []
    for given in several:
        try:
            row = operator.index(given)
        except TypeError:
            raise TypeError(f"row must be an integer or several, got {given!r}") from None
        if not len(features):
            raise ValueError(f"row must be one of this gallery, which has no images, got {row}")
        if not -len(features) <= row < len(features):
            raise ValueError(
                f"row must be from {-len(features)} to {len(features) - 1} in this gallery of "
                f"{len(features)} images, got {row}"
            )
        row %= len(features)
        queries.append(Query(f"row {row}", vector=features[row], row=row))
    return queries, single


def from_source(source: Any, dim: int) -> tuple[list[Query], bool]:
    """Return the queries in what `Gallery.search` was given, and whether it was one alone."""
    if hasattr(source, "to_numpy"):  # a frame or a column
        source = source.to_numpy()
    if hasattr(source, "nnz") or isinstance(source, np.ma.MaskedArray):
        source = dense(source, "query")
    if isinstance(source, np.ndarray) and source.ndim == 2 and source.dtype != np.uint8:
        return [_vector(row, f"row {i} of query", dim) for i, row in enumerate(source)], False
    if isinstance(source, (list, tuple)) and not _is_number_list(source):
        return [_one(each, f"query[{i}]", dim) for i, each in enumerate(source)], False
    return [_one(source, "query", dim)], True


def known(query: Query, view: Snapshot) -> Query:
    """Return the query, with features if the gallery has any of an image of its content."""
    if query.image is None or query.hash is None:
        return query
    rows = view.positions_with_hash(query.hash)
    return query._replace(vector=view.features[rows[0]], image=None) if rows else query


def embed(queries: list[Query], model: Embedder) -> list[Query]:
    """Return the queries, each image among them with its features.

    Raises
    ------
    ImageError
        An image cannot be used.
    """
    from lookalike.pictures.images import ImageError

    made = list(queries)
    wanted = [i for i, query in enumerate(queries) if query.image is not None]
    results = model.embed_iter([queries[i].image for i in wanted])  # type: ignore[misc]
    for i, (_, result) in zip(wanted, results, strict=True):
        if isinstance(result, ImageError):
            raise ImageError(queries[i].name, result.reason)
        made[i] = queries[i]._replace(vector=result, image=None)
    return made


def nearest(
    view: Snapshot, queries: list[Query], k: int, metric: Metric, exclude_self: bool
) -> list[Hits]:
    """Find what is nearest to each query, all of them at once."""
    excluded = [_own_positions(view, query) if exclude_self else set() for query in queries]
    # The search leaves out one position of each query; copies of its content are left out here.
    first = np.array([min(own, default=-1) for own in excluded], np.int64)
    copies = max((len(own) - 1 for own in excluded if own), default=0)
    available = len(view.features) - bool((first >= 0).any())
    most = min(k + copies, available)
    if most and queries:
        vectors = np.stack([query.vector for query in queries])  # type: ignore[misc]
        try:
            whole = complete(metric, {"the query": vectors[:0], "row": view.features})
            near = view.knn(vectors, most, whole, first)
        except RowError as error:
            if error.side == 0 or error.finite:
                raise
            folder = os.path.dirname(view.catalogue.path)
            raise GalleryError(
                f"{folder} is damaged, its features hold a value that is not finite: "
                "`lookalike check` says where"
            ) from error
    else:
        return [Hits([], np.empty(0), np.empty(0, np.int64), []) for _ in queries]
    hits = []
    for distances, indices, own in zip(*near, excluded, strict=True):
        others = np.array([i not in own for i in indices.tolist()], bool)
        kept = indices[others][:k]
        paths, labels = view.some(kept)
        hits.append(Hits(paths, distances[others][:k], kept, labels))
    return hits


def _own_positions(view: Snapshot, query: Query) -> set[int]:
    if query.row is not None:
        return {query.row}
    if query.hash is not None:
        return set(view.positions_with_hash(query.hash))
    raise ValueError(
        "exclude_self needs a query with a file (a path, bytes, a file object) or row=; "
        f"{query.name} has none"
    )


def _one(source: Any, argument: str, dim: int) -> Query:
    if isinstance(source, np.ndarray) and (source.ndim == 1 or source.dtype != np.uint8):
        return _vector(source, argument, dim)
    if isinstance(source, (list, tuple)):
        return _vector(np.asarray(source), argument, dim)
    from PIL import Image

    from lookalike.pictures.images import image_name, read_image

    if isinstance(source, (Image.Image, np.ndarray)):
        return Query(image_name(source), image=source)
    if isinstance(source, (str, bytes, os.PathLike)) or hasattr(source, "read"):
        content = read_image(source)
        return Query(image_name(source), image=content, hash=hashlib.sha256(content).digest())
    raise TypeError(
        f"{argument} must be a path, bytes, a file object, a PIL image, a uint8 image array, a "
        f"vector of {dim} numbers or a list of these, got {type(source).__name__}"
    )


def _vector(vector: npt.NDArray[Any], argument: str, dim: int) -> Query:
    if vector.ndim != 1 or len(vector) != dim:
        raise ValueError(
            f"{argument}: a vector must have {dim} numbers like the gallery's rows, "
            f"got shape {vector.shape}"
        )
    if vector.dtype.kind not in "fiub":
        raise TypeError(f"{argument}: a vector must hold real numbers, got {vector.dtype}")
    if not np.isfinite(vector).all():
        raise ValueError(
            f"{argument}: a vector must be finite, got {vector[~np.isfinite(vector)][0]}"
        )
    return Query(argument, vector=vector)


def _is_number_list(source: Sequence[Any]) -> bool:
    return len(source) > 0 and all(isinstance(value, numbers.Real) for value in source)
