"""Answers: JSON, pages of templates, and errors in words."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from lookalike._core import __version__
from lookalike.pages.html import environment
from lookalike.printable import printable

if TYPE_CHECKING:
    from starlette.requests import Request

    from lookalike.browse.state import State

__all__ = ["AskedError", "data", "failed", "integer", "page", "posted", "rows", "threaded"]

PAGES = (
    ("/", "Photos"),
    ("/duplicates", "Duplicates"),
    ("/distances", "Which distance?"),
    ("/index", "Index"),
)
"""The entries of the navigation: address and name."""
LONGEST_CHANGE = 1 << 20  # bytes
TEMPLATES = Path(__file__).with_name("templates")


class AskedError(Exception):
    """What was asked cannot be answered.

    Parameters
    ----------
    reason : str
        Why, in words for whoever looks at the page.
    status : int
        HTTP's number for that.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def data(value: Any, status: int = 200) -> Response:
    """Return an answer of JSON."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Response(text, status, media_type="application/json")


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page of a template."""
    state: State = request.app.state.browse
    text = _template(template).render(
        path=request.scope["path"],
        pages=PAGES,
        token=request.app.state.access.token,
        read_only=state.read_only,
        gallery=state.path,
        version=__version__,
        **context,
    )
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)


def posted(
    change: Callable[[Request, dict[str, Any]], Any], most: int = LONGEST_CHANGE
) -> Callable[[Request], Any]:
    """Return a route that is given the JSON object of a POST, and answers with what is returned.

    The request may have `most` bytes.
    """

    async def route(request: Request) -> Response:
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > most:
                break

        def answer(request: Request) -> Response:
            if len(content) > most:
                raise AskedError(f"a change must be within {most:,} bytes", 413)
            try:
                values = json.loads(bytes(content) or b"{}")
            except (ValueError, RecursionError):
                raise AskedError("a change must be JSON") from None
            if not isinstance(values, dict):
                raise AskedError("a change must be an object")
            return data(change(request, values))

        return await threaded(answer)(request)  # type: ignore[no-any-return]

    return route


def integer(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Return a number of an address.

    Raises
    ------
    AskedError
        It is none, or out of range.
    """
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise AskedError(f"{name} must be a whole number, got {printable(given)!r}")
    if not least <= int(given) <= most:
        raise AskedError(f"{name} must be from {least} to {most}, got {given}")
    return int(given)


def rows(request: Request, name: str, most: int) -> list[int]:
    """Return the numbers, separated by commas, of an address.

    Raises
    ------
    AskedError
        There is none, one is no number, or there are more than `most`.
    """
    given = request.query_params.get(name, "")
    parts = given.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise AskedError(f"{name} must be whole numbers, got {printable(given)[:40]!r}")
    if len(parts) > most:
        raise AskedError(f"{name} may hold {most} numbers, got {len(parts)}")
    return [int(part) for part in parts]


def failed(request: Request, error: Exception) -> Response:
    """Return what is said of an error: JSON where data was asked for, else a page."""
    status = 500
    if isinstance(error, AskedError):
        status = error.status
    elif isinstance(error, PermissionError):
        status = 403
    reason = printable(str(error))
    if request.scope["path"].startswith("/api/"):
        return JSONResponse({"error": reason}, status)
    if request.scope["path"].startswith(("/thumb/", "/file/")):
        return PlainTextResponse(f"{reason}\n", status)
    return page(request, "error.html", status, reason=reason)


def threaded(
    answer: Callable[[Request], Response],
) -> Callable[[Request], Any]:
    """Return a route that answers in a thread; what it raises is said in words."""

    def said(request: Request) -> Response:
        try:
            return answer(request)
        except (AskedError, ValueError, OSError) as error:  # a gallery's, a model's, an image's too
            return failed(request, error)

    @functools.wraps(answer)
    async def route(request: Request) -> Response:
        return await run_in_threadpool(said, request)

    return route


@functools.cache
def _environment() -> Any:
    return environment(TEMPLATES)


def _template(name: str) -> Any:
    return _environment().get_template(name)
