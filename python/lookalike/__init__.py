"""Exact visual similarity at the speed of the hardware.

Two halves that never import each other, and the gallery on top of both. Arrows point at what is
imported::

    cli.py ─→ gallery.py            keeps features on disk and searches them (survey, indexing,
               ↓      ↓             writer, snapshot, catalogue, …); evaluation.py compares metrics
    googlenet.py     distance.py    checks arguments, names errors
         ↓               ↓
     embedder.py      _core         the extension module: allocates, releases the GIL
     images, weights,    ↓          (src/bindings.cpp)
     preprocessing, … csrc/         prepares rows, walks tiles of pairs, filters them in 8 bits or
         ↓                          float32 with a proven bound on the error, recomputes in float64
     ONNX Runtime                   what the bound cannot exclude

Embedding turns photos into features, distances compare features; a plain array is all that passes
from one to the other. Who only compares features pays for nothing else: all other names are
imported when they are first asked for.
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
    from lookalike import datasets
    from lookalike.catalogue import GalleryError
    from lookalike.checking import CheckReport, check_gallery
    from lookalike.duplicates import find_duplicates
    from lookalike.embedder import Embedder
    from lookalike.evaluation import Evaluation
    from lookalike.gallery import Gallery
    from lookalike.googlenet import GoogLeNet
    from lookalike.hits import Hits
    from lookalike.images import ImageError
    from lookalike.index import Index, IndexFileError
    from lookalike.labels import balanced_subset, category_counts
    from lookalike.preprocessing import BVLC, TORCHVISION, Preprocessing
    from lookalike.protocol import evaluate
    from lookalike.weights import ModelError

__all__ = [
    "BVLC",
    "METRICS",
    "TORCHVISION",
    "CheckReport",
    "Embedder",
    "Evaluation",
    "Gallery",
    "GalleryError",
    "GoogLeNet",
    "Hits",
    "ImageError",
    "Index",
    "IndexFileError",
    "ModelError",
    "Neighbors",
    "Preprocessing",
    "RadiusNeighbors",
    "__version__",
    "balanced_subset",
    "category_counts",
    "cdist",
    "check_gallery",
    "cpu_info",
    "datasets",
    "evaluate",
    "find_duplicates",
    "knn",
    "pdist",
    "radius_neighbors",
    "topk",
]

_LAZY = {
    "BVLC": "preprocessing",
    "CheckReport": "checking",
    "Embedder": "embedder",
    "Evaluation": "evaluation",
    "Gallery": "gallery",
    "GalleryError": "catalogue",
    "GoogLeNet": "googlenet",
    "Hits": "hits",
    "ImageError": "images",
    "Index": "index",
    "IndexFileError": "index",
    "ModelError": "weights",
    "Preprocessing": "preprocessing",
    "TORCHVISION": "preprocessing",
    "balanced_subset": "labels",
    "category_counts": "labels",
    "check_gallery": "checking",
    "datasets": "datasets",
    "evaluate": "protocol",
    "find_duplicates": "duplicates",
}
"""Names imported when they are first asked for, and the module that each is found in."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_LAZY[name]}")
    value = module if _LAZY[name] == name else getattr(module, name)
    globals()[name] = value  # from now on found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
