"""Networks are tried before they are used: what they give an image, whatever else is in the batch.

A published graph may have its batch written into it, and freeing it may go wrong; or its arithmetic
may look at the batch as a whole, as quantisation on the fly does. A photo's features must depend on
the photo alone: such a network is run on one image at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from lookalike.embedding.session import onnx_runtime, open_session
from lookalike.embedding.weights import ModelError

__all__ = ["try_out"]

TOLERANCE = {"float32": 1e-3, "float16": 2e-2, "uint8": 1e-3}
"""Of the largest feature: far above what another batch size does to the rounding."""

Array = npt.NDArray[Any]


def try_out(
    free: onnx.ModelProto,
    bound: Callable[[], onnx.ModelProto] | None,
    sides: Sequence[int],
    pixels: str,
    name: str,
) -> tuple[bytes, list[int], bool]:
    """Run a network whose batch has been freed; if that was wrong, as it was.

    Parameters
    ----------
    free : ModelProto
        The network with any batch.
    bound : callable, optional
        Returns it with the batch of 1 that it was published with, if it was.
    sides : (3, height, width)
        Of an image.
    pixels : str
        The type that the network takes.
    name : str
        What messages call it.

    Returns
    -------
    bytes, list of int, bool
        The ONNX file to use, the shape of what it gives for an image, and whether it must be run on
        one image at a time.

    Raises
    ------
    ModelError
        It cannot be run, or does not give a result for each image.
    """
    images = _images(sides, pixels)
    content: bytes = free.SerializeToString()
    failure = None
    try:
        both, one = _run(content, [images, images[:1]])
    # ONNX Runtime's exceptions have no common base.
    except Exception as error:
        failure = error
    else:
        if len(both) == 2 and len(one) == 1 and _alike(both[0], one[0], TOLERANCE[pixels]):
            return content, list(one.shape[1:]), False
    if bound is not None:
        content = bound().SerializeToString()
    try:
        results = _run(content, [images[:1], images[1:]])
    except Exception as error:
        size = "×".join(map(str, sides))
        reason = str(failure or error).strip().splitlines()[0]
        raise ModelError(f"{name} cannot be run on images of {size}: {reason}") from error
    for result in results:
        if result.ndim == 0 or len(result) != 1:
            raise ModelError(f"{name} gives an array of shape {result.shape} for one image")
    return content, list(results[0].shape[1:]), True


def _images(sides: Sequence[int], pixels: str) -> npt.NDArray[np.float32]:
    """Return a dim and a bright image, in the values that networks are used to."""
    random = np.random.default_rng(0)
    if pixels == "uint8":
        values = random.integers(0, 256, (2, *sides)) // np.array([10, 1]).reshape(2, 1, 1, 1)
    else:
        values = random.uniform(-2, 2, (2, *sides)) * np.array([0.1, 1]).reshape(2, 1, 1, 1)
    return np.asarray(values, np.float32)


def _run(content: bytes, batches: list[npt.NDArray[np.float32]]) -> list[Array]:
    session = open_session(content)
    given = session.get_inputs()[0].name
    options = onnx_runtime().RunOptions()
    options.log_severity_level = 4  # what fails here is told by whoever tries it
    return [np.array(session.run(None, {given: batch}, options)[0]) for batch in batches]


def _alike(row: Array, other: Array, tolerance: float) -> bool:
    if row.shape != other.shape:
        return False
    sound = np.isfinite(row) & np.isfinite(other)
    most = float(np.abs(other[sound]).max(initial=0))
    near = np.abs(row[sound] - other[sound]) <= tolerance * most
    return bool(near.all()) and bool((np.isfinite(row) == np.isfinite(other)).all())
