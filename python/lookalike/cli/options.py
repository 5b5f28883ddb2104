"""Options that several verbs share, and what they stand for."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.cli.galleries import DEFAULT_GALLERY, find_gallery, note_gallery
from lookalike.embedding.spaces import is_untrained

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.gallery import Gallery

__all__ = [
    "DEFAULT_GALLERY",
    "absolute_option",
    "choose_embedder",
    "gallery_argument",
    "gallery_option",
    "html_option",
    "json_option",
    "metric_option",
    "model_options",
    "null_option",
    "open_gallery",
]

Command = TypeVar("Command", bound=Callable[..., Any])

gallery_option = click.option(
    "-g",
    "--gallery",
    type=click.Path(),
    callback=find_gallery,
    help="Folder of the gallery.  [default: LOOKALIKE_GALLERY, or lookalike.gallery here or above]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON (schema 1).")
null_option = click.option(
    "-0",
    "--null",
    is_flag=True,
    help="End each path with a NUL byte (for xargs -0); nothing else is printed.",
)
html_option = click.option(
    "--html",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write a page with thumbnails; one file, nothing outside it is needed.",
)
absolute_option = click.option(
    "--absolute", is_flag=True, help="Show whole paths, also in the page."
)


def gallery_argument(command: Command) -> Callable[..., Any]:
    """Add the argument for a gallery, and the option that names it in the other verbs."""

    @click.argument("gallery", type=click.Path(), required=False)
    @click.option("-g", "--gallery", "named", type=click.Path(), help="The same as GALLERY.")
    @functools.wraps(command)
    def chosen(*, gallery: str | None, named: str | None, **others: Any) -> Any:
        if gallery is not None and named is not None:
            raise click.UsageError("a gallery was named twice, as an argument and with -g")
        return command(gallery=find_gallery(named=gallery or named), **others)

    return chosen


def metric_option(default: str) -> Callable[[Command], Command]:
    """Return the option for a distance."""
    # Not at the top: `lookalike model` has no use for the distances' half of the package.
    from lookalike.distance import METRICS

    return click.option(
        "--metric",
        type=click.Choice(METRICS),
        default=default,
        show_default=True,
        metavar="NAME",
        help=f"Which distance: {', '.join(METRICS)}.",
    )


def model_options(command: Command) -> Command:
    """Add the options for the network."""
    model = click.option(
        "--model",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="GoogLeNet weights, instead of LOOKALIKE_MODEL, the cache or a download.",
    )
    untrained = click.option(
        "--untrained",
        type=click.IntRange(min=0),
        metavar="SEED",
        help="Random weights: no download, and distances that mean little. For a try.",
    )
    return model(untrained(command))


def open_gallery(path: str) -> Gallery:
    """Open a gallery that must exist, to read.

    Raises
    ------
    click.UsageError
        There is nothing at `path`.
    GalleryError
        What is there cannot be opened.
    """
    from lookalike.gallery.gallery import Gallery

    require_gallery(path)
    opened = Gallery.open(path)
    note_gallery(opened.path)
    return opened


def require_gallery(path: str) -> None:
    """Raise click.UsageError if there is nothing at `path`."""
    if not os.path.exists(path):
        raise click.UsageError(
            f"there is no gallery {os.fsdecode(path)}; `lookalike index FOLDER` makes one"
        )


def choose_embedder(model: str | None, untrained: int | None, space: str | None) -> Embedder | None:
    """Return the network that the options or a gallery's space name.

    Returns
    -------
    Embedder or None
        None leaves the choice to the gallery, which takes GoogLeNet when it needs it.

    Raises
    ------
    click.UsageError
        Both options are given, or the gallery's network was untrained with another seed.
    ModelError
        There is no such model.
    """
    if model is not None and untrained is not None:
        raise click.UsageError("--model and --untrained exclude each other")
    guessed = model is None and untrained is None
    if guessed and not is_untrained(space):
        return None
    from lookalike.embedding.googlenet import GoogLeNet

    if model is not None:
        return GoogLeNet(model)
    if guessed and (installed := _installed()) is not None and installed.space == space:
        return installed
    network = GoogLeNet.untrained(untrained or 0)
    if guessed and network.space != space:
        raise click.UsageError(
            "the gallery was made with an untrained network: name its seed with --untrained SEED"
        )
    return network


def _installed() -> Embedder | None:
    from lookalike.embedding.googlenet import GoogLeNet
    from lookalike.embedding.weights import ModelError, find_model

    try:
        return GoogLeNet(find_model(download=False))
    except ModelError:
        return None
