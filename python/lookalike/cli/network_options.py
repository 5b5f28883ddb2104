"""The options for a network other than GoogLeNet, and what they stand for."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.networks import Network
    from lookalike.embedding.preprocessing import Preprocessing

__all__ = ["choose_network", "network_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def network_options(command: Command) -> Command:
    """Add the options for a network that is not GoogLeNet."""
    for option in (
        click.option(
            "--tokens",
            type=click.Choice(["first", "mean"]),
            help="What is taken of a network that gives tokens, as transformers do: the first or "
            "the mean.",
        ),
        click.option(
            "--output",
            metavar="NAME",
            help="The network's tensor that holds the features.  [default: what its classifier "
            "reads]",
        ),
        click.option(
            "--preprocessing",
            metavar="imagenet|clip|bvlc|FILE.json",
            help="What the network is fed with.",
        ),
        click.option(
            "--network",
            type=click.Path(dir_okay=False),
            metavar="FILE.onnx",
            help="Another network than GoogLeNet; the gallery remembers it, and all verbs use it.",
        ),
    ):
        command = option(command)
    return command


def choose_network(
    network: str | None,
    preprocessing: str | None,
    output: str | None,
    tokens: Any,
    remembered: Network | None,
) -> Embedder | None:
    """Return the network that the options name, None if they name none.

    Parameters
    ----------
    network, preprocessing, output, tokens : optional
        The options.
    remembered : Network, optional
        That of the gallery: its file may be named at another place, without more.

    Raises
    ------
    click.UsageError
        An option lacks another.
    ModelError
        The file cannot be used, or does not fit the preprocessing.
    ValueError
        There is no such preprocessing.
    """
    if network is None:
        for option, value in (
            ("--preprocessing", preprocessing),
            ("--output", output),
            ("--tokens", tokens),
        ):
            if value is not None:
                raise click.UsageError(f"{option} goes with --network FILE.onnx")
        return None
    from lookalike.embedding.embedder import Embedder
    from lookalike.embedding.networks import PRESETS, read_preprocessing

    chosen: Preprocessing
    if preprocessing is not None:
        chosen = read_preprocessing(preprocessing)
    elif remembered is not None and _is_file_of(network, remembered):
        chosen = remembered.preprocessing
        output = remembered.output if output is None else output
    else:
        names = ", ".join(PRESETS)
        raise click.UsageError(f"--network wants --preprocessing: {names} or a JSON file")
    if tokens is not None:
        chosen = dataclasses.replace(chosen, tokens=tokens)
    return Embedder(network, chosen, output=output)


def _is_file_of(path: str, network: Network) -> bool:
    from lookalike.embedding.weights import read_file

    return hashlib.sha256(read_file(Path(path))).hexdigest() == network.sha256
