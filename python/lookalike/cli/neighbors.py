"""``lookalike neighbors``: the graph of nearest neighbours as a file."""

from __future__ import annotations

import os
import shutil
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

__all__ = ["neighbors"]


@click.command()
@gallery_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="neighbors.npz",
    show_default=True,
    help="A .npz or .parquet file.",
)
@click.option(
    "-k", type=click.IntRange(min=1), default=100, show_default=True, help="Neighbours of an image."
)
@metric_option("correlation")
@json_option
def neighbors(gallery: str, output: str, k: int, metric: AnyMetric, as_json: bool) -> None:
    """Write the k nearest images of every image.

    They are exact, and no image is its own neighbour. A .npz file holds distances and indices,
    (images, k), with paths and labels; a .parquet file has a row an edge (pip install
    'lookalike[parquet]').

    With more than 65,536 images it may be interrupted: what is done is kept in OUTPUT.part, and the
    same command goes on from there.

    \b
    Examples:
      lookalike neighbors
      lookalike neighbors photos.gallery -k 20 --metric cosine -o graph.parquet
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.all_pairs import neighbor_graph, write_graph
    from lookalike.distance.metrics import metric_label

    kind = os.path.splitext(output)[1].lower()
    if kind not in (".npz", ".parquet"):
        raise click.UsageError(f"--output must end in .npz or .parquet, got {output!r}")
    if kind == ".parquet":
        _require_pyarrow()
    require_folders(output)
    opened = open_gallery(gallery)
    if len(opened) < 2:
        raise click.ClickException(
            f"{gallery} holds {console.plural(len(opened), 'image')}: no pair"
        )
    if k >= len(opened):
        console.remark(f"k is {len(opened) - 1}: there are no more other images.")
        k = len(opened) - 1
    started, work = time.monotonic(), f"{output}.part"
    try:
        with reading(gallery), console.bar("images") as progress:
            near = neighbor_graph(opened.features, k, metric, work=work, progress=progress)
    except KeyboardInterrupt:
        kept = f"; {work} keeps what is done, the same command goes on" * os.path.isdir(work)
        raise KeyboardInterrupt(f"interrupted{kept}") from None
    notes = {"metric": metric_label(metric), "space": opened.space or ""}
    write_graph(output, near, opened.paths, opened.labels, **notes)
    shutil.rmtree(work, ignore_errors=True)
    say_written(output, len(opened), metric, time.monotonic() - started, as_json, k=k)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401 - to fail before anything is computed
    except ImportError:
        raise click.ClickException(
            "Parquet needs a library of its own: pip install 'lookalike[parquet]'"
        ) from None
