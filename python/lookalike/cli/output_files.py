"""Files that a verb writes: checked before it begins, named when it has ended."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import click

from lookalike.cli import console
from lookalike.files import reason

if TYPE_CHECKING:
    from lookalike.distance.metrics import AnyMetric

__all__ = ["require_folders", "require_page", "say_written"]

DRAWN_HERE = b"Matplotlib"
"""What is at the beginning of the pictures that charts are saved as."""


def require_page(path: str | None) -> None:
    """Raise click.UsageError if a page could not be written, or would not be called one.

    ``--html *.jpg``, its name forgotten, would else take the first of the photos for it.
    """
    if path is not None and not path.lower().endswith((".html", ".htm")):
        raise click.UsageError(f"--html writes a page, whose name ends in .html, got {path}")
    require_folders(path)


def require_folders(*paths: str | None) -> None:
    """Raise click.UsageError if a file could not be written, or would replace a picture."""
    for path in filter(None, paths):
        if _is_a_picture(path):
            raise click.UsageError(f"{path} is a picture that is there already: name another file")
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise click.UsageError(f"there is no folder {folder} to write {path} to")
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise click.UsageError(f"cannot write {path}: {reason(error)}") from None


def _is_a_picture(path: str) -> bool:
    """Tell whether a picture lies at a path that is not a chart of ours."""
    from lookalike.pictures.formats import IMAGE_SUFFIXES, UNREAD_SUFFIXES

    suffix = os.fsencode(os.path.splitext(path)[1].lower())
    if suffix not in IMAGE_SUFFIXES | UNREAD_SUFFIXES or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return DRAWN_HERE not in file.read(4096)


def say_written(
    output: str, images: int, metric: AnyMetric, seconds: float, as_json: bool, **more: object
) -> None:
    """Say what a verb has written, and in how many seconds."""
    from lookalike.distance.metrics import metric_label

    name = metric_label(metric)
    if as_json:
        console.write_json(
            output=os.path.abspath(output),
            images=images,
            metric=name,
            **more,
            seconds=round(seconds, 3),
        )
    else:
        console.say(f"{output}: {console.plural(images, 'image')}, {name} ({seconds:.1f} s)")
