"""The page of indexing: folders, what is left out, progress as it comes, and what failed."""

from __future__ import annotations

import asyncio
import bisect
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from lookalike.browse.answers import AskedError, data, page, posted
from lookalike.browse.indexing import Indexing, checked_folder
from lookalike.printable import printable

if TYPE_CHECKING:
    from starlette.requests import Request

    from lookalike.browse.state import Shown, State

__all__ = ["contents", "events", "failures", "index", "patterns", "start", "stop"]

TICK = 0.2
"""Seconds between two looks at how far it is."""
LIFE = 30.0
"""Seconds that a stream lasts at most while nothing goes on; the page asks for another."""
MOST_BYTES = 1 << 16
MOST_FILES = 50
"""Files that are named of each reason; all of them are in a file of their own."""


def index(request: Request) -> Response:
    """Show the page; it asks for what is in it."""
    return page(request, "index.html", title="Index")


def contents(request: Request) -> Response:
    """Answer with the folders, the patterns, and what could not be used."""
    state, indexing = _state(request), _indexing(request)
    shown = state.shown
    failing = _failing(shown, indexing)
    by_reason: dict[str, list[str]] = {}
    for path, reason in failing:
        by_reason.setdefault(reason, []).append(path)
    groups = sorted(by_reason.items(), key=lambda each: (-len(each[1]), each[0]))
    return data(
        {
            "images": len(shown),
            "folders": [
                {"path": printable(root), "count": count, "there": os.path.isdir(root)}
                for root, count in _counts(shown)
            ],
            "others": sum(not folder for folder in shown.folders),
            "patterns": [[kind, printable(pattern)] for kind, pattern in shown.gallery.patterns],
            "failed": len(failing),
            "failures": [
                {
                    "reason": printable(reason),
                    "count": len(paths),
                    "files": [printable(path) for path in paths[:MOST_FILES]],
                }
                for reason, paths in groups
            ],
        }
    )


def failures(request: Request) -> Response:
    """Send all that could not be used as text, a file a line."""
    lines = [
        f"{printable(path)}: {printable(reason)}\n"
        for path, reason in _failing(_state(request).shown, _indexing(request))
    ]
    return PlainTextResponse("".join(lines).encode("utf-8", "backslashreplace"))


async def events(request: Request) -> Response:
    """Send how far indexing is, whenever that changes."""
    indexing = _indexing(request)

    async def sent() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        began, last = time.monotonic(), ""
        while True:
            told = await run_in_threadpool(indexing.told)
            if (now := json.dumps(told, separators=(",", ":"))) != last:
                last = now
                yield f"data: {now}\n\n"
            if not told["running"] and time.monotonic() >= began + LIFE:
                yield "event: pause\ndata: \n\n"
                return
            await asyncio.sleep(TICK)

    return StreamingResponse(
        sent(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


def changing(change: Callable[[Request, dict[str, Any]], None]) -> Callable[[Request], Any]:
    """Return a route that changes something, and answers how far indexing is."""

    def said(request: Request, given: dict[str, Any]) -> Any:
        change(request, given)
        return _indexing(request).told()

    return posted(said, MOST_BYTES)


@changing
def start(request: Request, given: dict[str, Any]) -> None:
    """Look at all folders again, or add one."""
    folder = given.get("folder")
    if folder is not None:
        folder = checked_folder(folder, _state(request).path)
    _indexing(request).start(folder)


@changing
def stop(request: Request, given: dict[str, Any]) -> None:
    """End the run; what is finished stays."""
    _indexing(request).stop()


@changing
def patterns(request: Request, given: dict[str, Any]) -> None:
    """Leave something out from the next run on, take it after all, or drop a pattern."""
    changes = {}
    for what, pattern in given.items():
        if what not in ("exclude", "include", "drop") or not isinstance(pattern, str):
            raise AskedError("patterns are changed by exclude, include or drop, each a pattern")
        if not pattern.strip():
            raise AskedError("name what is to be left out, such as *.gif or raw/")
        changes[what] = [pattern.strip()]
    _indexing(request).change_patterns(**changes)


def _counts(shown: Shown) -> list[tuple[str, int]]:
    """Return the folders that are looked at, and how many photos each has that no other has."""
    roots = sorted(shown.gallery.roots)
    counts = dict.fromkeys(roots, 0)
    for folder, number in Counter(shown.folders).items():
        for root in reversed(roots[: bisect.bisect_right(roots, folder)]):
            if os.path.join(folder, "").startswith(os.path.join(root, "")):
                counts[root] += number
                break
    return list(counts.items())


def _failing(shown: Shown, indexing: Indexing) -> list[tuple[str, str]]:
    """Return what cannot be used, and why."""
    return [*indexing.not_reached, *shown.gallery.failed]


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state


def _indexing(request: Request) -> Indexing:
    indexing: Indexing = request.app.state.indexing
    return indexing
