"""Pictures by their row: thumbnails, and whole files as they were indexed."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from typing import TYPE_CHECKING

from starlette.responses import Response

from lookalike.browse.answers import AskedError
from lookalike.pictures.images import open_picture
from lookalike.pictures.thumbnail import SIDE as THUMBNAIL_SIDE
from lookalike.pictures.thumbnail import thumbnail
from lookalike.system import open_to_read
from lookalike.trash.files import FileFacts, LeftAloneError, looked_at

if TYPE_CHECKING:
    from starlette.requests import Request

    from lookalike.browse.state import Shown, State

__all__ = ["file", "thumb"]

TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
"""What browsers show by themselves. All else is sent as a JPEG of at most `SIDE` pixels."""
SIDE = 2560
LARGEST = 256 << 20
"""Bytes of a file that is sent."""


def thumb(request: Request) -> Response:
    """Send a thumbnail, which is kept by the gallery or made of the file as it was indexed."""
    shown, row = _asked(request)
    facts = shown.file(row)
    if facts is not None and _is_another(facts):
        raise AskedError("this file has changed since it was indexed: it is not shown", 404)
    tag = f'"{shown.mark(row)}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.query_params.get("s") == shown.id:  # this address never means another picture
        headers["Cache-Control"] = "private, max-age=86400, immutable"
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    found = shown.gallery.thumbnail(row, make=False)
    if found is None:
        found = thumbnail(open_picture(_content(shown, row), least=THUMBNAIL_SIDE).image)
    return Response(found, media_type="image/webp", headers=headers)


def file(request: Request) -> Response:
    """Send a picture's file, or a picture of it where no browser shows its format."""
    shown, row = _asked(request)
    content = _content(shown, row)
    tag = f'"{shown.mark(row)}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    known = shown.gallery.facts(row)
    kind = TYPES.get((known.format if known else None) or "")
    if kind is None:
        content, kind = _as_jpeg(content), "image/jpeg"
    return Response(content, media_type=kind, headers=headers)


def _content(shown: Shown, row: int) -> bytes:
    facts = shown.file(row)
    if facts is None:
        raise AskedError("this row is no file", 404)
    try:
        return as_indexed(facts)
    except LeftAloneError as error:
        raise AskedError(f"this file {error}: it is not shown", 404) from None


def _is_another(facts: FileFacts) -> bool:
    """Tell whether what lies at a path now, if anything does, is not the file that was indexed."""
    try:
        found = os.stat(facts.path)
    except OSError:  # gone, or on a disk that is away: its thumbnail is all there is
        return False
    known = (facts.size, facts.mtime_ns)
    return not stat.S_ISREG(found.st_mode) or (found.st_size, found.st_mtime_ns) != known


def as_indexed(facts: FileFacts) -> bytes:
    """Return the content of a file that is as it was indexed.

    Raises
    ------
    LeftAloneError
        It is gone, has become a link or lies behind one, or is another file or content now.
    """
    before = looked_at(facts.path)
    if (before.st_size, before.st_mtime_ns) != (facts.size, facts.mtime_ns):
        raise LeftAloneError("has changed since it was indexed")
    if facts.size > LARGEST:
        raise LeftAloneError(f"is larger than {LARGEST >> 20} MiB")
    try:
        with open(open_to_read(facts.path), "rb") as opened:
            if not os.path.samestat(before, os.fstat(opened.fileno())):
                raise LeftAloneError("is being changed")
            content = opened.read(facts.size + 1)
    except OSError:
        raise LeftAloneError("cannot be read") from None
    if hashlib.sha256(content).digest() != facts.sha256:
        raise LeftAloneError("has other content than when it was indexed")
    return content


def _as_jpeg(content: bytes) -> bytes:
    image = open_picture(content, least=SIDE).image
    image.thumbnail((SIDE, SIDE))
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def _asked(request: Request) -> tuple[Shown, int]:
    state: State = request.app.state.browse
    shown = state.shown
    asked = int(request.path_params["row"])
    row = shown.row_of(asked, request.query_params.get("is"))
    if row is None:
        raise AskedError(f"there is no row {asked} of this content in this gallery", 404)
    return shown, row
