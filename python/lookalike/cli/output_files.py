"""Files that a verb writes at its end, checked before it begins."""

from __future__ import annotations

import os

import click

__all__ = ["require_folders"]


def require_folders(*paths: str | None) -> None:
    """Raise click.UsageError if a file could not be written because its folder is missing."""
    for path in filter(None, paths):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise click.UsageError(f"there is no folder {folder} to write {path} to")
