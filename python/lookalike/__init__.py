"""Exact visual similarity at the speed of the hardware.

The package is two halves that never import each other. Arrows point at what is imported::

    cli.py ─→ googlenet.py          distance.py   checks arguments, names errors
                  ↓                     ↓
              embedder.py           _core         the extension module: allocates, releases
              images, weights,          ↓         the GIL (src/bindings.cpp)
              preprocessing, …      csrc/         prepares rows, walks tiles of pairs, filters
                  ↓                               them in float32 with a proven bound on the
              ONNX Runtime                        error, recomputes in float64 what the bound
                                                  cannot exclude

Embedding turns photos into features, distances compare features; a plain array is all that passes
from one to the other. Who only compares features pays for nothing else: the names of the embedding
half are imported when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lookalike._core import __version__
from lookalike.distance import (
    METRICS,
    Neighbors,
    RadiusNeighbors,
    cdist,
    cpu_info,
    knn,
    pdist,
    radius_neighbors,
    topk,
)

if TYPE_CHECKING:
    from lookalike.embedder import Embedder
    from lookalike.evaluation import Evaluation, evaluate
    from lookalike.googlenet import GoogLeNet
    from lookalike.images import ImageError
    from lookalike.labels import balanced_subset, category_counts
    from lookalike.preprocessing import BVLC, TORCHVISION, Preprocessing
    from lookalike.weights import ModelError

__all__ = [
    "BVLC",
    "METRICS",
    "TORCHVISION",
    "Embedder",
    "Evaluation",
    "GoogLeNet",
    "ImageError",
    "ModelError",
    "Neighbors",
    "Preprocessing",
    "RadiusNeighbors",
    "__version__",
    "balanced_subset",
    "category_counts",
    "cdist",
    "cpu_info",
    "evaluate",
    "knn",
    "pdist",
    "radius_neighbors",
    "topk",
]

_LAZY = {
    "BVLC": "preprocessing",
    "Embedder": "embedder",
    "Evaluation": "evaluation",
    "GoogLeNet": "googlenet",
    "ImageError": "images",
    "ModelError": "weights",
    "Preprocessing": "preprocessing",
    "TORCHVISION": "preprocessing",
    "balanced_subset": "labels",
    "category_counts": "labels",
    "evaluate": "evaluation",
}
"""Names imported when they are first asked for, and the module that each is found in."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value  # from now on found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
