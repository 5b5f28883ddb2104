"""Which distance finds pictures of the same label: the evaluation, metric by metric as it is done.

Of each metric's rankings only counts are kept: how many of the k nearest of each picture have its
label, for a few k.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.browse.answers import AskedError, data, integer, page
from lookalike.distance import METRICS
from lookalike.distance.metric_names import CanonicalName
from lookalike.printable import printable
from lookalike.system import processors

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from lookalike.browse.jobs import Job, Report
    from lookalike.browse.state import Shown, State

__all__ = ["distances", "found_by", "found_rows", "judged"]

COUNTS = (10, 25, 50, 100)
MOST_CATEGORIES = 60
"""Rows of the table of categories, the largest first; the rest is counted."""


class Judged(NamedTuple):
    """What is known of one metric.

    Attributes
    ----------
    rows : (q,) int64 array
        The pictures that were asked with: those with a label that another has too.
    hits : dict
        ``[k]``: how many of the k nearest of each have its label, (q,) int64.
    precision, recall : dict
        ``[k][category]``.
    mean_precision, mean_recall : dict
        ``[k]``.
    """

    rows: npt.NDArray[np.int64]
    hits: dict[int, npt.NDArray[np.int64]]
    precision: dict[int, dict[Any, float]]
    recall: dict[int, dict[Any, float]]
    mean_precision: dict[int, float]
    mean_recall: dict[int, float]


def distances(request: Request) -> Response:
    """Show the page that the evaluation comes to, or why there is none."""
    shown = _state(request).shown
    return page(
        request,
        "distances.html",
        title="Which distance?",
        state_id=shown.id,
        reason=_reason(shown),
        counts=_counts(shown),
        usual=_usual(shown),
        metrics=METRICS,
    )


def found_by(request: Request) -> Response:
    """Show the pictures that stand behind a bar."""
    shown = _state(request).shown
    metric, category, k = _bar(request, shown)
    return page(
        request,
        "found_by.html",
        title=f"{metric}: {printable(category) or 'all labels'}",
        metric=metric,
        category=category,
        k=k,
        state_id=shown.id,
    )


def judged(request: Request) -> Response:
    """Answer with what is known by now; the evaluation is begun if it is not."""
    state = _state(request)
    shown = state.shown
    if (reason := _reason(shown)) is not None:
        raise AskedError(reason)
    counts = _counts(shown)
    k = integer(request, "k", _usual(shown), 1, counts[-1])
    if k not in counts:
        raise AskedError(f"k must be one of {', '.join(map(str, counts))}, got {k}")
    job = _begun(state, shown)
    known = _known(shown)
    if not known and job.error is not None and job.error != "stopped":
        raise AskedError(job.error, 500)
    sizes = shown.label_counts
    listed = sorted(sizes, key=lambda label: (-sizes[label], str(label)))[:MOST_CATEGORIES]
    return data(
        {
            "state": shown.id,
            "k": k,
            "running": job.running,
            "done": job.done,
            "total": job.total,
            "categories": [[printable(str(label)), sizes[label]] for label in listed],
            "more": len(sizes) - len(listed),
            "metrics": [
                {
                    "name": metric,
                    "precision": each.mean_precision[k],
                    "recall": each.mean_recall[k],
                    "categories": [each.precision[k].get(label) for label in listed],
                }
                for metric, each in known.items()
            ],
        }
    )


def found_rows(request: Request) -> Response:
    """Answer with the pictures behind a bar, those first that find the fewest of their label."""
    shown = _state(request).shown
    metric, category, k = _bar(request, shown)
    each = _known(shown).get(metric)
    if each is None:
        raise AskedError("the evaluation is not that far yet", 404)
    hits = each.hits[k]
    order = np.argsort(hits, kind="stable")
    if request.query_params.get("order") == "best":
        order = np.argsort(-hits, kind="stable")
    meant = [
        place
        for place in order.tolist()
        if not category or shown.label(int(each.rows[place])) == category
    ]
    return data(
        {
            "state": shown.id,
            "rows": each.rows[meant].tolist(),
            "notes": [f"{n} of {k}" for n in hits[meant].tolist()],
        }
    )


def _begun(state: State, shown: Shown) -> Job:
    def work(report: Report) -> None:
        known, counts = _known(shown), _counts(shown)
        total = len(METRICS) * len(shown)
        for number, metric in enumerate(METRICS):
            if metric not in known:
                before = number * len(shown)
                known[metric] = _judge(shown, metric, counts, partial(_report, report, before))
        report(total, total)

    return state.jobs.begin(_subject(shown), "evaluation", work)


def _report(report: Report, before: int, done: int, of_one: int | None) -> None:
    report(before + done, len(METRICS) * (of_one or 0))


def _judge(shown: Shown, metric: CanonicalName, counts: list[int], report: Report) -> Judged:
    from lookalike.evaluation.protocol import evaluate

    result = evaluate(
        shown.gallery.features,
        shown.labels,
        k=counts,
        metrics=[metric],
        threads=max(1, processors() - 1),  # pages go on being answered
        progress=report,
    )
    at = {k: result.at(k) for k in counts}
    return Judged(
        result.query_rows,
        {k: each.hits(metric) for k, each in at.items()},
        {k: each.precision[metric] for k, each in at.items()},
        {k: each.recall[metric] for k, each in at.items()},
        {k: each.mean_precision[metric] for k, each in at.items()},
        {k: each.mean_recall[metric] for k, each in at.items()},
    )


def _known(shown: Shown) -> dict[str, Judged]:
    """Return what is known of these rows with these labels, by metric."""
    known: dict[str, Judged] = shown.made.setdefault(_subject(shown), {})
    return known


def _subject(shown: Shown) -> str:
    return f"evaluation {shown.id} {shown.labels_id}"


def _reason(shown: Shown) -> str | None:
    """Return why there can be no evaluation, None if there can."""
    sizes = shown.label_counts
    if not sizes:
        return "No photo has a label: `lookalike index FOLDER --labels folder` gives labels."
    if len(sizes) < 2:
        return "All photos have one label: there is nothing to tell apart."
    if max(sizes.values()) < 2:
        return "No two photos have the same label: there is nothing to find."
    return None


def _counts(shown: Shown) -> list[int]:
    most = len(shown) - 1
    return [k for k in COUNTS if k <= most] or [max(1, most)]


def _usual(shown: Shown) -> int:
    """Return the k that is judged by first: no more than a label of the middle size can find."""
    sizes = sorted(shown.label_counts.values())
    middle = sizes[len(sizes) // 2] - 1 if sizes else 0
    counts = _counts(shown)
    return max([k for k in counts if k <= middle], default=counts[0])


def _bar(request: Request, shown: Shown) -> tuple[str, str, int]:
    """Return metric, label and k of a bar; no label stands for all."""
    metric = request.query_params.get("metric", "")
    if metric not in METRICS:
        raise AskedError(f"metric must be one of {', '.join(METRICS)}, got {printable(metric)!r}")
    counts = _counts(shown)
    k = integer(request, "k", _usual(shown), 1, counts[-1])
    if k not in counts:
        raise AskedError(f"k must be one of {', '.join(map(str, counts))}, got {k}")
    return metric, request.query_params.get("label", ""), k


def _state(request: Request) -> State:
    state: State = request.app.state.browse
    return state
