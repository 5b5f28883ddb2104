"""The gallery: a feature vector database that survives anything.

A gallery is a folder of two files: the features, row after row, and a catalogue of what each row
belongs to. :mod:`lookalike.writer` changes them, :mod:`lookalike.snapshot` reads them, and
:mod:`lookalike.indexing` finds out which files need to be embedded; this is what people call.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike import catalogue
from lookalike.arrays import add_rows, matrix
from lookalike.catalogue import GalleryError
from lookalike.folders import Label, Labels
from lookalike.hits import Hits
from lookalike.indexing import index
from lookalike.progress import Progress
from lookalike.searching import embed, from_rows, from_source, nearest
from lookalike.snapshot import Snapshot
from lookalike.survey import Report, Survey, survey_again, survey_sources
from lookalike.writer import Writer, create

if TYPE_CHECKING:
    from lookalike.checking import CheckReport
    from lookalike.embedder import Embedder

__all__ = ["Gallery", "GalleryError", "Hits"]

Path: TypeAlias = "str | os.PathLike[str]"


class Gallery:
    """Images and their features, kept in a folder.

    Made by `Gallery.create`, `Gallery.open` or `Gallery.import_features`. Any number of processes
    may read a gallery while one writes it; a reader sees the state that it opened until `refresh`.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with Gallery.create(folder + "/a.gallery", dim=2) as gallery:
    ...     report = gallery.add([[0, 1], [2, 2], [0, 3]], paths=["a", "b", "c"], labels=[1, 2, 1])
    ...     gallery.search([0, 2], k=2, metric="euclidean").paths
    ['a', 'c']
    """

    def __init__(self, path: str, mode: Literal["r", "r+"] | None) -> None:
        self._path = path
        self._mode = mode
        self._guard = threading.RLock()
        self._writer: Writer | None = None
        self._snapshot: Snapshot | None = None
        self._embedder: Embedder | None = None
        self._closed = False

    @classmethod
    def create(cls, path: Path, *, dim: int = 1024, space: str | None = None) -> Self:
        """Make an empty gallery and open it to write.

        Parameters
        ----------
        path : path
            A folder that does not exist or is empty.
        dim : int
            Number of features of an image.
        space : str, optional
            The feature space, `Embedder.space`; without it that of the first model used.

        Raises
        ------
        GalleryError
            There is something at `path` already, or it cannot be written.
        """
        if operator.index(dim) < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        folder = os.path.abspath(os.fsdecode(path))
        create(folder, dim, space)
        gallery = cls(folder, "r+")
        gallery._writing()
        return gallery

    @classmethod
    def open(cls, path: Path, *, mode: Literal["r", "r+", "a"] | None = None) -> Self:
        """Open a gallery.

        Parameters
        ----------
        path : path
            Its folder.
        mode : {None, "r", "r+", "a"}
            None: to read, and the first change makes it the writer. "r": to read only. "r+": to
            write, refused at once if another process does. "a": the same, and created if missing.

        Raises
        ------
        GalleryError
            No gallery, damaged, of a newer format, or written by another process.
        """
        if mode not in (None, "r", "r+", "a"):
            raise ValueError(f"mode must be None, 'r', 'r+' or 'a', got {mode!r}")
        folder = os.path.abspath(os.fsdecode(path))
        if mode == "a":
            if not os.path.exists(os.path.join(folder, catalogue.FILE_NAME)):
                return cls.create(folder)
            mode = "r+"
        gallery = cls(folder, mode)
        if mode == "r+":
            gallery._writing()
        else:
            gallery.refresh()
        return gallery

    @classmethod
    def import_features(
        cls,
        path: Path,
        features: npt.ArrayLike | Path,
        *,
        paths: Sequence[Path] | None = None,
        labels: Sequence[Label] | None = None,
        space: str | None = None,
        root: Path | None = None,
    ) -> Self:
        """Make a gallery of a feature matrix that exists.

        Parameters
        ----------
        path : path
            As for `create`.
        features : (n, dim) array_like or path
            The rows, or a ``.npy`` file of them, which is read piece by piece.
        paths, labels, space, root
            As for `add`.
        """
        if isinstance(features, (str, os.PathLike)):
            features = np.load(features, mmap_mode="r", allow_pickle=False)
        rows = matrix(features)
        gallery = cls.create(path, dim=rows.shape[1], space=space)
        try:
            gallery.add(rows, paths=paths, labels=labels, root=root)
        except BaseException:
            gallery.close()
            raise
        return gallery

    def close(self) -> None:
        """Let others write; arrays that were handed out stay valid."""
        self._closed = True
        if self._writer is not None:
            self._writer.close()
        if self._snapshot is not None:
            self._snapshot.close()
        self._writer = self._snapshot = None

    def refresh(self) -> None:
        """Move on to what is committed now."""
        self._check_open()
        self._snapshot = Snapshot.open(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()

    def __len__(self) -> int:
        return self._state.count

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
        return self._state.state.dim

    @property
    def space(self) -> str | None:
        """The feature space, None where it is not known."""
        return self._state.state.space

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """The features, (n, dim) float32, read-only: the file itself, mapped."""
        return self._state.features

    @property
    def paths(self) -> list[str]:
        """Absolute paths of the images, ``os.fsdecode``d; names of rows that are not files."""
        return self._state.paths

    @property
    def labels(self) -> list[Label]:
        """The images' labels, None where there is none."""
        return self._state.column("label")

    @property
    def hashes(self) -> list[str | None]:
        """SHA-256 of the images' files in hexadecimal, None for rows that are not files."""
        return [value and value.hex() for value in self._state.column("hash")]

    @property
    def sizes(self) -> list[int | None]:
        """Sizes of the images' files in bytes, None for rows that are not files."""
        return self._state.column("size")

    @property
    def mtimes_ns(self) -> list[int | None]:
        """When the images' files were changed, in nanoseconds, None for rows that are not files."""
        return self._state.column("mtime_ns")

    @property
    def roots(self) -> list[str]:
        """The folders that images were added from."""
        return [os.fsdecode(path) for root, path in self._state.roots if root]

    @property
    def root(self) -> str | None:
        """The folder that all `roots` lie in, None if there are none."""
        return os.path.commonpath(self.roots) if self.roots else None

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Path and reason of files that were found and could not be used."""
        return self._state.failed

    def info(self) -> dict[str, Any]:
        """Return counts, sizes and identity of the gallery, ready for JSON."""
        state = self._state
        files = [entry.stat().st_size for entry in os.scandir(self._path) if entry.is_file()]
        return {
            "path": self._path,
            "format": catalogue.FORMAT,
            "images": state.count,
            "labelled": sum(label is not None for label in self.labels),
            "failed": len(state.failed),
            "dim": state.state.dim,
            "space": state.state.space,
            "root": self.root,
            "roots": self.roots,
            "generation": state.state.generation,
            "dead_rows": state.state.rows - state.count,
            "bytes": sum(files),
        }

    def add(
        self,
        source: Any,
        *,
        labels: Labels | Sequence[Label] = None,
        paths: Sequence[Path] | None = None,
        root: Path | None = None,
        space: str | None = None,
        embedder: Embedder | None = None,
        progress: Progress = None,
    ) -> Report:
        """Add folders, files or rows of features, and bring what is there already up to date.

        Of a folder all images are added that its listing shows (known extensions, nothing that
        begins with a dot); images whose file has changed get new features, those whose file is gone
        are removed. Nothing is embedded twice: not what has the same size and time of change, and
        not what has the same content. Work is committed at least every 64 images or 2 seconds;
        Ctrl-C commits what is finished, and the next `add` goes on from there.

        Parameters
        ----------
        source : path, several paths, or (n, dim) array_like
            Folders, files, or features; rows are added all or none.
        labels : None, "folder", mapping, path, or a sequence
            "folder": the first folder below the one given, files directly in it have none. A
            mapping from path to label, or a CSV file with the columns ``path`` and ``label``;
            paths are relative to the folder given or absolute. For an array: one label a row. None
            keeps those that are there.
        paths : sequence, optional
            For an array: the rows' names, by default numbers. A name that is there already gets the
            new features.
        root : path, optional
            For an array: the folder that `paths` are files in. Those that exist are read, so that
            they are found again by content.
        space : str, optional
            For an array: its feature space, refused if the gallery's is another.
        embedder : Embedder, optional
            The model; by default GoogLeNet.
        progress : None, True or callable(done, total)
            Of the files that had to be read.

        Returns
        -------
        Report
            ``added``, ``updated``, ``moved``, ``removed`` and ``unchanged`` as numbers, ``failed``
            as a list of (path, reason).

        Raises
        ------
        GalleryError
            The gallery is read-only or its disk full; the model's space or width is another; there
            is no such file or folder.
        ModelError
            No model was found.
        """
        sources = _paths(source)
        if sources is None:
            if labels is not None and isinstance(labels, (str, os.PathLike)):
                raise TypeError(f"labels of an array must be one a row, got {labels!r}")
            with self._guard:
                writer = self._writing()
                try:
                    rows = matrix(source)
                    return add_rows(writer, self._state, rows, paths, labels, root, space)
                finally:
                    self._snapshot = None
        for argument, value in (("paths", paths), ("root", root), ("space", space)):
            if value is not None:
                raise TypeError(f"{argument} goes with an array, source is paths")
        with self._guard:
            writer = self._writing()
            survey = survey_sources(writer, sources, labels)
            return self._index(writer, survey, embedder, progress)

    def update(self, *, embedder: Embedder | None = None, progress: Progress = None) -> Report:
        """Look at all folders and files again: what is new, changed, moved or gone.

        Folders that were added are listed anew; files that were added by name are looked at. A
        folder that is missing or has become empty may be a disk that is not mounted: its images
        stay and `failed` names it. `remove` removes them.

        Parameters
        ----------
        embedder, progress
            As for `add`.

        Returns
        -------
        Report
            As `add`.
        """
        with self._guard:
            writer = self._writing()
            return self._index(writer, survey_again(writer), embedder, progress)

    def search(
        self,
        query: Any = None,
        k: int = 10,
        metric: str = "correlation",
        exclude_self: bool = False,
        *,
        row: int | Sequence[int] | None = None,
        embedder: Embedder | None = None,
    ) -> Any:
        """Find the `k` nearest images of a query, exactly.

        Parameters
        ----------
        query : image, vector, or a list of these
            An image: its path, its file's bytes, a binary file object, a PIL image or a uint8 array
            H×W, H×W×3 (RGB) or H×W×4. A vector: `dim` numbers; a 2-D array of floats holds several.
        k : int
            At least 1; no more are returned than the gallery has.
        metric : str
            One of `lookalike.METRICS` or an alias.
        exclude_self : bool
            Leave the query itself out: with `row` that row, with a path, bytes or a file object all
            images whose file has the same content.
        row : int or several, optional
            Instead of `query`: an image of the gallery by its position.
        embedder : Embedder, optional
            The model; by default the one that images were added with, else GoogLeNet.

        Returns
        -------
        Hits, or a list of Hits for several queries
            Ordered by distance, then by index.

        Raises
        ------
        GalleryError
            The model's space is not the gallery's.
        ImageError
            The query cannot be read or decoded.
        """
        if (query is None) == (row is None):
            raise TypeError("search takes a query or row=, one of the two")
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        state = self._state
        if row is not None:
            queries, single = from_rows(row, state.features)
        else:
            queries, single = from_source(query, state.state.dim)
        if any(query.image is not None for query in queries):
            queries = embed(queries, self._model(embedder))
        hits = nearest(state, queries, k, metric, exclude_self)
        return hits[0] if single else hits

    def remove(self, paths: Path | Iterable[Path]) -> int:
        """Remove images, by a new generation of the features file; their files are not touched.

        A file that stays in a folder that was added comes back with the next `add` or `update`.

        Parameters
        ----------
        paths : path or several
            As in `.paths`, or relative to the current folder; a folder stands for all images below
            it.

        Returns
        -------
        int
            How many images were removed.

        Raises
        ------
        GalleryError
            A path is not in the gallery; nothing is removed then.
        """
        wanted = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        with self._guard:
            writer = self._writing()
            state = self._state
            positions: set[int] = set()
            for path in wanted:
                found = _positions_of(state, os.fsencode(path))
                if not found:
                    raise GalleryError(f"{os.fsdecode(path)} is not in {self._path}")
                positions.update(found)
            writer.switch([int(state.rows[position]) for position in positions])
            self.refresh()
            return len(positions)

    def compact(self) -> bool:
        """Leave out dead rows, which a killed writer may have left; False if there are none."""
        with self._guard:
            switched = self._writing().switch()
            self.refresh()
            return switched

    def relocate(self, old: Path, new: Path) -> int:
        """Tell the gallery that the photos below folder `old` now lie below folder `new`.

        Returns
        -------
        int
            How many images are concerned.

        Raises
        ------
        GalleryError
            No image lies below `old`, or an image lies at its new path already.
        """
        from lookalike.relocation import relocate

        with self._guard:
            moved = relocate(
                self._writing().catalogue,
                os.fsencode(os.path.abspath(old)),
                os.fsencode(os.path.abspath(new)),
            )
            self.refresh()
            return moved

    def export(self, path: Path, *, parquet: bool = False) -> list[str]:
        """Write the features as ``.npy`` and the rest as ``.csv``, to use them elsewhere.

        Parameters
        ----------
        path : path
            The files' name without its ending; for a folder that exists, ``features`` in it.
        parquet : bool
            Also write one ``.parquet`` file of both (``pip install 'lookalike[parquet]'``).

        Returns
        -------
        list of str
            The files that were written. Each appears whole or not at all.
        """
        from lookalike.export import export

        return export(self, os.fsdecode(path), parquet)

    def check(self, *, repair: bool = False, progress: Progress = None) -> CheckReport:
        """Check all rows and files, as `check_gallery`, which also takes what cannot be opened."""
        from lookalike.checking import check_gallery

        with self._guard:
            writing = self._writer is not None
            if repair and self._writer is not None:
                self._writer.close()
                self._writer = None
            report = check_gallery(self._path, repair=repair, progress=progress)
            if writing:
                self._writing()
            self.refresh()
            return report

    @property
    def _state(self) -> Snapshot:
        self._check_open()
        if self._snapshot is None:
            self.refresh()
        assert self._snapshot is not None
        return self._snapshot

    def _check_open(self) -> None:
        if self._closed:
            raise GalleryError(f"{self._path} has been closed")

    def _writing(self) -> Writer:
        """Become the writer, if this is not it yet."""
        self._check_open()
        if self._mode == "r":
            raise GalleryError(
                f"{self._path} was opened with mode='r', to read only; "
                "Gallery.open(path) can also write"
            )
        if self._writer is None:
            self._writer = Writer(self._path)
            self._snapshot = None
        return self._writer

    def _index(
        self, writer: Writer, survey: Survey, embedder: Embedder | None, progress: Progress
    ) -> Report:
        if embedder is not None:
            writer.adopt(embedder.space, embedder.width, f"the model {embedder!r}")

        def model() -> Embedder:
            found = embedder or self._embedder or _googlenet()
            writer.adopt(found.space, found.width, f"the model {found!r}")
            self._embedder = found
            return found

        try:
            return index(writer, survey, model, progress)
        finally:
            self._snapshot = None

    def _model(self, embedder: Embedder | None) -> Embedder:
        space = self.space
        model = embedder or self._embedder
        if model is None:
            if space is None:
                raise GalleryError(
                    f"{self._path} does not say which model its features are from; "
                    "search(..., embedder=...) names it"
                )
            model = _googlenet()
        if model.width != self.dim or space not in (None, model.space):
            raise GalleryError(
                f"{self._path} holds {self.dim} features of the space {space}, the model "
                f"{model!r} gives {model.width} of {model.space}; search(..., embedder=...) takes "
                "the right one"
            )
        self._embedder = model
        return model


def _googlenet() -> Embedder:
    from lookalike.googlenet import GoogLeNet

    return GoogLeNet()


def _paths(source: Any) -> list[Path] | None:
    """Return the paths in what `add` was given, None if it is an array."""
    if isinstance(source, (str, os.PathLike)):
        return [source]
    if isinstance(source, np.ndarray) and source.dtype.kind not in "OU":
        return None
    if isinstance(source, Iterable):
        several = list(source)
        if all(isinstance(each, (str, os.PathLike)) for each in several):
            return several
        if any(isinstance(each, (str, os.PathLike, bytes)) for each in several):
            raise TypeError("source must be paths (str or path-like) or an array, got a mixture")
    return None


def _positions_of(state: Snapshot, path: bytes) -> list[int]:
    for name in (path, os.path.abspath(path)):
        if name in state.positions:
            return [state.positions[name]]
    below = os.path.join(os.path.abspath(path), b"")
    return [i for name, i in state.positions.items() if name.startswith(below)]
