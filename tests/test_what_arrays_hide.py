"""What an array can hide from whoever looks at its numbers alone: masks, zeros left out, bits."""

import numpy as np
import pytest
import scipy.sparse

import lookalike as la

X = np.random.default_rng(0).random((6, 4))
MASKED = np.ma.masked_greater(X, 0.9)
LABELS = [0, 0, 1, 1, 2, 2]
HASHES = [None] * 6
TAKING = {
    "cdist XA": lambda values: la.cdist(values, X),
    "cdist XB": lambda values: la.cdist(X, values),
    "pdist": la.pdist,
    "knn X": lambda values: la.knn(values, k=1),
    "knn Y": lambda values: la.knn(X, values, k=1),
    "radius_neighbors": lambda values: la.radius_neighbors(values, radius=0.5),
    "topk": lambda values: la.topk(values, 2),
    "Index": la.Index,
    "Index.knn": lambda values: la.Index(X).knn(values, k=1),
    "evaluate": lambda values: la.evaluate(values, LABELS, k=1, metrics=["l1"]),
    "find_duplicates": lambda values: la.find_duplicates(values, list("abcdef"), HASHES),
}
taking = pytest.mark.parametrize("take", TAKING.values(), ids=TAKING.keys())


@pytest.fixture
def gallery(tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=4) as made:
        made.add(X)
        yield made


@taking
def test_masked_entries_are_refused(take):
    assert MASKED.mask.any()
    with pytest.raises(TypeError, match=r"must have no masked entries, got \d+"):
        take(MASKED)
    with pytest.raises(TypeError, match="must have no masked entries"):
        take(list(MASKED))


@taking
def test_a_masked_array_with_nothing_masked_is_taken(take):
    take(np.ma.masked_array(X))


@taking
def test_sparse_is_named(take):
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.coo_array):
        with pytest.raises(TypeError, match=r"must be dense, got a sparse \w+: .*toarray\(\)"):
            take(kind(X))


def test_a_gallery_refuses_them_too(gallery):
    for add in (gallery.add, gallery.search):
        with pytest.raises(TypeError, match="no masked entries"):
            add(MASKED)
        with pytest.raises(TypeError, match="must be dense, got a sparse"):
            add(scipy.sparse.csr_array(X))
    assert len(gallery) == 6


def test_excluded_rows_may_not_be_masked():
    with pytest.raises(TypeError, match="exclude must have no masked entries, got 1"):
        la.knn(X, X, k=1, exclude=np.ma.masked_equal([0, 1, 2, 3, 4, 5], 3))


@taking
@pytest.mark.parametrize("order", ["C", "F"])
def test_bools_count_as_numpy_casts_them(take, order):
    raw = np.array([[0, 1, 2, 255], [7, 0, 1, 0], [3, 3, 0, 1]] * 2, np.uint8, order=order)
    odd = raw.view(bool) if order == "C" else raw.T.view(bool).T
    assert str(take(odd)) == str(take(odd.astype(np.uint8)))


@taking
def test_integers_that_float64_cannot_hold_are_refused(take):
    for wrong in (2**53 + 1, -(2**53) - 1, 2**62 + 1, 2**63 - 1):
        values = np.arange(24).reshape(6, 4)
        values[4, 2] = wrong
        with pytest.raises(ValueError, match=rf"row 4 has {wrong}, which float64 cannot hold"):
            take(values)
    values = np.arange(24, dtype=np.uint64).reshape(6, 4)
    values[4, 2] = 2**64 - 1
    with pytest.raises(ValueError, match="row 4 has 18446744073709551615, which float64"):
        take(values)


def test_integers_that_float64_holds_are_exact():
    big = [2**53, -(2**53), 2**60, -(2**63), 2**62 + 2**10, 3 * 2**60]
    for value in big:
        assert la.cdist([[value]], [[0]], "l1") == abs(value)
    assert la.cdist(np.array([[2**63, 2**64 - 2**11]], np.uint64), [[0, 0]], "chebyshev") == (
        2**64 - 2**11
    )
    with pytest.raises(ValueError, match="9007199254740993"):
        la.cdist([[2**53 + 1]], [[2**53]])


def test_a_number_for_a_matrix_is_taken_for_what_is_meant():
    with pytest.raises(TypeError, match="Y must be a matrix, got 5: k is given by its name, k=5"):
        la.knn(X, 5)
    with pytest.raises(TypeError, match=r"radius is given by its name, radius=0\.5"):
        la.radius_neighbors(X, 0.5, radius=1)
    with pytest.raises(TypeError, match="metric is given by its name, metric='cosine'"):
        la.knn(X, "cosine")


def test_none_to_find_is_said_so():
    with pytest.raises(ValueError, match="which is 0: nothing to find, got 1"):
        la.knn(X[:1], k=1)
    with pytest.raises(ValueError, match="exclude must be -1, as there are no rows"):
        la.knn(X, X[:0], k=1, exclude=[0] * 6)
