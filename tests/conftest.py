"""Fixtures that every test file may ask for."""

import os
import shutil
import signal
import subprocess
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from browser import Browser, Chromium
from processes import HANGS

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts jobs in the background: the processes that are interrupted here inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,  # the same examples in every run; those marked slow look for new ones
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
)
hypothesis.settings.load_profile("suite")

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="run each test once, on one of its parameters, and none of those marked long",
    )


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run all tests in two processes, a file in one of them; a choice of tests in this one."""
    options = config.option
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or options.keyword
    alone = chosen or options.markexpr != "not slow" or options.usepdb or options.collectonly
    alone = alone or "PYTEST_XDIST_WORKER" in os.environ  # one of the two
    if not alone and getattr(options, "numprocesses", 0) is None:  # there is pytest-xdist, unasked
        options.numprocesses, options.dist = 2, "loadfile"


@pytest.hookimpl(trylast=True)  # after -m and -k
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("quick"):
        return
    variants = defaultdict(list)
    for item in items:
        if not item.get_closest_marker("long"):
            variants[item.nodeid.partition("[")[0]].append(item)
    # By its name: always the same of one test, and any of all tests.
    kept = {some[zlib.crc32(name.encode()) % len(some)] for name, some in variants.items()}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests out of the user's folders, and the user's gallery out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.delenv("LOOKALIKE_GALLERY", raising=False)
        yield


@pytest.fixture
def own_trash(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The trash of the tests, empty; a test that touches the user's fails."""
    users = Path(os.path.expanduser("~/.local/share/Trash"))
    before = sorted(users.rglob("*"))
    data = os.environ["XDG_DATA_HOME"]
    assert Path(data, "Trash") != users
    monkeypatch.setenv("HOME", data)  # on the disk of the test, or its photos go to another trash
    shutil.rmtree(Path(data, "Trash"), ignore_errors=True)
    yield Path(data, "Trash")
    assert sorted(users.rglob("*")) == before


@pytest.fixture(scope="session")
def one_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The process that all pages are looked at with."""
    started = Chromium(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def chromium(one_chromium: Chromium) -> Iterator[Browser]:
    """A window of Chromium that knows of no other test."""
    with Browser(one_chromium) as window:
        yield window


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20150915)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real features and photos that LOOKALIKE_DATA names."""
    folder = os.environ.get("LOOKALIKE_DATA")
    if not folder:
        pytest.skip("LOOKALIKE_DATA is not set: no real features to test on")
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"LOOKALIKE_DATA names {folder!r}, which is not a folder")
    return Path(folder)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache of weights of its own, and none of the user's settings."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    for name in ("LOOKALIKE_MODEL", "LOOKALIKE_MODEL_URL"):
        monkeypatch.delenv(name, raising=False)
    return cache


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Run a script in a fresh interpreter that sees the test modules; return what it printed."""

    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(script: str, *arguments: str, timeout: float = HANGS, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=os.environ | {"PYTHONPATH": path} | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables of a user whose weights are an untrained network, quick to load."""
    from lookalike.embedding.untrained import untrained_googlenet

    folder = tmp_path_factory.mktemp("settings")
    model = folder / "untrained.onnx"
    model.write_bytes(untrained_googlenet(0))
    return {"LOOKALIKE_MODEL": str(model), "XDG_CACHE_HOME": str(folder)}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Path:
    """A folder with ``photos``, nine small pictures, and ``lookalike.gallery`` of them."""
    from command_line import draw_photos, run

    folder = tmp_path_factory.mktemp("drawn")
    draw_photos(folder / "photos")
    made = run("index", "photos", cwd=folder, **settings)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def lookalike(
    drawn: Path,
    settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Callable[..., object]:
    """Call ``lookalike`` in this process, with `drawn` as the current folder."""
    from command_line import call

    monkeypatch.chdir(drawn)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: call(arguments, monkeypatch, capfdbinary)
