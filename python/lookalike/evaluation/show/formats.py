"""An evaluation for other programs: JSON, CSV, pandas."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lookalike.distance.metrics import AnyMetric, metric_label
from lookalike.evaluation.mistakes import confused_categories, hardest_images
from lookalike.evaluation.query_set import ByCategory
from lookalike.evaluation.ranked_measures import OF_QUERIES
from lookalike.evaluation.show.tables import category_names

if TYPE_CHECKING:
    import pandas

    from lookalike.evaluation.bootstrap import Comparison, Evidence
    from lookalike.evaluation.result import Result

__all__ = ["csv_text", "frame", "json_text", "summary"]

SCHEMA = 1
COLUMNS = ("measure", "k", "metric", "category", "value")
MEASURES = tuple(OF_QUERIES)


def tidy(evaluation: Result) -> Iterator[tuple[str, int, str, Any, float]]:
    """Yield (measure, k, metric, category, value); the category is None for the mean over them."""
    for k in evaluation.ks:
        view = evaluation.at(k)
        for measure in MEASURES:
            values, means = getattr(view, measure), getattr(view, f"mean_{measure}")
            for metric in view.metrics:
                for category in view.categories:
                    yield measure, k, metric_label(metric), category, values[metric][category]
                yield measure, k, metric_label(metric), None, means[metric]


def csv_text(evaluation: Result) -> str:
    """Return one line a number, at every k: measure, k, metric, category, value.

    The category is empty for the mean over the categories; numbers have all their digits.
    """
    names = dict(zip(evaluation.categories, category_names(evaluation.categories), strict=True))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for measure, k, metric, category, value in tidy(evaluation):
        name = "" if category is None else names[category]
        writer.writerow([measure, k, metric, name, repr(value)])
    return text.getvalue()


def frame(evaluation: Result) -> pandas.DataFrame:
    """Return the numbers of `csv_text` as a pandas DataFrame; a mean has no category."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_frame() needs pandas: pip install 'lookalike[pandas]'") from None
    return pandas.DataFrame(tidy(evaluation), columns=list(COLUMNS))


def summary(evaluation: Result, evidence: Evidence | None = None) -> dict[str, Any]:
    """Return all that the evaluation found, in values that JSON knows.

    Categories are texts; ``"schema"`` counts up when a key changes its meaning.
    """
    names = dict(zip(evaluation.counts, category_names(list(evaluation.counts)), strict=True))
    best = evaluation.best_metric
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "images": evaluation.images,
        "queries": evaluation.queries,
        "left_out": evaluation.left_out,
        "unlabelled": evaluation.unlabelled,
        "include_self": evaluation.include_self,
        "metrics": list(map(metric_label, evaluation.metrics)),
        "skipped": _labelled(evaluation.skipped),
        "counts": {names[category]: count for category, count in evaluation.counts.items()},
        "best_metric": metric_label(best),
        "best": {
            names[category]: metric_label(metric) for category, metric in evaluation.best.items()
        },
        "at": [_at(evaluation.at(k), names) for k in evaluation.ks],
        "hardest": [
            {
                "row": image.row,
                "category": names[image.category],
                "hits": image.hits,
                "instead": names.get(image.instead),
                "instead_hits": image.instead_hits,
            }
            for image in hardest_images(evaluation, best)
        ],
        "confused": [
            {
                "category": names[pair.category],
                "other": names.get(pair.other),
                "share": pair.share,
            }
            for pair in confused_categories(evaluation, best)
        ],
    }
    if evaluation.full is not None:
        result["full"] = {
            "r_precision": _named(evaluation.full.r_precision, names),
            "average_precision": _named(evaluation.full.average_precision, names),
            "mean_r_precision": _labelled(evaluation.full.mean_r_precision),
            "mean_average_precision": _labelled(evaluation.full.mean_average_precision),
        }
    if evidence is not None:
        result["evidence"] = {
            "k": evidence.k,
            "samples": evidence.samples,
            "seed": evidence.seed,
            "confidence": evidence.confidence,
            "intervals": {
                metric_label(metric): list(limits) for metric, limits in evidence.intervals.items()
            },
            "category_intervals": {
                metric_label(metric): {
                    names[category]: list(limits) for category, limits in row.items()
                }
                for metric, row in evidence.category_intervals.items()
            },
            "comparisons": [_comparison(pair) for pair in evidence.comparisons],
            "category_comparisons": {
                names[category]: [_comparison(pair) for pair in pairs]
                for category, pairs in evidence.category_comparisons.items()
            },
        }
    return result


def json_text(evaluation: Result, evidence: Evidence | None = None) -> str:
    """Return `summary` as JSON."""
    return json.dumps(summary(evaluation, evidence), indent=1, ensure_ascii=True) + "\n"


def _at(view: Result, names: dict[Any, str]) -> dict[str, Any]:
    result: dict[str, Any] = {"k": view.k}
    for measure in MEASURES:
        result[measure] = _named(getattr(view, measure), names)
        for average in ("mean", "micro"):
            name = f"{average}_{measure}"
            result[name] = _labelled(getattr(view, name))
    result["tie_share"] = _labelled(view.tie_share)
    result["tie_averaged_mean_precision"] = _labelled(view.tie_averaged.mean_precision)
    result["tie_averaged_mean_recall"] = _labelled(view.tie_averaged.mean_recall)
    return result


def _labelled(values: Mapping[AnyMetric, Any]) -> dict[str, Any]:
    return {metric_label(metric): value for metric, value in values.items()}


def _named(values: ByCategory, names: dict[Any, str]) -> dict[str, dict[str, float]]:
    return {
        metric_label(metric): {names[category]: value for category, value in row.items()}
        for metric, row in values.items()
    }


def _comparison(pair: Comparison) -> dict[str, Any]:
    return {
        "metric": metric_label(pair.metric),
        "other": metric_label(pair.other),
        "difference": pair.difference,
        "low": pair.low,
        "high": pair.high,
        "p": pair.p,
        "p_holm": pair.p_holm,
    }
