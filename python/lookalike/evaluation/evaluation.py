"""An evaluation: its numbers, and every way to look at them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from lookalike.distance.metrics import AnyMetric
from lookalike.evaluation import trec
from lookalike.evaluation.bootstrap import Evidence, bootstrap
from lookalike.evaluation.mistakes import (
    Confusion,
    HardImage,
    confused_categories,
    hardest_images,
)
from lookalike.evaluation.result import Result
from lookalike.progress import Progress

if TYPE_CHECKING:
    import pandas

    from lookalike.evaluation.show.tables import Table

__all__ = ["Evaluation"]


class Evaluation(Result):
    """Precision and recall of the `k` nearest neighbours under several metrics.

    `evaluate` returns one. ``[metric]`` stands for a metric as it was given to `evaluate`,
    ``[category]`` for a value of the labels.

    Attributes
    ----------
    k : int
        How many neighbours were retrieved.
    ks : tuple of int
        All that were asked for, ascending; `k` is the largest, `at` gives the others.
    metrics : tuple of str or Metric
    skipped : dict
        ``[metric]``: why a metric that was asked for is not among them.
    categories : tuple
        Those with queries, in the order of their first appearance in the labels.
    counts : dict
        ``[category]``: number of images (Fig. 1), also of categories without queries.
    queries : int
        How many images asked: those with a label and someone to find.
    left_out : int
        How many images with a label did not ask because no other has it (R = 0).
    unlabelled : int
        How many images have no label; they are retrieved and never relevant.
    include_self : bool
        Whether every image is among its own neighbours and its own relevant images.
    precision, recall : dict of dict
        ``[metric][category]``: (10) and (11).
    mean_precision, mean_recall : dict
        ``[metric]``: means over the categories, (12) and (13).
    micro_precision, micro_recall : dict
        ``[metric]``: means over all queries.
    average_precision, average_precision_over_r, reciprocal_rank, hit_rate, ndcg : dict of dict
        ``[metric][category]``: measures at `k` of where the hits are, as other tools have them.
        ``mean_`` before the name is ``[metric]``, the mean over the categories, ``micro_`` that
        over all queries.
    full : FullRanking or None
        Measures of the whole ranking, with ``evaluate(…, full=True)``.
    """

    def hardest(self, n: int = 10, metric: AnyMetric | None = None) -> list[HardImage]:
        """Find the `n` queries with the fewest hits, under the best metric by default."""
        return hardest_images(self, metric or self.best_metric, n)

    def confused(self, n: int = 10, metric: AnyMetric | None = None) -> list[Confusion]:
        """Find the `n` pairs of categories that are taken for each other most often."""
        return confused_categories(self, metric or self.best_metric, n)

    def table(self, measure: Literal["precision", "recall"]) -> Table:
        """Lay out the paper's Table 1 or 2, for ``.markdown()``, ``.latex()`` or ``.rich()``."""
        from lookalike.evaluation.show.tables import evaluation_table

        return evaluation_table(self, measure)

    def to_html(
        self, path: str | os.PathLike[str], evidence: Evidence | None = None, **options: Any
    ) -> None:
        """Write everything as one HTML file.

        See Also
        --------
        lookalike.evaluation.show.page.write_evaluation_page : the options.
        """
        from lookalike.evaluation.show.page import write_evaluation_page

        write_evaluation_page(path, self, evidence, **options)

    def to_frame(self) -> pandas.DataFrame:
        """Return all measures at every k as a pandas DataFrame, one line a number.

        Columns: measure, k, metric, category (missing for the mean over the categories), value.
        """
        from lookalike.evaluation.show.formats import frame

        return frame(self)

    def to_run(
        self, metric: AnyMetric | None = None, ids: Iterable[Any] | None = None
    ) -> dict[str, dict[str, float]]:
        """Return the `k` nearest of every query as ranx, ir_measures and pytrec_eval take them.

        Parameters
        ----------
        metric : str or Metric, optional
            By default the best.
        ids : iterable of n, optional
            What names the images, as texts, each another; by default the numbers of their rows.

        Returns
        -------
        dict
            ``{query: {image: score}}``. The scores fall from k to 1 with the place, so that images
            at the same distance keep their order.

        Examples
        --------
        >>> import lookalike as la
        >>> found = la.evaluate([[0.0], [1.0], [5.0], [9.0]], list("aabb"), k=2, metrics=["l1"])
        >>> found.to_run()["0"], found.to_qrels()["0"]
        ({'1': 2.0, '2': 1.0}, {'1': 1})
        """
        return trec.run(self, metric or self.best_metric, ids)

    def to_qrels(self, ids: Iterable[Any] | None = None) -> dict[str, dict[str, int]]:
        """Return what is relevant to every query, ``{query: {image: 1}}``, named as in `to_run`.

        It has R entries a query.
        """
        return trec.qrels(self, ids)

    def bootstrap(
        self,
        samples: int = 10_000,
        *,
        seed: int = 0,
        confidence: float = 0.95,
        progress: Progress = None,
    ) -> Evidence:
        """Tell how far the differences between metrics can be trusted.

        See Also
        --------
        lookalike.evaluation.bootstrap.bootstrap : parameters, method and result.
        """
        return bootstrap(self, samples, seed=seed, confidence=confidence, progress=progress)
