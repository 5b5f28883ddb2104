"""Prepared networks, kept in the user's cache.

What has been cut and optimised is kept beside the weights, so that a start needs neither the
``onnx`` package nor the second that the work takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from lookalike.embedding.prepared import PreparedModel
from lookalike.embedding.weights import cache_folder, read_file, write_file

__all__ = ["prepared_model"]

PREPARATION = 1
"""Part of a prepared model's key: to be raised when ``onnx_graph.prepare`` changes its result."""


def prepared_model(model: str | os.PathLike[str] | bytes, output: str | None) -> PreparedModel:
    """Return a model cut at `output`, from the user's cache or prepared now.

    A cache that cannot be written costs a second at each start and is no error. The content of a
    file, given as bytes, is always prepared.

    Raises
    ------
    ModelError
        The file is not a model or has no such tensor.
    """
    if isinstance(model, bytes):
        return _prepare(model, output, "<bytes>")
    path = Path(model)
    content = read_file(path)
    key = hashlib.sha256(f"{PREPARATION} {output} ".encode() + content).hexdigest()[:32]
    file = cache_folder() / f"prepared-{key}"
    with contextlib.suppress(OSError, ValueError, TypeError):  # missing or damaged: made anew
        return PreparedModel.from_bytes(file.read_bytes())
    prepared = _prepare(content, output, str(path))
    with contextlib.suppress(OSError):
        write_file(file, prepared.to_bytes())
    return prepared


def _prepare(content: bytes, output: str | None, name: str) -> PreparedModel:
    from lookalike.embedding.onnx_graph import prepare

    return prepare(content, output=output, name=name)
