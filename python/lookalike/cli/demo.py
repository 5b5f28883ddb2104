"""``lookalike demo``: what the demonstration prints."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click
import numpy as np

from lookalike.cli import console
from lookalike.cli.output_files import require_folders

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.text import Text

    from lookalike.demo.run import Drawn, Real

__all__ = ["demo"]

PICTURE = 12  # columns of a picture in the terminal, and twice its lines


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="lookalike-demo.html",
    show_default=True,
    help="The page that is written.",
)
def demo(output: str) -> None:
    """Run the whole job, without photos or weights.

    Takes half a minute, and no internet. Draws some images and searches among them with an
    untrained network; then compares the seven distances on features of 2,640 real photos that come
    with the package, beside the numbers of the paper, and takes the time.

    \b
    Examples:
      lookalike demo
      lookalike demo -o /tmp/demo.html
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.demo.run import NEXT, demo_page, search_drawn, search_real
    from lookalike.pages.html import write_page

    require_folders(output)
    started = time.monotonic()
    console.heading("1  A search among drawn images: drawn, untrained")
    with console.waiting("drawing images, embedding them with random weights"):
        drawn = search_drawn()
    _show_drawn(drawn)
    click.echo()
    console.heading("2  Seven distances on real features")
    with console.waiting("reading features") as say:
        real = search_real(say)
    _show_real(real)
    write_page(output, demo_page(drawn, real))
    click.echo()
    click.echo(f"All of it as a page: {console.line(os.path.abspath(output))}")
    click.echo(f"({time.monotonic() - started:.0f} s)")
    click.echo()
    console.heading("Your own photos")
    console.table([("bold", "left"), ("dim", "left")], NEXT)


def _show_drawn(drawn: Drawn) -> None:
    console.show(
        f"{drawn.images} images in six categories were drawn and embedded with random weights "
        f"({drawn.seconds:.1f} s). Such a network tells colours and textures apart, nothing more. "
        "Nearest by correlation:"
    )
    labels = [f"query: {drawn.query[1]}", *(label for _, label, _ in drawn.found)]
    distances = ["", *(f"{distance:.4f}" for _, _, distance in drawn.found)]
    if not sys.stdout.isatty():
        for label, distance in zip(labels, distances, strict=True):
            click.echo(f"{label}\t{distance}".rstrip())
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    for _ in labels:
        grid.add_column(width=PICTURE, justify="left")
    images = [drawn.query[0], *(image for image, _, _ in drawn.found)]
    grid.add_row(*(_picture(image) for image in images))
    grid.add_row(*labels)
    grid.add_row(*distances, style="dim")
    console.show(grid)


def _picture(image: Image) -> Text:
    """Return an image as half blocks: two pixels, one above the other, in each character."""
    from PIL.Image import Resampling
    from rich.text import Text

    pixels = np.asarray(image.resize((PICTURE, PICTURE), Resampling.BOX)).tolist()
    text = Text()
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            colours = ("rgb({},{},{})".format(*pixel) for pixel in (above, below))
            text.append("▀", " on ".join(colours))
        text.append("\n")
    text.right_crop(1)
    return text


def _show_real(real: Real) -> None:
    from lookalike.demo.run import TIMED, paper_tables

    console.show(
        f"GoogLeNet features of {real.evaluation.images:,} photos, 440 of each category, come with "
        "the package. Of every photo the 100 nearest are retrieved, itself among them, as in the "
        "paper. The paper's numbers stand below ours; its photos were others: compare the order, "
        "not the level."
    )
    for ours, theirs in paper_tables(real.evaluation):
        click.echo()
        console.heading(ours.title)
        console.show(ours.rich(beside=theirs, beside_name="the paper"))
    plain = sum(real.plain.values())
    click.echo()
    console.show(
        f"All pairs under all seven distances, from features to tables: {real.seconds:.2f} s. "
        f"Plain NumPy in float64: {plain:.0f} s, measured on {TIMED} of the photos for each "
        f"distance and scaled to all; {real.agreement:.2%} of the neighbours that it found are "
        "the same."
    )
