"""The terminal: whether there is one, and the one console that draws on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "is_terminal"]


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads a stream; None stands for one that was closed at the start."""
    return stream is not None and stream.isatty()


def console(*, stderr: bool = False) -> Console:
    """Return what draws tables, bars and colours on standard output or standard error."""
    from rich.console import Console

    # File names are text: no markup, no emoji, no guessing what might be a number.
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
