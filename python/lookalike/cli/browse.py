"""``lookalike browse``: a gallery in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.options import (
    choose_embedder,
    gallery_argument,
    model_options,
    open_gallery,
)

if TYPE_CHECKING:
    from lookalike.embedding.embedder import Embedder

__all__ = ["browse"]


@click.command()
@gallery_argument
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where it is served on 127.0.0.1.  [default: a free one]",
)
@click.option("--no-open", is_flag=True, help="Print the address and open no browser.")
@click.option("--read-only", is_flag=True, help="Let nothing be changed from the page.")
@model_options
def browse(
    gallery: str,
    port: int,
    no_open: bool,
    read_only: bool,
    model: str | None,
    untrained: int | None,
) -> None:
    """See a gallery in the browser, from photo to photo.

    Serves the gallery to this computer alone, prints the address on a line of its own and opens
    it. Whoever has the address can look at your photos as long as this runs: keep it to yourself.
    Ctrl-C ends it.

    \b
    Examples:
      lookalike browse
      lookalike browse photos.gallery --read-only
      lookalike browse --no-open --port 8642
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    try:
        from lookalike.browse.server import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        raise click.ClickException(
            "the browser's page needs packages of its own: pip install 'lookalike[browse]'"
        ) from None
    with open_gallery(gallery) as opened:
        path, space = opened.path, opened.space
        remembered = opened.network is not None

    def network() -> Embedder | None:
        from lookalike.embedding.weights import ModelError

        try:
            return choose_embedder(model, untrained, None if remembered else space)
        except click.UsageError as error:  # said on the page, where nobody types a command
            raise ModelError(error.message) from None

    def say(address: str) -> None:
        click.echo(address)
        console.remark("Ctrl-C ends it.")

    serve(path, network, say, port=port, open_browser=not no_open, read_only=read_only)
