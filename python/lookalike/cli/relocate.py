"""``lookalike relocate``: photos that lie elsewhere now."""

from __future__ import annotations

import os

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_option, json_option, open_gallery

__all__ = ["relocate"]


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@gallery_option
@json_option
def relocate(old: str, new: str, gallery: str, as_json: bool) -> None:
    """Tell a gallery where its photos are now.

    What lay below folder OLD now lies below folder NEW. The photos are not touched, and nothing is
    embedded again.

    \b
    Examples:
      lookalike relocate /media/old-disk/photos ~/Pictures
      lookalike relocate photos holiday -g photos.gallery
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    with open_gallery(gallery) as opened:
        moved = opened.relocate(old, new)
    if as_json:
        console.write_json(gallery=opened.path, old=old, new=new, images=moved)
    else:
        console.say(f"{console.plural(moved, 'image')} now below {console.line(new)}")
    if not os.path.isdir(new):
        console.remark(f"{new} is not a folder now; the gallery expects the photos there.")
