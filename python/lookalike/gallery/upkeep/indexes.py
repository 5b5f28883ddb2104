"""Which distances a gallery keeps indexes for: what a person has said, in the gallery's journal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lookalike.distance import ALL_METRICS
from lookalike.distance.metric_names import CanonicalName
from lookalike.distance.metrics import Metric, metric_name
from lookalike.gallery.storage.records import DecisionRecord
from lookalike.gallery.storage.search_indexes import DEFAULT, KeptIndex, kept

if TYPE_CHECKING:
    from lookalike.gallery.storage.catalogue import Catalogue
    from lookalike.gallery.storage.snapshot import Snapshot

__all__ = ["checked_metrics", "indexes_of", "metrics_in", "note_metrics"]


def checked_metrics(metrics: str | Iterable[str]) -> list[CanonicalName]:
    """Return the names of metrics that an index can be kept for.

    Raises
    ------
    ValueError
        One is unknown, or takes something from the rows.
    """
    given = [metrics] if isinstance(metrics, str) else list(metrics)
    names = list(dict.fromkeys(metric_name(each) for each in given))
    can = [name for name in ALL_METRICS if Metric(name).missing is None]
    for name in names:
        if name not in can:
            raise ValueError(
                f"metrics must be of {', '.join(can)}, got {name!r}, which depends on all rows"
            )
    return names


def metrics_in(source: Snapshot | Catalogue) -> Sequence[CanonicalName]:
    """Return the metrics that were noted last, else the default."""
    for each in reversed(source.decisions("indexes")):
        try:
            return checked_metrics(json.loads(each.detail or ""))
        except (TypeError, ValueError):
            continue  # of another version
    return DEFAULT


def indexes_of(view: Snapshot) -> list[KeptIndex]:
    """Return the indexes that a gallery keeps, or is to keep."""
    folder = os.path.dirname(view.catalogue.path)
    return kept(folder, view.catalogue, view.header, metrics_in(view))


def note_metrics(catalogue: Catalogue, metrics: Sequence[str]) -> None:
    """Note the metrics that indexes are kept for from now on, in place of those before."""
    earlier = [each.id for each in catalogue.decisions("indexes") if each.id is not None]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    said = json.dumps(list(metrics))
    with catalogue.transaction():
        catalogue.forget_decisions(earlier)
        catalogue.note_decision(
            DecisionRecord(None, now, None, "indexes", "done", b"", None, None, said)
        )
