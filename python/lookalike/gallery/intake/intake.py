"""From files to rows of a gallery.

Each file is read once. Its hash tells whether its features are known already, under this name or
another; if they are not, the same bytes are decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.gallery.intake.lacking import lacking, look_again
from lookalike.gallery.intake.looks import kept, noted, seen
from lookalike.gallery.intake.report import Report
from lookalike.gallery.intake.roots import forget_gone_roots, still_missing
from lookalike.gallery.intake.survey import Candidate, Survey, decoders
from lookalike.gallery.storage.catalogue import Catalogue
from lookalike.gallery.storage.errors import GalleryError
from lookalike.gallery.storage.photos import PhotoFile
from lookalike.gallery.storage.records import FailureRecord, ImageRecord
from lookalike.gallery.storage.writer import Writer
from lookalike.pictures.images import ImageError, read_image
from lookalike.pictures.picture import Noted
from lookalike.progress import Progress, reporting

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder

__all__ = ["bring_in"]


def bring_in(
    writer: Writer, survey: Survey, embedder: Callable[[], Embedder], progress: Progress
) -> Report:
    """Bring the gallery up to what a survey found; Ctrl-C leaves what is finished committed.

    Parameters
    ----------
    writer : Writer
        The gallery's.
    survey : Survey
        What there is to do.
    embedder : callable
        A function that returns the model; it is called only if there is something to embed.
    progress : None, True or callable(done, total)
        Counts the files that have to be read.
    """
    for root in survey.new_roots:
        writer.note_root(root.path, scanned=root.scanned, folder_labels=root.folder_labels)
    run = _Run(writer, survey)
    writer.begin()
    try:
        again = lacking(writer)
        total = len(survey.candidates) + len(again)
        with reporting(progress, total, "images") as report:
            run.on_progress = report
            run.settle_what_was_not_read()
            contents = run.unknown_contents()
            first = next(contents, None)
            if first is not None:
                model = embedder()
                results = model.embed_iter(itertools.chain([first], contents))
                with contextlib.closing(results):
                    for _, result in results:
                        run.embedded(result)
            look_again(writer, again, lambda done: report(len(survey.candidates) + done))
    except BaseException:
        with contextlib.suppress(GalleryError):
            writer.commit()
        raise
    writer.commit()
    run.report.removed += len(run.gone)
    writer.switch([image.row for image in run.gone.values()])
    run.report.failed.extend(still_missing(writer.catalogue, survey.missing))
    run.report.notes.extend(
        f"{folder} is gone, with all that was in it: it is no longer looked at"
        for folder in forget_gone_roots(writer)
    )
    return run.report


class _Run:
    """The candidates of one call, on their way through the model."""

    def __init__(self, writer: Writer, survey: Survey) -> None:
        self._writer = writer
        self._survey = survey
        self._numbers = {path: number for number, path in writer.catalogue.roots()}
        self.report = survey.report
        self.gone = dict(survey.gone)
        self._decoders = decoders()
        self._in_work: deque[tuple[Candidate, bytes, Noted]] = deque()
        self._alike: dict[bytes, list[Candidate]] = {}
        self._owners: defaultdict[bytes, list[tuple[bytes, ImageRecord]]] = defaultdict(list)
        for path, image in survey.known.items():
            if image.hash is not None:
                self._owners[image.hash].append((path, image))
        self._rows: dict[bytes, int] = {}
        self._done = 0
        self.on_progress: Callable[[int], object] = lambda done: None

    def settle_what_was_not_read(self) -> None:
        """Note what the survey found out about files that need not be read."""
        for row, label in self._survey.relabelled:
            self._writer.change(Catalogue.set_label, row, label)
        for failure in self._survey.usable:
            self._writer.change(Catalogue.forget_failure, failure.root, failure.path)

    def unknown_contents(self) -> Iterator[bytes]:
        """Read the candidates, settle those whose features are known, yield the others' bytes."""
        for candidate in self._survey.candidates:
            try:
                content = read_image(os.fsdecode(candidate.path))
            except ImageError as error:
                self._fail(candidate, error.reason, None)
                continue
            digest = hashlib.sha256(content).digest()
            if digest in self._alike:  # its like is with the model right now
                self._alike[digest].append(candidate)
            elif not self._is_known(candidate, digest):
                self._alike[digest] = []
                content = noted(content)
                self._in_work.append((candidate, digest, content))
                yield content

    def embedded(self, result: npt.NDArray[np.float32] | ImageError) -> None:
        """Take the model's answer for the oldest content in work."""
        candidate, digest, content = self._in_work.popleft()
        alike = [candidate, *self._alike.pop(digest)]
        if isinstance(result, ImageError):
            for each in alike:
                self._fail(each, result.reason, self._decoders)
            return
        self._writer.note_content(*kept(digest, seen(content)))
        self._rows[digest] = self._writer.header.rows + self._writer.uncommitted
        for each in alike:
            self._put(each, digest, result)

    def _is_known(self, candidate: Candidate, digest: bytes) -> bool:
        known = candidate.known
        if known is not None and known.hash == digest:  # touched
            self._writer.change(
                Catalogue.set_file,
                known.row,
                candidate.size,
                candidate.mtime_ns,
                candidate.label,
            )
            self._forget_failure(candidate)
            self.report.unchanged += 1
            self._progress()
            return True
        owners = self._owners[digest]
        if known is None:
            for i, (path, owner) in enumerate(owners):
                if path in self.gone or not os.path.lexists(path):
                    del owners[i]
                    self._move(candidate, path, owner)
                    return True
        row = self._rows.get(digest, owners[0][1].row if owners else None)
        if row is None:
            return False
        self._put(candidate, digest, self._writer.features_at(row))
        return True

    def _move(self, candidate: Candidate, path: bytes, owner: ImageRecord) -> None:
        moved = owner._replace(
            root=self._numbers[candidate.root],
            path=candidate.relative,
            size=candidate.size,
            mtime_ns=candidate.mtime_ns,
            label=candidate.label if candidate.labelled else owner.label,
        )
        self._writer.change(Catalogue.move_image, moved)
        self._forget_failure(candidate)
        self.gone.pop(path, None)
        self._rows[owner.hash or b""] = owner.row
        self.report.moved += 1
        self._progress()

    def _put(self, candidate: Candidate, digest: bytes, features: npt.NDArray[np.float32]) -> None:
        self._writer.put(
            self._numbers[candidate.root],
            candidate.relative,
            candidate.label,
            PhotoFile(candidate.size, candidate.mtime_ns, digest),
            features,
        )
        if candidate.known is None:
            self.report.added += 1
        else:
            self.report.updated += 1
        self._progress()

    def _fail(self, candidate: Candidate, reason: str, by: str | None) -> None:
        """Record a failure: `by` is what could not decode the file, None if it was not read."""
        failure = FailureRecord(
            self._numbers[candidate.root],
            candidate.relative,
            candidate.size,
            candidate.mtime_ns,
            by,
            reason,
        )
        self._writer.change(Catalogue.note_failure, failure)
        if by is not None and candidate.known is not None:  # its features are of other content
            self._writer.change(Catalogue.remove_image, candidate.known.row)
        self.report.failed.append((os.fsdecode(candidate.path), reason))
        self._progress()

    def _forget_failure(self, candidate: Candidate) -> None:
        if (failure := candidate.failure) is not None:
            self._writer.change(Catalogue.forget_failure, failure.root, failure.path)

    def _progress(self) -> None:
        self._done += 1
        self.on_progress(self._done)
