"""Every instruction set gives the same bits; LOOKALIKE_SIMD caps it and cpu_info() reports it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike
from processes import HANGS
from reference import RELATIVE_FLOAT32, assert_same_bits, assert_within
from simd_batch import batch

LEVELS = ("avx512", "avx2", "baseline")  # best first


@pytest.fixture(scope="module")
def in_this_process():
    return dict(batch())


def test_cpu_info_describes_the_level_in_use():
    info = lookalike.cpu_info()
    assert info["levels"] == [level for level in LEVELS if level in info["levels"]]
    assert info["levels"][-1] == "baseline"
    assert info["simd"] in info["levels"]
    assert all(isinstance(name, str) for name in info["extensions"])
    cap = os.environ.get("LOOKALIKE_SIMD", LEVELS[0])
    allowed = [level for level in info["levels"] if LEVELS.index(level) >= LEVELS.index(cap)]
    assert info["simd"] == allowed[0]


EXTENSIONS = ("vnni", "vbmi")
CAPS = [{"LOOKALIKE_SIMD": level} for level in LEVELS]
CAPS += [{"LOOKALIKE_EXTENSIONS": ""}]  # they serve different metrics: all at once


@pytest.mark.parametrize("cap", CAPS, ids=lambda cap: "=".join(*cap.items()))
def test_every_level_and_extension_gives_the_same_bits(cap, in_this_process, tmp_path):
    level = cap.get("LOOKALIKE_SIMD", lookalike.cpu_info()["simd"])
    if level not in lookalike.cpu_info()["levels"]:
        pytest.skip(f"this CPU or this build has no {level}")
    path = tmp_path / "results.npz"
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("simd_batch.py")), str(path)],
        env=os.environ | cap,
        check=True,
        timeout=HANGS,
    )
    with np.load(path) as results:
        assert str(results["level"]) == level
        assert set(results.files) == {*in_this_process, "level"}
        for name, here in in_this_process.items():
            if name.startswith("single"):
                # Either is within the tolerance of the float64 value.
                smallest = np.finfo(np.float32).smallest_subnormal
                assert_within(results[name], here, 2.1 * RELATIVE_FLOAT32, 2 * smallest)
            else:
                assert_same_bits(results[name], here)


def test_extensions_can_be_switched_off(run_python):
    script = "import lookalike; print(*lookalike.cpu_info()['extensions'])"
    here = lookalike.cpu_info()["extensions"]
    assert set(here) <= set(EXTENSIONS)
    assert run_python(script, LOOKALIKE_EXTENSIONS="").split() == []
    assert run_python(script, LOOKALIKE_SIMD="avx2").split() == []
    for name in EXTENSIONS:
        kept = [name] if name in here else []
        assert run_python(script, LOOKALIKE_EXTENSIONS=name).split() == kept


LEVEL = "import lookalike; print(lookalike.cpu_info()['simd'])"


def test_a_level_that_the_cpu_lacks_falls_to_its_best(run_python):
    best = lookalike.cpu_info()["levels"][0]
    assert run_python(LEVEL, LOOKALIKE_SIMD="avx512").strip() == best


def test_no_cap_means_the_best_level(run_python):
    best = lookalike.cpu_info()["levels"][0]
    script = "import os; os.environ.pop('LOOKALIKE_SIMD', None)\n" + LEVEL
    assert run_python(script).strip() == best
    assert run_python(LEVEL, LOOKALIKE_SIMD="").strip() == best


@pytest.mark.parametrize(
    ("variable", "value", "known"),
    [
        ("LOOKALIKE_SIMD", "sse9", LEVELS),
        ("LOOKALIKE_SIMD", "AVX 2", LEVELS),
        ("LOOKALIKE_SIMD", "0", LEVELS),
        ("LOOKALIKE_EXTENSIONS", "vnni,amx", EXTENSIONS),
    ],
)
def test_an_unknown_level_or_extension_is_refused_in_words(variable, value, known):
    done = subprocess.run(
        [sys.executable, "-c", "import lookalike"],
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert done.returncode == 1  # an exception, not a crash
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(("ImportError", "ValueError"))
    for word in (variable, value.split(",")[-1], *known):
        assert word in last
