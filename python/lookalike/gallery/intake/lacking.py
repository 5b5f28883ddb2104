"""Looking at pictures again that the gallery has features of and nothing else.

They came as an array, or from a gallery of format 1, or their thumbnails were damaged.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from lookalike.gallery.intake.looks import Look, kept, look_at
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.photos import status
from lookalike.gallery.storage.writer import Writer
from lookalike.pictures.images import ImageError, read_image
from lookalike.system import processors

__all__ = ["lacking", "look_again", "thumbnail_of"]


class _Seen(NamedTuple):
    """What became of a content: `read` tells whether its file has it, and could be read."""

    read: bool
    look: Look | None = None


def lacking(writer: Writer) -> set[bytes]:
    """Return the hashes of contents of which facts or the thumbnail are missing."""
    missing = writer.catalogue.hashes_not_looked_at()
    if pictures := writer.catalogue.hashes_of_pictures():
        missing |= pictures - writer.thumbnails.hashes()
    return missing


def look_again(writer: Writer, wanted: set[bytes], on_progress: Callable[[int], object]) -> None:
    """Look at the contents that are lacking something, as far as their files are as recorded.

    Parameters
    ----------
    writer : Writer
        The gallery's; it commits what was seen while it goes on, so that it may be interrupted.
    wanted : set of bytes
        The hashes of the contents.
    on_progress : callable
        It is called with the number of contents done.
    """
    files = _files(writer.catalogue, wanted)
    threads = processors()
    running: deque[tuple[bytes, Future[_Seen]]] = deque()
    done = 0
    executor = ThreadPoolExecutor(threads, thread_name_prefix="lookalike-look")
    try:
        while True:
            while len(running) < 2 * threads and (found := next(files, None)) is not None:
                running.append((found[0], executor.submit(_see, *found)))
            if not running:
                break
            digest, future = running.popleft()
            seen = future.result()
            if seen.read:
                writer.note_content(*kept(digest, seen.look))
                writer.commit_if_due()
            done += 1
            on_progress(done)
    finally:
        executor.shutdown(cancel_futures=True)


def _files(catalogue: Catalogue, wanted: set[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield each of the contents with the paths of the files that had it and have not changed."""
    paths: dict[bytes, list[bytes]] = {}
    if wanted:
        for digest, path, size, mtime_ns in catalogue.files_by_content():
            if digest in wanted:
                paths.setdefault(digest, [])
                if _is_as_recorded(path, (size, mtime_ns)):
                    paths[digest].append(path)
    yield from paths.items()


def _is_as_recorded(path: bytes, expected: tuple[int, int]) -> bool:
    try:
        return status(path) == expected
    except OSError:
        return False


def _see(digest: bytes, paths: list[bytes]) -> _Seen:
    for path in paths:
        try:
            content = read_image(os.fsdecode(path))
        except ImageError:
            continue
        if hashlib.sha256(content).digest() == digest:
            return _Seen(True, look_at(content))
    return _Seen(False)


def thumbnail_of(path: bytes, digest: bytes) -> bytes | None:
    """Make the thumbnail of a file that has a content; None if it does not or is no picture."""
    found = _see(digest, [path]).look
    return None if found is None else found.thumbnail
