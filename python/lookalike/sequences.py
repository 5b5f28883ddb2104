"""Labels, paths and ids as people have them: lists, arrays, tensors, columns of tables."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

__all__ = ["is_missing", "values_of"]


def values_of(given: Any, name: str) -> list[Any]:
    """Return one value an image, as Python's own numbers and strings.

    Parameters
    ----------
    given : 1-D sequence, array, tensor, column of a table, or iterable
        What has an array form is taken by its values: the items of a tensor would be objects of
        which no two are equal. A masked entry is None; dates stay what they are.
    name : str
        What an error calls it.

    Raises
    ------
    ValueError
        It is not 1-D.
    TypeError
        It is one string, or has no order.

    Examples
    --------
    >>> values_of(np.array([2, 0]), "labels"), values_of([np.str_("cat"), None], "labels")
    ([2, 0], ['cat', None])
    """
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{name} must be one an image, got the {type(given).__name__} {given!r}")
    if isinstance(given, (Mapping, AbstractSet)):
        raise TypeError(f"{name} must be one an image, in order, got a {type(given).__name__}")
    if not isinstance(given, (list, tuple, np.ndarray)):
        given = _unwrapped(given)
    if isinstance(given, np.ndarray):
        if given.ndim != 1:
            raise ValueError(f"{name} must be 1-D, got {given.ndim}-D of shape {given.shape}")
        if given.dtype.kind not in "mMO":  # dates would become bare integers
            return list(given.tolist())
    try:
        return [_value(each) for each in given]
    except TypeError:
        if np.ndim(given) == 0:
            raise TypeError(f"{name} must be one an image, got {given!r}") from None
        raise


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for none: None, NaN, ``pandas.NA`` or the empty string.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(0)
    (True, True, False)
    """
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, (str, bytes)):
        return not value
    try:
        return bool(value != value)  # NaN, NaT
    except TypeError:  # pandas.NA has no truth
        return True
    except ValueError:  # an array
        return False


def _unwrapped(given: Any) -> Any:
    for method in ("to_pylist", "to_numpy"):  # pyarrow's; pandas' and polars' columns
        if hasattr(given, method):
            return getattr(given, method)()
    if hasattr(given, "__array__"):
        try:
            return np.asarray(given)
        except (TypeError, RuntimeError):  # a tensor on another device, or with a gradient
            pass
    return given.tolist() if hasattr(given, "tolist") else given


def _value(each: Any) -> Any:
    if isinstance(each, (np.datetime64, np.timedelta64)) or each is np.ma.masked:
        return None if each is np.ma.masked else each
    if hasattr(each, "item") and getattr(each, "shape", None) == ():
        return each.item()
    return each
