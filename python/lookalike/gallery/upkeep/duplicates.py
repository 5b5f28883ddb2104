"""A gallery's duplicates: its features, hashes, facts and files as witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING

from lookalike.distance.metrics import AnyMetric, Metric, Parameters, as_metric, metric_label
from lookalike.duplicates.facts import Facts, file_facts
from lookalike.duplicates.find import METRIC, THRESHOLD, find_duplicates
from lookalike.duplicates.witnesses import Pair, Witnesses
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.upkeep.beside import with_neighbours
from lookalike.progress import Progress, reporting
from lookalike.system import processors

if TYPE_CHECKING:
    from PIL import Image

    from lookalike.duplicates.choice import Rules
    from lookalike.duplicates.result import Duplicates

__all__ = ["duplicates_in"]

SMALL = 128
"""Side in pixels at which it is told whether a picture has colours."""


def duplicates_in(
    view: Snapshot,
    *,
    exact: bool,
    threshold: float | None,
    metric: AnyMetric | None,
    rules: Rules | None,
    progress: Progress,
    comparing: Progress,
    parameters: Parameters,
) -> Duplicates:
    """Find the duplicates of a gallery as `Gallery.find_duplicates` says."""
    from lookalike.pictures.perceptual_hash import HIGH_BITS, LOW_BITS

    chosen = as_metric(metric or METRIC, **parameters)
    if threshold is None and not exact and chosen != Metric(METRIC):
        raise ValueError(
            f"threshold must be given for {metric_label(chosen)}, got None: {THRESHOLD} is a "
            f"distance of {METRIC}"
        )
    looks = _Files(view, comparing)
    hashes, known = view.perceptual_hashes
    found = find_duplicates(
        view.features,
        view.paths,
        view.column("hash"),
        facts=looks.facts,
        witnesses=Witnesses(
            hashes, known, LOW_BITS, HIGH_BITS, looks.compare, list(_different(view))
        ),
        rules=rules,
        threshold=None if exact else THRESHOLD if threshold is None else threshold,
        metric=metric or METRIC,
        progress=progress,
        **parameters,
    )
    return with_neighbours(found)


def _different(view: Snapshot) -> Iterator[Pair]:
    """Return the pairs of images whose contents a person has said are different pictures."""
    for decision in view.decisions("different"):
        if decision.state == "done" and decision.other is not None:
            for one in view.positions_with_hash(decision.hash):
                for other in view.positions_with_hash(decision.other):
                    yield one, other


class _Files:
    """The images' files, looked at when it comes to it."""

    def __init__(self, view: Snapshot, progress: Progress) -> None:
        self._view = view
        self._progress = progress
        self._contents = view.contents()
        self._hashes = view.column("hash")
        self._sizes = view.column("size")
        self._times = view.column("mtime_ns")

    def facts(self, row: int) -> Facts:
        """Return what the gallery knows of an image's file, and whether it is still so."""
        found = file_facts(self._view.paths[row], self._sizes[row], self._times[row])
        content = self._contents.get(self._hashes[row])
        if content is None:
            return found
        return replace(
            found,
            width=content.width or 0,
            height=content.height or 0,
            format=content.format,
            taken=content.taken,
            camera=content.camera,
            grey=self._is_grey(content.hash),
        )

    def _is_grey(self, digest: bytes) -> bool | None:
        from PIL import Image

        from lookalike.pictures.grey import is_grey

        small = self._view.thumbnails([digest]).get(digest)
        if small is None:
            return None
        with Image.open(BytesIO(small), formats=["WEBP"]) as image:
            return is_grey(image.convert("RGB"))

    def compare(self, pairs: Sequence[Pair]) -> list[str]:
        """Compare pictures: why the two are not the same, or an empty string."""
        jobs = [list(some) for _, some in groupby(pairs, key=lambda pair: pair[0])]
        found: list[str] = []
        done = 0
        with (
            reporting(self._progress, len(pairs), "pairs") as report,
            ThreadPoolExecutor(processors(), thread_name_prefix="compare") as executor,
        ):
            try:
                for reasons in executor.map(self._compare_all, jobs):
                    found += reasons
                    done += len(reasons)
                    report(done)
            except BaseException:
                executor.shutdown(cancel_futures=True)
                raise
        return found

    def _compare_all(self, pairs: list[Pair]) -> list[str]:
        """Compare one picture with several."""
        from lookalike.pictures.grey import is_grey
        from lookalike.pictures.images import open_picture
        from lookalike.pictures.local_comparison import COMPARED_SIDE, compare_locally
        from lookalike.pictures.reading import ImageError

        def small(image: Image.Image) -> Image.Image:
            return image.resize((SMALL, SMALL))

        paths = self._view.paths
        reasons = []
        try:
            kept = open_picture(paths[pairs[0][0]], least=COMPARED_SIDE)
        except ImageError as error:
            return [f"the one to keep cannot be read: {error.reason}"] * len(pairs)
        for _, row in pairs:
            try:
                gone = open_picture(paths[row], least=COMPARED_SIDE)
            except ImageError as error:
                reasons.append(error.reason)
                continue
            if beyond := gone.beyond or kept.beyond:
                reasons.append(beyond if gone.beyond else f"the one to keep {beyond}")
                continue
            compared = compare_locally(kept.image, gone.image)
            reason = "" if compared.same else compared.reason
            if compared.same and compared.grey and is_grey(small(kept.image)):
                other_too = is_grey(small(gone.image))
                reason = "one of the two is tinted" if other_too else "has colour, the other not"
            if compared.same and compared.margins[0] > compared.margins[1]:
                reason = "shows more at an edge"
            reasons.append(reason)
        return reasons
