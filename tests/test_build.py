"""What a person reads where the package cannot be compiled: one sentence that says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from processes import HANGS

ROOT = Path(__file__).parents[1]


def cmake():
    """CMake itself, which works without PATH: a shim that a version manager puts there does not."""
    for folder in [os.path.dirname(sys.executable), *os.environ["PATH"].split(os.pathsep)]:
        found = shutil.which("cmake", path=folder)
        if (
            found
            and not subprocess.run(
                [found, "--version"], env={"PATH": "/nowhere"}, capture_output=True
            ).returncode
        ):
            return found
    return None


CMAKE = cmake()


def refusal(folder, path, cxx):
    """What CMake says at last, in one line; nothing is compiled on the way."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CMAKE_")}
    without = (f"-DCMAKE_MAKE_PROGRAM={CMAKE}", "-DCMAKE_CXX_COMPILER_FORCED=ON")
    done = subprocess.run(
        [CMAKE, *without, "-S", ROOT, "-B", folder / "build"],
        env=kept | {"PATH": path, "CXX": cxx},
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert done.returncode == 1, done.stdout
    return " ".join(done.stderr.partition("(message):")[2].split())


@pytest.mark.skipif(not CMAKE, reason="cmake, which pip fetches for the build alone, is not here")
@pytest.mark.parametrize(
    ("cxx", "absent"),
    [("", "there is none:"), ("g++ -pthread", 'there is no "g++":')],
)
def test_without_a_compiler_one_sentence_says_what_to_install(cxx, absent, tmp_path):
    said = refusal(tmp_path, str(tmp_path), cxx)
    assert said.startswith("lookalike needs a C++ compiler and ")
    sentence = said[: said.index("CXX=clang++ pip install .")]
    assert absent in sentence
    for words in ("apt install g++", "dnf install gcc-c++", "xcode-select --install"):
        assert f'"{words}"' in sentence


OLD = """#!/bin/sh
exec c++ -U__GNUC__ -D__GNUC__=9 -U__GNUC_MINOR__ -D__GNUC_MINOR__=4 "$@"
"""


@pytest.mark.skipif(not CMAKE, reason="cmake, which pip fetches for the build alone, is not here")
@pytest.mark.skipif(not shutil.which("g++"), reason="no g++ to be taken for an older one")
def test_a_compiler_that_is_too_old_is_named_with_its_version(tmp_path):
    old = tmp_path / "old-g++"
    old.write_text(OLD.replace("c++", shutil.which("g++"), 1))
    old.chmod(0o755)
    said = refusal(tmp_path, os.environ["PATH"], str(old))
    assert said.startswith("lookalike needs g++ 11 or Clang 14, or a later one, and ")
    assert f"{old} is GNU 9.4" in said.replace("- ", "-")
    # Whoever then names another is not told of the old one, which CMake keeps in its folder.
    assert 'there is no "g++-98":' in refusal(tmp_path, os.environ["PATH"], "g++-98")
