"""Measure this machine's limits: `python bench/roofline.py` prints them in 10⁹ per second.

Builds roofline.cpp with the system's compiler. The result is kept in the temporary directory, so
that compare.py can say which fraction of a limit a kernel reaches; `--again` measures anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from machine import cpu_name
from peer import CORES

SOURCE = Path(__file__).with_name("roofline.cpp")

# The limit a metric's formula in float32 is held against, and the one for each 8-bit filter.
LIMITS = {
    "manhattan": "fp32_absolute_difference",
    "euclidean": "fp32_multiply_add",
    "cosine": "fp32_multiply_add",
    "braycurtis": "fp32_absolute_difference",
    "canberra": "fp32_quotient",
    "chebyshev": "fp32_maximum_difference",
    "correlation": "fp32_multiply_add",
    "8-bit differences": "uint8_absolute_difference",
    "8-bit largest differences": "uint8_maximum_difference",
    "8-bit products": "int8_dot",
    "7-bit products": "int7_dot",
    "8-bit ratios": "uint8_table",
}


@dataclass(frozen=True)
class Limit:
    """10⁹ units per second: features of pairs, or bytes read."""

    level: str
    name: str
    per_core: float
    all_cores: float


def limits(again: bool = False) -> list[Limit]:
    """Give the limits, measured once per machine and version of the program."""
    key = hashlib.sha256(SOURCE.read_bytes() + f"{cpu_name()} {CORES}".encode()).hexdigest()[:16]
    cache = Path(tempfile.gettempdir()) / f"lookalike-roofline-{os.getuid()}-{key}.json"
    if again or not cache.exists():
        cache.write_text(json.dumps([vars(limit) for limit in measure()], indent=1))
    return [Limit(**fields) for fields in json.loads(cache.read_text())]


def measure() -> list[Limit]:
    """Build the program and run it: about half a minute."""
    compiler = os.environ.get("CXX", "c++")
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "roofline")
        flags = ["-std=c++17", "-O3", "-ffp-contract=fast", "-pthread"]
        subprocess.run([compiler, *flags, str(SOURCE), "-o", program], check=True)
        run = subprocess.run([program, str(CORES)], check=True, capture_output=True, text=True)
    lines = [line.split() for line in run.stdout.splitlines()]
    return [Limit(level, name, float(one), float(every)) for level, name, one, every in lines]


def fraction(formula: str, pairs_per_second: float, level: str) -> dict[str, float]:
    """Give the fraction of the limit of a metric or a filter, all cores, that a rate is.

    A limit is that of the formula as written: a kernel that finds a shorter way passes 1.
    """
    known = {limit.name: limit.all_cores for limit in limits() if limit.level == level}
    name = LIMITS.get(formula)
    return {name: pairs_per_second / (known[name] * 1e9)} if name in known else {}


def read_fraction(bytes_per_second: float) -> dict[str, float]:
    """Give the fraction of the rate at which all cores read a database of 80 MiB."""
    known = [limit for limit in limits() if limit.name == "database_read"]
    return {limit.name: bytes_per_second / (limit.all_cores * 1e9) for limit in known}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="measure even if a result is kept")
    arguments = parser.parse_args()
    print(f"{cpu_name()}, {CORES} cores; 10⁹ pair features (or bytes read) per second\n")
    print("| limit | level | one core | all cores | per core, all busy |")
    print("|---|---|--:|--:|--:|")
    for limit in sorted(limits(arguments.again), key=lambda limit: limit.name):
        name = limit.name.replace("_", " ")
        each = limit.all_cores / CORES
        print(
            f"| {name} | {limit.level} | {limit.per_core:.1f} | {limit.all_cores:.1f} "
            f"| {each:.1f} |"
        )


if __name__ == "__main__":
    main()
