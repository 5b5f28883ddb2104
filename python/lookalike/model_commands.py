"""``lookalike model``: the network's weights in the user's cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from lookalike import weights

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
def download() -> None:
    """Download the public weights (28 MB) into the user's cache.

    LOOKALIKE_MODEL_URL replaces the built-in addresses; append #sha256=... to it for a file other
    than googlenet-12.onnx of the ONNX model zoo.
    """
    click.echo(weights.download_model())


@model.command("import")
@click.argument("path", type=click.Path(path_type=Path))
def import_(path: Path) -> None:
    """Check the model file PATH and copy it into the user's cache.

    \b
    Example:
      lookalike model import ~/Downloads/googlenet-12.onnx
    """  # noqa: D301
    from lookalike.googlenet import GoogLeNet

    GoogLeNet(path)  # raises if it is not a GoogLeNet
    click.echo(weights.install_model(path))


@model.command()
def path() -> None:
    """Print the path of the model in use; nothing is downloaded."""
    click.echo(weights.find_model(download=False))


@model.command()
def info() -> None:
    """Print what the model in use is; nothing is downloaded."""
    from lookalike.googlenet import GoogLeNet

    file = weights.find_model(download=False)
    network = GoogLeNet(file)
    click.echo(f"path    {file}")
    click.echo(f"bytes   {file.stat().st_size}")
    click.echo(f"sha256  {hashlib.sha256(file.read_bytes()).hexdigest()}")
    click.echo(f"model   {network!r}")
    click.echo(f"space   {network.space}")
