"""The page of all pictures: a grid of those that are chosen, in the order that is chosen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lookalike.browse.answers import AskedError, data, page, rows
from lookalike.browse.orders import (
    DAY,
    Chosen,
    by_date,
    by_folder,
    by_likeness,
    by_oddness,
    graph_of,
)
from lookalike.printable import printable

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lookalike.browse.state import Shown, State

__all__ = ["choices", "facts", "order", "photos"]

SORTS = ("date", "folder", "likeness", "oddness")
MOST_FACTS = 500


def photos(request: Request) -> Response:
    """Show the grid; it asks for what is in it."""
    shown = _state(request).shown
    return page(request, "photos.html", title="Photos", count=len(shown), state_id=shown.id)


def order(request: Request) -> Response:
    """Answer with the rows that are chosen, in order; or with how far finding that out is."""
    state = _state(request)
    shown = state.shown
    sort = request.query_params.get("sort", "date")
    if sort not in SORTS:
        raise AskedError(f"sort must be {', '.join(SORTS)}, got {printable(sort)!r}")
    chosen = _chosen(request)
    among = chosen.rows(shown)
    sections: list[tuple[str, int]] = []
    if sort == "date":
        ordered, sections = by_date(shown, among)
    elif sort == "folder":
        ordered, sections = by_folder(shown, among)
    else:
        job = state.jobs.begin(
            ("graph", shown.id), "nearest of all", lambda report: graph_of(shown, report)
        )
        job.wait(0.2)
        if job.error is not None:
            raise AskedError(job.error, 500)
        if job.result is None:
            return data({"state": shown.id, "done": job.done, "total": job.total}, 202)
        ordered = (by_likeness if sort == "likeness" else by_oddness)(among, job.result)
    return data(
        {
            "state": shown.id,
            "rows": ordered,
            "sections": [[printable(name), place] for name, place in sections],
        }
    )


def choices(request: Request) -> Response:
    """Answer with the folders and labels that there are, and how many pictures each has."""
    shown = _state(request).shown
    labels = Counter(shown.label(row) for row in range(len(shown)))
    folders = Counter(shown.folders)
    dates = [date for date in shown.dates if date]
    return data(
        {
            "state": shown.id,
            "labels": sorted([label, n] for label, n in labels.items() if label is not None),
            "folders": sorted([printable(name), n] for name, n in folders.items() if name),
            "from": min(dates, default="")[:10],
            "to": max(dates, default="")[:10],
        }
    )


def facts(request: Request) -> Response:
    """Answer with the names, labels and marks of some rows."""
    shown = _state(request).shown
    asked = rows(request, "rows", MOST_FACTS)
    return data(
        {
            "state": shown.id,
            "pictures": {row: _brief(shown, row) for row in asked if row < len(shown)},
        }
    )


def _brief(shown: Shown, row: int) -> dict[str, Any]:
    return {
        "name": shown.name(row),
        "label": shown.label(row),
        "mark": shown.mark(row),
        "date": shown.dates[row],
        "copies": len(shown.own(row)) - 1,
    }


def _chosen(request: Request) -> Chosen:
    chosen = Chosen(
        *(request.query_params.get(name, "") for name in ("folder", "label", "from", "to"))
    )
    for name, given in (("from", chosen.since), ("to", chosen.until)):
        if given and not DAY.fullmatch(given):
            raise AskedError(f"{name} must be a day such as 2024-05-31, got {printable(given)!r}")
    return chosen


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state
