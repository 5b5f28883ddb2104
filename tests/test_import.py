"""What an import brings along: each half of the package stays out of the other's way."""

import pytest

import lookalike

HEAVY = {"PIL", "click", "jinja2", "onnx", "onnxruntime", "platformdirs", "requests", "rich"}
EMBEDDING = {
    "BVLC",
    "TORCHVISION",
    "Embedder",
    "GoogLeNet",
    "ImageError",
    "ModelError",
    "Preprocessing",
}


def loaded_by(statement, run_python):
    return set(run_python(f"import sys; {statement}; print(*sys.modules, sep='\\n')").split())


@pytest.mark.parametrize(
    "statement",
    [
        "import lookalike",
        "from lookalike import knn; knn([[1.0], [2.0]], k=1)",
        "import lookalike; dir(lookalike)",
    ],
)
def test_distances_import_no_package_of_the_embedding(statement, run_python):
    loaded = loaded_by(statement, run_python)
    assert "lookalike.distance" in loaded
    assert not HEAVY & loaded
    assert (
        not {
            f"lookalike.{name}"
            for name in ("embedding", "images", "gallery", "evaluation", "pages")
        }
        & loaded
    )


def test_modules_of_the_embedding_use_no_distance(run_python):
    # The package itself brings the distances; the modules must not ask for them.
    script = """
import sys, types
package = types.ModuleType("lookalike")
package.__path__ = [sys.argv[1]]
sys.modules["lookalike"] = package
import lookalike.embedding.googlenet, lookalike.cli.model
print(*sys.modules, sep="\\n")
"""
    loaded = set(run_python(script, *lookalike.__path__).split())
    assert not {"lookalike.distance", "lookalike._core"} & loaded


def test_every_public_name_is_there_and_listed():
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
    assert dir(lookalike) == sorted(lookalike.__all__)
    assert set(lookalike.__all__) >= EMBEDDING


def test_a_lazy_name_is_the_modules_own(run_python):
    script = """
import lookalike
from lookalike import BVLC
from lookalike.embedding.preprocessing import Preprocessing
assert lookalike.Preprocessing is Preprocessing and isinstance(BVLC, Preprocessing)
"""
    run_python(script)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'lookalike' has no attribute 'gogglenet'"):
        _ = lookalike.gogglenet


def test_the_help_loads_nothing_heavy(run_python):
    script = (
        "import sys; sys.argv = ['lookalike', '--help']; from lookalike.cli import main; main()"
    )
    loaded = loaded_by(
        f"import atexit; atexit.register(lambda: print(*sys.modules, sep='\\n')); {script}",
        run_python,
    )
    assert "lookalike.cli.model" in loaded
    assert not (HEAVY - {"click", "platformdirs"}) & loaded
