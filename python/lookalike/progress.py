"""The one meaning of ``progress=`` everywhere: None, True or ``callable(done, total)``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

__all__ = ["Progress", "reporting"]

Progress: TypeAlias = "Callable[[int, int | None], object] | Literal[True] | None"


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
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.update(task, completed=done)
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
