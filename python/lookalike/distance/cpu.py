"""What the compiled core makes of this machine."""

from __future__ import annotations

from typing import Any

from lookalike import _core

__all__ = ["cpu_info"]


def cpu_info() -> dict[str, Any]:
    """Report which of the CPU's instructions the compiled core uses.

    Returns
    -------
    dict
        ``"simd"``: the level in use (``"avx512"``, ``"avx2"`` or ``"baseline"``); ``"extensions"``:
        the list of extensions in use beyond it; ``"levels"``: what this build and CPU can run, best
        first; ``"threads"``: how many threads a call uses by default; ``"openmp"``: the file of the
        OpenMP runtime that they are from, empty if there is none and calls have two threads.

    Notes
    -----
    The environment variables ``LOOKALIKE_SIMD`` and ``LOOKALIKE_EXTENSIONS``, read when the package
    is imported, cap the level and name the extensions allowed.

    Examples
    --------
    >>> import lookalike as la
    >>> la.cpu_info()["simd"] in la.cpu_info()["levels"]
    True
    """
    return _core.cpu_info()
