"""``lookalike undo``: what was moved to the trash comes back."""

from __future__ import annotations

import click

from lookalike.cli.options import absolute_option, gallery_argument, json_option, open_gallery
from lookalike.cli.trash import bring_back

__all__ = ["undo"]


@click.command()
@gallery_argument
@absolute_option
@json_option
def undo(gallery: str, absolute: bool, as_json: bool) -> None:
    """Bring back what `lookalike duplicates --trash` moved last.

    The files are found in the trash by its own records, and known by their content. Nothing is
    overwritten: where something lies in a file's place now, it stays in the trash and is named, and
    so is what has been emptied. The same command goes on from there; once all is back that can be,
    it brings back what was moved before.

    \b
    Examples:
      lookalike undo
      lookalike undo photos.gallery
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    with open_gallery(gallery) as opened:
        bring_back(opened, absolute=absolute, as_json=as_json)
