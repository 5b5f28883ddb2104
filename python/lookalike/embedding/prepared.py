"""A network that is ready to be run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

__all__ = ["UNTRAINED_KEY", "PreparedModel"]

UNTRAINED_KEY = "lookalike.untrained"
"""Metadata of a model with random weights; the value says which."""


@dataclass(frozen=True)
class PreparedModel:
    """A network cut at its feature layer, and what has to be known of it before it is run.

    Attributes
    ----------
    content : bytes
        The ONNX file: one input (N, *input_shape), one output (N, *output_shape), both float32.
    input_shape : list
        Channels, height and width of an image; None where any will do.
    output_shape : list
        What it gives for an image.
    pixels : {"float32", "float16", "uint8"}
        What the file took before it was prepared.
    alone : bool
        Whether it must be run on one image at a time.
    fingerprint : str
        Hash of the network's operations and weights, independent of names and converters.
    untrained : str or None
        Where the random weights come from, if they are random.
    """

    content: bytes
    input_shape: list[int | None]
    output_shape: list[int]
    pixels: str
    alone: bool
    fingerprint: str
    untrained: str | None

    def to_bytes(self) -> bytes:
        """Return one file of it: a line of JSON, then the ONNX file."""
        known = {key: value for key, value in vars(self).items() if key != "content"}
        return json.dumps(known).encode() + b"\n" + self.content

    @classmethod
    def from_bytes(cls, file: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote."""
        known, _, content = file.partition(b"\n")
        return cls(content=content, **json.loads(known))
