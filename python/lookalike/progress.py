"""The one meaning of ``progress=`` everywhere, and the one bar that shows it.

``progress=`` is None, True or ``callable(done, total)``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from lookalike.terminal import console

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

__all__ = ["ByteBar", "Progress", "bar", "reporting", "share"]

# Any: a total is a number, or None where it is not known before the end, and who is told of numbers
# alone says int.
Progress: TypeAlias = "Callable[[int, Any], object] | Literal[True] | None"


def share(report: Callable[[int], object], total: int) -> Callable[[float], object]:
    """Return a function that reports a share of the total, as the compiled core counts."""
    return lambda part: report(int(part * total))


@contextlib.contextmanager
def reporting(
    progress: Progress, total: int | None, label: str
) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of things done so far.

    Parameters
    ----------
    progress : None, True or callable(done, total)
        True shows a bar on standard error.
    total : int or None
        How many there are, None where that is not known before the end.
    label : str
        What stands before the bar.

    Raises
    ------
    TypeError
        `progress` is something else.

    Examples
    --------
    >>> with reporting(print, 2, "images") as report:
    ...     report(1)
    1 2
    """
    if progress is None:
        yield lambda done: None
    elif progress is True:
        with bar(label) as draw:
            draw(0, total)
            yield lambda done: draw(done, total)
    elif callable(progress):
        last = -1

        def report(done: int) -> None:  # numbers that rise, each once
            nonlocal last
            if done > last:
                last = done
                progress(done, total)

        yield report
    else:
        raise TypeError(f"progress must be None, True or callable(done, total), got {progress!r}")


@contextlib.contextmanager
def bar(label: str, *, transient: bool = False) -> Iterator[Callable[[int, int | None], object]]:
    """Draw a bar with rate and time left on standard error; yield its ``progress(done, total)``.

    Parameters
    ----------
    label : str
        What stands before the bar.
    transient : bool
        Whether the bar goes away at the end.
    """
    from rich.progress import MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="cyan")

    drawn = _bar(MofNCompleteColumn(), Rate(), TimeRemainingColumn(), transient=transient)
    with drawn, _noted(drawn):
        task = drawn.add_task(label, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)


_drawn: list[RichProgress] = []
"""The bars that are drawn now."""


@contextlib.contextmanager
def _noted(drawn: RichProgress) -> Iterator[None]:
    _drawn.append(drawn)
    try:
        yield
    finally:
        _drawn.remove(drawn)


class ByteBar:
    """A bar of bytes; silent unless standard error is a terminal.

    Parameters
    ----------
    label : str
        What stands before the bar.
    total : int
        How many there are, 0 where that is not known.
    """

    def __init__(self, label: str, total: int) -> None:
        from rich.progress import DownloadColumn

        self._bar = _bar(DownloadColumn(), only_terminal=True)
        self._task = self._bar.add_task(label, total=total or None)

    def __enter__(self) -> Self:
        self._paused = list(_drawn)
        for other in self._paused:  # two on one line would write over each other
            other.stop()
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        for other in self._paused:
            other.start()

    def update(self, size: int) -> None:
        """Add so many bytes."""
        self._bar.update(self._task, advance=size)


def _bar(*columns: Any, transient: bool = False, only_terminal: bool = False) -> RichProgress:
    from rich.progress import BarColumn, Progress, TextColumn

    drawing = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        console=drawing,
        transient=transient,
        disable=only_terminal and not drawing.is_terminal,
    )
