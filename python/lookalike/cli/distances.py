"""``lookalike distances``: the matrix of all distances as a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.cli.options import (
    gallery_argument,
    json_option,
    metric_option,
    open_gallery,
    reading,
)
from lookalike.cli.output_files import require_folders, say_written

if TYPE_CHECKING:
    from lookalike.distance.metrics import AnyMetric

__all__ = ["distances"]


@click.command()
@gallery_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FILE",
    help="A .npy or .csv file; it appears whole or not at all.",
)
@metric_option("correlation")
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True
)
@json_option
def distances(gallery: str, output: str, metric: AnyMetric, dtype: str, as_json: bool) -> None:
    """Write the matrix of all distances as a file.

    A .csv file has the paths as its first line and column, and takes images by the thousand; a .npy
    file takes any number.

    Row i and column i are the image of row i in `lookalike export`. For n images the file has n x n
    numbers: 10,000 images make 400 MB. np.load(..., mmap_mode="r") opens any size at once.

    \b
    Examples:
      lookalike distances -o D.npy
      lookalike distances -o D.npy --metric canberra --dtype float64
      lookalike distances -o D.npy --metric minkowski:p=3
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.all_pairs import write_distances, write_table

    if not output.lower().endswith((".npy", ".csv")):
        raise click.UsageError(f"--output must end in .npy or .csv, got {output!r}")
    require_folders(output)
    opened = open_gallery(gallery)
    started = time.monotonic()
    with reading(gallery), console.bar("rows") as progress:
        if output.lower().endswith(".csv"):
            write_table(output, opened.features, opened.paths, metric, dtype=dtype)
        else:
            write_distances(output, opened.features, metric, dtype=dtype, progress=progress)
    say_written(output, len(opened), metric, time.monotonic() - started, as_json, dtype=dtype)
