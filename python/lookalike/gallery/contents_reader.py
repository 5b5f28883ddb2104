"""What a gallery knows of its pictures beside features."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lookalike.gallery.storage import features_file

if TYPE_CHECKING:
    from lookalike.gallery.storage.records import ContentRecord
    from lookalike.gallery.storage.snapshot import Snapshot

__all__ = ["ContentsReader"]


class ContentsReader:
    """The part of a reader that says what is known of contents."""

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
