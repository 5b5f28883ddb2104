"""Groups of images that are the same picture, what stays of each, and what may go.

Two images are linked if their files have the same content; if their hashes are all but equal; or if
their features are near and their hashes do not speak against it. A group is what links connect.

A link alone removes nothing. Features and hashes see a picture coarsely, and what people would lose
is the payslip of another month. An image may go if its file has the content of one that stays, or
if a comparison of the two pictures themselves has found no difference that re-encoding, scaling or
a loss of colour would not explain, and it is clear which of the two is the better file. All else is
for a person to look at.

The threshold has been calibrated with ``bench/calibrate_threshold.py`` on BVLC GoogLeNet's
features, where Bray-Curtis told copies from other pictures best of the seven distances.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, Literal, Unpack

import numpy as np
import numpy.typing as npt

from lookalike.distance.arguments import checked_matrix
from lookalike.distance.matrices import require_finite
from lookalike.distance.metrics import (
    AnyMetric,
    Metric,
    Parameters,
    as_metric,
    complete,
    metric_label,
)
from lookalike.distance.parameters import require_width
from lookalike.duplicates.choice import Rules
from lookalike.duplicates.facts import Facts
from lookalike.duplicates.groups import Judgement
from lookalike.duplicates.links import Joined, Rows, join_near
from lookalike.duplicates.result import Duplicates
from lookalike.duplicates.witnesses import Looks, Witnesses
from lookalike.progress import Progress
from lookalike.sequences import is_missing, values_of

__all__ = ["CALIBRATED_SPACE", "METRIC", "THRESHOLD", "find_duplicates"]

METRIC: Final = "braycurtis"
THRESHOLD = 0.2
CALIBRATED_SPACE = "f3063a17a95e94ec5453963f104e152d"
"""The features that the threshold is for: BVLC GoogLeNet's, whatever converter wrote it."""


def find_duplicates(
    features: npt.ArrayLike,
    paths: Sequence[str | os.PathLike[str]],
    hashes: Sequence[Hashable | None],
    *,
    facts: Callable[[int], Facts] = lambda row: Facts(),
    witnesses: Witnesses | None = None,
    rules: Rules | None = None,
    threshold: float | Literal["calibrated"] | None = "calibrated",
    metric: AnyMetric = METRIC,
    progress: Progress = None,
    **parameters: Unpack[Parameters],
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
    witnesses : Witnesses, optional
        The pictures' own hashes, and a way to compare two of them. Without it nothing but equal
        content is removable.
    rules : Rules, optional
        Folders to prefer or to protect, and what to keep.
    threshold : float, "calibrated" or None
        Largest distance of duplicates; None for equal contents alone. "calibrated" is 0.2, which
        was found for Bray-Curtis and GoogLeNet: another metric needs a number.
    metric : str or Metric
        One of `lookalike.ALL_METRICS`.
    progress : None, True or callable(done, total)
        Counts the images compared; True shows a bar on standard error.
    **parameters
        The metric's p, w, V or VI, as for `lookalike.Metric`. A V or VI that is not given is that
        of all rows.

    Returns
    -------
    Duplicates

    Raises
    ------
    ValueError
        The threshold is negative or NaN, or not given for another metric than Bray-Curtis, the
        metric unknown, a value not finite, or the lengths differ.
    TypeError
        `features` are not real numbers, or a path or hash is none.

    Notes
    -----
    Memory grows with the images, however many of them are alike. Of more than 100 pictures that
    are linked without equal contents, a series, none is removable.

    Examples
    --------
    >>> rows = np.array([[0, 1], [1, 0], [0, 1.01], [1, 0]], np.float32)
    >>> found = find_duplicates(rows, ["a", "b", "c", "d"], [None, "x", None, "x"])
    >>> found.keep, found.remove, found.look
    (['a', 'c', 'b'], ['d'], ['c'])
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
    chosen = as_metric(metric, **parameters)
    limit = _threshold(threshold, chosen)
    require_width(chosen.parameters, rows.shape[1])
    if count > 1:
        chosen = complete(chosen, {"features": rows})
    if count and chosen.missing is None:
        require_finite(rows, "features", metric=chosen)
    try:
        first = _first_alike(keys)
    except TypeError as error:
        raise TypeError(f"hashes must be hashable values: {error}") from None
    looks = Looks(witnesses, count)
    joined = Joined(count)
    joined.join(np.arange(count), first)
    if limit is not None and count:
        alone = np.flatnonzero(first == np.arange(count))
        _join_equal(joined, alone, rows, looks)
        alone = alone[joined.label[alone] == alone]
        join_near(joined, alone, rows[alone], limit, chosen, looks.may_link, progress)
        looks.join(joined)
    groups = joined.groups()
    known = {row: facts(row) for group in groups for row in group}
    judgement = Judgement(rows, names, keys, known, looks, rules or Rules(), limit, chosen)
    named = chosen if chosen.parameters else metric
    return Duplicates(judgement.of(groups), count, named, limit)


def _path(path: object) -> str:
    if isinstance(path, (str, bytes, os.PathLike)):
        return os.fsdecode(path)
    raise TypeError(f"paths must hold paths, got {path!r}")


def _threshold(threshold: float | str | None, metric: Metric) -> float | None:
    if threshold is None:
        return None
    if threshold == "calibrated":
        if metric != Metric(METRIC):
            raise ValueError(
                f"threshold must be given for {metric_label(metric)}, got none: {THRESHOLD} is a "
                f"distance of {METRIC}"
            )
        return THRESHOLD
    try:
        limit = float(threshold)
    except (TypeError, ValueError):
        raise TypeError(f"threshold must be a number or None, got {threshold!r}") from None
    if not limit >= 0:
        raise ValueError(f"threshold must be at least 0, got {threshold}")
    return limit


def _first_alike(keys: Iterable[Hashable | None]) -> Rows:
    """Return for each key where it stands first; None is like nothing."""
    first: dict[Hashable, int] = {}
    return np.array(
        [i if key is None else first.setdefault(key, i) for i, key in enumerate(keys)], np.int64
    )


def _join_equal(joined: Joined, alone: Rows, rows: npt.NDArray[Any], looks: Looks) -> None:
    """Join images of equal features and hash, so that a thousand black ones are compared once."""
    keys = [
        hashlib.blake2b(rows[row].tobytes() + looks.hash_of(row), digest_size=16).digest()
        for row in alone.tolist()
    ]
    first = alone[_first_alike(keys)]
    apart = looks.not_different(alone, first)
    joined.join(alone[apart], first[apart])
