"""Files that a verb writes: checked before it begins, named when it has ended."""

from __future__ import annotations

import os
import tempfile

import click

from lookalike.cli import console
from lookalike.files import reason

__all__ = ["require_folders", "say_written"]


def require_folders(*paths: str | None) -> None:
    """Raise click.UsageError if a file could not be written to its folder."""
    for path in filter(None, paths):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise click.UsageError(f"there is no folder {folder} to write {path} to")
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise click.UsageError(f"cannot write {path}: {reason(error)}") from None


def say_written(
    output: str, images: int, metric: str, seconds: float, as_json: bool, **more: object
) -> None:
    """Say what a verb has written, and in how many seconds."""
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
