"""Options that several verbs share, and what they stand for."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.cli import console
from lookalike.cli.galleries import (
    DEFAULT_GALLERY,
    find_gallery,
    known_galleries,
    note_gallery,
)
from lookalike.embedding.spaces import is_untrained

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder
    from lookalike.gallery.gallery import Gallery

__all__ = [
    "DEFAULT_GALLERY",
    "PARAMETERS_HELP",
    "MetricName",
    "absolute_option",
    "choose_embedder",
    "fetch_weights",
    "gallery_argument",
    "gallery_option",
    "gave",
    "html_option",
    "json_option",
    "metric_option",
    "model_options",
    "null_option",
    "open_gallery",
    "reading",
    "require_images",
    "verbose_option",
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
    help="Write a page with thumbnails, which needs nothing outside itself.",
)
absolute_option = click.option("--absolute", is_flag=True, help="Show whole paths everywhere.")


class MetricName(click.Choice):  # type: ignore[type-arg]
    """A distance by its name or an alias, in any case and with any hyphens, and its parameters.

    These follow a colon: ``minkowski:p=3,w=weights.npy``.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the canonical name, or a Metric where parameters are given."""
        from lookalike.distance.metrics import ALIASES, Metric

        given, colon, parameters = str(value).partition(":")
        name = given.lower().replace("-", "").replace("_", "").replace(" ", "")
        name = ALIASES.get(name, name)
        name = super().convert(name if name in self.choices else given, param, ctx)
        if not colon:
            return name
        try:
            read: dict[str, Any] = {}
            for key, number in map(_parameter, PARAMETERS.split(parameters)):
                if key in read:
                    raise ValueError(f"{key}= stands twice")
                read[key] = number
            return Metric(name, **read)
        except (TypeError, ValueError) as error:
            self.fail(f"{value!r}: {error}", param, ctx)


PARAMETERS_HELP = (
    "Parameters follow a colon: minkowski:p=3, cosine:w=weights.npy, seuclidean:V=variances.npy, "
    "mahalanobis:VI=inverse.npy; a V or VI that is not given is that of all images."
)
PARAMETERS = re.compile(r",(?=\w+=)")
"""What stands between two parameters; another comma is one of a file's name."""


def _parameter(text: str) -> tuple[str, Any]:
    """Read a parameter: a number, or the file of an array."""
    name, _, value = text.partition("=")
    if name == "p":
        return name, value
    if name not in ("w", "V", "VI"):
        raise ValueError(f"there are the parameters p=, w=, V= and VI=, got {text!r}")
    import numpy as np

    from lookalike.evaluation.label_files import not_numbers

    try:
        return name, np.load(value)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{name} must be a .npy file, and {value} {not_numbers(error)}") from None
    except OSError as error:
        raise ValueError(f"{name} must be a .npy file, {value}: {error.strerror}") from None


def _be_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        console.verbosity[0] = True


verbose_option = click.option(
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_be_verbose,
    help="Say all that is known of an error.",
)


def gallery_argument(command: Command, metavar: str = "[GALLERY]") -> Callable[..., Any]:
    """Add the argument for a gallery, and the option that names it in the other verbs."""

    @click.argument("gallery", type=click.Path(), required=False, metavar=metavar)
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
    from lookalike.distance import ALL_METRICS

    return click.option(
        "--metric",
        type=MetricName(ALL_METRICS),
        default=default,
        show_default=True,
        metavar="NAME",
        help=f"Which distance: {', '.join(ALL_METRICS)}. {PARAMETERS_HELP}",
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
    return model(untrained(verbose_option(command)))


def fetch_weights() -> None:
    """Get the network's weights before anything else is begun, and say so in a line.

    Raises
    ------
    ModelError
        They are not here and cannot be fetched.
    """
    from lookalike.embedding.weights import ModelError, find_model

    try:
        find_model(download=False)
    except ModelError:
        if os.environ.get("LOOKALIKE_MODEL"):
            raise
        console.remark("Fetching the weights of GoogLeNet, 28 MB, once.")
        find_model(say=console.remark if console.verbosity[0] else lambda line: None)


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
    if os.path.isdir(path) and os.listdir(path) and not _is_gallery(path):
        name = os.fsdecode(path)
        raise click.UsageError(
            f"{name} is a folder, not a gallery: `lookalike index {shlex.quote(name)}` makes one "
            f"of the images in it{_gallery_of(path)}"
        )
    if not os.path.exists(path):
        raise click.UsageError(
            f"there is no gallery {os.fsdecode(path)}; `lookalike index FOLDER` makes one"
        )


def _is_gallery(path: str) -> bool:
    from lookalike.gallery.storage.catalogue_file import FILE_NAME

    return os.path.exists(os.path.join(path, FILE_NAME))


def _gallery_of(folder: str) -> str:
    """Return a remark about a gallery that has the images of a folder, if one is known."""
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.storage.errors import GalleryError

    wanted = os.path.abspath(folder)
    places = [os.getcwd(), wanted, os.path.dirname(wanted)]
    beside = [os.path.join(place, DEFAULT_GALLERY) for place in places]
    for gallery in (*beside, *known_galleries()):
        try:
            with Gallery.open(gallery, mode="r") as opened:
                roots = opened.roots
        except (GalleryError, OSError):
            continue
        if any(os.path.join(wanted, "").startswith(os.path.join(root, "")) for root in roots):
            return f"; {os.path.relpath(gallery)} has them already"
    return ""


def require_images(gallery: Gallery, name: str) -> None:
    """Raise click.ClickException if there is nothing in a gallery to look at."""
    if not len(gallery):
        raise click.ClickException(f"{name} holds no images: `lookalike index FOLDER` adds some")


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Let features that are not finite be told as what they are: damage of the gallery."""
    from lookalike.distance.arguments import RowError

    try:
        yield
    except RowError as error:
        if error.finite:
            raise
        raise click.ClickException(
            f"{name} is damaged, its features hold a value that is not finite: `lookalike check "
            f"{shlex.quote(name)}` says where"
        ) from None


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
    if guessed and (installed := _installed()) is not None and gave(installed, space):
        return installed
    network = GoogLeNet.untrained(untrained or 0)
    if guessed and not gave(network, space):
        raise click.UsageError(
            "the gallery was made with an untrained network: name its seed with --untrained SEED"
        )
    return network


def gave(network: Embedder, space: str | None) -> bool:
    """Tell whether a space is the network's, by today's decoding or an earlier one."""
    return space in (network.space, *network.earlier_spaces)


def _installed() -> Embedder | None:
    from lookalike.embedding.googlenet import GoogLeNet
    from lookalike.embedding.weights import ModelError, find_model

    try:
        return GoogLeNet(find_model(download=False))
    except ModelError:
        return None
