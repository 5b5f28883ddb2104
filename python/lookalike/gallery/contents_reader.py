"""What a gallery knows beside features, which pictures are the same, and what Dask takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from lookalike.distance.metrics import AnyMetric, Parameters
from lookalike.gallery.storage import features_file

if TYPE_CHECKING:
    import dask.array as da

    from lookalike.duplicates import Duplicates, Rules
    from lookalike.duplicates.marks import Mark
    from lookalike.gallery.storage.records import ContentRecord
    from lookalike.gallery.storage.snapshot import Snapshot
    from lookalike.gallery.upkeep.duplicates import Compared
    from lookalike.gallery.upkeep.trash import Batch
    from lookalike.progress import Progress

__all__ = ["ContentsReader"]


class ContentsReader:
    """The part of a reader that says what is known of contents."""

    _path: str

    @property
    def _view(self) -> Snapshot:
        """The state that the reader sees."""
        raise NotImplementedError

    def row_identity(self) -> str:
        """Return which image stands in which row, in short: rows of equal ones mean the same.

        Another word of a label or a decision does not change it, another image does.
        """
        view = self._view
        folder = os.path.dirname(view.catalogue.path)
        file = os.stat(features_file.file_path(folder, view.header.generation))
        said = (folder, view.header, view.count, file.st_ino, file.st_ctime_ns)
        return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=6).hexdigest()

    def images_digest(self) -> str:
        """Return a checksum of all that is known of the images, whatever was decided of them."""
        return self._view.catalogue.digest(("roots", "images", "contents"))

    def content_columns(self, names: Sequence[str]) -> list[list[Any]]:
        """Return what is known of all images' contents, a list for each column of `facts`."""
        return [self._view.content_column(name) for name in names]

    def facts(self, row: int) -> ContentRecord | None:
        """Return what is known of an image's content, None if nothing is.

        Parameters
        ----------
        row : int
            The image's position.

        Returns
        -------
        ContentRecord or None
            ``hash`` (SHA-256) and ``phash`` (perceptual hash) as bytes, ``width`` and ``height`` as
            it is shown, ``format``, ``taken`` and ``camera``; None where the file does not say.
        """
        digest = self._view.digest_at(row)
        return None if digest is None else self._view.catalogue.content(digest)

    def to_dask(self, rows: int = 16384) -> da.Array:
        """Return the features as a Dask array, which `lookalike.dask` finds neighbours in.

        Its tasks read them from the gallery's file, which a later `compact` or `remove` may
        replace: then the computation is an error, and the array is to be asked for again.

        Parameters
        ----------
        rows : int
            Rows in a chunk.

        Returns
        -------
        (n, dim) dask.array.Array of float32

        Raises
        ------
        ImportError
            Dask is missing: ``pip install 'lookalike[dask]'``.
        ValueError
            `rows` is below 1.

        Examples
        --------
        >>> import tempfile, numpy as np, lookalike as la
        >>> path = tempfile.mkdtemp() + "/photos.gallery"
        >>> with la.Gallery.import_features(path, np.eye(4, 3)) as gallery:
        ...     gallery.to_dask(rows=2).chunks
        ((2, 2), (3,))
        """
        from lookalike.gallery.dask_features import as_dask

        if rows < 1:
            raise ValueError(f"rows must be at least 1, got {rows}")
        return as_dask(os.path.abspath(self._path), self._view, rows)

    def thumbnail(self, row: int, *, make: bool = True) -> bytes | None:
        """Return an image's thumbnail, a WebP file whose long side is at most 256 pixels.

        One that is not kept is made of the image's file, as long as that is as it was.

        Parameters
        ----------
        row : int
            The image's position.
        make : bool
            Whether one that is not kept is made.

        Returns
        -------
        bytes or None
            None for rows that are not files, and files that are gone or have changed.
        """
        from lookalike.gallery.intake.lacking import thumbnail_of

        view = self._view
        digest = view.digest_at(row)
        if digest is None:
            return None
        kept = view.thumbnails([digest]).get(digest)
        return thumbnail_of(view.byte_paths[row], digest) if kept is None and make else kept

    def find_duplicates(
        self,
        *,
        exact: bool = False,
        threshold: float | None = None,
        metric: AnyMetric | None = None,
        rules: Rules | None = None,
        progress: Progress = None,
        comparing: Progress = None,
        among: Sequence[int] | None = None,
        compared: Compared | None = None,
        **parameters: Unpack[Parameters],
    ) -> Duplicates:
        """Find the groups of images that are the same picture, with all that the gallery knows.

        Parameters
        ----------
        exact : bool
            Whether only files with the same content are taken.
        threshold, metric, rules, **parameters
            As for :func:`lookalike.find_duplicates`; None stands for its defaults. Its threshold
            is Bray-Curtis's: another metric needs one of its own.
        progress, comparing : None, True or callable(done, total)
            Count the images searched for links, and the pairs of pictures that are then compared.
        among : sequence of int, optional
            The rows that are searched; all by default.
        compared : dict, optional
            What comparing the pictures of two contents has found: read and filled, so that it is
            not done again for other rules.

        Returns
        -------
        Duplicates
            Its ``remove`` holds what has the content of an image that stays, or was compared with
            one and found to be the same picture and no better a file. Nothing is removed.

        Raises
        ------
        ValueError
            As for :func:`lookalike.find_duplicates`.
        """
        from lookalike.gallery.upkeep.duplicates import duplicates_in

        return duplicates_in(
            self._view,
            exact=exact,
            threshold=threshold,
            metric=metric,
            rules=rules,
            progress=progress,
            comparing=comparing,
            among=among,
            compared=compared,
            parameters=parameters,
        )

    @property
    def marks(self) -> dict[tuple[str, str], Mark]:
        """What a person has marked, "keep" or "remove", by path and SHA-256 in hexadecimal."""
        from lookalike.gallery.upkeep.marks import marks_in

        return marks_in(self._view)

    @property
    def rules(self) -> Rules:
        """The rules that `note_rules` has noted, by which unmarked duplicates are judged."""
        from lookalike.gallery.upkeep.marks import rules_in

        return rules_in(self._view)

    @property
    def different(self) -> set[frozenset[str]]:
        """Pairs of contents, SHA-256 in hexadecimal, that are said to be different pictures."""
        return {
            frozenset((each.hash.hex(), each.other.hex()))
            for each in self._view.decisions("different")
            if each.state == "done" and each.other is not None
        }

    @property
    def batches(self) -> list[Batch]:
        """What lies in the trash, by what was moved together; `undo` brings back the first."""
        from lookalike.gallery.upkeep.trash import batches_in

        return batches_in(self._view)
