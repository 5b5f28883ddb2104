"""Labels, paths and hashes in every form that people have them in are taken by their values."""

import array

import numpy as np
import pandas
import pytest

import lookalike as la


class Tensor:
    """What matters of a tensor: an array form, and items of which no two are equal by hash."""

    def __init__(self, values, fails=None):
        self._values = np.asarray(values)
        self._fails = fails

    @property
    def shape(self):
        return self._values.shape

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return map(Tensor, self._values)

    def __array__(self, dtype=None, copy=None):
        if self._fails:
            raise self._fails
        return self._values

    def tolist(self):
        return self._values.tolist()

    def item(self):
        return self._values.item()

    __hash__ = object.__hash__

    def __eq__(self, other):
        return Tensor(self._values == np.asarray(other))


NUMBERS = [0, 0, 1, 1]
FORMS = {
    "list": NUMBERS,
    "tuple": tuple(NUMBERS),
    "iterator": iter,
    "array": np.array(NUMBERS),
    "objects": np.array(NUMBERS, object),
    "tensor": Tensor(NUMBERS),
    "tensor elsewhere": Tensor(NUMBERS, TypeError("can't convert cuda:0 device type tensor")),
    "tensor with a gradient": Tensor(NUMBERS, RuntimeError("Can't call numpy()")),
    "list of tensors": list(Tensor(NUMBERS)),
    "array of tensors": np.array([*Tensor(NUMBERS), None], object)[:4],
    "column": pandas.Series(NUMBERS),
    "nullable column": pandas.Series(NUMBERS, dtype="Int64"),
    "categories": pandas.Series(NUMBERS).astype("category"),
    "index": pandas.Index(NUMBERS),
    "array module": array.array("i", NUMBERS),
    "masked array": np.ma.masked_array(NUMBERS),
}
X = np.array([[0.0, 1], [0.1, 1], [5, 0], [6, 0.1]])
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def made(form):
    return iter(NUMBERS) if form is iter else form


@forms
def test_evaluation(form):
    assert la.category_counts(made(form)) == {0: 2, 1: 2}
    assert la.balanced_subset(made(form), 1).tolist() == la.balanced_subset(NUMBERS, 1).tolist()
    found = la.evaluate(X, made(form), k=1, metrics=["l1"])
    assert found.categories == (0, 1)
    assert found.precision == {"l1": {0: 1, 1: 1}}


@forms
def test_gallery(form, tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=2) as gallery:
        gallery.add(X, labels=made(form), paths=pandas.Series(list("abcd")))
        assert gallery.labels == NUMBERS
        assert gallery.paths == list("abcd")


@forms
def test_hashes_of_duplicates(form):
    paths = np.array(["a", "b", "c", "d"])
    found = la.find_duplicates(X.tolist(), paths, made(form), threshold=None)
    assert [(g.keeper.path, g.others[0].path) for g in found.groups] == [("a", "b"), ("c", "d")]


def test_duplicates_take_lists_and_frames(tmp_path):
    expected = la.find_duplicates(X, ["a", "b", "c", "d"], [None] * 4)
    frame = pandas.DataFrame(X)
    paths = pandas.Series([tmp_path / name for name in "abcd"])
    for features in (X.tolist(), frame, np.asfortranarray(X), Tensor(X)):
        found = la.find_duplicates(features, list("abcd"), pandas.Series([None, np.nan] * 2))
        assert found == expected
    assert la.find_duplicates(frame, paths, [None] * 4).keep[0] == str(tmp_path / "a")


def test_missing_values_of_columns_are_no_label(tmp_path):
    for column in (
        pandas.Series(["x", None, "y", np.nan], dtype=object),
        pandas.Series(["x", pandas.NA, "y", pandas.NA], dtype="string"),
        np.ma.masked_array(["x", "?", "y", "?"], [0, 1, 0, 1]),
    ):
        assert la.category_counts(column) == {"x": 1, "y": 1}
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        with la.Gallery.create(folder, dim=2) as gallery:
            gallery.add(X, labels=column)
            assert gallery.labels == ["x", None, "y", None]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: la.category_counts({"a": 1}), TypeError, "labels must be one an image, in order"),
        (lambda: la.category_counts({1, 2}), TypeError, "in order, got a set"),
        (lambda: la.category_counts("tree"), TypeError, "labels must be one an image, got the str"),
        (lambda: la.category_counts(7), TypeError, "labels must be one an image, got 7"),
        (lambda: la.category_counts(pandas.DataFrame(X)), ValueError, "labels must be 1-D, got 2"),
        (lambda: la.category_counts(Tensor(X)), ValueError, "labels must be 1-D, got 2"),
        (lambda: la.find_duplicates(X, "abcd", [None] * 4), TypeError, "paths must be one an im"),
        (lambda: la.find_duplicates(X, [1, 2, 3, 4], [None] * 4), TypeError, "paths must hold"),
        (lambda: la.find_duplicates(X, list("abcd"), [[]] * 4), TypeError, "hashes must be hash"),
        (
            lambda: la.find_duplicates(X, list("abcd"), [None] * 4, threshold=float("nan")),
            ValueError,
            "threshold must be at least 0, got nan",
        ),
        (
            lambda: la.find_duplicates(X, list("abcd"), [None] * 4, threshold="near"),
            TypeError,
            "threshold must be a number or None, got 'near'",
        ),
        (
            lambda: la.find_duplicates(X * [[1], [1], [np.nan], [1]], list("abcd"), [None] * 4),
            ValueError,
            "features row 2 has a value that is not finite",
        ),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_labels_beyond_64_bits_are_refused_in_words(tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=2) as gallery:
        for label in (2**70, -(2**63) - 1):
            with pytest.raises(ValueError, match=f"an int of at most 64 bits, got {label}"):
                gallery.add(X, labels=[label] * 4)
        with pytest.raises(TypeError, match="paths must hold paths, got 3"):
            gallery.add(X, paths=[1, 2, 3, 3][::-1])
        assert len(gallery) == 0
        gallery.add(X[:2], labels=[2**63 - 1, -(2**63)])
        assert gallery.labels == [2**63 - 1, -(2**63)]
