"""What a caller may pass as ``progress``: nothing, True for a bar, or a function of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = bool | Callable[[int, int], object] | None


@contextmanager
def reporting(
    progress: Progress, total: int, description: str
) -> Iterator[Callable[[int], None] | None]:
    """Yield a function that takes the number done of `total`, or None if nobody wants to know.

    Numbers only ever rise, and the last is `total`, unless the work ends with an exception.
    """
    if progress is None or progress is False:
        yield None
        return
    if progress is True:
        with _bar(total, description) as update:
            yield update
            update(total)
        return
    if not callable(progress):
        raise TypeError(
            f"progress must be None, True or callable(done, total), got {progress!r}"
        )
    call, last = progress, -1

    def update(done: int) -> None:
        nonlocal last
        if done > last:
            last = done
            call(done, total)

    yield update
    update(total)


@contextmanager
def _bar(total: int, description: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done: bar.update(task, completed=done)
