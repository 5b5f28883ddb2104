"""The NumPy steps that several peers need around what they do themselves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Found = tuple[Array, Array]  # distances and ids, (queries, k)


def centred(rows: Array) -> Array:
    """Subtract each row's mean: the cosine of centred rows is the correlation."""
    result: Array = rows - rows.mean(axis=1, keepdims=True)
    return result


def normalised(rows: Array, metric: str) -> Array:
    """Give rows whose inner products are cosines or correlations; other metrics take them as is."""
    if metric not in ("cosine", "correlation"):
        return rows
    result: Array = centred(rows) if metric == "correlation" else rows.copy()
    result /= np.linalg.norm(result, axis=1, keepdims=True)
    return result


def smallest(values: Array, k: int) -> Found:
    """Take the k smallest of each row in order, by argpartition and a sort of what it leaves."""
    ids = np.argpartition(values, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(values, ids, axis=1)
    order = np.argsort(found, axis=1)
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(ids, order, axis=1)


def in_blocks(nearest: Callable[[Any], Found], queries: Any, size: int, threads: int = 1) -> Found:
    """Search block after block of queries, or as many at once as there are threads."""
    blocks = [queries[a : a + size] for a in range(0, len(queries), size)]
    if threads > 1 and len(blocks) > 1:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(nearest, blocks))
    else:
        found = [nearest(block) for block in blocks]
    distances, ids = zip(*found, strict=True)
    return np.concatenate(distances), np.concatenate(ids)
