"""How wrong a result is, against the float64 brute force on a sample of its queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peers import Scipy

Array = NDArray[Any]

# Where float64 itself has no digits left (a row against itself), a relative error says nothing.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Errors:
    """The largest relative error of a distance, and the share of ids that are not neighbours."""

    distance: float
    wrong_ids: float | None = None

    def __str__(self) -> str:
        ids = "" if self.wrong_ids is None else f", {100 * self.wrong_ids:.3g} % wrong ids"
        return f"{self.distance:.0e}{ids}"


def true_distances(queries: Array, rows: Array, metric: str) -> Array:
    """Compute the reference in float64, whatever the type of the rows."""
    scipy = Scipy()
    rows = scipy.prepare(rows, metric)
    return np.asarray(scipy.matrix(scipy.prepare(queries, metric), rows, metric))


def matrix_errors(found: Array, truth: Array) -> Errors:
    """Compare a sample of a matrix's rows with the truth; NaN is left unchecked."""
    return Errors(_relative(np.asarray(found, np.float64), truth))


def neighbor_errors(distances: Array, ids: Array, truth: Array) -> Errors:
    """Compare neighbours with the truth for their queries, (queries, database).

    An id is wrong when it is −1 or its true distance is beyond the true k-th: ties are no errors.
    """
    k = ids.shape[1]
    kth = np.partition(truth, k - 1, axis=1)[:, k - 1 : k]
    valid = ids >= 0
    of_ids = np.take_along_axis(truth, np.where(valid, ids, 0), axis=1)
    wrong = ~valid | (of_ids > kth * (1 + NEGLIGIBLE) + NEGLIGIBLE)
    return Errors(_relative(np.where(valid, distances, np.nan), of_ids), float(wrong.mean()))


def _relative(found: Array, truth: Array) -> float:
    checked = (truth > NEGLIGIBLE) & ~np.isnan(found)
    return float(np.max(np.abs(found - truth)[checked] / truth[checked], initial=0.0))
