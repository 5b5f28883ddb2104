"""Screens exclude pairs before their codes are looked at: results stay what they are, to the bit.

They are forced (LOOKALIKE_SCREENS=always), as no search of a test is long enough for them to pay.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from reference import assert_same_bits

HERE = Path(__file__).parent
LEVELS = lookalike.cpu_info()["levels"]


def batch(*arguments, **environment):
    """Run the batch in a process of its own; give the lines that it prints."""
    said = subprocess.run(
        [sys.executable, HERE / "screened_batch.py", *arguments],
        env={**os.environ, "LOOKALIKE_SCREENS": "always", **environment},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.splitlines()


@pytest.mark.parametrize(
    "level",  # the baseline has no screens: not in a quick run
    [pytest.param(level, marks=[pytest.mark.long] * (level == "baseline")) for level in LEVELS],
)
def test_rows_made_against_screens(level):
    *stages, screened = batch("1", LOOKALIKE_SIMD=level)
    screens = [stage for stage in stages if "screen" in stage]
    assert bool(screens) == (level != "baseline")
    if screens:
        for kind in (
            "knn: .* coordinates",
            "knn: .* features",
            "radius: .* coordinates",
            "radius: .* features",
        ):
            assert any(re.match(kind, stage) for stage in screens)
        assert int(screened.split()[1]) > 1e5


def test_without_extensions():
    if "avx512" not in LEVELS:
        pytest.skip("no level of this CPU has extensions")
    stages = batch("2", LOOKALIKE_EXTENSIONS="")
    for search in ("knn", "radius"):
        assert any(re.match(f"{search}: .*coordinates then 7-bit", stage) for stage in stages)


@pytest.mark.long
def test_every_kind_of_hostile_rows():
    batch("3", "hostile")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_long_search_for_a_pair_wrongly_screened(seed):
    level = LEVELS[seed % len(LEVELS)]
    batch(str(seed), "hostile", LOOKALIKE_SIMD=level)


def test_a_sample_decides():
    # Noise has no few directions, and a small search none to spare for looking: no screen.
    rng = np.random.default_rng(0)
    for X in (rng.standard_normal((8100, 256), np.float32), googlenet_like(2640, 256)):
        _, stats = lookalike.knn(X, k=3, metric="euclidean", return_stats=True)
        assert stats["screened"] == 0
        radius = float(np.quantile(lookalike.pdist(X[:300], "euclidean"), 0.01))
        _, stats = lookalike.radius_neighbors(
            X, radius=radius, metric="euclidean", return_stats=True
        )
        assert stats["screened"] == 0


@pytest.mark.skipif("avx2" not in LEVELS, reason="the baseline has no screens")
@pytest.mark.parametrize("metric", ["euclidean", "chebyshev"])
def test_near_duplicates_are_worth_a_screen_of_any_rows(metric):
    # Nothing says where noise is spread, but of rows that are far apart any direction does.
    X = np.random.default_rng(0).standard_normal((8000, 256), np.float32)
    X[::100] = X[1::100] + np.float32(1e-3)
    expected = lookalike.knn(X[::100], X, k=2, metric=metric)
    found, stats = lookalike.radius_neighbors(X, radius=0.5, metric=metric, return_stats=True)
    assert stats["screened"] > 0.99 * 8000 * 7999 / 2
    assert stats["refined"] < 500
    assert np.flatnonzero(np.diff(found.indptr)).tolist() == sorted(
        [*range(0, 8000, 100), *range(1, 8000, 100)]
    )
    assert_same_bits(found.distances[::2], expected.distances[:, 1])
