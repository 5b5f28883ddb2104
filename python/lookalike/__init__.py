"""Exact visual similarity at the speed of the hardware.

Rows of numbers, such as features of photos: an array, a frame of pandas or polars, a tensor::

    import lookalike as la

    near = la.knn(X, k=5, metric="correlation")     # the 5 nearest other rows of every row of X
    near.indices, near.distances                    # (n, 5) each; near.to_csr(), near.to_frame()
    la.knn(Q, X, k=5)                               # the nearest rows of X for every row of Q
    la.radius_neighbors(X, radius=0.2)              # all rows within a distance
    la.cdist(Q, X, "canberra"), la.pdist(X)         # all distances, as scipy's
    index = la.Index(X)                             # prepared once for many searches
    index.knn(Q, k=5)
    la.evaluate(X, labels, k=5).best_metric         # the distance that finds rows of the same label

Photos::

    la.GoogLeNet().embed(["a.jpg", "b.jpg"])        # (2, 1024) features
    gallery = la.Gallery.create("photos.gallery")   # features on disk
    gallery.add("Photos", embedder=la.GoogLeNet())
    gallery.search("a.jpg", k=10)                   # what looks like it
    gallery.find_duplicates()                       # which pictures are kept twice

``la.METRICS`` are the paper's seven distances, ``la.ALL_METRICS`` all, ``la.Metric`` is one with
its parameters. Neighbours are those of brute force in float64, to the bit. ``help(la.knn)`` says
shapes, types and errors, ``lookalike --help`` is the command line.

How it is built:

The rooms of the package, each standing on those below it. A room imports rooms of lower lines
alone, so that rooms of one line know nothing of each other::

    __main__                      ``python -m lookalike``
    cli                           what people type: a file for each verb
    demo                          the whole job, on what the package brings along
    browse                        a gallery in the browser
    gallery                       features on disk, as people use them: add, search, update
    gallery.intake                photos and arrays on their way in
    gallery.upkeep                checks, moves and exports
    evaluation                    which distance is best, how sure that is, and how it is shown
    sklearn                       scikit-learn's estimators, searched here
    gallery.storage               where an image's row is committed
    pages                         where a page is drawn
    duplicates  all_pairs  dask   what else is made of distances
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
    ALL_METRICS,
    METRICS,
    Metric,
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
    "ALL_METRICS",
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
    "Metric",
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
    ("__main__",),
    ("cli",),
    ("demo", "browse"),
    ("gallery",),
    ("gallery.intake", "gallery.upkeep", "evaluation", "sklearn"),
    ("gallery.storage", "pages", "duplicates", "all_pairs", "dask", "trash"),
    ("images", "index", "datasets"),
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
        "dask": "dask",
        "datasets": "datasets",
        "evaluate": "evaluation.protocol",
        "find_duplicates": "duplicates",
        "sklearn": "sklearn",
    },
)
