"""The part of a gallery that keeps it in order: what leaves it, what lies elsewhere, checks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from lookalike.gallery.indexed import IndexedGallery
from lookalike.progress import Progress

if TYPE_CHECKING:
    from lookalike.duplicates.choice import Rules
    from lookalike.duplicates.marks import Mark
    from lookalike.duplicates.result import Duplicates
    from lookalike.gallery.storage.catalogue import Catalogue
    from lookalike.gallery.upkeep.check import CheckReport
    from lookalike.gallery.upkeep.forget import Forgotten
    from lookalike.trash.moves import Outcome

__all__ = ["GalleryKeeper", "PathLike"]

PathLike: TypeAlias = "str | os.PathLike[str]"


class GalleryKeeper(IndexedGallery):
    """A gallery that can be written; `Gallery` adds what brings images in."""

    def close(self) -> None:
        """Let others write; arrays that were handed out stay valid."""
        self._closed = True
        with self._guard:  # what a thread is adding is finished first
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        super().close()

    def remove(self, paths: PathLike | Iterable[PathLike]) -> int:
        """Remove images, by a new generation of the features file; their files are not touched.

        A file that stays in a folder of which other images remain comes back with the next
        `update`; a folder of which no image remains is no longer looked at. `forget` does the same
        and says more.

        Parameters
        ----------
        paths : path or several
            Paths as `.paths` has them, or relative to the current folder; a folder stands for all
            images below it.

        Returns
        -------
        int
            How many images were removed.

        Raises
        ------
        GalleryError
            A path is not in the gallery; nothing is removed then.
        """
        return self.forget(paths).images

    def forget(self, paths: PathLike | Iterable[PathLike]) -> Forgotten:
        """Drop all that is kept of images, folders or files that failed; no file is touched.

        With them go hash, thumbnail and facts of contents that no image has any more, and what was
        decided about them.

        A folder below one that is looked at comes back with the next `update`, as long as its files
        are there; so does an image.

        Parameters
        ----------
        paths : path or several
            Paths as `.paths` has them, or relative to the current folder; a folder stands for all
            that is below it, and is no longer looked at.

        Returns
        -------
        Forgotten
            ``images`` and ``failures`` as numbers; ``folders``, those no longer looked at, and
            ``returning``, those of the paths that the next `update` finds again, as lists.

        Raises
        ------
        GalleryError
            Nothing is kept of a path; nothing is forgotten then.

        Examples
        --------
        >>> import tempfile
        >>> from lookalike import Gallery
        >>> folder = tempfile.mkdtemp()
        >>> with Gallery.create(folder + "/a.gallery", dim=2) as gallery:
        ...     report = gallery.add([[0, 1], [2, 2]], paths=["a", "b"])
        ...     gallery.forget("a").images, gallery.paths
        (1, ['b'])
        """
        from lookalike.gallery.upkeep.forget import forget

        given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        with self._guard:
            writer = self._writing()
            try:
                forgotten = forget(writer, self._view, [os.fsencode(path) for path in given])
                self._renew_indexes()
            finally:
                self._snapshot = None  # rows may have other numbers now, also after Ctrl-C
            return forgotten

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """What is left out of folders, beside the defaults: "exclude" or "include", and what."""
        return self._view.patterns()

    def trash(
        self,
        found: Duplicates,
        *,
        protect: Iterable[PathLike] = (),
        outcome: Outcome | None = None,
        progress: Progress = None,
    ) -> Outcome:
        """Move duplicates that may go to the system's trash, with side-cars that are theirs alone.

        Each file and the one that stays are looked at and read just before: what is not as it was
        indexed, a link, a second name of the other or the last of its kind is left and named. What
        has gone leaves the gallery. Each move is in the gallery's journal before it is made, and
        `undo` brings back what was moved together, also if the process was killed.

        Parameters
        ----------
        found : Duplicates
            What `find_duplicates` has just returned.
        protect : paths, optional
            Folders of which nothing is moved.
        outcome : Outcome, optional
            Filled on the way, so that after Ctrl-C it tells how far this got.
        progress : None, True or callable(done, total)
            Counts the files.

        Returns
        -------
        Outcome
            ``moved``, paths; ``bytes``, their size together; ``left``, a list of (path, reason).

        Raises
        ------
        GalleryError
            The gallery is read-only, or has changed since.
        OSError
            There is no trash; nothing has been moved.
        """
        from lookalike.gallery.upkeep.trash import removals_of, trash_files
        from lookalike.trash.moves import Outcome

        outcome = outcome or Outcome()
        folders = [
            name(os.fsdecode(each))
            for each in protect
            for name in (os.path.abspath, os.path.realpath)
        ]
        with self._guard:
            removals = list(removals_of(self._view, found))
            try:
                trash_files(self._writing(), removals, folders, outcome, progress)
                self._renew_indexes()
            finally:
                self._snapshot = None
        return outcome

    def undo(self, *, outcome: Outcome | None = None, progress: Progress = None) -> Outcome:
        """Bring back the files that were moved to the trash together last.

        They are found by the trash's own records and known by their content. Nothing is
        overwritten; what cannot be brought back is named. The next `update` takes them into the
        gallery again.

        Parameters
        ----------
        outcome, progress
            As for `trash`.

        Returns
        -------
        Outcome
            As from `trash`; nothing in it if nothing has been moved.
        """
        from lookalike.gallery.upkeep.trash import undo_trash
        from lookalike.trash.moves import Outcome

        outcome = outcome or Outcome()
        with self._guard:
            try:
                undo_trash(self._writing(), outcome, progress)
            finally:
                self._snapshot = None
        return outcome

    def note_different(self, one: PathLike, other: PathLike) -> bool:
        """Remember of two files, by their contents, that they are not the same picture.

        `note_same` takes it back.

        Returns
        -------
        bool
            False if that is known already.

        Raises
        ------
        ValueError
            They have the same content.
        OSError
            One cannot be read.
        """
        from lookalike.gallery.upkeep.trash import note_different

        return self._about_two(note_different, one, other)

    def note_same(self, one: PathLike, other: PathLike) -> bool:
        """Take back what `note_different` remembers of two files' contents.

        Whether they are the same picture is for `find_duplicates` to find out again.

        Returns
        -------
        bool
            False if nothing was remembered of the two.

        Raises
        ------
        ValueError
            They have the same content.
        OSError
            One cannot be read.
        """
        from lookalike.gallery.upkeep.trash import take_back_different

        return self._about_two(take_back_different, one, other)

    def mark(self, marks: Mapping[tuple[str, str], Mark | None]) -> None:
        """Mark files to "keep" or to "remove", by path and SHA-256 in hexadecimal.

        None takes a mark back. A mark moves nothing; it goes with the file's content, and means
        nothing once that is another.
        """
        from lookalike.gallery.upkeep.marks import note_marks

        with self._guard:
            try:
                note_marks(self._writing().catalogue, marks)
            finally:
                self._snapshot = None

    def note_rules(self, rules: Rules) -> None:
        """Remember by which rules duplicates are judged that nobody has marked."""
        from lookalike.gallery.upkeep.marks import note_rules

        with self._guard:
            try:
                note_rules(self._writing().catalogue, rules)
            finally:
                self._snapshot = None

    def _about_two(
        self, decide: Callable[[Catalogue, bytes, bytes], bool], one: PathLike, other: PathLike
    ) -> bool:
        """Have something decided about the contents of two files."""
        digests = _two_contents(one, other)
        with self._guard:
            try:
                return decide(self._writing().catalogue, *digests)
            finally:
                self._snapshot = None

    def compact(self) -> bool:
        """Remove dead rows, which a killed writer may have left; return False if there are none.

        The files become as small as they can be.
        """
        with self._guard:
            writer = self._writing()
            try:
                switched = writer.switch()
                writer.drop_unused()
                writer.shrink()
                self._renew_indexes()
            finally:
                self._snapshot = None
            return switched

    def relocate(self, old: PathLike, new: PathLike) -> int:
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
        from lookalike.gallery.upkeep.relocate import relocate

        with self._guard:
            names = [os.fsencode(name(old)) for name in (os.path.abspath, os.path.realpath)]
            known = [
                name
                for name in names
                if any(path.startswith(os.path.join(name, b"")) for path in self._view.byte_paths)
            ]
            moved = relocate(
                self._writing().catalogue,
                [*known, *names][0],
                os.fsencode(os.path.realpath(new)),
            )
            self.refresh()
            return moved

    def check(self, *, repair: bool = False, progress: Progress = None) -> CheckReport:
        """Check all rows and files; `check_gallery` does so for a gallery that cannot be opened."""
        from lookalike.gallery.upkeep.check import check_gallery

        with self._guard:
            writing = self._writer is not None
            if repair:
                self._check_writable()
                if self._writer is not None:  # a lock that check_gallery takes itself
                    self._writer.close()
                    self._writer = None
            report = check_gallery(self._path, repair=repair, progress=progress)
            if writing:
                self._writing()
            self.refresh()
            return report

    def export(self, path: str | os.PathLike[str], *, parquet: bool = False) -> list[str]:
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
        from lookalike.gallery.upkeep.export import export

        return export(self, os.fsdecode(path), parquet)


def _two_contents(one: PathLike, other: PathLike) -> tuple[bytes, bytes]:
    """Return the SHA-256 of two files' contents, which must differ."""
    digests = []
    for path in (one, other):
        with open(path, "rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").digest())
    if digests[0] == digests[1]:
        raise ValueError(f"{os.fsdecode(one)} and {os.fsdecode(other)} have the same content")
    return digests[0], digests[1]
