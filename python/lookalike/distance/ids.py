"""What people call the rows of an index: their ids, checked, and as bytes of a file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["checked_ids", "joined_ids", "pack", "unpack"]


def checked_ids(ids: ArrayLike, rows: int) -> NDArray[Any]:
    """Return ids as int64 or as text, one for each of so many rows, no two alike."""
    given = ids if isinstance(ids, np.ndarray) else np.asarray(ids, dtype=object)
    if given.shape != (rows,):
        raise ValueError(f"ids must be 1-D, one for each of {rows} rows, got {given.shape}")
    if given.dtype.kind == "O":
        is_text = all(isinstance(each, str) for each in given)
        numbers = (int, np.integer)
        if not is_text and not all(
            isinstance(each, numbers) and not isinstance(each, bool) for each in given
        ):
            raise TypeError("ids must be all integers or all text, got something else or both")
        if is_text and any(each.endswith("\0") for each in given):
            raise ValueError("ids must not end in a zero character")
        try:
            array: NDArray[Any] = given.astype(np.str_ if is_text and rows else np.int64)
        except OverflowError:
            raise ValueError("ids must be integers of 64 bits") from None
    elif given.dtype.kind in "iu":
        if given.size and int(given.max()) >= 2**63:
            raise ValueError(f"ids must be below 2**63, got {given.max()}")
        array = given.astype(np.int64)
    elif given.dtype.kind in "UT":
        array = given.astype(np.str_)
    else:
        raise TypeError(f"ids must be integers or text, got {given.dtype}")
    _require_unique(array)
    array.flags.writeable = False
    return array


def joined_ids(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the ids of rows and of those that come behind them, no two alike."""
    if len(first) and len(second) and first.dtype.kind != second.dtype.kind:
        kind = {"i": "integers", "U": "text"}[first.dtype.kind]
        raise TypeError(f"ids must be {kind}, as those that are there, got {second.dtype}")
    some = [each for each in (first, second) if len(each)] or [first]
    array = np.concatenate(some)
    _require_unique(array)
    array.flags.writeable = False
    return array


def _require_unique(array: NDArray[Any]) -> None:
    values, counts = np.unique(array, return_counts=True)
    if len(values) < len(array):
        raise ValueError(f"ids must be unique, got {values[counts > 1][0].item()!r} more than once")


def pack(ids: NDArray[Any] | None) -> dict[str, NDArray[np.uint8]]:
    """Return the parts of a file that keep them."""
    if ids is None:
        return {}
    if ids.dtype.kind == "i":
        return {"ids": ids.view(np.uint8)}
    texts = [each.encode("utf-8", "surrogatepass") for each in ids.tolist()]
    ends = np.cumsum([len(each) for each in texts], dtype=np.int64)
    text = np.frombuffer(b"".join(texts), np.uint8)
    return {"id text": text, "id ends": ends.view(np.uint8)}


def unpack(parts: dict[str, NDArray[np.uint8]], rows: int) -> NDArray[Any] | None:
    """Take them out of a file's parts; raises ValueError where they do not fit the rows."""
    numbers, text, ends = (parts.pop(name, None) for name in ("ids", "id text", "id ends"))
    if numbers is not None:
        return checked_ids(numbers.view(np.int64), rows)
    if text is None or ends is None:
        return None
    whole, at = text.tobytes(), [0, *ends.view(np.int64).tolist()]
    names = [whole[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(at)]
    return checked_ids(np.array(names, dtype=object), rows)
