"""``lookalike neighbors`` and ``distances``: all pairs of a gallery's images, as files."""

from __future__ import annotations

import os
import shutil
import time

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_argument, json_option, metric_option, open_gallery
from lookalike.cli.output_files import require_folders

__all__ = ["distances", "neighbors"]


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
def neighbors(gallery: str, output: str, k: int, metric: str, as_json: bool) -> None:
    """Write the k nearest images of every image.

    They are exact, and no image is its own neighbour. A .npz file holds distances and indices,
    (images, k), with paths and labels; a .parquet file has a row an edge (pip install
    'lookalike[parquet]').

    With more than 16,384 images it may be interrupted: what is done is kept in OUTPUT.part, and the
    same command goes on from there.

    \b
    Examples:
      lookalike neighbors
      lookalike neighbors photos.gallery -k 20 --metric cosine -o graph.parquet
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.all_pairs import neighbor_graph, write_graph

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
        with console.bar("images") as progress:
            near = neighbor_graph(opened.features, k, metric, work=work, progress=progress)
    except KeyboardInterrupt:
        kept = f"; {work} keeps what is done, the same command goes on" * os.path.isdir(work)
        raise KeyboardInterrupt(f"interrupted{kept}") from None
    write_graph(output, near, opened.paths, opened.labels, metric=metric, space=opened.space or "")
    shutil.rmtree(work, ignore_errors=True)
    _say(output, len(opened), metric, time.monotonic() - started, as_json, k=k)


@click.command()
@gallery_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="D.npy",
    help="The file; it appears whole or not at all.",
)
@metric_option("correlation")
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True
)
@json_option
def distances(gallery: str, output: str, metric: str, dtype: str, as_json: bool) -> None:
    """Write the matrix of all distances as a NumPy file.

    Row i and column i are the image of row i in `lookalike export`. For n images the file has n x n
    numbers: 10,000 images make 400 MB. np.load(..., mmap_mode="r") opens any size at once.

    \b
    Examples:
      lookalike distances -o D.npy
      lookalike distances -o D.npy --metric canberra --dtype float64
    """  # noqa: D301
    from lookalike.all_pairs import write_distances

    require_folders(output)
    opened = open_gallery(gallery)
    started = time.monotonic()
    with console.bar("rows") as progress:
        write_distances(output, opened.features, metric, dtype=dtype, progress=progress)
    _say(output, len(opened), metric, time.monotonic() - started, as_json, dtype=dtype)


def _say(
    output: str, images: int, metric: str, seconds: float, as_json: bool, **more: object
) -> None:
    if as_json:
        console.write_json(
            output=os.path.abspath(output),
            images=images,
            metric=metric,
            **more,
            seconds=round(seconds, 3),
        )
    else:
        console.say(f"{output}: {console.plural(images, 'image')}, {metric} ({seconds:.1f} s)")


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401 - to fail before anything is computed
    except ImportError:
        raise click.ClickException(
            "Parquet needs a library of its own: pip install 'lookalike[parquet]'"
        ) from None
