"""Exact visual similarity at the speed of the hardware.

The rooms of the package, each standing on those below it. A room imports rooms of lower lines
alone, so that rooms of one line know nothing of each other::

    cli                           what people type: a file for each verb
    demo                          the whole job, on what the package brings along
    gallery                       features on disk, as people use them: add, search, update
    gallery.intake                photos and arrays on their way in
    gallery.upkeep                checks, moves and exports
    evaluation                    which distance is best, how sure that is, and how it is shown
    gallery.storage               where an image's row is committed
    pages                         where a page is drawn
    duplicates  all_pairs         what else is made of distances
    trash                         where files go that a person does not want, and come back from
    images  index  datasets       short ways to two modules, and features to try
    distance      embedding       where rows are compared; where photos become features
        ↓         pictures        where a file becomes pixels, and what a picture is known by
        ↓             ↓
    _core         ONNX Runtime    the extension module: allocates, releases the GIL
        ↓                         (src/bindings.cpp)
    csrc/                         prepares rows, walks tiles of pairs, filters them in 8 bits or
                                  float32 with a proven bound on the error, recomputes in float64
                                  what the bound cannot exclude

Embedding turns photos into features, distances compare features; a plain array is all that passes
from one to the other. Who only compares features pays for nothing else: all other names are
imported when they are first asked for.
"""

from typing import TYPE_CHECKING

from lookalike._core import __version__
from lookalike.distance import (
    METRICS,
    Neighbors,
    RadiusNeighbors,
    cdist,
    cpu_info,
    knn,
    merge,
    pdist,
    radius_neighbors,
    topk,
)
from lookalike.lazy_names import lazy_names

if TYPE_CHECKING:
    from lookalike import datasets
    from lookalike.distance.index import Index, IndexFileError
    from lookalike.duplicates import find_duplicates
    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.googlenet import GoogLeNet
    from lookalike.embedding.preprocessing import BVLC, CLIP, IMAGENET, TORCHVISION, Preprocessing
    from lookalike.embedding.weights import ModelError
    from lookalike.evaluation.evaluation import Evaluation
    from lookalike.evaluation.labels import balanced_subset, category_counts
    from lookalike.evaluation.protocol import evaluate
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.hits import Hits
    from lookalike.gallery.storage.errors import GalleryError
    from lookalike.gallery.upkeep.check import CheckReport, check_gallery
    from lookalike.pictures.images import ImageError

__all__ = [
    "BVLC",
    "CLIP",
    "IMAGENET",
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
    "merge",
    "pdist",
    "radius_neighbors",
    "topk",
]

_LAYERS = (
    ("cli",),
    ("demo",),
    ("gallery",),
    ("gallery.intake", "gallery.upkeep", "evaluation"),
    ("gallery.storage", "pages", "duplicates", "all_pairs", "trash", "images", "index", "datasets"),
    ("distance", "embedding"),
    ("pictures",),
    ("_core", "files", "progress"),
    ("interrupts", "lazy_names", "printable", "sequences", "system", "terminal"),
)
"""The drawing as data: ``tests/test_layers.py`` holds every import of the package against it."""

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BVLC": "embedding.preprocessing",
        "CLIP": "embedding.preprocessing",
        "CheckReport": "gallery.upkeep.check",
        "Embedder": "embedding.embedder",
        "Evaluation": "evaluation.evaluation",
        "Gallery": "gallery.gallery",
        "GalleryError": "gallery.storage.errors",
        "GoogLeNet": "embedding.googlenet",
        "Hits": "gallery.hits",
        "IMAGENET": "embedding.preprocessing",
        "ImageError": "pictures.images",
        "Index": "distance.index",
        "IndexFileError": "distance.index",
        "ModelError": "embedding.weights",
        "Preprocessing": "embedding.preprocessing",
        "TORCHVISION": "embedding.preprocessing",
        "balanced_subset": "evaluation.labels",
        "category_counts": "evaluation.labels",
        "check_gallery": "gallery.upkeep.check",
        "datasets": "datasets",
        "evaluate": "evaluation.protocol",
        "find_duplicates": "duplicates",
    },
)
