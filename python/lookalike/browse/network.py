"""The network that pictures are searched with: the gallery's own, loaded when one first is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.browse.answers import AskedError
from lookalike.embedding.networks import open_network
from lookalike.embedding.weights import ModelError, find_model

if TYPE_CHECKING:
    from lookalike.browse.state import Shown, State
    from lookalike.embedding.embedder import Embedder

__all__ = ["features_of"]


def features_of(state: State, shown: Shown, content: bytes) -> npt.NDArray[np.float32]:
    """Return the features of a picture that the gallery does not have.

    Raises
    ------
    AskedError
        There is no network, or it is not the gallery's.
    ImageError
        It is no picture.
    """
    from lookalike.pictures.images import ImageError

    with state.loading:
        if state.embedder is None:
            try:
                state.embedder = _network(state, shown)
            except ModelError as error:
                raise AskedError(
                    f"only pictures of the gallery can be searched by: {error}"
                ) from None
    network, gallery = state.embedder, shown.gallery
    if network.width != gallery.dim or gallery.space not in (None, network.space):
        raise AskedError(
            f"the gallery holds {gallery.dim:,} features of the space {gallery.space}, the network "
            f"gives {network.width:,} of {network.space}: name the right one with --model or "
            "--untrained, or run `lookalike index`"
        )
    ((_, result),) = network.embed_iter([content])
    if isinstance(result, ImageError):
        raise result
    return result


def _network(state: State, shown: Shown) -> Embedder:
    from lookalike.embedding.googlenet import GoogLeNet

    remembered = shown.gallery.network
    if remembered is not None:
        return open_network(remembered)
    if (chosen := state.network()) is not None:
        return chosen
    if shown.gallery.space is None:
        raise ModelError(
            "the gallery does not say which network its features are from; --model or --untrained "
            "names it"
        )
    return GoogLeNet(find_model(download=False))  # a page does not fetch 28 MB unasked
