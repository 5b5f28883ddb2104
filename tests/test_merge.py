"""Lists that were found apart are merged into what one search returns."""

from itertools import pairwise

import numpy as np
import pytest

import lookalike as la
from reference import assert_neighbours


@pytest.mark.parametrize("parts", [1, 2, 3, 11])
@pytest.mark.parametrize("k", [1, 7, 60])
def test_merged_parts_are_one_search(rng, parts, k):
    X = rng.integers(0, 3, (200, 4)).astype(float)  # masses of equal distances
    Q = X[:33]
    cuts = [0, *sorted(rng.integers(0, 201, parts - 1)), 200]
    found = []
    for begin, end in pairwise(cuts):
        if begin < end:
            near = la.knn(Q, X[begin:end], k=min(k, end - begin), metric="l1")
            found.append((near.distances, near.indices + begin))
    rng.shuffle(found)
    assert_neighbours(la.merge(found, k), la.knn(Q, X, k=k, metric="l1"))


def test_lists_may_end_early():
    distances = np.array([[1.0, np.inf], [2.0, 3.0]])
    indices = np.array([[4, -1], [5, 6]])
    near = la.merge([(distances, indices), la.Neighbors(np.ones((2, 1)), np.array([[9], [9]]))], 2)
    assert near.indices.tolist() == [[4, 9], [9, 5]]
    with pytest.raises(ValueError, match="got 3: row 0 has fewer"):
        la.merge([(distances, indices), (np.ones((2, 1)), np.array([[9], [9]]))], 3)


def test_what_cannot_be_merged():
    one = la.Neighbors(np.array([[1.0, 2.0]]), np.array([[3, 4]]))
    with pytest.raises(ValueError, match="parts must be at least one"):
        la.merge([], 1)
    with pytest.raises(ValueError, match=r"k must be from 1 to 2 \(the columns of all parts\)"):
        la.merge([one], 3)
    with pytest.raises(ValueError, match="have a row in common: row 0 has a neighbour twice"):
        la.merge([one, one], 2)
    with pytest.raises(ValueError, match="have a row in common: row 0 has a neighbour twice"):
        la.merge([one, (one.distances + 2, one.indices)], 4)
    with pytest.raises(ValueError, match="part 1 row 0 must be ordered"):
        la.merge([one, (one.distances[:, ::-1], one.indices + 9)], 1)
    with pytest.raises(ValueError, match="part 1 row 0 must be ordered"):
        la.merge([one, (one.distances * np.nan, one.indices + 9)], 1)
    with pytest.raises(ValueError, match="part 0 has 1, part 1 has 2"):
        la.merge([one, (np.ones((2, 1)), np.ones((2, 1), int))], 1)
    with pytest.raises(ValueError, match="two matrices of one shape"):
        la.merge([(np.ones((2, 1)), np.ones((1, 2), int))], 1)
    with pytest.raises(TypeError, match="must be float64 distances and integer indices"):
        la.merge([(np.ones((2, 1), int), np.ones((2, 1), int))], 1)
    with pytest.raises(TypeError, match="part 0 must be distances and indices"):
        la.merge([3], 1)


def test_arrays_of_another_process_may_lie_anywhere():
    near = la.knn(np.eye(5), k=3)
    parts = []
    for each in near:
        room = np.empty(each.nbytes + 1, np.uint8)[1:]
        room[:] = each.reshape(-1).view(np.uint8)
        parts.append(room.view(each.dtype).reshape(each.shape))
        assert not parts[-1].flags.aligned
    assert_neighbours(la.merge([parts], 3), near)
