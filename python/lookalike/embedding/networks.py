"""Networks by name: which preprocessing is meant, and what to remember of one to use it again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from lookalike.embedding.embedder import Embedder
from lookalike.embedding.googlenet import GoogLeNet
from lookalike.embedding.preprocessing import BVLC, CLIP, IMAGENET, Preprocessing
from lookalike.embedding.weights import ModelError, read_file
from lookalike.files import reason

__all__ = ["PRESETS", "Network", "network_of", "open_network", "read_preprocessing", "state_of"]

PRESETS = {"imagenet": IMAGENET, "clip": CLIP, "bvlc": BVLC}
LARGEST_FILE = 1 << 16


class Network(NamedTuple):
    """A network's file, and how it is used.

    Attributes
    ----------
    path : str
        The ONNX file, absolute.
    sha256 : str
        Of its content, in hexadecimal.
    preprocessing : Preprocessing
        What it is fed with.
    output : str or None
        The tensor that holds the features; None: what the last fully connected layer reads.
    """

    path: str
    sha256: str
    preprocessing: Preprocessing
    output: str | None = None


def network_of(embedder: object) -> Network | None:
    """Return what there is to remember of an embedder; None of GoogLeNet, and of one of no file."""
    if not isinstance(embedder, Embedder) or isinstance(embedder, GoogLeNet):
        return None
    if (file := embedder.file) is None:
        return None
    return Network(file.path, file.sha256, embedder.preprocessing, embedder.output)


def open_network(network: Network) -> Embedder:
    """Return the embedder that a network is remembered of.

    Raises
    ------
    ModelError
        The file is missing or another than it was; the message says what can be done.
    """
    if (found := state_of(network)) is not None:
        raise ModelError(found)
    return Embedder(network.path, network.preprocessing, output=network.output)


def state_of(network: Network) -> str | None:
    """Return what is wrong with a network's file and what can be done, None if nothing is."""
    if not os.path.isfile(network.path):
        return (
            f"the network {network.path} is not there: put it back, or say where it lies now with "
            f"lookalike index --network FILE (SHA-256 {network.sha256[:16]}…)"
        )
    now = hashlib.sha256(read_file(Path(network.path))).hexdigest()
    if now != network.sha256:
        return (
            f"the network {network.path} is not the file it was (SHA-256 {network.sha256[:16]}…, "
            f"now {now[:16]}…): put that one back, or make another gallery with this one"
        )
    return None


def read_preprocessing(name: str) -> Preprocessing:
    """Return the preprocessing of a name, or of a JSON file.

    Parameters
    ----------
    name : str
        ``imagenet``, ``clip`` or ``bvlc``; else the path of a file that holds a JSON object of the
        names and values of `Preprocessing`.

    Raises
    ------
    ValueError
        There is no such name or file, or what it holds is no preprocessing; the message names
        file, key, rule and value.

    Examples
    --------
    >>> read_preprocessing("clip").interpolation
    'bicubic'
    """
    if name in PRESETS:
        return PRESETS[name]
    known = ", ".join(PRESETS)
    try:
        with open(name, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(
            f"preprocessing must be {known} or a JSON file, got {name!r}: {reason(error)}"
        ) from None
    if len(content) > LARGEST_FILE:
        raise ValueError(f"{name}: a preprocessing has at most {LARGEST_FILE:,} bytes")
    try:
        return Preprocessing.from_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{name}: it is not JSON: it is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
