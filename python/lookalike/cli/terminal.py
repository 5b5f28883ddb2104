"""What a terminal shows beyond lines of text: tables, pictures, and that something is going on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["show", "waiting"]

NARROWEST = 80
"""Columns used even if the terminal has fewer: a wrapped number is read, a cut one lost."""


def show(content: RenderableType) -> None:
    """Print a table or a paragraph; into a pipe without colours and as wide as it needs to be."""
    from rich.console import Console

    wide = Console(markup=False, emoji=False, highlight=False)
    width = max(NARROWEST, wide.width) if sys.stdout.isatty() else 10_000
    wide.width = width
    with wide.capture() as captured:
        wide.print(content)
    # Tables fill their lines with spaces.
    lines = "\n".join(line.rstrip() for line in captured.get().splitlines())
    sys.stdout.write(lines + "\n")


@contextlib.contextmanager
def waiting(text: str) -> Iterator[Callable[[str], object]]:
    """Show on standard error that something is going on; yield a function that says what.

    Nothing is shown where standard error is no terminal.
    """
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True, markup=False, emoji=False).status(text) as status:
        yield status.update
