"""Who may ask and what is answered: key, cookie, host, origin, token, and headers that forbid.

It stands before every request as a whole and goes by the raw path and headers alone, so that no
route can be forgotten.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "TOKEN_HEADER", "Access", "Safety"]

TOKEN_HEADER = "x-lookalike-token"
READING = ("GET", "HEAD")
QUESTIONS = ("/api/search",)
"""What is asked by POST, for the size of the question, and changes nothing."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ENTRANCE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>lookalike</title>
<link rel="icon" href="/static/icon.png" type="image/png">
<meta http-equiv="refresh" content="0;url={path}"></head>
<body><p><a href="{path}">lookalike</a></p></body></html>
"""


class Access:
    """The secrets of one run of the server.

    Attributes
    ----------
    key : str
        In the address that is printed; whoever has it is let in, as long as the server runs.
    session : str
        In the cookie that the key is exchanged for.
    token : str
        In the header of every change; pages have it, and no other site can read them.
    """

    def __init__(self) -> None:
        self.key, self.session, self.token = (secrets.token_urlsafe(32) for _ in range(3))
        self.entered = False  # whether the key has been used


class Safety:
    """The application behind a check of every request.

    Parameters
    ----------
    app : ASGI application
    access : Access
    port : int
        The server's, on 127.0.0.1.
    read_only : bool
        Whether all changes are refused.
    """

    def __init__(self, app: ASGIApp, access: Access, port: int, read_only: bool) -> None:
        self._app = app
        self._access = access
        self._hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
        self._cookie = f"lookalike-{port}"
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http":  # no WebSocket is spoken here
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        answer = self._checked(scope)
        if answer is None:
            await self._app(scope, receive, sending)
        else:
            await answer(scope, receive, sending)

    def _checked(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not let through."""
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _refusal(scope, 421, "this server is asked by its own address alone")
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{hosts[0].lower()}":
            return _refusal(scope, 403, "another site may not ask this server")
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in pairs if name == "key"]
        by_key = bool(given) and _same(given[0], self._access.key)
        if by_key:
            self._access.entered = True
            if method == "GET" and not path.startswith(("/api/", "/thumb/", "/file/", "/static/")):
                rest = urlencode([(name, value) for name, value in pairs if name != "key"])
                return self._entrance(quote(path) + ("?" + rest if rest else ""))
        elif headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
            return _refusal(scope, 403, "another site may not ask this server")
        elif not self._has_cookie(headers):
            return _refusal(
                scope, 403, "the key is missing: open the address that `lookalike browse` printed"
            )
        if method in READING or (method == "POST" and path in QUESTIONS):
            return None
        if method != "POST":
            return _refusal(scope, 405, "this server knows GET and POST")
        if self._read_only:
            return _refusal(scope, 403, "nothing can be changed: this server runs --read-only")
        if not _same(headers.get(TOKEN_HEADER, ""), self._access.token):
            return _refusal(scope, 403, "the page is of an earlier run of the server: reload it")
        return None

    def _has_cookie(self, headers: Headers) -> bool:
        name = self._cookie + "="
        parts = (part.strip() for each in headers.getlist("cookie") for part in each.split(";"))
        return any(
            _same(part.removeprefix(name), self._access.session)
            for part in parts
            if part.startswith(name)
        )

    def _entrance(self, path: str) -> Response:
        """Return the page that takes the browser in.

        It goes on by itself, and not by a redirect: that would belong to whoever opened the
        address, and the browser would not send a strict cookie with it. Going on like this also
        leaves no key in the browser's history.
        """
        response = HTMLResponse(ENTRANCE.format(path="/" + path.lstrip("/")))
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            self._cookie, self._access.session, httponly=True, samesite="strict", path="/"
        )
        return response


def _same(one: str, other: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _refusal(scope: Scope, status: int, reason: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": reason}, status)
    return PlainTextResponse(f"lookalike: {reason}\n", status)
