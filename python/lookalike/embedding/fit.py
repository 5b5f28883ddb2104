"""Whether a network and a preprocessing fit, and what is taken of the network's output."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.embedding.prepared import PreparedModel
from lookalike.embedding.preprocessing import Preprocessing
from lookalike.embedding.weights import ModelError

__all__ = ["check_fit", "rows_of", "width_of"]


def check_fit(model: PreparedModel, preprocessing: Preprocessing, name: str) -> None:
    """Refuse a network that the preprocessing does not fit.

    Raises
    ------
    ModelError
        Its input would lose the normalisation, or it is not clear what is to be taken of its
        output; the message names both.
    """
    plain = preprocessing.mean == (0.0,) * 3 and preprocessing.std == (1.0,) * 3
    if model.pixels == "uint8" and not plain:
        raise ModelError(
            f"{name} takes uint8 pixels, 0–255 as they are, and normalises them itself; the "
            f"preprocessing has mean {preprocessing.mean} and std {preprocessing.std}, which would "
            "be lost: it must have mean (0, 0, 0) and std (1, 1, 1)"
        )
    shape, tokens = model.output_shape, preprocessing.tokens
    if tokens is None and len(shape) == 2 and shape[0] > 1:
        raise ModelError(
            f"{name} gives {shape[0]:,} tokens of {shape[1]:,} features an image, the "
            "preprocessing does not say what is taken of them: tokens must be 'first' or 'mean'"
        )
    if tokens is not None and len(shape) != 2:
        raise ModelError(
            f"{name} gives {shape} an image, which are no tokens, the preprocessing takes the "
            f"{tokens} of them: tokens must be left out"
        )


def width_of(model: PreparedModel, preprocessing: Preprocessing) -> int:
    """Return the number of features of an image."""
    return math.prod(model.output_shape if preprocessing.tokens is None else model.output_shape[1:])


def rows_of(output: npt.NDArray[Any], preprocessing: Preprocessing) -> npt.NDArray[np.float32]:
    """Return a row of features for each image of a network's output."""
    if preprocessing.tokens == "first":
        output = output[:, 0]
    elif preprocessing.tokens == "mean":
        output = output.mean(axis=1, dtype=np.float64).astype(np.float32)
    return output.reshape(len(output), -1)
