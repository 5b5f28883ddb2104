"""The paper's own numbers: its seven formulas by hand, and how its two tables hang together."""

from fractions import Fraction

import numpy as np
import pytest

import lookalike
from reference import METRICS

# The columns of Tables 1 and 2.
COLUMNS = (
    "manhattan",
    "cosine",
    "euclidean",
    "braycurtis",
    "canberra",
    "chebyshev",
    "correlation",
)
PRECISION = {
    "Construction": "0.862 0.928 0.852 0.924 0.912 0.635 0.932",
    "Vertebrate": "0.603 0.781 0.561 0.782 0.813 0.440 0.800",
    "Device": "0.814 0.835 0.768 0.836 0.856 0.429 0.845",
    "Food": "0.974 0.949 0.963 0.945 0.948 0.717 0.956",
    "Invertebrate": "0.699 0.851 0.654 0.839 0.838 0.364 0.865",
    "Tree": "0.953 0.944 0.960 0.944 0.917 0.795 0.940",
}
RECALL = {
    "Construction": "0.196 0.211 0.193 0.210 0.207 0.144 0.212",
    "Vertebrate": "0.137 0.177 0.127 0.177 0.184 0.100 0.181",
    "Device": "0.185 0.189 0.174 0.190 0.194 0.097 0.192",
    "Food": "0.221 0.215 0.219 0.214 0.215 0.163 0.217",
    "Invertebrate": "0.159 0.193 0.148 0.190 0.190 0.082 0.196",
    "Tree": "0.216 0.214 0.218 0.214 0.208 0.180 0.213",
}
MEAN_PRECISION = "0.818 0.881 0.793 0.878 0.881 0.563 0.890"
MEAN_RECALL = "0.185 0.200 0.180 0.199 0.200 0.128 0.202"


def cells(line):
    return [Fraction(cell) for cell in line.split()]


def fits(precision, recall, retrieved, relevant, *, rounded=False):
    """Is there a precision that prints as the one cell and gives a recall that prints as the other?

    A printed cell stands for the interval of values that truncation (or rounding) sends to it.
    """
    step = Fraction(1, 1000)
    shift = step / 2 if rounded else 0
    share = Fraction(retrieved, relevant)
    low, high = (precision - shift) * share, (precision - shift + step) * share
    return low < recall - shift + step and recall - shift < high


PAIRS = [
    pair
    for category in PRECISION
    for pair in zip(cells(PRECISION[category]), cells(RECALL[category]), strict=True)
]


def protocols(retrieved, relevant, **options):
    """The counts of retrieved and relevant photos under which every pair of cells fits."""
    return [
        (some, others)
        for some in retrieved
        for others in relevant
        if all(fits(*pair, some, others, **options) for pair in PAIRS)
    ]


def test_recall_is_precision_times_100_over_440_in_all_42_cells():
    assert len(PAIRS) == 42
    assert protocols([100], [440]) == [(100, 440)]


def test_no_other_denominator_or_count_fits():
    assert protocols([100], range(400, 481)) == [(100, 440)]
    assert protocols(range(90, 111), [440]) == [(100, 440)]
    # The query left out of what is retrieved, of what is relevant, or of both.
    assert protocols([99, 100], [439, 440]) == [(100, 440)]


def test_the_cells_are_truncated_not_rounded():
    assert protocols([100], range(400, 481), rounded=True) == []
    assert protocols(range(90, 111), [440], rounded=True) == []


def test_the_means_are_means_of_the_categories():
    for table, means in ((PRECISION, MEAN_PRECISION), (RECALL, MEAN_RECALL)):
        columns = zip(*map(cells, table.values()), strict=True)
        for column, mean in zip(columns, cells(means), strict=True):
            # Six truncated cells lie up to 0.001 below what was averaged.
            assert -Fraction(1, 1000) < sum(column) / 6 - mean < Fraction(1, 1000)


# Formulas (1) to (7) worked by hand for u = (1, 2, 3, 4) and v = (2, 2, 0, 8).
BY_HAND = {
    "manhattan": 1 + 0 + 3 + 4,
    "euclidean": np.sqrt(1 + 0 + 9 + 16),
    "cosine": 1 - (2 + 4 + 0 + 32) / (np.sqrt(30) * np.sqrt(72)),
    "braycurtis": 8 / (3 + 4 + 3 + 12),
    "canberra": 1 / 3 + 0 + 3 / 3 + 4 / 12,
    "chebyshev": 4,
    # Means 2.5 and 3: (-1.5, -0.5, 0.5, 1.5) and (-1, -1, -3, 5).
    "correlation": 1 - (1.5 + 0.5 - 1.5 + 7.5) / (np.sqrt(5) * np.sqrt(36)),
}


@pytest.mark.parametrize("metric", METRICS)
def test_the_formulas_by_hand(metric):
    u, v = np.array([[1.0, 2, 3, 4]]), np.array([[2.0, 2, 0, 8]])
    assert lookalike.cdist(u, v, metric)[0, 0] == pytest.approx(BY_HAND[metric], rel=1e-14)


def test_canberra_counts_zero_over_zero_as_zero():
    u, v = np.array([[0.0, 1, 0]]), np.array([[0.0, 3, 2]])
    assert lookalike.cdist(u, v, "canberra")[0, 0] == 0 + 2 / 4 + 1
    relu = np.maximum(np.random.default_rng(0).standard_normal((50, 64)), 0)
    found = lookalike.knn(relu, k=49, metric="canberra")
    assert np.isfinite(found.distances).all()
    assert (np.sort(found.indices) == [np.delete(np.arange(50), i) for i in range(50)]).all()
