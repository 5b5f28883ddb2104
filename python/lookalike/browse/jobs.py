"""Work that takes longer than an answer may: it goes on by itself, is asked about, and ends.

A job is begun once for one subject, whoever asks for it meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from lookalike.printable import printable

__all__ = ["Job", "Jobs", "StoppedError"]

Report: TypeAlias = Callable[[int, "int | None"], None]


class StoppedError(Exception):
    """Raised in a job by its own report once it is to end."""


class Job:
    """One piece of work, in a thread of its own.

    Parameters
    ----------
    name : str
        What it is, for people.
    work : callable
        It is given ``report(done, total)``, as any ``progress=`` here, which raises StoppedError in
        it when it is to end, and returns what it made.

    Attributes
    ----------
    done, total : int, int or None
        How far it is.
    result : object
        What it made, None as long as it is at work.
    error : str or None
        Why it made nothing.
    """

    def __init__(self, name: str, work: Callable[[Report], Any]) -> None:
        self.name = name
        self.done, self.total = 0, None  # type: int, int | None
        self.result: Any = None
        self.error: str | None = None
        self._stopping = threading.Event()
        self._work = work
        self._thread = threading.Thread(target=self._run, name=f"lookalike-{name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Have it end at its next report."""
        self._stopping.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; return whether it has come."""
        self._thread.join(seconds)
        return not self.running

    def report(self, done: int, total: int | None) -> None:
        """Note how far it is."""
        if self._stopping.is_set():
            raise StoppedError
        self.done, self.total = done, total

    def _run(self) -> None:
        try:
            self.result = self._work(self.report)
        except StoppedError:
            self.error = "stopped"
        except Exception as error:
            self.error = printable(str(error)) or type(error).__name__


class Jobs:
    """All jobs of a server."""

    def __init__(self) -> None:
        self._jobs: dict[Any, Job] = {}
        self._guard = threading.Lock()

    def begin(self, subject: Any, name: str, work: Callable[[Report], Any]) -> Job:
        """Return the job about a subject, begun now unless it is at work or done.

        One that made nothing is begun again.
        """
        with self._guard:
            job = self._jobs.get(subject)
            if job is None or (not job.running and job.error is not None):
                job = self._jobs[subject] = Job(name, work)
            return job

    def find(self, subject: Any) -> Job | None:
        """Return the job about a subject, None if there is none."""
        return self._jobs.get(subject)

    def forget(self, subject: Any) -> None:
        """Drop what a job made."""
        with self._guard:
            self._jobs.pop(subject, None)

    def stop(self, seconds: float = 2.0) -> bool:
        """Have all jobs end; return whether they have, after so many seconds at most."""
        running = [job for job in self._jobs.values() if job.running]
        for job in running:
            job.stop()
        return all(job.wait(seconds) for job in running)
