"""Build with each compiler, test each build, compare all results to the bit: `nox -s compilers`.

It replaces the `lookalike` of its environment. What is missing comes from Debian's packages. Those
of the OpenMP of two Clangs exclude one another, so these are unpacked under `build/compilers`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build" / "compilers"
COMPILERS = ("g++-11", "g++-12", "clang++-14", "clang++-19")
CAPS = [("LOOKALIKE_SIMD", level) for level in ("avx512", "avx2", "baseline")]
CAPS += [("LOOKALIKE_EXTENSIONS", "")]


def run(*command: object, cwd: Path = ROOT, **environment: object) -> None:
    """Run in the project's folder; whatever fails ends all."""
    words = [str(word) for word in command]
    print("--", *words, flush=True)
    settings = os.environ | {name: str(value) for name, value in environment.items()}
    if code := subprocess.run(words, cwd=cwd, env=settings).returncode:
        sys.exit(f"compilers: {' '.join(words)} failed ({code})")


def install(compiler: str) -> None:
    """Find the compiler, or have apt-get install it."""
    package = compiler.replace("clang++", "clang")
    if not shutil.which(compiler) and shutil.which("apt-get") and os.getuid() == 0:
        run("apt-get", "update", "-qq")
        options = ("-y", "-qq", "--no-install-recommends")
        run("apt-get", "install", *options, package, DEBIAN_FRONTEND="noninteractive")
    if not shutil.which(compiler):
        sys.exit(f"compilers: there is no {compiler}: apt-get install {package}")


def openmp_of(compiler: str) -> dict[str, Path]:
    """Unpack Clang's OpenMP; return the environment in which it is found."""
    _, clang, version = compiler.partition("clang++-")
    if not clang or not shutil.which("apt-get"):
        return {}  # g++ brings its own; elsewhere it is installed, or CMake says what to install
    folder = BUILDS / f"libomp-{version}"
    if not folder.is_dir():
        packages = BUILDS / f"libomp-{version}-packages"
        packages.mkdir(parents=True, exist_ok=True)
        run("apt-get", "download", f"libomp-{version}-dev", f"libomp5-{version}", cwd=packages)
        for package in packages.glob("*.deb"):
            run("dpkg-deb", "-x", package, folder)
    [header], [library] = folder.rglob("omp.h"), folder.rglob("libomp.so")
    paths = {"LIBRARY_PATH": library.parent, "LD_LIBRARY_PATH": library.parent}
    return paths | {"CPATH": header.parent}


def test(compiler: str) -> Path:
    """Install with every warning an error, test, hold filters to their bounds, compute results."""
    install(compiler)
    folder = BUILDS / compiler
    environment = openmp_of(compiler) | {"CXX": compiler, "LOOKALIKE_BUILD": folder}
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps")
    options = ("--force-reinstall", f"-Cbuild-dir={folder}", "-Ccmake.define.LOOKALIKE_WERROR=ON")
    run(*pip, *options, ".", **environment)
    run(sys.executable, "-m", "pytest", "-q", "--quick", *sys.argv[1:], **environment)
    bounds, flags = folder / "bounds", ("-std=c++17", "-O1", "-ffp-contract=off", "-fopenmp")
    sources = ("-Icsrc", "tests/native/bounds.cpp", folder / "libcore.a")
    run(compiler, *flags, *sources, "-o", bounds, **environment)
    for name, cap in CAPS:
        limits = environment | {name: cap}
        run(sys.executable, "tests/native/bounds.py", bounds, 100, **limits)
        run(sys.executable, "tests/simd_batch.py", folder / f"{name}={cap}.npz", **limits)
    return folder


def compare(folders: list[Path]) -> str:
    """Hold the results of all builds against each other; say what was compared."""
    compared = 0
    levels = []
    for cap in CAPS:
        results = [np.load(folder / f"{'='.join(cap)}.npz") for folder in folders]
        levels.append(f"{'='.join(cap)} ({results[0]['level']})")
        for name in results[0].files:
            # Single precision too, which is within a tolerance from one level to another.
            bits = {(found[name].dtype.str, found[name].tobytes()) for found in results}
            if len(bits) > 1:
                sys.exit(f"compilers: {name!r} differs between compilers at {levels[-1]}")
            compared += 1
    return f"{compared} results are equal to the bit at {', '.join(levels)}"


def main() -> None:
    if os.environ.get("NOX_CURRENT_SESSION") != "compilers":
        sys.exit("compilers: run it as `nox -s compilers`: it replaces lookalike")
    said = compare([test(compiler) for compiler in COMPILERS])
    print(f"{', '.join(COMPILERS)}: built without a warning, tests passed; {said}.")


if __name__ == "__main__":
    main()
