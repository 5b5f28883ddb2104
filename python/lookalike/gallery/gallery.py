"""The gallery: a feature vector database that survives anything.

A gallery is a folder: the features, row after row, a catalogue of what each row belongs to, and
thumbnails. ``storage/`` reads and changes them, ``intake/`` finds out which files need to be
embedded; this is what people call.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from lookalike.gallery.intake.convert import (
    Converted,
    convert,
    is_convertible,
    was_decoded_otherwise,
)
from lookalike.gallery.intake.exclusions import note_patterns, without_effect
from lookalike.gallery.intake.folders import source_paths
from lookalike.gallery.intake.intake import bring_in
from lookalike.gallery.intake.labels import LabelSource
from lookalike.gallery.intake.report import Report
from lookalike.gallery.intake.roots import name_roots
from lookalike.gallery.intake.rows import add_rows, matrix
from lookalike.gallery.intake.survey import Survey, survey_again, survey_sources
from lookalike.gallery.keeper import GalleryKeeper, PathLike
from lookalike.gallery.network import default_model, record_of
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.catalogue_file import FILE_NAME
from lookalike.gallery.storage.photos import Label
from lookalike.gallery.storage.writer import Writer, create
from lookalike.pictures import DECODING
from lookalike.progress import Progress

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder

__all__ = ["Gallery"]


class Gallery(GalleryKeeper):
    """Images and their features, kept in a folder.

    `Gallery.create`, `Gallery.open` and `Gallery.import_features` make one. Any number of processes
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

    @classmethod
    def create(
        cls,
        path: PathLike,
        *,
        dim: int | None = None,
        space: str | None = None,
        embedder: Embedder | None = None,
    ) -> Self:
        """Make an empty gallery and open it to write.

        Parameters
        ----------
        path : path
            A folder that does not exist or is empty.
        dim : int, optional
            Number of features of an image; by default those of `embedder`, else 1,024.
        space : str, optional
            The feature space, `Embedder.space`; without it the gallery takes on that of the first
            model used.
        embedder : Embedder, optional
            The model that the gallery is for. If its network lies in a file, the gallery remembers
            the file's path and SHA-256, the preprocessing and the output, and uses it from then on.

        Raises
        ------
        GalleryError
            There is something at `path` already, or it cannot be written.
        """
        if embedder is not None:
            for argument, value, own in (
                ("dim", dim, embedder.width),
                ("space", space, embedder.space),
            ):
                if value not in (None, own):
                    raise ValueError(f"{argument} must be the embedder's, {own!r}, got {value!r}")
            dim = embedder.width
        elif dim is None:
            dim = 1024
        if operator.index(dim) < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        folder = os.path.abspath(os.fsdecode(path))
        create(folder, dim, space)
        gallery = cls(folder, "r+")
        writer = gallery._writing()
        if embedder is not None:
            what = f"the model {embedder!r}"
            writer.adopt(embedder.space, embedder.width, what, record_of(embedder))
            gallery._embedder = embedder
        return gallery

    @classmethod
    def open(cls, path: PathLike, *, mode: Literal["r", "r+", "a"] | None = None) -> Self:
        """Open a gallery.

        Parameters
        ----------
        path : path
            Its folder.
        mode : {None, "r", "r+", "a"}
            None opens to read, and the first change makes it the writer. "r" opens to read only.
            "r+" opens to write, and is refused at once if another process writes. "a" does the
            same, and makes the gallery if there is none.

        Raises
        ------
        GalleryError
            There is no gallery, or it is damaged, of a newer format, or being written by another
            process.
        """
        if mode not in (None, "r", "r+", "a"):
            raise ValueError(f"mode must be None, 'r', 'r+' or 'a', got {mode!r}")
        folder = os.path.abspath(os.fsdecode(path))
        if mode == "a":
            if not os.path.exists(os.path.join(folder, FILE_NAME)):
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
        path: PathLike,
        features: npt.ArrayLike | PathLike,
        *,
        paths: Sequence[PathLike] | None = None,
        labels: Sequence[Label] | None = None,
        space: str | None = None,
        root: PathLike | None = None,
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

    def add(
        self,
        source: Any,
        *,
        labels: LabelSource | Sequence[Label] = None,
        paths: Sequence[PathLike] | None = None,
        root: PathLike | None = None,
        space: str | None = None,
        exclude: str | Sequence[str] = (),
        include: str | Sequence[str] = (),
        embedder: Embedder | None = None,
        progress: Progress = None,
    ) -> Report:
        """Add folders, files or rows of features, and bring what is there already up to date.

        Of a folder all images are added that its listing shows: known extensions, nothing that
        begins with a dot, no folder in which other programs keep thumbnails or what was thrown
        away, nothing that the `patterns` leave out. Images whose file has changed get new features,
        those whose file is gone are removed. Nothing is embedded twice: not what has the same size
        and time of change, and not what has the same content. A gallery of an earlier version,
        which decoded photos otherwise, is converted first: its photos are embedded anew. Work is
        committed at least every 64 images or 2 seconds; Ctrl-C commits what is finished, and the
        next `add` goes on from there.

        Parameters
        ----------
        source : path, several paths, or (n, dim) array_like
            Folders, files, or features; rows are added all or none.
        labels : None, "folder", "none", "kept", mapping, path, or a sequence
            "folder" takes the name of the first folder below the one given, or below the outermost
            of those given so far; files directly in it have no label, "none" takes all labels
            away. A mapping gives a label for each path, and so does a CSV file with the columns
            ``path`` and ``label``; paths are relative to the folder given or absolute. An array
            takes one label a row. None keeps the labels that are there, and new images get theirs
            as before; "kept" does so too, and is "folder" for folders that are new.
        paths : sequence, optional
            The names of an array's rows, by default numbers. A name that is there already gets the
            new features.
        root : path, optional
            The folder that the `paths` of an array are files in. Those that exist are read, so that
            they are found again by content.
        space : str, optional
            The feature space of an array, which is refused if the gallery's is another.
        exclude, include : str or sequence of str, optional
            Patterns as in ``.gitignore`` of what to leave out of all folders, from now on, and of
            what to take after all; the latter decide where both match. What was added earlier and
            is left out now is removed, its files are not touched.
        embedder : Embedder, optional
            The model; by default the network that the gallery remembers, else GoogLeNet. The
            gallery remembers one that lies in a file.
        progress : None, True or callable(done, total)
            Counts the files that have to be read; True shows a bar on standard error.

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
            No model was found, or the network's file is missing or has changed.
        """
        sources = source_paths(source)
        if sources is None:
            if labels is not None and isinstance(labels, (str, os.PathLike)):
                raise TypeError(f"labels of an array must be one a row, got {labels!r}")
            if exclude or include:
                raise TypeError("exclude and include go with paths, source is an array")
            with self._guard:
                writer = self._writing()
                try:
                    rows = matrix(source)
                    report = add_rows(writer, self._view, rows, paths, labels, root, space)
                    report.notes += self._renew_indexes()
                    return report
                finally:
                    self._snapshot = None
        for argument, value in (("paths", paths), ("root", root), ("space", space)):
            if value is not None:
                raise TypeError(f"{argument} goes with an array, source is paths")

        def look(catalogue: Catalogue) -> Survey:
            return survey_sources(catalogue, sources, labels)

        return self._bring_in(look, exclude, include, embedder, progress)

    def update(
        self,
        *,
        exclude: str | Sequence[str] = (),
        include: str | Sequence[str] = (),
        embedder: Embedder | None = None,
        progress: Progress = None,
    ) -> Report:
        """Look at all folders and files again: what is new, changed, moved or gone.

        Folders that were added are listed anew; files that were added by name are looked at. A
        folder that is missing or has become empty may be a disk that is not mounted: its images
        stay and `failed` names it. `remove` removes them.

        Parameters
        ----------
        exclude, include, embedder, progress
            As for `add`.

        Returns
        -------
        Report
            What was done, as from `add`.
        """
        return self._bring_in(survey_again, exclude, include, embedder, progress)

    def change_patterns(
        self,
        *,
        exclude: str | Sequence[str] = (),
        include: str | Sequence[str] = (),
        drop: str | Sequence[str] = (),
    ) -> None:
        """Have patterns remembered or dropped; they count from the next `add` or `update` on.

        Parameters
        ----------
        exclude, include : str or several
            Patterns as for `add`.
        drop : str or several
            Patterns as `patterns` has them.

        Raises
        ------
        ValueError
            A pattern can match nothing, or one to drop is not the gallery's; nothing is changed.

        Examples
        --------
        >>> import tempfile
        >>> from lookalike import Gallery
        >>> with Gallery.create(tempfile.mkdtemp() + "/a.gallery") as gallery:
        ...     gallery.change_patterns(exclude=["*.gif", "raw/"])
        ...     gallery.change_patterns(drop="*.gif")
        ...     gallery.patterns
        [('exclude', 'raw/')]
        """
        with self._guard:
            note_patterns(self._writing().catalogue, exclude, include, drop)
            self.refresh()

    def _bring_in(
        self,
        look: Callable[[Catalogue], Survey],
        exclude: str | Sequence[str],
        include: str | Sequence[str],
        embedder: Embedder | None,
        progress: Progress,
    ) -> Report:
        def model() -> Embedder:
            found = embedder or self._embedder or default_model(writer.catalogue.network())
            writer.adopt(found.space, found.width, f"the model {found!r}", record_of(found))
            self._embedder = found
            return found

        with self._guard:
            writer = self._writing()
            name_roots(writer.catalogue)
            note_patterns(writer.catalogue, exclude, include)
            try:
                converted = self._convert(writer, look, embedder, progress)
                if embedder is not None:
                    model()  # refused before the work rather than in it
                survey = look(writer.catalogue)
                survey.report.notes.extend(without_effect(exclude, survey.report.left_out))
                report = bring_in(writer, survey, model, progress)
                if converted is not None:
                    report.removed += converted.removed
                    report.notes.append(converted.note)
                report.notes += self._renew_indexes()
                return report
            finally:
                writer.discard()  # what an error has left; what is finished is committed
                self._snapshot = None

    def _convert(
        self,
        writer: Writer,
        look: Callable[[Catalogue], Survey],
        embedder: Embedder | None,
        progress: Progress,
    ) -> Converted | None:
        """Take the gallery over to today's decoding, if it is of an earlier one of its model."""
        from lookalike.embedding.weights import ModelError

        if not was_decoded_otherwise(writer.catalogue):
            return None
        if writer.header.space is not None and writer.catalogue.has_files():
            try:
                model = embedder or self._embedder or default_model(writer.catalogue.network())
            except ModelError:  # raised below if there is something to embed
                return None
            if is_convertible(writer, model):
                self._embedder = model
                return convert(writer, model, look, progress)
            if writer.header.space != model.space:
                return None
        elif writer.header.rows:
            return None
        with writer.catalogue.transaction():
            writer.catalogue.set_decoding(DECODING)
        return None
