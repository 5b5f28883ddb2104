"""Images that are the same picture: files of equal content, and features that nearly coincide.

Two images are linked if their files have the same content, or if the distance of their features is
at most a threshold; a group is what links connect. In each group one image is the keeper: the one
of most pixels, then of most bytes, then the first by path. Nothing here touches a file.

The threshold has been calibrated with ``bench/calibrate_threshold.py`` on BVLC GoogLeNet's
features, where Bray-Curtis told copies from other pictures best of the seven distances.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.distance import cdist, radius_neighbors
from lookalike.distance.arguments import checked_matrix, require_finite
from lookalike.distance.metrics import metric_name
from lookalike.progress import Progress
from lookalike.sequences import is_missing, values_of

__all__ = [
    "METRIC",
    "THRESHOLD",
    "Duplicates",
    "Facts",
    "Group",
    "Member",
    "connected",
    "file_facts",
    "find_duplicates",
]

METRIC = "braycurtis"
THRESHOLD = 0.2


class Facts(NamedTuple):
    """What is known of an image's file.

    Attributes
    ----------
    pixels, bytes : int
        Size of the picture and of the file, 0 where unknown.
    identity : hashable
        Equal for two names of one file; None where unknown.
    doubt : str
        Why it must be neither removed nor relied on, empty if it may.
    """

    pixels: int = 0
    bytes: int = 0
    identity: Hashable | None = None
    doubt: str = ""


@dataclass(frozen=True)
class Member:
    """An image of a group.

    Attributes
    ----------
    row : int
        Its position in what was searched.
    path : str
        Its path.
    distance : float
        Its distance to the keeper, 0 for the keeper itself.
    exact : bool
        Whether its file has the keeper's content.
    pixels, bytes : int
        Size of the picture and of its file, 0 where unknown.
    removable : bool
        Whether it may go if the keeper stays: within the threshold of it, and not in doubt.
    note : str
        Why a person should look, if it is not removable.
    """

    row: int
    path: str
    distance: float
    exact: bool
    pixels: int
    bytes: int
    removable: bool
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Images that are the same picture, the others ordered by their distance to the keeper."""

    keeper: Member
    others: tuple[Member, ...]


@dataclass(frozen=True)
class Duplicates:
    """What `find_duplicates` found.

    Attributes
    ----------
    groups : list of Group
        The groups, ordered by the keeper's path.
    images : int
        How many were compared.
    metric, threshold
        What was given to `find_duplicates`.
    """

    groups: list[Group]
    images: int
    metric: str
    threshold: float | None

    @property
    def keep(self) -> list[str]:
        """Paths of the images that stay: keepers, and members that are not removable."""
        return [
            member.path
            for group in self.groups
            for member in (group.keeper, *group.others)
            if not member.removable
        ]

    @property
    def remove(self) -> list[str]:
        """Paths of the images that may go."""
        return [member.path for group in self.groups for member in group.others if member.removable]


def find_duplicates(
    features: npt.ArrayLike,
    paths: Sequence[str | os.PathLike[str]],
    hashes: Sequence[Hashable | None],
    *,
    facts: Callable[[int], Facts] = lambda row: Facts(),
    threshold: float | None = THRESHOLD,
    metric: str = METRIC,
    progress: Progress = None,
) -> Duplicates:
    """Find the groups of images that are the same picture.

    Parameters
    ----------
    features : (n, d) array_like
        One row for each image, numbers of any real type.
    paths : (n,) array_like of paths
        The images' paths: a sequence, an array or a column of a table.
    hashes : (n,) array_like
        Hashes of the files' contents, None or NaN where unknown. Equal ones make duplicates
        whatever the distance.
    facts : callable(row)
        A function that returns what is known of an image's file; it is called for members of groups
        alone.
    threshold : float or None
        Largest distance of duplicates; None for equal contents alone. With GoogLeNet's weights
        the default finds 96 % of copies that were re-encoded (JPEG quality 50 to 95, PNG), resized
        (to 50 to 90 %), turned by EXIF or cropped by 1 or 2 % at each edge, of photos of 120 to 500
        pixels; of 3.5 million pairs of different photos it takes 1 for duplicates.
    metric : str
        One of `lookalike.METRICS`.
    progress : None, True or callable(done, total)
        Counts the images compared; True shows a bar on standard error.

    Returns
    -------
    Duplicates

    Raises
    ------
    ValueError
        The threshold is negative or NaN, the metric unknown, a value not finite, or the lengths
        differ.
    TypeError
        `features` are not real numbers, or a path or hash is none.

    Notes
    -----
    An image is removable if it has the keeper's content or lies within the threshold of the keeper
    itself, not only of some other member; if there is no doubt about either file; and if it is not
    a second name of a file that stays.

    Images of equal features are compared once, so that a thousand black pictures do not make a
    million pairs.

    Examples
    --------
    >>> rows = np.array([[0, 1], [1, 0], [0, 1.01]], np.float32)
    >>> found = find_duplicates(rows, ["a", "b", "c"], [None, None, None])
    >>> found.keep, found.remove
    (['a'], ['c'])
    """
    rows = checked_matrix(features, "features")
    names = [_path(each) for each in values_of(paths, "paths")]
    keys = [None if is_missing(each) else each for each in values_of(hashes, "hashes")]
    count = len(rows)
    if not count == len(names) == len(keys):
        raise ValueError(
            "features, paths and hashes must have equal lengths, "
            f"got {count}, {len(names)} and {len(keys)}"
        )
    limit = _threshold(threshold)
    metric_name(metric)
    if count:
        require_finite(rows, "features", metric=metric)
    try:
        first = _first_alike(keys)
    except TypeError as error:
        raise TypeError(f"hashes must be hashable values: {error}") from None
    left, right = [np.arange(count)], [first]
    if limit is not None and count:
        alone = np.flatnonzero(first == np.arange(count))
        first = alone[_first_alike(_digest(rows[row]) for row in alone)]
        left.append(alone)
        right.append(first)
        alone = np.unique(first)
        near = radius_neighbors(rows[alone], radius=limit, metric=metric, progress=progress)
        left.append(np.repeat(alone, np.diff(near.indptr)))
        right.append(alone[near.indices])
    label = connected(count, np.concatenate(left), np.concatenate(right))
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    groups = [
        _group(some.tolist(), rows, names, keys, facts, limit, metric)
        for some in np.split(order, starts[1:])
        if len(some) > 1
    ]
    groups.sort(key=lambda group: group.keeper.path)
    return Duplicates(groups, count, metric, limit)


def _path(path: object) -> str:
    if isinstance(path, (str, bytes, os.PathLike)):
        return os.fsdecode(path)
    raise TypeError(f"paths must hold paths, got {path!r}")


def _threshold(threshold: float | None) -> float | None:
    if threshold is None:
        return None
    try:
        limit = float(threshold)
    except (TypeError, ValueError):
        raise TypeError(f"threshold must be a number or None, got {threshold!r}") from None
    if not limit >= 0:
        raise ValueError(f"threshold must be at least 0, got {threshold}")
    return limit


def file_facts(path: str, size: int | None, mtime_ns: int | None) -> Facts:
    """Return the facts of a file that had this size and time of change when it was embedded."""
    from lookalike.pictures.images import ImageError, image_size

    if size is None:
        return Facts(doubt="not a file")
    try:
        found = os.stat(path)
        link = os.path.islink(path)
    except OSError as error:
        return Facts(doubt=error.strerror or str(error))
    identity = (found.st_dev, found.st_ino)
    if (found.st_size, found.st_mtime_ns) != (size, mtime_ns):
        return Facts(0, found.st_size, identity, "has changed since it was indexed")
    try:
        width, height = image_size(path)
    except ImageError as error:
        return Facts(0, size, identity, error.reason)
    return Facts(width * height, size, identity, "a symbolic link" if link else "")


def connected(
    count: int, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the connected component of each of `count` nodes, named by its lowest node.

    Parameters
    ----------
    left, right : (m,) int64 array
        The two ends of each link.

    Examples
    --------
    >>> connected(5, np.array([4, 1]), np.array([1, 3]))
    array([0, 1, 2, 1, 1])
    """
    label = np.arange(count)
    while True:
        # The lower of two linked labels is hung on the other; then every node looks one further up.
        a, b = label[left], label[right]
        lower = np.minimum(a, b)
        found = label.copy()
        np.minimum.at(found, a, lower)
        np.minimum.at(found, b, lower)
        found = found[found]
        if np.array_equal(found, label):
            return label
        label = found


def _first_alike(keys: Iterable[Hashable | None]) -> npt.NDArray[np.int64]:
    """Return for each key where it stands first; None is like nothing."""
    first: dict[Hashable, int] = {}
    return np.array(
        [i if key is None else first.setdefault(key, i) for i, key in enumerate(keys)], np.int64
    )


def _digest(row: npt.NDArray[Any]) -> bytes:
    return hashlib.blake2b(row.tobytes(), digest_size=16).digest()


def _group(
    rows: list[int],
    features: npt.NDArray[Any],
    paths: Sequence[str],
    hashes: Sequence[Hashable | None],
    facts: Callable[[int], Facts],
    threshold: float | None,
    metric: str,
) -> Group:
    known = {row: facts(row) for row in rows}

    def rank(row: int) -> tuple[object, ...]:
        return bool(known[row].doubt), -known[row].pixels, -known[row].bytes, paths[row]

    rows = sorted(rows, key=rank)
    keeper = rows[0]
    distances = cdist(features[[keeper]], features[rows], metric, dtype="float64")[0].tolist()
    members = []
    for row, distance in zip(rows, distances, strict=True):
        exact = row == keeper or (hashes[row] is not None and hashes[row] == hashes[keeper])
        note = known[row].doubt or (known[keeper].doubt and "the keeper is in doubt")
        if not exact and (threshold is None or distance > threshold):
            note = note or "like another of the group, not like the keeper"
        removable = row != keeper and not note
        size = known[row].pixels, known[row].bytes
        members.append(Member(row, paths[row], distance, exact, *size, removable, note))
    # Whoever removes one name of a file that stays under another has lost it.
    staying = {known[member.row].identity for member in members if not member.removable} - {None}
    members = [
        replace(member, removable=False, note="another name of a file that stays")
        if member.removable and known[member.row].identity in staying
        else member
        for member in members
    ]
    return Group(members[0], tuple(sorted(members[1:], key=lambda m: (m.distance, m.path))))
