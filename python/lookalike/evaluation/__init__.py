"""Which distance is best, and how sure that is."""

from typing import TYPE_CHECKING

from lookalike.lazy_names import lazy_names

if TYPE_CHECKING:
    from lookalike.evaluation.evaluation import Evaluation
    from lookalike.evaluation.labels import balanced_subset, category_counts
    from lookalike.evaluation.protocol import evaluate

__all__ = ["Evaluation", "balanced_subset", "category_counts", "evaluate"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Evaluation": "evaluation",
        "balanced_subset": "labels",
        "category_counts": "labels",
        "evaluate": "protocol",
    },
)
