"""What a figure depends on: the CPU, the versions, the threads."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from peers import CORES

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


def threads() -> dict[str, int]:
    """Give the threads each native pool is set to, by library file and API."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {}
    np.ones((2, 2)) @ np.ones((2, 2))  # so that its pool is loaded
    return {f"{Path(p['filepath']).stem}": p["num_threads"] for p in threadpool_info()}


def description() -> list[str]:
    """Say all of it, a line each."""
    pools = ", ".join(f"{name} {count}" for name, count in threads().items())
    return [
        f"CPU: {cpu_name()}, {CORES} cores; lookalike at level {simd_level()}",
        "versions: " + ", ".join(f"{name} {v}" for name, v in versions().items()),
        f"threads: {CORES} for every library that has any ({pools})",
    ]
