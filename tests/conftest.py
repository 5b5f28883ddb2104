"""Fixtures that every test file may ask for."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,  # the same examples in every run; those marked slow look for new ones
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
)
hypothesis.settings.load_profile("suite")

TESTS = Path(__file__).parent


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

    def run(script: str, *arguments: str, timeout: float = 60, **environment: str) -> str:
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
