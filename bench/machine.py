"""What a figure depends on: the CPU, the versions, the threads."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from blas import faiss_module
from peer import CORES

PACKAGES = ("lookalike", "numpy", "scipy", "scikit-learn", "faiss-cpu", "numkong")


def cpu_name() -> str:
    """Give the CPU's name as the system has it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def simd_level() -> str:
    """Give the level that lookalike uses here, or `none` where it is not installed."""
    try:
        import lookalike as la
    except ImportError:
        return "none"
    return str(la.cpu_info()["simd"])


def versions() -> dict[str, str]:
    """Give the version of every package that takes part and is installed."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def pools() -> list[str]:
    """Name every native pool of threads, its size and, of a BLAS, the kernels it chose."""
    faiss_module()
    return [
        f"{Path(pool['filepath']).stem} {pool['num_threads']}" + kernels_of(pool)
        for pool in threadpool_info()
    ]


def kernels_of(pool: dict[str, Any]) -> str:
    return f" {pool['architecture']}" if pool.get("architecture") else ""


def description() -> list[str]:
    """Say all of it, a line each."""
    return [
        f"CPU: {cpu_name()}, {CORES} cores; lookalike at level {simd_level()}",
        f"load before the run: {os.getloadavg()[0]:.1f} (near 0 on an idle machine)",
        "versions: " + ", ".join(f"{name} {v}" for name, v in versions().items()),
        f"threads: {CORES} for every library that has any ({', '.join(pools())})",
    ]
