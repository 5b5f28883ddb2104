"""The catalogue of a gallery: an SQLite database of what each row of features belongs to.

Writers change it in transactions with a rollback journal. Readers copy it into memory in one read
transaction and hold no lock after that, so that they never keep a writer waiting and see one state
however long they look at it.

All that is asked of it or changed in it has a name here; no other room speaks SQL.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Self

from lookalike.gallery.storage.catalogue_checksums import Checksums
from lookalike.gallery.storage.catalogue_contents import Contents
from lookalike.gallery.storage.catalogue_file import (
    FORMAT,
    Damaged,
    checked_format,
    connect,
    migrate,
    naming,
)
from lookalike.gallery.storage.catalogue_journal import Journal
from lookalike.gallery.storage.catalogue_salvage import Salvaged
from lookalike.gallery.storage.catalogue_settings import Settings
from lookalike.gallery.storage.connection import Connection
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import Label, label_from_stored, stored_label
from lookalike.gallery.storage.records import FailureRecord, Header, ImageRecord, PutRecord

__all__ = ["Catalogue"]


class Catalogue(Checksums, Contents, Journal, Settings):
    """An open catalogue, which is a writer's file or a reader's copy in memory.

    Attributes
    ----------
    format : int
        The format of the file, which a reader's copy is of no longer.
    """

    format = FORMAT

    @classmethod
    def create(cls, path: str, dim: int, space: str | None, decoding: str | None) -> None:
        """Write the catalogue of an empty gallery to a new file."""
        with naming(path), contextlib.closing(connect(path, "rwc")) as connection:
            migrate(connection, 0)
            connection.execute(
                "INSERT INTO gallery VALUES (1, ?, ?, 0, 0, ?)", (dim, space, decoding)
            )

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a catalogue to write; one of an older format is migrated.

        Raises
        ------
        GalleryError
            It is missing, no catalogue, damaged, of a newer format, or locked for long.
        """
        with naming(path):
            connection = connect(path, "rw")
            try:
                migrate(connection, checked_format(connection, path))
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @classmethod
    def snapshot(cls, path: str) -> Self:
        """Copy a catalogue into memory; it need not be writable.

        Raises
        ------
        GalleryError
            As for `open`.
        """
        copy = sqlite3.connect(
            ":memory:", check_same_thread=False, isolation_level=None, factory=Connection
        )
        try:
            with naming(path), contextlib.closing(connect(path, "rw")) as connection:
                connection.execute("BEGIN")
                # This takes the lock, which backup() would not wait for.
                checked_format(connection, path)
                connection.backup(copy)
            with naming(path):
                migrate(copy, version := checked_format(copy, path))
        except BaseException:
            copy.close()
            raise
        opened = cls(copy, path)
        opened.format = version
        return opened

    # What the gallery holds

    def header(self) -> Header:
        """Return the gallery's width, space, generation and committed rows."""
        found = self._select("SELECT dim, space, generation, rows FROM gallery")
        lost = "SELECT 1 FROM images WHERE root NOT IN (SELECT id FROM roots) LIMIT 1"
        with naming(self.path):
            if not found:
                raise Damaged("it does not say what the gallery holds")
            if found[0][0] < 1 or min(found[0][2:]) < 0:
                raise Damaged(f"it says that the gallery holds {found[0]}")
            if self._select(lost) or self._select(lost.replace("images", "failures")):
                raise Damaged("an image in it has no root")
        return Header(*found[0])

    def decoding(self) -> str | None:
        """Return which rules of decoding the features are of, None for those of format 1."""
        ((found,),) = self._select("SELECT decoding FROM gallery")
        value: str | None = found
        return value

    def size(self) -> tuple[int, int | None]:
        """Return how many images there are, and the last row that one of them has."""
        ((count, last),) = self._select("SELECT count(*), max(row) FROM images")
        return count, last

    def images(self) -> list[ImageRecord]:
        """Return all images."""
        found = self._select("SELECT row, root, path, label, size, mtime_ns, hash FROM images")
        return [ImageRecord(*each)._replace(label=label_from_stored(each[3])) for each in found]

    def rows(self) -> list[int]:
        """Return the rows of the images, ascending."""
        return self.column("row")

    def column(self, name: str) -> list[Any]:
        """Return a column of the images' table, in the order of their rows."""
        found = [value for (value,) in self._select(f"SELECT {name} FROM images ORDER BY row")]
        return [label_from_stored(value) for value in found] if name == "label" else found

    def places(self) -> list[tuple[int, bytes]]:
        """Return root and relative path of all images, in the order of their rows."""
        return self._select("SELECT root, path FROM images ORDER BY row")

    def place_and_label(self, row: int) -> tuple[int, bytes, Label]:
        """Return root, relative path and label of the image of a row."""
        (found,) = self._select("SELECT root, path, label FROM images WHERE row = ?", (row,))
        root, path, label = found
        return root, path, label_from_stored(label)

    def rows_with_hash(self, digest: bytes) -> list[int]:
        """Return the rows of the images whose file has this content."""
        found = self._select("SELECT row FROM images WHERE hash = ?", (digest,))
        return [row for (row,) in found]

    def path_of(self, row: int) -> bytes:
        """Return the absolute path of the image of a row, or the name that it has instead."""
        ((root, path),) = self._select(
            "SELECT roots.path, images.path FROM images JOIN roots ON id = root WHERE row = ?",
            (row,),
        )
        whole: bytes = os.path.join(root, path)
        return whole

    def files(self) -> list[tuple[bytes, int, int]]:
        """Return absolute path, size and mtime_ns of all images that are files."""
        found = self._select(
            "SELECT roots.path, images.path, size, mtime_ns FROM images JOIN roots ON id = root "
            "WHERE size IS NOT NULL ORDER BY row"
        )
        return [(os.path.join(root, path), size, time) for root, path, size, time in found]

    def roots(self) -> list[tuple[int, bytes]]:
        """Return numbers and absolute paths of the roots; number 0, of names, has an empty one."""
        return self._select("SELECT id, path FROM roots ORDER BY id")

    def scanned_roots(self) -> list[tuple[bytes, bool]]:
        """Return the folders to look through, inner ones first; True: folders are labels there."""
        return [
            (path, bool(folder_labels))
            for path, folder_labels in self._select(
                "SELECT path, folder_labels FROM roots WHERE scanned ORDER BY length(path) DESC"
            )
        ]

    def failures(self) -> list[FailureRecord]:
        """Return the files that could not be used, by root and path."""
        found = self._select(
            "SELECT root, path, size, mtime_ns, decoders, reason FROM failures ORDER BY root, path"
        )
        return [FailureRecord(*each) for each in found]

    def integrity(self) -> str:
        """Return ``"ok"``, or what SQLite finds wrong with the file."""
        return str(self._select("PRAGMA integrity_check(1)")[0][0])

    # Changes, each for the inside of a transaction

    def put_images(self, images: Iterable[PutRecord]) -> None:
        """Add images, or give those that are there other features; none counts as failed now."""
        images = list(images)
        self._change_all(
            "INSERT INTO images (row, root, path, label, size, mtime_ns, hash, crc) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root, path) DO UPDATE SET "
            "row = excluded.row, label = excluded.label, size = excluded.size, "
            "mtime_ns = excluded.mtime_ns, hash = excluded.hash, crc = excluded.crc",
            [image._replace(label=stored_label(image.label)) for image in images],
        )
        self._change_all(
            "DELETE FROM failures WHERE root = ? AND path = ?",
            [(image.root, image.path) for image in images],
        )

    def remove_image(self, row: int) -> None:
        """Remove the image of a row."""
        self._change("DELETE FROM images WHERE row = ?", row)

    def set_label(self, row: int, label: Label) -> None:
        """Give the image of a row another label."""
        self._change("UPDATE images SET label = ? WHERE row = ?", stored_label(label), row)

    def set_file(self, row: int, size: int, mtime_ns: int, label: Label) -> None:
        """Note that an image's file has been touched, its content as before."""
        self._change(
            "UPDATE images SET size = ?, mtime_ns = ?, label = ? WHERE row = ?",
            *(size, mtime_ns, stored_label(label), row),
        )

    def move_image(self, image: ImageRecord) -> None:
        """Note that the image of a row has another root, path, size, time or label."""
        self._change(
            "UPDATE images SET root = ?, path = ?, size = ?, mtime_ns = ?, label = ? WHERE row = ?",
            *(image.root, image.path, image.size, image.mtime_ns, stored_label(image.label)),
            image.row,
        )

    def note_failure(self, failure: FailureRecord) -> None:
        """Note that a file could not be used, in the place of what was noted of it before."""
        self._change("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)", *failure)

    def forget_failure(self, root: int, path: bytes) -> None:
        """Take back that a file could not be used."""
        self._change("DELETE FROM failures WHERE root = ? AND path = ?", root, path)

    def note_root(self, path: bytes, scanned: bool, folder_labels: bool | None) -> int:
        """Return the number of a root, noted if it is new; None leaves its labels as they were."""
        self._change(
            "INSERT INTO roots (path, scanned, folder_labels) VALUES (?, ?, ifnull(?, 0)) "
            "ON CONFLICT (path) DO UPDATE SET scanned = scanned OR excluded.scanned, "
            "folder_labels = ifnull(?, folder_labels)",
            *(path, scanned, folder_labels, folder_labels),
        )
        return int(self._select("SELECT id FROM roots WHERE path = ?", (path,))[0][0])

    def rename_root(self, root: int, path: bytes) -> None:
        """Let a root have another name; where that is a root already, the two become one."""
        if not (same := self._select("SELECT id FROM roots WHERE path = ?", (path,))):
            self.place_root(root, path)
            return
        for table in ("images", "failures"):
            self._change(f"UPDATE OR IGNORE {table} SET root = ? WHERE root = ?", same[0][0], root)
            self._change(f"DELETE FROM {table} WHERE root = ?", root)  # what was there twice
        for wish in ("scanned", "folder_labels"):
            self._change(
                f"UPDATE roots SET {wish} = {wish} OR (SELECT {wish} FROM roots WHERE id = ?) "
                "WHERE id = ?",
                *(root, same[0][0]),
            )
        self._change("DELETE FROM roots WHERE id = ?", root)

    def forget_empty_roots(self, roots: Iterable[int]) -> None:
        """Forget those of the roots that have no image, and the failures below them."""
        given = [(root,) for root in roots if root != 0]
        for table, column in (("failures", "root"), ("roots", "id")):
            self._change_all(
                f"DELETE FROM {table} WHERE {column} = ? "
                f"AND {column} NOT IN (SELECT root FROM images)",
                given,
            )

    def set_space(self, space: str) -> None:
        """Note which feature space the gallery is of."""
        self._change("UPDATE gallery SET space = ?", space)

    def set_decoding(self, decoding: str) -> None:
        """Note by which rules all photos of the gallery are decoded."""
        self._change("UPDATE gallery SET decoding = ?", decoding)

    def set_rows(self, rows: int) -> None:
        """Note how many rows of the features file are committed."""
        self._change("UPDATE gallery SET rows = ?", rows)

    def switch(self, generation: int, keep: Sequence[int]) -> None:
        """Go over to a features file that holds the rows `keep`, ascending, of the one before."""
        kept = set(keep)
        dropped = [(row,) for row in self.rows() if row not in kept]
        moved = [(i, row) for i, row in enumerate(keep) if i != row]
        self._change_all("DELETE FROM images WHERE row = ?", dropped)
        # Ascending, and never upwards: no row gets a number that is still taken.
        self._change_all("UPDATE images SET row = ? WHERE row = ?", moved)
        self._change("UPDATE gallery SET generation = ?, rows = ?", generation, len(keep))
        self.forget_unused_contents()

    def convert(
        self, generation: int, space: str, decoding: str, images: Sequence[tuple[ImageRecord, int]]
    ) -> None:
        """Go over to the features of another space, which are one row for each of the images.

        Parameters
        ----------
        generation : int
            That of the file that holds them.
        space, decoding : str
            What they are of.
        images : sequence of (ImageRecord, int)
            What stays, as it is from now on but for the number of its row, ascending by that; and
            the checksums of its features.
        """
        self.switch(generation, [image.row for image, _ in images])
        self._change_all(
            "UPDATE images SET size = ?, mtime_ns = ?, hash = ?, crc = ? WHERE row = ?",
            (
                (image.size, image.mtime_ns, image.hash, crc, row)
                for row, (image, crc) in enumerate(images)
            ),
        )
        self.set_space(space)
        self.set_decoding(decoding)
        self.forget_unused_contents()

    def count_below(self, root: int, part: bytes) -> int:
        """Count the images of a root whose relative path begins with `part`."""
        ((count,),) = self._select(
            "SELECT count(*) FROM images WHERE root = ? AND substr(path, 1, ?) = ?",
            (root, len(part), part),
        )
        return int(count)

    def split_root(self, root: int, part: bytes, path: bytes) -> None:
        """Make a root of its own, at `path`, of what lies below folder `part` of another."""
        self._change(
            "INSERT INTO roots (path, scanned, folder_labels) "
            "SELECT x'00', scanned, 0 FROM roots WHERE id = ?",
            root,
        )
        ((target,),) = self._select("SELECT last_insert_rowid()")
        for table in ("images", "failures"):
            self._change(
                f"UPDATE {table} SET root = ?, path = substr(path, ? + 1) "
                "WHERE root = ? AND substr(path, 1, ?) = ?",
                *(target, len(part), root, len(part), part),
            )
        self.place_root(target, path)

    def place_root(self, root: int, path: bytes) -> None:
        """Let a root lie elsewhere.

        Raises
        ------
        GalleryError
            Another root lies there.
        """
        try:
            with self._lock:
                self._connection.execute("UPDATE roots SET path = ? WHERE id = ?", (path, root))
        except sqlite3.IntegrityError:
            raise GalleryError(
                f"{os.fsdecode(path)} is a folder of the gallery already; `add` it, and what is "
                "the same there is found by its content"
            ) from None

    def restore(self, saved: Salvaged) -> None:
        """Fill an empty catalogue with whole rows of a damaged one's tables."""
        header = saved.header
        self._change("UPDATE gallery SET generation = ?, rows = ?", header.generation, header.rows)
        for table, rows in {"roots": saved.roots, "images": saved.images, **saved.others}.items():
            if rows:
                places = ", ".join("?" * len(rows[0]))
                self._change_all(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)
