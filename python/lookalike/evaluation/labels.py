"""Labels of images as category numbers; how many images a category has, and fewer of them."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lookalike.sequences import is_missing, values_of

__all__ = ["EncodedLabels", "LabelSequence", "balanced_subset", "category_counts", "encode_labels"]

LabelSequence: TypeAlias = "Sequence[Any] | NDArray[Any] | Iterable[Any]"

UNLABELLED = -1


@dataclass(frozen=True)
class EncodedLabels:
    """Labels as numbers.

    Attributes
    ----------
    codes : (n,) int64 array
        Position of each image's category in `categories`; −1 where it has no label.
    categories : tuple
        The values given, in the order of their first appearance.
    counts : (C,) int64 array
        Number of images of each category.
    """

    codes: NDArray[np.int64]
    categories: tuple[Hashable, ...]
    counts: NDArray[np.int64]

    @property
    def unlabelled(self) -> int:
        """Number of images without a label."""
        return int(len(self.codes) - self.counts.sum())


def encode_labels(labels: LabelSequence) -> EncodedLabels:
    """Turn labels into numbers.

    Parameters
    ----------
    labels : (n,) array_like
        Any hashable values, as a sequence, an array, a tensor or a column of a table. None, NaN,
        ``pandas.NA``, a masked entry and the empty string mean "no label".

    Raises
    ------
    ValueError
        If `labels` is not 1-D.
    TypeError
        If `labels` is one string, or a value cannot be hashed.
    """
    values = values_of(labels, "labels")
    number: dict[Hashable, int] = {}
    codes = np.empty(len(values), np.int64)
    for position, value in enumerate(values):
        if is_missing(value):
            codes[position] = UNLABELLED
            continue
        try:
            codes[position] = number.setdefault(value, len(number))
        except TypeError:
            kind = type(value).__name__
            raise TypeError(f"labels must be hashable values, got a {kind} at {position}") from None
    counts = np.bincount(codes[codes >= 0], minlength=len(number)).astype(np.int64)
    return EncodedLabels(codes, tuple(number), counts)


def category_counts(labels: LabelSequence) -> dict[Any, int]:
    """Count the images of every category (Fig. 1 of the paper).

    Parameters
    ----------
    labels : (n,) array_like
        As for `evaluate`.

    Returns
    -------
    dict
        Category to number of images, in the order of first appearance; images without a label are
        not counted.

    Examples
    --------
    >>> category_counts(["tree", "food", "tree", None])
    {'tree': 2, 'food': 1}
    """
    known = encode_labels(labels)
    return dict(zip(known.categories, known.counts.tolist(), strict=True))


def balanced_subset(
    labels: LabelSequence, per_category: int, *, seed: int = 0
) -> NDArray[np.int64]:
    """Choose at most `per_category` images of every category, as the paper does with 440.

    Recall divides by the number of relevant images, so it can be compared between categories only
    if they are equally large.

    Parameters
    ----------
    labels : (n,) array_like
        As for `evaluate`.
    per_category : int
        How many images of a category are chosen; a smaller one keeps all its images.
    seed : int
        Seed of the choice, which is uniform and without replacement.

    Returns
    -------
    (m,) int64 array
        The rows chosen, ascending. Images without a label are not among them.

    Examples
    --------
    >>> labels = ["tree", "tree", "food", "tree", None]
    >>> rows = balanced_subset(labels, 2, seed=0)
    >>> [labels[row] for row in rows]
    ['tree', 'food', 'tree']
    """
    limit = operator.index(per_category)
    if limit < 1:
        raise ValueError(f"per_category must be at least 1, got {limit}")
    codes = encode_labels(labels).codes
    # One permutation of all rows; of each category the first in it.
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    starts = np.searchsorted(codes[order], codes[order])
    within = np.arange(len(order)) - starts
    return np.sort(order[(within < limit) & (codes[order] != UNLABELLED)])
