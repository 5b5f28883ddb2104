"""Imports go down: the rooms stand on each other as the package draws them, and no two in a circle.

Imports inside functions count, and so do names that a package imports when they are first asked
for; what is imported for type checkers alone does not.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import lookalike

PACKAGE = Path(lookalike.__file__).parent
LAYERS = lookalike._LAYERS
SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|PRAGMA|ALTER TABLE|CREATE TABLE|BEGIN|COMMIT|ROLLBACK)\b"
)


def name_of(path, package):
    """The module in a file, as its dotted name below the package; the package itself is ""."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(source):
    """A syntax tree, which all tests only read: to make it takes longer than to walk it."""
    return ast.parse(source)


def sources(package=PACKAGE):
    return {name_of(path, package): path.read_text() for path in sorted(package.rglob("*.py"))}


def is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def statements(node):
    """All nodes below one, but for what type checkers alone see."""
    for child in ast.iter_child_nodes(node):
        if is_for_type_checkers(child):
            for other in child.orelse:
                yield other
                yield from statements(other)
        else:
            yield child
            yield from statements(child)


@cache
def imported(name, source, modules):
    return set(imports(name, source, modules)) - {name}


def imports(name, source, modules):
    """The modules of the package that a module's source imports."""
    for node in statements(parsed(source)):
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name.split(".")[0] == "lookalike":
                    yield each.name.partition(".")[2]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name or 'lookalike'}: imports are written in full"
            if node.module.split(".")[0] == "lookalike":
                base = node.module.partition(".")[2]
                for each in node.names:
                    inside = f"{base}.{each.name}".lstrip(".")
                    yield inside if inside in modules else base
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_names":
            for home in ast.literal_eval(node.args[1]).values():
                yield f"{name}.{home}".lstrip(".")


def arrows(modules):
    known = frozenset({*modules, "_core"})
    found = {name: imported(name, source, known) for name, source in modules.items()}
    return found | {"_core": set()}


def room_of(module):
    """The room that a module belongs to: the longest name of the layers that it begins with."""
    rooms = [room for layer in LAYERS for room in layer if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len) if rooms else None


def level(room):
    return next(i for i, layer in enumerate(LAYERS) if room in layer)


def climbs(graph):
    """The arrows between two rooms that do not go down."""
    return [
        (module, target)
        for module, targets in graph.items()
        for target in sorted(targets)
        if module  # the package itself hands out names of all rooms
        and (target == "" or room_of(module) != room_of(target))
        and (target == "" or level(room_of(module)) >= level(room_of(target)))
    ]


def circle(graph):
    """Some modules that import each other in a circle, or nothing."""
    done = set()

    def walk(module, path):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph[module]):
            if found := walk(target, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in graph if (found := walk(module, []))), [])


def test_every_module_is_in_a_room_of_the_drawing():
    assert [name for name in sources() if name and room_of(name) is None] == []
    drawing = lookalike.__doc__.split("of each other::")[1].split("Embedding turns")[0]
    floor = LAYERS[-1] + ("files", "progress")  # what everybody may use is not drawn
    for room in (room for layer in LAYERS for room in layer if room not in floor):
        assert re.search(rf"^ .*(?<![\w.]){re.escape(room)}\s", drawing, re.MULTILINE), room


def test_no_arrow_climbs():
    assert climbs(arrows(sources())) == []


def test_no_circle():
    assert circle(arrows(sources())) == []


def test_the_two_halves_are_strangers():
    graph = arrows(sources())
    for module, targets in graph.items():
        rooms = {room_of(target) for target in targets}
        if room_of(module) == "embedding":
            assert not rooms & {"distance", "_core"}, module
        if room_of(module) == "distance":
            assert "embedding" not in rooms, module


def test_the_core_is_known_to_the_distances_alone():
    for name, source in sources().items():
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.ImportFrom) and room_of(name) != "distance":
                names = [each.name for each in node.names]
                assert not (node.module == "lookalike" and "_core" in names), name
                assert node.module != "lookalike._core" or names == ["__version__"], name


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("files", "def write():\n    from lookalike.gallery.storage import writer"),
        ("embedding.weights", "import lookalike.distance"),
        ("distance.metrics", "from lookalike.embedding import images"),
        ("gallery.storage.writer", "from lookalike.gallery.intake.survey import Survey"),
        ("pages.cards", "from lookalike import __version__"),
        ("evaluation.labels", "from lookalike.gallery import GalleryError"),
    ],
)
def test_an_arrow_that_climbs_is_found(name, source):
    modules = sources()
    modules[name] += f"\n{source}\n"
    found = climbs(arrows(modules))
    assert len(found) == 1
    assert found[0][0] == name


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("embedding.weights", "def late():\n    from lookalike.embedding import onnx_graph"),
        ("gallery.storage.catalogue_file", "from lookalike.gallery.storage import catalogue"),
        ("evaluation.result", "from lookalike.evaluation import Evaluation"),
    ],
)
def test_a_circle_is_found(name, source):
    modules = sources()
    modules[name] += f"\n{source}\n"
    found = circle(arrows(modules))
    assert name in found
    assert found[0] == found[-1]


def test_what_type_checkers_alone_see_does_not_count():
    modules = sources()
    modules["files"] += "\nif TYPE_CHECKING:\n    from lookalike.cli import main\n"
    assert climbs(arrows(modules)) == []
    assert circle(arrows(modules)) == []


def strings(source):
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation:
            yield node.value


def test_sql_is_in_the_databases_files_alone():
    for name, source in sources().items():
        databases = ("catalogue", "side_file", "connection")
        if name.startswith(tuple(f"gallery.storage.{each}" for each in databases)):
            continue
        assert "sqlite3" not in source, name
        if name not in ("gallery.storage.thumbnails_file", "gallery.storage.converting_file"):
            assert not [text for text in strings(source) if SQL.search(text)], name


@pytest.mark.parametrize(
    ("text", "home"),
    [
        (r"\bConsole\(", "terminal"),
        (r"from rich\.progress import", "progress"),
        (r"\bflock\(", "system"),
        (
            r"\bfcntl\b|register_at_fork|posix_fallocate|sched_|process_cpu|O_(NONBL|DIREC|CLOEX)|os\.p(read|write)\b",
            "system",
        ),
    ],
)
def test_what_is_in_one_place(text, home):
    assert [name for name, source in sources().items() if re.search(text, source)] == [home]


def test_one_place_says_how_the_space_of_an_untrained_network_begins():
    saying = [name for name, source in sources().items() if "untrained-" in strings(source)]
    assert saying == ["embedding.spaces"]


def test_rooms_show_the_architecture():
    here = [path for path in PACKAGE.iterdir() if path.suffix in (".py", ".pyi", ".typed")]
    assert len(here) <= 16
    vague = {"utils", "helpers", "common", "misc"}
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path
        assert path.stem not in vague
