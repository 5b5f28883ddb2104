"""Taking a gallery over to how photos are decoded today.

All of its photos are embedded anew. Their features wait beside the gallery, which goes over to them
at one moment, once there are some for every image: what readers see is of one decoding throughout.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.gallery.intake.looks import kept, noted, seen
from lookalike.gallery.intake.survey import Survey, decoders, survey_again
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.records import FailureRecord, ImageRecord
from lookalike.gallery.storage.writer import Writer
from lookalike.pictures import DECODING
from lookalike.pictures.images import ImageError, read_image
from lookalike.pictures.picture import Noted
from lookalike.progress import Progress, reporting

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder

__all__ = ["Converted", "convert", "is_convertible", "was_decoded_otherwise"]


class Converted(NamedTuple):
    """What a conversion did.

    Attributes
    ----------
    removed : int
        Images whose file is gone.
    note : str
        The rest, in one line.
    """

    removed: int
    note: str


def was_decoded_otherwise(catalogue: Catalogue) -> bool:
    """Tell whether the gallery's photos may have been decoded by other rules than today's."""
    return catalogue.decoding() != DECODING


def is_convertible(writer: Writer, model: Embedder) -> bool:
    """Tell whether the gallery's features are this model's, by an earlier decoding."""
    earlier = getattr(model, "earlier_spaces", ())
    return model.width == writer.header.dim and writer.header.space in earlier


def convert(
    writer: Writer,
    model: Embedder,
    look: Callable[[Catalogue], Survey],
    progress: Progress,
) -> Converted:
    """Convert a gallery; what was done before Ctrl-C or a kill is not done again.

    Parameters
    ----------
    writer : Writer
        The gallery's.
    model : Embedder
        The network that its features are from.
    look : callable(catalogue)
        A function that surveys what is to be added afterwards: files that were moved are found
        there.
    progress : None, True or callable(done, total)
        Counts the contents that have to be embedded.

    Raises
    ------
    GalleryError
        Some images cannot be embedded now and are not known to be gone; the gallery is as it was.
    """
    catalogue = writer.catalogue
    if strangers := sum(image.hash is None for image in catalogue.images()):
        raise GalleryError(
            f"{writer.folder} is of an earlier version, which decoded photos otherwise, and "
            f"{strangers:,} of its images are no files that could be embedded anew: it can be "
            "searched but not added to; `lookalike forget` them, or make a new gallery"
        )
    waiting = writer.begin_conversion(model.space)
    run = _Conversion(writer, [survey_again(catalogue), look(catalogue)], waiting.hashes())
    run.require_what_is_away()
    writer.begin()
    try:
        with reporting(progress, run.total, "converting") as report:
            results = model.embed_iter(run.contents())
            with contextlib.closing(results):
                for _, result in results:
                    run.embedded(result)
                    report(min(len(run.done), run.total))
    except BaseException:
        with contextlib.suppress(GalleryError):
            writer.commit()
        raise
    writer.commit()
    return run.finish(model.space)


class _Conversion:
    """The images of a gallery, on their way through the model.

    Attributes
    ----------
    done : set of bytes
        The hashes of the contents whose features wait, or are on their way there.
    total : int
        How many contents there are.
    """

    def __init__(self, writer: Writer, surveys: list[Survey], done: set[bytes]) -> None:
        self._writer = writer
        self._known = surveys[0].known
        self._away = _away(surveys[0])
        self._gone = {path for path in surveys[0].gone if path in self._known}
        self._candidates = {each.path: each for one in surveys for each in one.candidates}
        self._renewed: dict[bytes, ImageRecord] = {}
        self._failed: dict[bytes, str] = {}
        self._in_work: deque[tuple[bytes, Noted]] = deque()
        self.done = done
        self.total = len({image.hash for image in self._known.values()} | done)

    def require_what_is_away(self) -> None:
        """Raise GalleryError if images are away whose features can come from nowhere else.

        To find that out at the end would be hours later.
        """
        away = set(self._away)
        can_come = self.done | {
            image.hash for path, image in self._known.items() if path not in away
        }
        self._refuse([path for path in self._away if self._known[path].hash not in can_come])

    def _refuse(self, blocked: list[bytes]) -> None:
        if blocked:
            raise GalleryError(
                f"{self._writer.folder} is of an earlier version, which decoded photos otherwise; "
                f"it is converted once all its files can be read, and {len(blocked):,} cannot, "
                f"such as {os.fsdecode(blocked[0])}: bring them back, or `lookalike forget` them. "
                "What is done is kept"
            )

    def contents(self) -> Iterator[bytes]:
        """Read the files whose features are wanted; yield each content once."""
        changed = [each for path, each in self._candidates.items() if path in self._known]
        new = [each for path, each in self._candidates.items() if path not in self._known]
        for candidate in changed:
            if (content := _read(candidate.path)) is not None:
                digest = hashlib.sha256(content).digest()
                self._renewed[candidate.path] = self._known[candidate.path]._replace(
                    size=candidate.size, mtime_ns=candidate.mtime_ns, hash=digest
                )
                yield from self._unless_done(digest, content)
        lost = {self._known[path].hash for path in self._gone} - self.done
        for candidate in new if lost else []:  # which may be where they are now
            if (content := _read(candidate.path)) is not None:
                digest = hashlib.sha256(content).digest()
                if digest in lost:
                    yield from self._unless_done(digest, content)
        for path, image in self._known.items():
            if path in self._gone or path in self._renewed or image.hash in self.done:
                continue
            if (content := _read(path)) is not None:
                digest = hashlib.sha256(content).digest()
                if digest == image.hash:
                    yield from self._unless_done(digest, content)

    def _unless_done(self, digest: bytes, content: bytes) -> Iterator[bytes]:
        if digest not in self.done:
            self.done.add(digest)
            self._in_work.append((digest, noted(content)))
            yield self._in_work[-1][1]

    def embedded(self, result: npt.NDArray[np.float32] | ImageError) -> None:
        """Take the model's answer for the oldest content in work."""
        digest, content = self._in_work.popleft()
        if isinstance(result, ImageError):
            self._failed[digest] = result.reason
            return
        self._writer.note_content(*kept(digest, seen(content)))
        self._writer.put_converted(digest, result)

    def finish(self, space: str) -> Converted:
        """Let the gallery go over to what waits, if that is all that it needs."""
        stay, blocked, removed = [], [], 0
        failures: list[FailureRecord] = []
        for path, known in self._known.items():
            image = self._renewed.get(path, known)
            assert image.hash is not None
            assert image.size is not None
            assert image.mtime_ns is not None
            if image.hash in self._failed:
                reason = self._failed[image.hash]
                file = image.root, image.path, image.size, image.mtime_ns
                failures.append(FailureRecord(*file, decoders(), reason))
            elif image.hash in self.done:
                stay.append(image)
            elif path in self._gone:
                removed += 1
            else:
                blocked.append(path)
        self._refuse(blocked)
        stay.sort(key=lambda image: image.row)
        self._writer.finish_conversion(stay, space)
        for failure in failures:
            self._writer.change(Catalogue.note_failure, failure)
        self._writer.commit()
        count = f"{len(stay):,} image{'' if len(stay) == 1 else 's'}"
        return Converted(
            removed,
            f"photos are decoded otherwise than by the version that made the gallery: {count} "
            f"{'has' if len(stay) == 1 else 'have'} been embedded anew",
        )


def _away(survey: Survey) -> list[bytes]:
    """Return the known images that cannot be read for now, as those on a disk that is away."""
    failed = {os.fsencode(path) for path, _ in survey.report.failed}
    inside = tuple(os.path.join(folder, b"") for folder in survey.missing)
    return [path for path in survey.known if path in failed or path.startswith(inside)]


def _read(path: bytes) -> bytes | None:
    try:
        return read_image(os.fsdecode(path))
    except ImageError:
        return None
