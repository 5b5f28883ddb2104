"""Labels from a file: a text file, a NumPy array or a column of a CSV."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

__all__ = ["not_numbers", "read_labels"]

COLUMNS = ("label", "category")


def read_labels(path: str, column: str | None = None) -> list[Any]:
    """Read a label for every row; an empty one means "no label".

    Parameters
    ----------
    path : str
        ``.npy``: a 1-D array. ``.csv``: a table with a heading. Anything else: a label a line.
    column : str, optional
        The table's column of labels; by default ``label``, or else ``category``.

    Raises
    ------
    ValueError
        The file is not what its name says, or has no such column.
    """
    kind = os.path.splitext(path)[1].lower()
    if column is not None and kind != ".csv":
        raise ValueError(f"a column of labels can be named for a .csv file only, got {path}")
    try:
        if kind == ".npy":
            return _array(path)
        with open(path, encoding="utf-8-sig", newline="") as file:
            if kind == ".csv":
                return _column(csv.DictReader(file), path, column)
            return file.read().splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None


def not_numbers(error: Exception) -> str:
    """Return what is wrong with a file that NumPy does not load."""
    if str(error).startswith("Object arrays"):
        return "holds Python objects, which are not read: save it as an array of numbers or strings"
    return "is not a NumPy array file"


def _array(path: str) -> list[Any]:
    try:
        labels = np.load(path)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} {not_numbers(error)}") from None
    if labels.ndim != 1:
        raise ValueError(f"{path} must hold a 1-D array, got shape {labels.shape}")
    return list(labels.tolist())


def _column(table: csv.DictReader[str], path: str, column: str | None) -> list[Any]:
    names = list(table.fieldnames or [])
    wanted = COLUMNS if column is None else (column,)
    found = next((name for name in wanted if name in names), None)
    if found is None:
        there = ", ".join(names) or "none"
        raise ValueError(f"{path} must have a column {' or '.join(wanted)}, got {there}")
    return [row[found] for row in table]
