"""What the verbs print: tables, JSON and progress bars, on a terminal or into a pipe.

A terminal gets colours, aligned columns and bars. A pipe or a file gets plain lines, a tab between
columns, each as long as it is. Results go to standard output; bars, remarks and errors to standard
error, so that results can be piped on.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from lookalike import progress
from lookalike.printable import printable as line
from lookalike.terminal import console, is_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = [
    "SCHEMA",
    "bar",
    "failures",
    "heading",
    "line",
    "pairs",
    "plural",
    "remark",
    "say",
    "show",
    "shown",
    "table",
    "verbosity",
    "waiting",
    "write_json",
    "write_paths",
]

NARROWEST = 80
"""Columns used even if the terminal has fewer: a wrapped number is read, a cut one lost."""

verbosity = [False]
"""Whether an error is to be told with all that is known of it."""

SCHEMA = 1
"""Of the JSON that the verbs print; it rises when a key changes its meaning or goes away."""


def shown(path: str, *, absolute: bool = False) -> str:
    """Return a path as the verbs print it: relative where it lies below the current folder.

    Examples
    --------
    >>> shown(os.path.join(os.getcwd(), "a", "1.jpg")), shown("/1.jpg")
    ('a/1.jpg', '/1.jpg')
    """
    try:
        below = os.path.join(os.getcwd(), "")
    except FileNotFoundError:  # the current folder has been deleted
        return path
    return path[len(below) :] if path.startswith(below) and not absolute else path


def plural(count: int, what: str) -> str:
    """Return a number and what it counts.

    Examples
    --------
    >>> plural(1, "image"), plural(2640, "image")
    ('1 image', '2,640 images')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def write_json(**document: Any) -> None:
    """Print a JSON document. Paths that are not UTF-8 come as Python's ``surrogateescape``."""
    say(json.dumps({"schema": SCHEMA, **document}, indent=1))


def write_paths(paths: Iterable[str], end: bytes) -> None:
    """Print paths for other programs: byte for byte, unless a person reads them.

    One that begins with a dash gets ``./`` before it: what it is piped to would take it for an
    option.
    """
    paths = (f"./{path}" if path.startswith("-") else path for path in paths)
    if is_terminal(sys.stdout) and end == b"\n":
        for path in paths:
            say(line(path))
        return
    if sys.stdout is None:
        return
    sys.stdout.flush()
    for path in paths:
        sys.stdout.buffer.write(os.fsencode(path) + end)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Print a line, as it is."""
    # Without file=, click would write UTF-8 where it was told ASCII.
    click.echo(text, file=sys.stdout)


def heading(text: str) -> None:
    """Print what stands above a table."""
    say(click.style(line(text), bold=True))


def table(
    columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]], *, stderr: bool = False
) -> None:
    """Print rows of text.

    Parameters
    ----------
    columns : sequence of (style, justify)
        Of each column on a terminal, as rich names them.
    rows : iterable of sequences
        One value a column.
    stderr : bool
        Whether they are no result, and go to standard error.
    """
    cells = ([line(str(value)) for value in row] for row in rows)
    stream = sys.stderr if stderr else sys.stdout
    if not is_terminal(stream):
        for row in cells:
            click.echo("\t".join(row), file=stream)
        return
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for style, justify in columns:
        grid.add_column(style=style, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in cells:
        grid.add_row(*map(Text, row))
    console(stderr=stderr).print(grid)


def pairs(named: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    known = list(named)
    if is_terminal(sys.stdout):
        table([("dim", "left"), ("", "left")], known)
        return
    width = max(len(name) for name, _ in known)
    for name, value in known:
        say(f"{name:{width}}  {line(str(value))}")


def remark(text: str) -> None:
    """Print a line that is not a result on standard error."""
    click.echo(line(text), file=sys.stderr)


@contextlib.contextmanager
def told_warnings() -> Iterator[None]:
    """Print warnings as remarks, behind the block."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        remark(str(warning.message))


def failures(what: str, failed: Sequence[tuple[str, str]], *, most: int | None = None) -> None:
    """Print paths and reasons on standard error; of more than `most` a terminal gets the first."""
    if not failed:
        return
    remark(f"{plural(len(failed), 'file')} {what}:")
    named = failed[:most] if is_terminal(sys.stderr) else failed
    for path, reason in named:
        remark(f"  {shown(path)}: {reason}")
    if len(failed) > len(named):
        remark(f"  and {len(failed) - len(named):,} more: lookalike info --failed")


@contextlib.contextmanager
def bar(label: str) -> Iterator[Callable[[int, int | None], object] | None]:
    """Yield a ``progress(done, total)`` that draws a bar; None where nobody would see it."""
    if not is_terminal(sys.stderr):
        yield None
        return
    with progress.bar(label, transient=True) as draw:
        yield draw


def show(content: RenderableType) -> None:
    """Print a table or a paragraph; into a pipe without colours and as wide as it needs to be."""
    wide = console()
    wide.width = max(NARROWEST, wide.width) if is_terminal(sys.stdout) else 10_000
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
    if not is_terminal(sys.stderr):
        yield lambda text: None
        return
    with console(stderr=True).status(text) as status:
        yield status.update
