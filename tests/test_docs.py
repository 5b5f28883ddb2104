"""The examples of the documentation run and print what they say."""

import doctest
import importlib
import importlib.metadata
import pkgutil
import pydoc
import re
import textwrap
from pathlib import Path

import pytest

import lookalike

README = Path(__file__).parents[1] / "README.md"
MODULES = [
    "lookalike",
    *(
        module.name
        for module in pkgutil.walk_packages(lookalike.__path__, "lookalike.")
        if not module.name.startswith("lookalike._")
    ),
]
NEEDS = {"lookalike.dask": "dask", "lookalike.gallery.contents_reader": "dask"}
"""What the examples of some rooms need beside the package's own dependencies."""


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    for module, needed in NEEDS.items():
        if f"{name}.".startswith(f"{module}."):
            pytest.importorskip(needed, reason=f"needs lookalike[{needed}]")
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert results.failed == 0


def test_every_public_function_has_an_example():
    finder = doctest.DocTestFinder(recurse=False)
    for name in ("cdist", "pdist", "knn", "topk", "radius_neighbors"):
        found = finder.find(getattr(lookalike, name), name, globs={})
        assert any(test.examples for test in found), name


def test_the_python_blocks_of_the_readme_run(run_python, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    # One after the other in one session, as a reader would type them, away from the sources.
    script = f"import os; os.chdir({str(tmp_path)!r})\n" + "\n".join(blocks)
    run_python(script)


def test_help_begins_with_what_a_user_needs_and_that_runs(run_python):
    shown = pydoc.plain(pydoc.render_doc(lookalike))
    heads = [shown.index(each) for each in ("la.knn(X", "la.Gallery.create", "The rooms of")]
    assert heads == sorted(heads)
    rows = lookalike.__doc__.split("::\n")[1].split("\nPhotos")[0]
    values = "import numpy\nX = numpy.random.default_rng(0).random((20, 4))\n"
    run_python(f"{values}Q, labels = X[:2], [*'ab'] * 10\n{textwrap.dedent(rows)}")


def test_the_package_is_typed_and_lists_its_names():
    assert Path(lookalike.__file__).with_name("py.typed").is_file()
    assert Path(lookalike.__file__).with_name("_core.pyi").is_file()
    assert len(set(lookalike.__all__)) == len(lookalike.__all__)
    assert all(hasattr(lookalike, name) for name in lookalike.__all__)


def test_the_version_is_that_of_the_distribution():
    assert lookalike.__version__ == importlib.metadata.version("lookalike")
