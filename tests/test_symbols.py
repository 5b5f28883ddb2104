"""What the compiled files export: code for one CPU must not be linked into the way of another."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike

ROOT = Path(__file__).parents[1]


def objects():
    """Every object file of the build that is imported here, by what CMake says it compiled."""
    build = ROOT / "build" / "editable"
    if not Path(lookalike.__file__).is_relative_to(ROOT / "python"):
        tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
        build = next(ROOT.glob(f"build/{tag}-{tag}*"), build)
    build = Path(os.environ.get("LOOKALIKE_BUILD", build))  # native/compilers.py's
    commands = build / "compile_commands.json"
    if not commands.is_file():
        return []
    return [build / command["output"] for command in json.loads(commands.read_text())]


OBJECTS = objects()
ISA_OBJECTS = [path for path in OBJECTS if re.search(r"_avx(2|512)", path.name)]
COMMON_OBJECTS = [path for path in OBJECTS if path not in ISA_OBJECTS]


def cannot_look(reason):
    """Skip where somebody may lack a build or a tool; there is no excuse where CI should look."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def run(tool, *arguments):
    if shutil.which(tool) is None:
        cannot_look(f"{tool} is not installed")
    command = [tool, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def defined_symbols(path, *options):
    """Pairs (kind, demangled name) of what a file defines."""
    for line in run("nm", "-C", "--defined-only", *options, path).splitlines():
        _, kind, name = line.split(maxsplit=2)
        yield kind, name


def own_namespace(path):
    return "lookalike::" + re.search(r"_(\w+)\.cpp", path.name)[1] + "::"


def test_there_are_object_files_to_look_at():
    if not OBJECTS:
        cannot_look("this Python's build left no object files under build/")
    missing = [path for path in OBJECTS if not path.is_file()]
    assert not missing
    if "avx2" in lookalike.cpu_info()["levels"]:
        assert {own_namespace(path) for path in ISA_OBJECTS} >= {
            "lookalike::avx2::",
            "lookalike::avx512::",
        }
    assert COMMON_OBJECTS


@pytest.mark.parametrize("path", ISA_OBJECTS, ids=lambda path: path.name)
def test_isa_objects_define_nothing_outside_their_namespace(path):
    # The linker keeps one of several weak definitions: were it the AVX-512 one of a function that
    # common code calls too, an older CPU would meet an illegal instruction.
    foreign = [
        name
        for kind, name in defined_symbols(path)
        if kind in "WVuTDBRC" and own_namespace(path) not in name
    ]
    assert not foreign


@pytest.mark.parametrize("path", COMMON_OBJECTS, ids=lambda path: path.name)
def test_common_objects_hold_no_wide_registers(path):
    assert not re.search(r"%[yz]mm\d", run("objdump", "-d", "--no-show-raw-insn", path))


def test_the_extension_exports_its_entry_point_alone():
    exported = [
        name
        for kind, name in defined_symbols(lookalike._core.__file__, "-D")
        if kind in "TDBRVWu" and ("lookalike" in name or "PyInit" in name)
    ]
    assert exported == ["PyInit__core"]
