"""A gallery's duplicates: its features, hashes, facts and files as witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.distance.metrics import AnyMetric, Parameters
from lookalike.duplicates.facts import Facts, file_facts
from lookalike.duplicates.find import METRIC, find_duplicates
from lookalike.duplicates.result import Group
from lookalike.duplicates.witnesses import Pair, Witnesses
from lookalike.gallery.storage.snapshot import Snapshot
from lookalike.gallery.upkeep.beside import with_neighbours
from lookalike.progress import Progress, reporting
from lookalike.system import processors

if TYPE_CHECKING:
    from PIL import Image

    from lookalike.duplicates.choice import Rules
    from lookalike.duplicates.result import Duplicates

__all__ = ["Compared", "duplicates_in"]

Compared: TypeAlias = dict[tuple[bytes | int, bytes | int], str]
"""Why the pictures of two contents, the keeper's first, are not the same; empty if they are."""

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
    among: Sequence[int] | None,
    compared: Compared | None,
    parameters: Parameters,
) -> Duplicates:
    """Find the duplicates of a gallery as `Gallery.find_duplicates` says."""
    from lookalike.pictures.perceptual_hash import HIGH_BITS, LOW_BITS

    looks = _Files(view, comparing, {} if compared is None else compared)
    rows = np.arange(len(view.paths)) if among is None else np.unique(np.asarray(among, np.int64))
    place = {row: place for place, row in enumerate(rows.tolist())}
    hashes, known = view.perceptual_hashes
    paths, digests = view.paths, view.column("hash")

    def compare(pairs: Sequence[Pair]) -> list[str]:
        return looks.compare([(int(rows[one]), int(rows[other])) for one, other in pairs])

    found = find_duplicates(
        view.features if among is None else view.features[rows],
        [paths[row] for row in place],
        [digests[row] for row in place],
        facts=lambda at: looks.facts(int(rows[at])),
        witnesses=Witnesses(
            hashes[rows],
            known[rows],
            LOW_BITS,
            HIGH_BITS,
            compare,
            [
                (place[one], place[other])
                for one, other in _different(view)
                if one in place and other in place
            ],
        ),
        rules=rules,
        threshold=None if exact else "calibrated" if threshold is None else threshold,
        metric=metric or METRIC,
        progress=progress,
        **parameters,
    )
    if among is not None:
        found = replace(found, groups=[_at(group, rows) for group in found.groups])
    return with_neighbours(found)


def _at(group: Group, rows: npt.NDArray[np.int64]) -> Group:
    """Return a group of places among `rows` as one of these rows."""
    first, *others = (
        replace(member, row=int(rows[member.row]), keeper=int(rows[member.keeper]))
        for member in group.members
    )
    return Group(first, tuple(others))


def _different(view: Snapshot) -> Iterator[Pair]:
    """Return the pairs of images whose contents a person has said are different pictures."""
    for decision in view.decisions("different"):
        if decision.state == "done" and decision.other is not None:
            for one in view.positions_with_hash(decision.hash):
                for other in view.positions_with_hash(decision.other):
                    yield one, other


class _Files:
    """The images' files, looked at when it comes to it."""

    def __init__(self, view: Snapshot, progress: Progress, compared: Compared) -> None:
        self._view = view
        self._compared = compared
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
        keys = [(self._content(one), self._content(other)) for one, other in pairs]
        fresh = [place for place, key in enumerate(keys) if key not in self._compared]
        found = dict(zip(fresh, self._compare([pairs[place] for place in fresh]), strict=True))
        self._compared.update((keys[place], reason) for place, reason in found.items())
        return [self._compared[key] for key in keys]

    def _content(self, row: int) -> bytes | int:
        digest: bytes | None = self._hashes[row]
        return row if digest is None else digest

    def _compare(self, pairs: Sequence[Pair]) -> list[str]:
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
