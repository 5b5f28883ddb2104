"""What people's matrices come in, and what of it stays with a result.

An object of another library is recognised by where its class comes from, so that no library is
imported but by who uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lookalike.distance.edge_lists import Ids
from lookalike.distance.frames import from_arrow, from_pandas, from_polars

__all__ = ["column_names", "kept_ids", "plain"]

HOST = {1, 3, 11, 13}
"""Devices of DLPack whose memory the CPU reads: its own, pinned and managed."""


def kept_ids(values: Any) -> Ids | None:
    """Return the index of a frame, None where it only counts the rows from 0."""
    if "pandas" not in _origins(values) or not hasattr(values, "iloc"):
        return None
    index: Ids = values.index
    counts = type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)  # type: ignore[union-attr]
    return None if counts else index


def column_names(values: Any) -> list[Any]:
    """Return what the columns of a frame or a table are called; nothing of all else."""
    origins = _origins(values)
    if not origins & {"pandas", "polars", "pyarrow"}:
        return []
    return list(getattr(values, "column_names" if "pyarrow" in origins else "columns", ()))


def plain(values: Any, name: str) -> Any:
    """Return what NumPy takes for an array of the same numbers, none of them lost on the way."""
    if isinstance(values, (np.ndarray, list, tuple)):
        return values
    origins = _origins(values)
    if "dask" in origins:
        raise TypeError(
            f"{name} must be in memory, got Dask's {type(values).__name__}: lookalike.dask has knn "
            f"and radius_neighbors for those, and {name}.compute() brings it to memory"
        )
    if "pandas" in origins and hasattr(values, "iloc"):
        return from_pandas(values, name)
    if "polars" in origins:
        return from_polars(values, name)
    if "pyarrow" in origins and (hasattr(values, "column_names") or hasattr(values, "null_count")):
        return from_arrow(values, name)
    if "torch" in origins and hasattr(values, "detach"):
        return _torch_tensor(values, name)
    return _tensor(values, name)


def _origins(values: Any) -> set[str]:
    """Return the packages that an object's class and those it is made from come from."""
    return {each.__module__.partition(".")[0] for each in type(values).__mro__}


def _torch_tensor(tensor: Any, name: str) -> Any:
    """Return the numbers of a tensor of torch, also of types that NumPy has none for."""
    if tensor.device.type != "cpu":
        raise TypeError(
            f"{name} must be in the computer's memory, got a tensor on {tensor.device}: "
            f"{name}.cpu() copies it there"
        )
    if str(tensor.layout) != "torch.strided":
        raise TypeError(
            f"{name} must be dense, got a tensor of {tensor.layout}: {name}.to_dense() is dense"
        )
    tensor = tensor.detach().resolve_conj().resolve_neg()
    narrow = str(tensor.dtype).startswith(("torch.bfloat16", "torch.float8"))
    return (tensor.float() if narrow else tensor).numpy()


def _tensor(values: Any, name: str) -> Any:
    """Return what any other library shares by DLPack, and all else as it is."""
    if not hasattr(values, "__dlpack__"):
        return values
    kind, number = values.__dlpack_device__()
    if kind not in HOST:
        raise TypeError(
            f"{name} must be in the computer's memory, got a {type(values).__name__} on device "
            f"{int(kind)}:{number} of DLPack, such as a GPU"
        )
    if hasattr(values, "__array__"):
        return values
    try:
        return np.from_dlpack(values)
    except (BufferError, RuntimeError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from None
