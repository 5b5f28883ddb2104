"""The reading half of a gallery: what it holds, and searching it."""

from __future__ import annotations

import contextlib
import numbers
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, Unpack, overload

import numpy as np
import numpy.typing as npt

from lookalike.distance.metrics import AnyMetric, Parameters, as_metric
from lookalike.distance.parameters import require_width
from lookalike.gallery.contents_reader import ContentsReader
from lookalike.gallery.network import as_json, default_model, remembered
from lookalike.gallery.search import embed, from_rows, from_source, known, nearest
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.upkeep.indexes import indexes_of
from lookalike.pictures import DECODING

if TYPE_CHECKING:
    from PIL import Image

    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.networks import Network
    from lookalike.gallery.hits import Hits
    from lookalike.gallery.storage.writer import Writer

__all__ = ["GalleryReader"]


class GalleryReader(ContentsReader):
    """A gallery as it was when it was opened or refreshed; `Gallery` adds what changes it."""

    def __init__(self, path: str, mode: Literal["r", "r+"] | None = None) -> None:
        self._path = path
        self._mode = mode
        self._guard = threading.RLock()  # of changes
        self._writer: Writer | None = None
        self._snapshot: Snapshot | None = None
        self._embedder: Embedder | None = None
        self._closed = False
        self._swapping = threading.RLock()  # of what threads share; held while a snapshot is opened

    def close(self) -> None:
        """Free what is held open; arrays that were handed out stay valid."""
        self._closed = True
        self._snapshot = None  # freed by the last thread that searches in it

    def refresh(self) -> None:
        """Look at what is committed now."""
        self._check_open()
        opened = Snapshot.open(self._path)  # others go on searching the one before
        with self._swapping:
            if not self._closed:
                self._snapshot = opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()

    def __len__(self) -> int:
        return self._view.count

    def __repr__(self) -> str:
        if self._closed:
            return f"<Gallery {self._path}: closed>"
        return f"<Gallery {self._path}: {len(self):,} images, {self.dim:,} features>"

    @property
    def path(self) -> str:
        """The gallery's folder."""
        return self._path

    @property
    def dim(self) -> int:
        """Number of features of an image."""
        return self._view.header.dim

    @property
    def space(self) -> str | None:
        """The feature space, None where it is not known."""
        return self._view.header.space

    @property
    def network(self) -> Network | None:
        """The network that images are embedded with unless another is named; None: GoogLeNet.

        Its ``path``, its ``sha256`` in hexadecimal, its ``preprocessing`` and its ``output``.
        """
        record = self._view.network()
        return None if record is None else remembered(record)

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """The features, (n, dim) float32, read-only: the file itself, mapped."""
        return self._view.features

    @property
    def paths(self) -> list[str]:
        """Absolute paths of the images, ``os.fsdecode``d; names of rows that are not files."""
        return self._view.paths

    @property
    def labels(self) -> list[Label]:
        """Labels of the images, None where there is none."""
        return self._view.column("label")

    @property
    def hashes(self) -> list[str | None]:
        """SHA-256 of the images' files in hexadecimal, None for rows that are not files."""
        return [value and value.hex() for value in self._view.column("hash")]

    @property
    def sizes(self) -> list[int | None]:
        """Sizes of the images' files in bytes, None for rows that are not files."""
        return self._view.column("size")

    @property
    def mtimes_ns(self) -> list[int | None]:
        """When the images' files were changed, in nanoseconds, None for rows that are not files."""
        return self._view.column("mtime_ns")

    @property
    def roots(self) -> list[str]:
        """The folders that images were added from."""
        return [os.fsdecode(path) for root, path in self._view.roots if root]

    @property
    def root(self) -> str | None:
        """The folder that all `roots` lie in, None if there are none."""
        return os.path.commonpath(self.roots) if self.roots else None

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Path and reason of files that were found and could not be used."""
        return self._view.failed

    @property
    def is_of_earlier_decoding(self) -> bool:
        """Whether an earlier version decoded its photos otherwise, so that `add` converts it.

        That takes the network that its features are of.
        """
        source, space = self._view.catalogue, self._view.header.space
        return space is not None and source.decoding() != DECODING and source.has_files()

    def info(self) -> dict[str, Any]:
        """Return counts, sizes and identity of the gallery, ready for JSON."""
        view = self._view
        size = 0
        for name in os.listdir(self._path):
            with contextlib.suppress(FileNotFoundError):  # a writer may go on meanwhile
                size += os.stat(os.path.join(self._path, name)).st_size
        return {
            "path": self._path,
            "format": view.catalogue.format,
            "images": view.count,
            "labelled": sum(label is not None for label in self.labels),
            "failed": len(view.failed),
            "dim": view.header.dim,
            "space": view.header.space,
            "network": as_json(view.network()),
            "root": self.root,
            "roots": self.roots,
            "patterns": [{"kind": kind, "pattern": pattern} for kind, pattern in view.patterns()],
            "generation": view.header.generation,
            "dead_rows": view.header.rows - view.count,
            "contents": view.catalogue.content_count(),
            "indexes": [each._asdict() for each in indexes_of(view)],
            "bytes": size,
        }

    @overload
    def search(
        self,
        query: str | os.PathLike[str] | bytes | BinaryIO | Image.Image,
        k: int = ...,
        metric: AnyMetric = ...,
        exclude_self: bool = ...,
        *,
        embedder: Embedder | None = ...,
        **parameters: Unpack[Parameters],
    ) -> Hits: ...
    @overload
    def search(
        self,
        query: npt.NDArray[Any] | Sequence[Any],
        k: int = ...,
        metric: AnyMetric = ...,
        exclude_self: bool = ...,
        *,
        embedder: Embedder | None = ...,
        **parameters: Unpack[Parameters],
    ) -> Any: ...
    @overload
    def search(
        self,
        *,
        row: int,
        k: int = ...,
        metric: AnyMetric = ...,
        exclude_self: bool = ...,
        **parameters: Unpack[Parameters],
    ) -> Hits: ...
    @overload
    def search(
        self,
        *,
        row: Sequence[int],
        k: int = ...,
        metric: AnyMetric = ...,
        exclude_self: bool = ...,
        **parameters: Unpack[Parameters],
    ) -> list[Hits]: ...
    def search(
        self,
        query: Any = None,
        k: int = 10,
        metric: AnyMetric = "correlation",
        exclude_self: bool = False,
        *,
        row: int | Sequence[int] | None = None,
        embedder: Embedder | None = None,
        **parameters: Unpack[Parameters],
    ) -> Any:
        """Find the `k` nearest images of a query, exactly.

        Parameters
        ----------
        query : image, vector, or a list of these
            An image: its path, its file's bytes, a binary file object, a PIL image or a uint8 array
            H×W, H×W×3 (RGB) or H×W×4. A vector: `dim` numbers; a 2-D array of floats holds several.
        k : int
            How many to find, at least 1; no more are returned than the gallery has.
        metric : str or Metric
            One of `lookalike.ALL_METRICS` or an alias.
        exclude_self : bool
            Whether the query itself is left out: with `row` that row, with a path, bytes or a file
            object all images whose file has the same content.
        row : int or several, optional
            An image of the gallery by its position, instead of `query`.
        embedder : Embedder, optional
            The model; by default the one that images were added with: the `network` that the
            gallery remembers, else GoogLeNet. It is loaded only for an image whose content the
            gallery does not know.
        **parameters
            The metric's p, w, V or VI, as for `lookalike.Metric`. A V or VI that is not given is
            that of the gallery's rows.

        Returns
        -------
        Hits, or a list of Hits for several queries
            The images found, ordered by distance, then by index.

        Raises
        ------
        GalleryError
            The model's space is not the gallery's.
        ImageError
            The query cannot be read or decoded.
        ModelError
            No model was found, or the network's file is missing or has changed.
        """
        if (query is None) == (row is None):
            raise TypeError("search takes a query or row=, one of the two")
        if not isinstance(k, numbers.Integral):
            raise TypeError(f"k must be an integer, got {k!r}")
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        view, chosen = self._view, as_metric(metric, **parameters)
        require_width(chosen.parameters, view.header.dim)
        if row is not None:
            queries, single = from_rows(row, view.features)
        else:
            queries, single = from_source(query, view.header.dim)
        if embedder is not None and not self._gave_earlier(embedder):
            self._model(embedder)  # refuses another space, needed or not
        queries = [known(query, view) for query in queries]
        if view.count and any(query.image is not None for query in queries):
            queries = embed(queries, self._model(embedder))
        hits = nearest(view, queries, k, chosen, exclude_self)
        return hits[0] if single else hits

    @property
    def _view(self) -> Snapshot:
        if (found := self._snapshot) is not None and not self._closed:
            return found
        with self._swapping:
            self._check_open()
            if (found := self._snapshot) is None:
                found = self._snapshot = Snapshot.open(self._path)
            return found

    def __getstate__(self) -> dict[str, Any]:
        """Return where the gallery lies and which state of it this reader sees."""
        self._check_reading()
        return {
            "path": self._path,
            "mode": self._mode,
            "state": self._view.catalogue.digest(),
            "embedder": self._embedder,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        GalleryReader.__init__(self, state["path"], state["mode"])
        self._embedder = state["embedder"]
        if self._view.catalogue.digest() != state["state"]:
            raise GalleryError(
                f"{self._path} has changed since this reader of it was pickled: refresh() it and "
                "pickle it again, or open the gallery where it is used"
            )

    def __copy__(self) -> Self:
        self._check_reading()
        view = self._view
        copied = type(self).__new__(type(self))
        GalleryReader.__init__(copied, self._path, self._mode)
        copied._snapshot, copied._embedder = view, self._embedder
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def _check_reading(self) -> None:
        if self._writer is not None:
            raise TypeError(
                f"{self._path} is open to write, which cannot be pickled or copied; one that "
                "Gallery.open(path) opens to read can"
            )

    def _check_open(self) -> None:
        if self._closed:
            raise GalleryError(f"{self._path} has been closed")

    def _gave_earlier(self, model: Embedder) -> bool:
        """Tell whether the features are a model's, by an earlier decoding."""
        earlier = getattr(model, "earlier_spaces", ())
        return model.width == self.dim and self.space in earlier

    def _model(self, embedder: Embedder | None) -> Embedder:
        space = self.space
        model = embedder or self._embedder
        if model is None:
            if space is None:
                raise GalleryError(
                    f"{self._path} does not say which model its features are from; "
                    "search(..., embedder=...) names it"
                )
            with self._swapping:  # the weights are loaded by one thread
                model = self._embedder = self._embedder or default_model(self._view.network())
        if self._gave_earlier(model):
            raise GalleryError(
                f"{self._path} is of an earlier version, which decoded photos otherwise: what is "
                "in it can be searched for, any other image once `lookalike index` has converted it"
            )
        if model.width != self.dim or space not in (None, model.space):
            raise GalleryError(
                f"{self._path} holds {self.dim} features of the space {space}, the model "
                f"{model!r} gives {model.width} of {model.space}; search(..., embedder=...) takes "
                "the right one"
            )
        self._embedder = model
        return model
