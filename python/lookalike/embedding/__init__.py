"""Photos to features."""

from typing import TYPE_CHECKING

from lookalike.lazy_names import lazy_names

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.googlenet import GoogLeNet
    from lookalike.embedding.preprocessing import BVLC, CLIP, IMAGENET, TORCHVISION, Preprocessing
    from lookalike.embedding.weights import ModelError

__all__ = [
    "BVLC",
    "CLIP",
    "IMAGENET",
    "TORCHVISION",
    "Embedder",
    "GoogLeNet",
    "ModelError",
    "Preprocessing",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BVLC": "preprocessing",
        "CLIP": "preprocessing",
        "Embedder": "embedder",
        "GoogLeNet": "googlenet",
        "IMAGENET": "preprocessing",
        "ModelError": "weights",
        "Preprocessing": "preprocessing",
        "TORCHVISION": "preprocessing",
    },
)
