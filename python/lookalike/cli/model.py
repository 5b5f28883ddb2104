"""``lookalike model``: the network's weights in the user's cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from lookalike.cli import console
from lookalike.cli.options import json_option, verbose_option
from lookalike.embedding import weights

__all__ = ["model"]


@click.group()
def model() -> None:
    """Get, check and locate the GoogLeNet weights.

    \b
    Examples:
      lookalike model download
      lookalike model import ~/Downloads/googlenet-12.onnx
      LOOKALIKE_MODEL=/data/googlenet.onnx lookalike model info
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"


@model.command()
@verbose_option
@json_option
def download(as_json: bool) -> None:
    """Download the public weights (28 MB) into the user's cache.

    They are googlenet-12.onnx of the ONNX model zoo, or googlenet-9.onnx. One address after the
    other is tried; each is named, and why it failed, on standard error. LOOKALIKE_MODEL_URL
    replaces the addresses; append #sha256=... to it for a file other than googlenet-12.onnx.

    \b
    Examples:
      lookalike model download
      LOOKALIKE_MODEL_URL=http://mirror/googlenet-12.onnx lookalike model download
    """  # noqa: D301
    _print_path(weights.download_model(console.remark), as_json)


@model.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def import_(path: Path, as_json: bool) -> None:
    """Check the model file PATH and copy it into the user's cache.

    \b
    Example:
      lookalike model import ~/Downloads/googlenet-12.onnx
    """  # noqa: D301
    from lookalike.embedding.googlenet import GoogLeNet

    GoogLeNet(path)  # raises if it is not a GoogLeNet
    _print_path(weights.install_model(path), as_json)


@model.command()
@json_option
def path(as_json: bool) -> None:
    """Print the path of the model in use; nothing is downloaded.

    \b
    Example:
      lookalike model path
    """  # noqa: D301
    _print_path(weights.find_model(download=False), as_json)


@model.command()
@json_option
def info(as_json: bool) -> None:
    """Print what the model in use is; nothing is downloaded.

    \b
    Example:
      lookalike model info
    """  # noqa: D301
    from lookalike.embedding.googlenet import GoogLeNet

    file = weights.find_model(download=False)
    network = GoogLeNet(file)
    known = {
        "path": str(file),
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "model": repr(network),
        "space": network.space,
    }
    if as_json:
        console.write_json(**known)
    else:
        console.pairs(known.items())


def _print_path(file: Path, as_json: bool) -> None:
    if as_json:
        console.write_json(path=str(file))
    else:
        console.say(console.line(str(file)))
