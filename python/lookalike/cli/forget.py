"""``lookalike forget``: images and folders leave a gallery; their files stay."""

from __future__ import annotations

import click

from lookalike.cli import console
from lookalike.cli.options import gallery_option, json_option, open_gallery

__all__ = ["forget"]


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@gallery_option
@json_option
def forget(paths: tuple[str, ...], gallery: str, as_json: bool) -> None:
    """Drop images or folders from a gallery.

    All that is kept of each PATH goes: features, labels, notes of what failed. The photos
    themselves are not touched, and need not be there any more. A folder that was indexed is no
    longer looked at; what lies in one that still is comes back with the next `lookalike index`.

    \b
    Examples:
      lookalike forget /media/old-disk/photos
      lookalike forget photos/blurred.jpg photos/scans -g photos.gallery
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    with open_gallery(gallery) as opened:
        done = opened.forget(paths)
    if as_json:
        console.write_json(gallery=opened.path, paths=list(paths), **done._asdict())
        return
    failed = f", {console.plural(done.failures, 'failed file')}" if done.failures else ""
    console.say(f"{console.plural(done.images, 'image')}{failed} forgotten; no file was touched")
    for folder in done.folders:
        console.remark(f"{console.shown(folder)} is no longer looked at.")
    for path in done.returning:
        console.remark(f"{path} lies in a folder that `lookalike index` looks at: it comes back.")
