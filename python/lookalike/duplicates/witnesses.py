"""What else than features says of two pictures: their hashes, a comparison, a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.links import Joined, Rows, bits_apart, join_near

__all__ = ["Looks", "Pair", "Witnesses"]

Pair = tuple[int, int]
HASH_BYTES = 32


@dataclass(frozen=True)
class Witnesses:
    """What else is known of pictures, where features alone would be too little.

    Parameters
    ----------
    hashes : (n, 32) uint8 array
        The pictures' perceptual hashes of 256 bits.
    known : (n,) bool array
        Of which pictures there is one.
    same, near : int
        Bits in which hashes of one picture differ at most: such that they link two images whatever
        their features, and such that they do not speak against near features.
    compare : callable(pairs), optional
        Compares pictures, given as pairs of rows, themselves: returns for each pair, in order, why
        the two are not the same picture, or an empty string.
    different : collection of (row, row)
        Pairs that a person has said are different pictures.
    """

    hashes: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]
    same: int
    near: int
    compare: Callable[[Sequence[Pair]], Iterable[str]] | None = None
    different: Collection[Pair] = ()


class Looks:
    """Witnesses for `count` images, asked about many pairs at once."""

    def __init__(self, witnesses: Witnesses | None, count: int) -> None:
        self._witnesses = witnesses
        self._hashes = np.zeros((count, HASH_BYTES), np.uint8)
        self._known = np.zeros(count, np.bool_)
        self._count = count
        if witnesses is None:
            self._different = np.empty(0, np.int64)
            return
        shapes = witnesses.hashes.shape, witnesses.known.shape
        if shapes != ((count, HASH_BYTES), (count,)):
            raise ValueError(
                f"the witnesses' hashes and known must be ({count}, {HASH_BYTES}) and ({count},), "
                f"got {shapes[0]} and {shapes[1]}"
            )
        self._hashes = witnesses.hashes
        self._known = witnesses.known
        self._different = np.array(
            [self._key(min(pair), max(pair)) for pair in witnesses.different], np.int64
        )

    def _key(self, lower: int, upper: int) -> int:
        return lower * self._count + upper

    def hash_of(self, row: int) -> bytes:
        """Return an image's hash, empty if it is not known."""
        return self._hashes[row].tobytes() if self._known[row] else b""

    def not_different(self, left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
        """Say of pairs which of them nobody has called different."""
        if not len(self._different):
            return np.ones(len(left), np.bool_)
        keys = np.minimum(left, right) * self._count + np.maximum(left, right)
        return ~np.isin(keys, self._different)

    def may_link(self, left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
        """Say of pairs whose features are near which are linked."""
        linked = self.not_different(left, right)
        if self._witnesses is not None:
            both = np.flatnonzero(linked & self._known[left] & self._known[right])
            apart = bits_apart(self._hashes, left[both], right[both])
            linked[both[apart > self._witnesses.near]] = False
        return linked

    def join(self, joined: Joined) -> None:
        """Join the images whose hashes alone say that they are one picture."""
        if self._witnesses is None:
            return
        which = np.flatnonzero(self._known)
        # The bits in which two hashes differ are the Manhattan distance of their bits.
        bits = np.unpackbits(self._hashes[which], axis=1)
        join_near(joined, which, bits, self._witnesses.same, "manhattan", self.not_different)

    def knows(self, one: int, other: int) -> bool:
        """Tell whether there are witnesses for both of two images."""
        return self._witnesses is None or bool(self._known[one] and self._known[other])

    def links(self, one: int, other: int, *, near: bool) -> bool:
        """Tell whether two images are linked themselves, given whether their features are near."""
        pair = np.array([one]), np.array([other])
        if not self.not_different(*pair)[0]:
            return False
        if near and self.may_link(*pair)[0]:
            return True
        if self._witnesses is None or not (self._known[one] and self._known[other]):
            return False
        return bool(bits_apart(self._hashes, *pair)[0] <= self._witnesses.same)

    def compare(self, pairs: Sequence[Pair]) -> list[str]:
        """Return of pairs why they are not the same picture, or empty strings."""
        if self._witnesses is None or self._witnesses.compare is None:
            return ["nothing but their features says so"] * len(pairs)
        return list(self._witnesses.compare(pairs)) if pairs else []
