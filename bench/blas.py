"""faiss with the BLAS kernels that this CPU has."""

from __future__ import annotations

import importlib.util
import os
from functools import lru_cache
from typing import Any

import numpy  # noqa: F401 - its OpenBLAS must have looked at the CPU already
from threadpoolctl import threadpool_info

# Names that an OpenBLAS of 2021 does not know yet, and the newest it has instead.
OLDER = {"SapphireRapids": "SkylakeX", "Cooperlake": "SkylakeX", "Zen4": "SkylakeX"}


@lru_cache
def faiss_module() -> Any:
    """Import faiss, or give None.

    The wheel's OpenBLAS (0.3.15) knows no CPU newer than itself and falls back to SSE kernels on
    some; it is told what NumPy's newer one found, by the variable that it reads when loaded.
    """
    if importlib.util.find_spec("faiss") is None:
        return None
    found = [pool.get("architecture") for pool in threadpool_info() if "numpy" in pool["filepath"]]
    if found and found[0]:
        os.environ.setdefault("OPENBLAS_CORETYPE", OLDER.get(found[0], found[0]))
    import faiss

    return faiss
