"""The pages of one picture, or of several together, and what looks like them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.browse.answers import AskedError, data, integer, page, rows
from lookalike.browse.neighbors import Row, nearest, nearest_to_all
from lookalike.distance import METRICS
from lookalike.printable import printable, size_shown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lookalike.browse.state import Shown, State

__all__ = ["alike", "photo", "several"]

SHOWN = 12
RANKED = 200
"""How far a picture's place is known in rows that do not show it."""
MOST_TOGETHER = 20


class Query(NamedTuple):
    """What is looked for.

    Attributes
    ----------
    look : callable
        Given a metric and k, it finds the nearest.
    label : object
        The label that what is looked for has, None if it has none.
    """

    look: Callable[[str, int], Row]
    label: object = None


def photo(request: Request) -> Response:
    """Show a picture, its facts, and the page that its look-alikes come to."""
    shown = _state(request).shown
    row = _row(request, shown)
    digest = shown.hashes[row]
    return page(
        request,
        "photo.html",
        title=shown.name(row),
        row=row,
        mark=shown.mark(row),
        state_id=shown.id,
        is_file=digest is not None,
        facts=_facts(shown, row),
        size=_size(shown, row),
        question=f"row={row}&is={shown.mark(row)}",
        metrics=METRICS,
    )


def several(request: Request) -> Response:
    """Show what looks like several pictures together."""
    shown = _state(request).shown
    chosen = _chosen(request, shown)
    return page(
        request,
        "several.html",
        title=f"More like these {len(chosen)}",
        pictures=[(row, shown.mark(row), shown.name(row)) for row in chosen],
        state_id=shown.id,
        question=f"rows={','.join(map(str, chosen))}",
        metrics=METRICS,
    )


def alike(request: Request) -> Response:
    """Answer with what looks like what is asked for, by every metric."""
    state = _state(request)
    shown = state.shown
    query = _query(request, state, shown)
    k = integer(request, "k", SHOWN, 1, 100)
    found = [query.look(metric, max(k, RANKED)) for metric in METRICS]
    places = [{row: place for place, row in enumerate(each.rows, 1)} for each in found]
    visible = {row for each in found for row in each.rows[:k]}
    return data(
        {
            "state": shown.id,
            "label": None if query.label is None else printable(str(query.label)),
            "ranked": RANKED,
            "metrics": [
                {"name": each.metric, "rows": each.rows[:k], "distances": each.distances[:k]}
                for each in found
            ],
            "pictures": {
                row: {
                    "mark": shown.mark(row),
                    "name": shown.name(row),
                    "label": shown.label(row),
                    "same": query.label is not None and shown.labels[row] == query.label,
                    "copies": len(shown.own(row)) - 1,
                    "places": [ranks.get(row) for ranks in places],
                }
                for row in visible
            },
        }
    )


def _query(request: Request, state: State, shown: Shown) -> Query:
    if "found" in request.query_params:
        upload = state.uploads.find(request.query_params["found"])
        if upload is None:
            raise AskedError("this picture is not kept any more: drop it again", 404)
        same = shown.by_hash.get(upload.digest, [])
        return Query(partial(nearest, shown, upload.vector, same))
    if "rows" in request.query_params:
        chosen = _chosen(request, shown)
        labels = {shown.labels[row] for row in chosen}
        own = [row for one in chosen for row in shown.own(one)]
        look = partial(nearest_to_all, shown, chosen, own)
        return Query(look, labels.pop() if len(labels) == 1 else None)
    row = _row(request, shown, integer(request, "row", -1, 0, 10**9))
    look = partial(nearest, shown, shown.gallery.features[row], shown.own(row))
    return Query(look, shown.labels[row])


def _row(request: Request, shown: Shown, row: int | None = None) -> int:
    asked = int(request.path_params["row"]) if row is None else row
    found = shown.row_of(asked, request.query_params.get("is"))
    if found is None:
        raise AskedError("this picture is not in the gallery any more", 404)
    return found


def _chosen(request: Request, shown: Shown) -> list[int]:
    chosen = list(dict.fromkeys(rows(request, "rows", MOST_TOGETHER)))
    if max(chosen) >= len(shown):
        raise AskedError("one of these pictures is not in the gallery any more", 404)
    return chosen


def _facts(shown: Shown, row: int) -> list[tuple[str, str]]:
    """Return what is known of a picture, as names and values."""
    facts: list[tuple[str, Any]] = []
    known = shown.gallery.facts(row)
    file = shown.file(row)
    if known is not None and known.width:
        facts.append(("size", f"{known.width:,} × {known.height:,} pixels"))
    if file is not None:
        facts.append(("file", f"{size_shown(file.size)}{_format(known)}"))
    if known is not None and known.taken:
        facts.append(("taken", known.taken[:19]))
    elif shown.dates[row]:
        facts.append(("changed", shown.dates[row]))
    if known is not None and known.camera:
        facts.append(("camera", known.camera))
    if shown.label(row) is not None:
        facts.append(("label", shown.label(row)))
    facts.append(("folder" if file else "name", shown.folders[row] or shown.paths[row]))
    copies = [shown.paths[other] for other in shown.own(row) if other != row]
    facts += [("copy", path) for path in copies[:5]]
    if len(copies) > 5:
        facts.append(("copies", f"and {len(copies) - 5:,} more"))
    return [(name, printable(str(value))) for name, value in facts]


def _size(shown: Shown, row: int) -> tuple[int, int] | None:
    """Return the size that a picture is shown at, if there is room: a small one a little larger."""
    known = shown.gallery.facts(row)
    if known is None or not known.width or not known.height:
        return None
    scale = min(2.0, max(1.0, 640 / max(known.width, known.height)))
    return round(scale * known.width), round(scale * known.height)


def _format(known: Any) -> str:
    return f", {known.format}" if known is not None and known.format else ""


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state
