"""``lookalike export``: features as files for other programs."""

from __future__ import annotations

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_argument, json_option, open_gallery
from lookalike.cli.output_files import require_folders

__all__ = ["export"]


@click.command()
@gallery_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="features",
    show_default=True,
    metavar="NAME",
    help="Name of the files without its ending.",
)
@click.option("--parquet", is_flag=True, help="Also write NAME.parquet of both.")
@json_option
def export(gallery: str, output: str, parquet: bool, as_json: bool) -> None:
    """Write features to NAME.npy, their files to NAME.csv.

    \b
    Examples:
      lookalike export
      lookalike export photos.gallery -o photos --parquet
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    require_folders(output)
    opened = open_gallery(gallery)
    for suffix in (".npy", ".csv", ".parquet"):
        output = output.removesuffix(suffix)
    written = opened.export(output, parquet=parquet)
    if as_json:
        console.write_json(
            gallery=opened.path, images=len(opened), dim=opened.dim, files=list(written)
        )
    else:
        for file in written:
            console.say(console.line(file))
