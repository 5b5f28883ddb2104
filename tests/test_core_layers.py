"""Includes of the core go down, room by room, and no two files include each other in a circle."""

import re
from pathlib import Path

CORE = Path(__file__).parents[1] / "csrc"

# What a room may include is before it; files beside the rooms stand where they belong.
ORDER = [
    {"memory", "checksums", "stats"},
    {"threads"},
    {"metrics"},
    {"kernels"},
    {"tiles"},
    {"rows"},
    {"exact_distances"},
    {"filters"},
    {"search", "matrix"},
]


def files():
    return sorted(path for path in CORE.rglob("*") if path.suffix in (".h", ".cpp"))


def room_of(path):
    first = Path(path).parts[0]
    return first if (CORE / first).is_dir() else Path(first).stem


def level(path):
    return next(i for i, rooms in enumerate(ORDER) if room_of(path) in rooms)


def includes(path):
    return re.findall(r'^#include "(.+)"', path.read_text(), re.MULTILINE)


def test_every_include_is_of_a_lower_room():
    climbing = [
        (str(path.relative_to(CORE)), target)
        for path in files()
        for target in includes(path)
        if level(target) > level(path.relative_to(CORE))
        or (
            level(target) == level(path.relative_to(CORE))
            and room_of(target) != room_of(path.relative_to(CORE))
        )
    ]
    assert climbing == []


def test_no_circle_of_includes():
    graph = {str(path.relative_to(CORE)): includes(path) for path in files()}
    done = set()

    def walk(name, path):
        assert name not in path, [*path, name]
        if name not in done:
            for target in graph[name]:
                walk(target, [*path, name])
            done.add(name)

    for name in graph:
        walk(name, [])


def test_the_core_is_plain_cpp_in_short_files():
    for path in (*files(), *(CORE.parent / "src").iterdir()):
        assert len(path.read_text().splitlines()) <= 400, path
        if CORE in path.parents:
            assert not re.search(r"Python\.h|pybind11", path.read_text()), path
    beside = [path for path in CORE.iterdir() if path.is_file()]
    assert len(beside) <= 16
