"""Searching by a picture that is dropped, pasted or chosen."""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lookalike.browse.answers import AskedError, data, failed, integer, page
from lookalike.browse.neighbors import nearest
from lookalike.browse.uploads import Upload
from lookalike.distance import ALL_METRICS, METRICS
from lookalike.distance.metric_names import CanonicalName
from lookalike.distance.metrics import Metric, metric_name
from lookalike.printable import printable

if TYPE_CHECKING:
    from starlette.requests import Request

    from lookalike.browse.state import Shown, State

__all__ = ["found", "found_picture", "search"]

MOST_BYTES = 64 << 20
MOST_PIXELS = 120_000_000
_at_once = threading.BoundedSemaphore(2)
"""Pictures that are decoded at once: each may take half a gigabyte."""


async def search(request: Request) -> Response:
    """Answer a picture's bytes with what looks like it."""
    try:
        content = await _body(request)
        return await run_in_threadpool(_answer, request, content)
    except (AskedError, ValueError, OSError) as error:
        return failed(request, error)


def found(request: Request) -> Response:
    """Show a picture that was searched by, and the page that its look-alikes come to."""
    name = request.path_params["name"]
    state = _state(request)
    if state.uploads.find(name) is None:
        raise AskedError("this picture is not kept any more: drop it again", 404)
    return page(
        request,
        "found.html",
        title="Your picture",
        name=name,
        state_id=state.shown.id,
        question=f"found={name}",
        metrics=METRICS,
    )


def found_picture(request: Request) -> Response:
    """Send the thumbnail of a picture that was searched by."""
    upload = _state(request).uploads.find(request.path_params["name"])
    if upload is None:
        raise AskedError("this picture is not kept any more", 404)
    return Response(upload.thumbnail, media_type="image/webp")


async def _body(request: Request) -> bytes:
    """Return the body, as long as it is not too large; no more of it is read then."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise AskedError(f"a picture may have {MOST_BYTES >> 20} MiB, this has more", 413)
        parts.append(part)
    if not size:
        raise AskedError("the body must be the bytes of a picture, and is empty")
    return b"".join(parts)


def _answer(request: Request, content: bytes) -> Response:
    state = _state(request)
    shown = state.shown
    k = integer(request, "k", 24, 1, 500)
    metric = _metric(request)
    with _at_once:
        upload = _upload(state, shown, content)
    row = nearest(shown, upload.vector, (), metric, k)
    return data(
        {
            "search": state.uploads.keep(upload),
            "state": shown.id,
            "metric": metric,
            "hits": [
                {
                    "row": hit,
                    "distance": distance,
                    "name": shown.name(hit),
                    "label": shown.label(hit),
                    "mark": shown.mark(hit),
                    "copies": len(shown.own(hit)) - 1,
                }
                for hit, distance in zip(row.rows, row.distances, strict=True)
            ],
        }
    )


def _metric(request: Request) -> CanonicalName:
    """Return the metric that is asked for: any that takes nothing from rows."""
    given = request.query_params.get("metric", "correlation")
    taken = [name for name in ALL_METRICS if Metric(name).missing is None]
    with suppress(ValueError):
        if (name := metric_name(given)) in taken:
            return name
    raise AskedError(f"metric must be one of {', '.join(taken)}, got {printable(given)[:40]!r}")


def _upload(state: State, shown: Shown, content: bytes) -> Upload:
    """Return a picture with its features: the gallery's if it has its content.

    Raises
    ------
    AskedError
        It is no picture, or one of too many pixels; there is no network.
    """
    from lookalike.browse.network import features_of
    from lookalike.pictures.images import ImageError, image_size, open_picture
    from lookalike.pictures.thumbnail import SIDE, thumbnail

    try:
        width, height = image_size(content)
        if width * height > MOST_PIXELS:
            raise AskedError(
                f"a picture may have {MOST_PIXELS:,} pixels, this has {width:,} × {height:,}", 413
            )
        small = thumbnail(open_picture(content, least=SIDE).image)
        digest = hashlib.sha256(content).hexdigest()
        rows = shown.by_hash.get(digest)
        if rows:
            return Upload(digest, shown.gallery.features[rows[0]], small)
        return Upload(digest, features_of(state, shown, content), small)
    except ImageError as error:
        raise AskedError(f"this cannot be searched by: {error.reason}", 415) from None


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state
