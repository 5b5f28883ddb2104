"""The parameters of metrics: what each may be, and where those come from that rows can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.arguments import RowError

__all__ = ["FitError", "checked_parameters", "fitted_parameter", "require_width"]

BLOCK = 4096
"""Rows at a time, as float64; always the same, so that sums have one order."""

LEAST, MOST = 2.0**-200, 2.0**200
"""Of V and of a w that is not 0: what a term that it multiplies can take."""

ASYMMETRY = 1e-6
"""Of VI, relative to its largest value: what rounding leaves of an inverse, and no more."""

NEGATIVE = 1e-10
"""Of VI's eigenvalues, relative to the largest: as far below zero as rounding takes one."""


class FitError(ValueError):
    """A parameter that the rows do not have: there are too few, or features depend on others."""


def checked_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as the core takes them, or raise what names the one that cannot be."""
    return {
        name: CHECKS[name](value) if name in CHECKS else _number(name, value)
        for name, value in given.items()
    }


def require_width(parameters: Mapping[str, Any], columns: int) -> None:
    """Refuse parameters that are not for rows of so many columns."""
    for name, value in parameters.items():
        if not isinstance(value, float) and value.shape[0] != columns:
            wanted, found = (
                " × ".join(map(str, n)) for n in ((columns,) * value.ndim, value.shape)
            )
            raise ValueError(
                f"{name} must have {wanted} numbers for rows of {columns} columns, got {found}"
            )


def fitted_parameter(name: str, rows: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the parameter that comes from rows, the matrices taken as one.

    Raises
    ------
    FitError
        It does not exist for such rows.
    RowError
        A value is not finite.
    """
    matrices = list(rows.values())
    count, width = sum(map(len, matrices)), matrices[0].shape[1]
    least = width + 1 if name == "VI" else 2
    if count < least:
        why = "covariance would be singular" if name == "VI" else "variance would have no value"
        raise FitError(
            f"{name} cannot be taken from {count} rows of {width} columns, whose {why}: "
            f"at least {least} are needed, or give {name}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _total(matrices, lambda block: block.sum(axis=0)) / count
        variances: NDArray[np.float64] = _total(
            matrices, lambda block: ((block - mean) ** 2).sum(axis=0)
        ) / (count - 1)
    _require_variance(name, rows, variances)
    if name == "V":
        return variances
    scale: NDArray[np.float64] = 1 / np.sqrt(variances)

    def products(block: NDArray[np.float64]) -> NDArray[np.float64]:
        standard = (block - mean) * scale
        product: NDArray[np.float64] = standard.T @ standard
        return product

    inverse = _inverse(_total(matrices, products) / (count - 1))
    return inverse * scale[:, None] * scale


def _total(rows: Sequence[NDArray[Any]], of: Any) -> Any:
    """Sum a function of blocks of rows."""
    total: Any = 0.0
    for matrix in rows:
        for start in range(0, len(matrix), BLOCK):
            total = total + of(matrix[start : start + BLOCK].astype(np.float64, order="C"))
    return total


def _require_variance(
    name: str, rows: Mapping[str, NDArray[Any]], variances: NDArray[np.float64]
) -> None:
    """Refuse rows of which a feature does not vary, or is beyond what float64 can square."""
    wrong = np.flatnonzero(~((variances >= LEAST) & (variances <= MOST)))
    if not wrong.size:
        return
    column = int(wrong[0])
    for side, (argument, matrix) in enumerate(rows.items()):
        bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
        if bad.size:
            raise RowError(argument, int(bad[0]), side)
    found = variances[column]
    limits = f"is not from {LEAST:.2g} to {MOST:.2g}: scale it"
    why = "has one value only" if found == 0 else f"has the variance {found:g}, which {limits}"
    others = f" ({wrong.size - 1} more are like it)" if wrong.size > 1 else ""
    raise FitError(
        f"{name} cannot be taken from these rows: column {column} {why}{others}; leave such "
        f"columns out, or give {name}"
    )


def _inverse(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert a matrix of correlations, or tell that features depend on each other."""
    values = np.linalg.eigvalsh(correlation)
    lost = int((values <= len(values) * np.finfo(np.float64).eps * values[-1]).sum())
    if lost:
        raise FitError(
            f"VI cannot be taken from these rows: their covariance is singular, {lost} of "
            f"{len(values)} columns depend on others; leave such out, or give VI"
        )
    inverse = np.linalg.inv(correlation)
    return (inverse + inverse.T) / 2


def _array(name: str, value: Any, ndim: int) -> NDArray[np.float64]:
    """Return an array of finite numbers that nobody else can change."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise ValueError(f"{name} must be an array of numbers: {error}") from None
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name} must be {ndim}-D, got shape {array.shape}")
    if not array.size:
        raise ValueError(f"{name} must hold a number for each feature, got none")
    array = np.array(array, np.float64, order="C") + 0.0  # a copy, and no zero with a sign
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{name} must be finite, got {array[tuple(place)]} at {_place(place)}")
    return array


def _place(place: Sequence[int]) -> str:
    return f"column {place[0]}" if len(place) == 1 else f"row {place[0]}, column {place[1]}"


def _read_only(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array.flags.writeable = False
    return array


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None


def _exponent(value: Any) -> float:
    number = _number("p", value)
    if not number > 0:
        raise ValueError(f"p must be above 0, got {value!r}")
    if not (1 / 64 <= number <= 256 or number == np.inf):
        raise ValueError(f"p must be from 1/64 to 256, or infinity, got {value!r}")
    return number


def _weights(value: Any) -> NDArray[np.float64]:
    weights = _array("w", value, 1)
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        column = int(negative[0])
        raise ValueError(f"w must be at least 0, got {weights[column]:g} for column {column}")
    if not weights.any():
        raise ValueError(f"w must be above 0 for some column, got {len(weights)} zeros")
    _require_range("w", weights[weights > 0])
    return _read_only(weights)


def _variances(value: Any) -> NDArray[np.float64]:
    variances = _array("V", value, 1)
    wrong = np.flatnonzero(variances <= 0)
    if wrong.size:
        column = int(wrong[0])
        raise ValueError(f"V must be above 0, got {variances[column]:g} for column {column}")
    _require_range("V", variances)
    return _read_only(variances)


def _require_range(name: str, values: NDArray[np.float64]) -> None:
    for value in (values.min(), values.max()):
        if not LEAST <= value <= MOST:
            raise ValueError(f"{name} must be from {LEAST:.2g} to {MOST:.2g}, got {value:g}")


def _inverse_covariance(value: Any) -> NDArray[np.float64]:
    matrix = _array("VI", value, 2)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"VI must be square, got shape {matrix.shape}")
    asymmetry = np.abs(matrix / 2 - matrix.T / 2) * 2
    if asymmetry.max() > ASYMMETRY * np.abs(matrix).max():
        i, j = np.argwhere(asymmetry == asymmetry.max())[0].tolist()
        raise ValueError(
            f"VI must be symmetric, got {matrix[i, j]:g} at row {i}, column {j}, and "
            f"{matrix[j, i]:g} at row {j}, column {i}"
        )
    matrix = matrix / 2 + matrix.T / 2  # the same distances
    _require_semidefinite(matrix)
    return _read_only(matrix)


def _require_semidefinite(matrix: NDArray[np.float64]) -> None:
    """Refuse a matrix under which a squared distance could be negative, whatever its scales."""
    diagonal = np.diagonal(matrix)
    if diagonal.max() > MOST**2:
        raise ValueError(f"VI must be at most {MOST**2:.2g}, got {diagonal.max():g}")
    negative = np.flatnonzero(diagonal < 0)
    if negative.size:
        i = int(negative[0])
        raise ValueError(
            f"VI must have no negative eigenvalue, got {diagonal[i]:g} at row {i}, column {i}"
        )
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1))
    scaled = matrix * scale[:, None] * scale
    try:
        np.linalg.cholesky(scaled)  # quick, and enough for all that are definite
    except np.linalg.LinAlgError:
        values = np.linalg.eigvalsh(scaled)
        if values[0] < -NEGATIVE * max(values[-1], 1):
            raise ValueError(
                "VI must have no negative eigenvalue, got one of "
                f"{values[0]:.3g} (of the matrix scaled to a diagonal of ones)"
            ) from None


CHECKS = {"p": _exponent, "w": _weights, "V": _variances, "VI": _inverse_covariance}
