"""Prepared networks, kept in the user's cache.

What has been cut and optimised is kept beside the weights, so that a start needs neither the
``onnx`` package nor the second that the work takes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from lookalike.embedding.prepared import PreparedModel
from lookalike.embedding.weights import ModelError, cache_folder, read_file, write_file

__all__ = ["ModelFile", "prepared_model", "unchanged_model"]

PREPARATION = 2
"""Part of a prepared model's key: to be raised when ``onnx_graph.prepare`` changes its result."""


class ModelFile(NamedTuple):
    """Where a model lies, and what tells whether it is still the same."""

    path: str
    size: int
    sha256: str


def prepared_model(
    model: str | os.PathLike[str] | bytes, output: str | None, crop: int
) -> tuple[PreparedModel, ModelFile | None]:
    """Return a model cut at `output` for images of side `crop`, from the cache or prepared now.

    A cache that cannot be written costs a second at each start and is no error. The content of a
    file, given as bytes, is always prepared, and has no `ModelFile`.

    Raises
    ------
    ModelError
        The file is not a model or has no such tensor.
    """
    if isinstance(model, bytes):
        return _prepare(model, output, crop, "<bytes>"), None
    path = Path(model)
    content = read_file(path)
    found = ModelFile(os.path.abspath(path), len(content), hashlib.sha256(content).hexdigest())
    return _from_cache(content, found, output, crop), found


def unchanged_model(file: ModelFile, output: str | None, crop: int) -> PreparedModel:
    """Return the model of a file that must be as it was.

    Raises
    ------
    ModelError
        It is missing or has changed.
    """
    content = read_file(Path(file.path))
    if (len(content), hashlib.sha256(content).hexdigest()) != (file.size, file.sha256):
        raise ModelError(f"{file.path} has changed since the embedder with it was pickled")
    return _from_cache(content, file, output, crop)


def _from_cache(content: bytes, found: ModelFile, output: str | None, crop: int) -> PreparedModel:
    identity = f"{PREPARATION} {output} {crop} {found.sha256}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:32]
    file = cache_folder() / f"prepared-{key}"
    with contextlib.suppress(OSError, ValueError, TypeError):  # missing or damaged: made anew
        return PreparedModel.from_bytes(file.read_bytes())
    prepared = _prepare(content, output, crop, found.path)
    with contextlib.suppress(OSError):
        write_file(file, prepared.to_bytes())
    return prepared


def _prepare(content: bytes, output: str | None, crop: int, name: str) -> PreparedModel:
    from lookalike.embedding.onnx_graph import prepare

    return prepare(content, output=output, crop=crop, name=name)
