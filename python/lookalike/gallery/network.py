"""Which network a gallery's images are embedded with: the one it remembers, else GoogLeNet."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lookalike.gallery.storage.records import NetworkRecord

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.networks import Network

__all__ = ["as_json", "default_model", "record_of", "remembered"]


def default_model(record: NetworkRecord | None) -> Embedder:
    """Return the network that a gallery remembers, or GoogLeNet.

    Raises
    ------
    ModelError
        Its file is missing or has changed.
    """
    if record is not None:
        from lookalike.embedding.networks import open_network

        return open_network(remembered(record))
    from lookalike.embedding.googlenet import GoogLeNet

    return GoogLeNet()


def remembered(record: NetworkRecord) -> Network:
    """Return the network that the catalogue's record is of.

    Raises
    ------
    ModelError
        Its preprocessing cannot be read, as of a newer version.
    """
    from lookalike.embedding.networks import Network
    from lookalike.embedding.preprocessing import Preprocessing
    from lookalike.embedding.weights import ModelError

    path = os.fsdecode(record.path)
    try:
        preprocessing = Preprocessing.from_json(record.preprocessing)
    except ValueError as error:
        raise ModelError(f"the preprocessing remembered with {path}: {error}") from None
    return Network(path, record.sha256.hex(), preprocessing, record.output)


def record_of(embedder: object) -> NetworkRecord | None:
    """Return what the catalogue is to remember of an embedder; nothing of GoogLeNet."""
    from lookalike.embedding.networks import network_of

    network = network_of(embedder)
    if network is None:
        return None
    return NetworkRecord(
        os.fsencode(network.path),
        bytes.fromhex(network.sha256),
        network.preprocessing.to_json(),
        network.output,
    )


def as_json(record: NetworkRecord | None) -> dict[str, Any] | None:
    """Return a record ready for JSON."""
    if record is None:
        return None
    return {
        "path": os.fsdecode(record.path),
        "sha256": record.sha256.hex(),
        "preprocessing": json.loads(record.preprocessing),
        "output": record.output,
    }
