"""GoogLeNet's last pooling layer, ``pool5/7x7_s1``: the 1,024 features of a photo."""

from __future__ import annotations

import os
from typing import Self

from lookalike.embedding.embedder import Embedder
from lookalike.embedding.preprocessing import BVLC
from lookalike.embedding.weights import ModelError, find_model

__all__ = ["GoogLeNet"]

LAYER, WIDTH = "pool5/7x7_s1", 1024


class GoogLeNet(Embedder):
    """BVLC GoogLeNet, which turns a photo into 1,024 features.

    Parameters
    ----------
    model : path or bytes, optional
        An ONNX conversion of BVLC GoogLeNet, or its content. Without it: the file that
        ``LOOKALIKE_MODEL`` names, else the one in the user's cache, else a download.
    threads : int, optional
        Number of images decoded and embedded at once; by default the cores this process may use.
    batch_size : int
        Number of images in work at a time, at least one a thread; it bounds the memory.

    Raises
    ------
    ModelError
        No model is found, or it is not this network.

    Examples
    --------
    >>> import numpy as np
    >>> network = GoogLeNet.untrained(seed=0)
    >>> network.embed([np.zeros((200, 300, 3), np.uint8)]).shape
    (1, 1024)
    >>> network.space.startswith("untrained-")
    True
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | None = None,
        *,
        threads: int | None = None,
        batch_size: int = 32,
    ) -> None:
        if not isinstance(model, bytes):
            model = find_model(model)
        super().__init__(model, BVLC, output=LAYER, threads=threads, batch_size=batch_size)
        if self.width != WIDTH:
            raise ModelError(f"{self._name}: {LAYER} has {self.width} channels, not {WIDTH}")

    @classmethod
    def untrained(cls, seed: int, *, threads: int | None = None, batch_size: int = 32) -> Self:
        """Return the same network with random weights, for tests, benches and a first try.

        It does the same arithmetic at the same speed. Its features tell images apart but mean
        nothing; its ``space`` and ``repr`` say "untrained".
        """
        from lookalike.embedding.untrained import untrained_googlenet

        return cls(untrained_googlenet(seed), threads=threads, batch_size=batch_size)
