"""The numbers that the paper prints: six categories of 440 photos, their 100 nearest.

Poghosyan and Sarukhanyan, "Image Visual Similarity Based on High Level Features of Convolutional
Neural Networks", 2016, Tables 1 and 2. All cells are truncated, not rounded, to three decimals:
only so does every recall equal its precision times 100 / 440.
"""

from __future__ import annotations

from lookalike.distance.metric_names import CanonicalName

__all__ = [
    "CATEGORIES",
    "MEAN_PRECISION",
    "MEAN_RECALL",
    "METRIC_ORDER",
    "PRECISION",
    "RECALL",
    "TABLES",
]

METRIC_ORDER: tuple[CanonicalName, ...] = (
    "manhattan",
    "cosine",
    "euclidean",
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
)
"""The columns of both tables."""

CATEGORIES = ("Construction", "Vertebrate", "Device", "Food", "Invertebrate", "Tree")
"""The rows of both tables."""

_TABLE_1 = """
0.862 0.928 0.852 0.924 0.912 0.635 0.932
0.603 0.781 0.561 0.782 0.813 0.440 0.800
0.814 0.835 0.768 0.836 0.856 0.429 0.845
0.974 0.949 0.963 0.945 0.948 0.717 0.956
0.699 0.851 0.654 0.839 0.838 0.364 0.865
0.953 0.944 0.960 0.944 0.917 0.795 0.940
0.818 0.881 0.793 0.878 0.881 0.563 0.890
"""
_TABLE_2 = """
0.196 0.211 0.193 0.210 0.207 0.144 0.212
0.137 0.177 0.127 0.177 0.184 0.100 0.181
0.185 0.189 0.174 0.190 0.194 0.097 0.192
0.221 0.215 0.219 0.214 0.215 0.163 0.217
0.159 0.193 0.148 0.190 0.190 0.082 0.196
0.216 0.214 0.218 0.214 0.208 0.180 0.213
0.185 0.200 0.180 0.199 0.200 0.128 0.202
"""


def _read(table: str) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return the cells by metric and category, and the last row by metric."""
    columns = zip(
        *([float(cell) for cell in row.split()] for row in table.split("\n")[1:-1]), strict=True
    )
    values = dict(zip(METRIC_ORDER, columns, strict=True))
    cells = {m: dict(zip(CATEGORIES, column[:-1], strict=True)) for m, column in values.items()}
    return cells, {metric: column[-1] for metric, column in values.items()}


PRECISION, MEAN_PRECISION = _read(_TABLE_1)
RECALL, MEAN_RECALL = _read(_TABLE_2)
TABLES = {"precision": (PRECISION, MEAN_PRECISION), "recall": (RECALL, MEAN_RECALL)}
