"""What the compiled files export: code for one CPU must not be linked into the way of another."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lookalike

ROOT = Path(__file__).parents[1]
OBJECTS = sorted((ROOT / "build").glob("cp*/**/*.cpp.o"))  # pip's own build, no sanitizers
ISA_OBJECTS = [path for path in OBJECTS if re.search(r"_avx(2|512)", path.name)]
COMMON_OBJECTS = [path for path in OBJECTS if path not in ISA_OBJECTS]

needs_objects = pytest.mark.skipif(not ISA_OBJECTS, reason="no object files under build/")


def run(tool, *arguments):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    command = [tool, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def defined_symbols(path, *options):
    """Pairs (kind, demangled name) of what a file defines."""
    for line in run("nm", "-C", "--defined-only", *options, path).splitlines():
        _, kind, name = line.split(maxsplit=2)
        yield kind, name


def own_namespace(path):
    return "lookalike::" + re.search(r"_(\w+)\.cpp", path.name)[1] + "::"


@needs_objects
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


@needs_objects
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
