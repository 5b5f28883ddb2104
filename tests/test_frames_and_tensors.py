"""Frames, tables and tensors count as the numbers in them, or are refused in words."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

import lookalike as la
from matrices import googlenet_like
from reference import assert_same_bits

X = googlenet_like(30, 6)
SMALL = np.arange(12).reshape(4, 3)


def taken(values):
    """What is computed of `values`, by each kind of function that takes rows."""
    yield la.cdist(values, values, "l1")
    yield from la.knn(values, k=2, metric="l1")
    yield from la.Index(values, metric="l1").knn(values, k=2)
    yield from la.radius_neighbors(values, radius=9, metric="l1")


def assert_counts_as(values, array):
    for found, expected in zip(taken(values), taken(array), strict=True):
        assert_same_bits(found, expected)


def lists(array):
    return list(array)


PANDAS = {
    "one type": (lambda: pd.DataFrame(X), X),
    "one column": (lambda: pd.DataFrame({"a": X[:, 0]}), X[:, :1]),
    "bool and int": (
        lambda: pd.DataFrame({"a": [True, False, True], "b": [3, 4, 5]}),
        np.array([[1, 3], [0, 4], [1, 5]]),
    ),
    "columns of one name": (
        lambda: pd.DataFrame([[1, 2.5], [3, 4.5], [0, 1]], columns=["a", "a"]),
        np.array([[1, 2.5], [3, 4.5], [0, 1]]),
    ),
    "nullable": (
        lambda: pd.DataFrame(
            {
                "a": pd.array([1, 2, 3], "Int8"),
                "b": pd.array([True, False, False], "boolean"),
                "c": pd.array([0.5, 1, 2], "Float32"),
            }
        ),
        np.array([[1, 1, 0.5], [2, 0, 1], [3, 0, 2]], np.float32),
    ),
    "a series of arrays": (lambda: pd.Series(lists(X)), X),
    "a column of lists": (lambda: pd.DataFrame({"e": SMALL.tolist()}), SMALL),
    "no rows": (lambda: pd.DataFrame({"a": pd.array([], "Int8")}), None),
}


@pytest.mark.parametrize(("make", "array"), PANDAS.values(), ids=PANDAS)
def test_frames_of_pandas(make, array):
    if array is None:
        assert la.cdist(make(), [[1.0]]).shape == (0, 1)
    else:
        assert_counts_as(make(), array)


def test_a_frame_of_one_type_is_not_copied():
    from lookalike.distance.arguments import checked_matrix

    assert np.shares_memory(checked_matrix(pd.DataFrame(X, copy=False), "X"), X)


def test_the_index_of_a_frame_names_its_rows():
    names = [f"photo {i}" for i in range(30)]
    frame = pd.DataFrame(X, index=names)
    near = la.knn(frame, k=2)
    assert near.itself
    assert near.to_frame()["neighbor"].tolist() == [names[i] for i in near.indices.ravel()]
    assert near.to_frame()["row"].tolist() == [name for name in names for _ in range(2)]
    other = pd.DataFrame(X[:3] + 1, index=[7, 8, 9])
    nested = la.knn(other, frame, k=1).to_dict()
    assert list(nested) == [7, 8, 9]
    assert {next(iter(row)) for row in nested.values()} <= set(names)
    assert list(la.radius_neighbors(other, frame, radius=1).to_dict()) == [7, 8, 9]
    assert list(la.knn(X, frame, k=1).to_dict())[:2] == [0, 1]
    plain = la.knn(pd.DataFrame(X), k=2)
    assert (plain.row_ids, plain.column_ids) == (None, None)
    twice = pd.DataFrame(X, index=names[:15] * 2)
    assert len(la.knn(twice, k=2).to_frame()) == 60
    with pytest.raises(ValueError, match="each row by another, got 'photo 0' twice"):
        la.knn(twice, k=2).to_dict()


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (
            lambda: pd.DataFrame({"a": pd.array([1, None], "Int64")}),
            ValueError,
            "X column 'a' must have no missing values, got 1",
        ),
        (lambda: pd.DataFrame({"a": [1.0, np.nan]}), ValueError, "X row 1 has a value that is not"),
        (
            lambda: pd.DataFrame({"a": [1, 2], "b": pd.Series(["x", "y"], dtype=object)}),
            TypeError,
            "X column 'b' must hold numbers or lists of numbers, got an object column with 'x'",
        ),
        (
            lambda: pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, dtype="object"),
            TypeError,
            "X column 'a' must hold numbers or lists of numbers, got an object column with 1 in",
        ),
        (lambda: pd.DataFrame({"a": pd.Categorical([1, 2])}), TypeError, "got category"),
        (
            lambda: pd.DataFrame({"a": pd.to_datetime(["2020-01-01"]), "b": [1]}),
            TypeError,
            "X column 'a' must hold real numbers of at most 64 bits, got datetime64",
        ),
        (
            lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}),
            TypeError,
            "X column 'a' must hold real numbers of at most 64 bits, got Sparse",
        ),
        (
            lambda: pd.DataFrame({"e": [[1, 2], [3]]}),
            ValueError,
            "X column 'e' must have lists of one length, got 2 and, in row 1, 1",
        ),
        (
            lambda: pd.DataFrame({"e": [[1, 2], [3, 4]], "f": [1, 2]}),
            TypeError,
            "columns of numbers, or one of lists, got lists in column 'e' beside 1 others",
        ),
        (
            lambda: pd.DataFrame({"a": [1, 2**53 + 1], "b": [0.5, 1]}),
            ValueError,
            "X column 'a' row 1 has 9007199254740993, which float64 cannot hold",
        ),
        (lambda: pd.DataFrame(), ValueError, "X must have at least one column"),
        (lambda: pd.Series([1, 2]), ValueError, "X must be 2-D, got 1-D"),
    ],
)
def test_frames_of_pandas_that_hold_no_matrix(make, kind, words):
    with pytest.raises(kind) as refused:
        la.knn(make(), k=1)
    assert words in str(refused.value)


@pytest.mark.ecosystem
def test_frames_and_lists_of_polars():
    pl = pytest.importorskip("polars", reason="polars is not installed: `nox -s ecosystem` has it")
    assert_counts_as(pl.DataFrame(X), X)
    mixed = pl.DataFrame({"a": [True, False, True], "b": [3, 4, 5]})
    assert_counts_as(mixed, np.array([[1, 3], [0, 4], [1, 5]]))
    for kind in (pl.List(pl.Float32), pl.Array(pl.Float32, 6)):
        column = pl.Series("e", X.tolist(), dtype=kind)
        assert_counts_as(column, X)
        assert_counts_as(pl.DataFrame(column), X)
        assert_counts_as(column[3:9], X[3:9])
    assert la.cdist(pl.DataFrame(schema={"a": pl.Int64}), [[1.0]]).shape == (0, 1)
    for values, kind, words in (
        (pl.DataFrame({"a": [1, None]}), ValueError, "X column 'a' must have no missing values"),
        (pl.Series([[1.0, None]]), ValueError, "X must have no missing values, got 1"),
        (pl.Series([[1.0, 2], None]), ValueError, "X must have no missing values, got 1"),
        (pl.Series([[1.0, 2], [3]]), ValueError, "lists of one length, got 2 and, in row 1, 1"),
        (pl.DataFrame({"a": ["x"], "b": [1]}), TypeError, "X column 'a' must hold real numbers"),
        (pl.DataFrame({"a": [1]}).cast(pl.Decimal(9, 2)), TypeError, "got Decimal"),
        (pl.DataFrame({"a": [1]}).cast(pl.Int128), TypeError, "at most 64 bits, got Int128"),
        (pl.DataFrame({"a": [1]}).lazy(), TypeError, r"got a LazyFrame: X.collect()"),
    ):
        with pytest.raises(kind) as refused:
            la.knn(values, k=1)
        assert words in str(refused.value)


@pytest.mark.ecosystem
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_in_another_order_are_refused(library):
    kind = "table" if library == "pyarrow" else "DataFrame"
    made = getattr(pytest.importorskip(library), kind)
    columns = {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}
    frame, turned, others = (
        made(dict(zip(names, (columns[name] for name in order), strict=True)))
        for names, order in (("abc", "abc"), ("acb", "acb"), ("xyz", "abc"))
    )
    words = "must have its columns in the order of XA?, got 'c' where XA? has 'b'"
    for search in (
        lambda other: la.cdist(frame, other, "l1"),
        lambda other: la.knn(frame, other, k=1, metric="l1").distances,
        lambda other: la.radius_neighbors(frame, other, radius=9, metric="l1").distances,
    ):
        with pytest.raises(ValueError, match=words):
            search(turned)
        array = np.transpose([*columns.values()])
        assert search(frame).min() == search(others).min() == search(array).min() == 0


def test_tables_and_lists_of_arrow():
    pa = pytest.importorskip(
        "pyarrow", reason="pyarrow is not installed: `nox -s ecosystem` has it"
    )
    fixed, narrow = pa.list_(pa.float32(), 6), pa.list_(pa.float32())
    for kind in (fixed, narrow, pa.large_list(pa.float32())):
        array = pa.array(X.tolist(), kind)
        chunked = pa.chunked_array([array[:7], array[7:7], array[7:]])
        for values in (array, chunked, pa.table({"e": chunked})):
            assert_counts_as(values, X)
        assert_counts_as(array[5:20], X[5:20])
        assert_counts_as(pd.Series(array, dtype=pd.ArrowDtype(kind)), X)
    assert_counts_as(pa.FixedShapeTensorArray.from_numpy_ndarray(X), X)
    table = pa.table({"a": [True, False, True], "b": pa.array([3, 4, 5], pa.uint8())})
    numbers = np.array([[1, 3], [0, 4], [1, 5]], np.uint8)
    assert_counts_as(table, numbers)
    assert_counts_as(table.to_batches()[0], numbers)
    assert_counts_as(table.to_pandas(types_mapper=pd.ArrowDtype), numbers)
    assert la.cdist(pa.chunked_array([], pa.list_(pa.int8(), 1)), [[1.0]]).shape == (0, 1)
    for values, kind, words in (
        (pa.array([[1.0, 2], None], pa.list_(pa.float32(), 2)), ValueError, "no missing values"),
        (pa.array([[1.0, None]], pa.list_(pa.float32(), 2)), ValueError, "no missing values"),
        (
            pa.chunked_array([pa.array([[1.0, 2]], narrow), pa.array([[3.0]], narrow)]),
            ValueError,
            "lists of one length, got 2 and, in row 1, 1",
        ),
        (pa.table({"a": ["x"]}), TypeError, "X column 'a' must hold real numbers"),
        (
            pd.DataFrame({"a": pd.array([1, None], "int8[pyarrow]")}),
            ValueError,
            "X column 'a' must have no missing values, got 1",
        ),
    ):
        with pytest.raises(kind) as refused:
            la.knn(values, k=1)
        assert words in str(refused.value)


@pytest.mark.ecosystem
def test_tensors_of_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed: `nox -s ecosystem` has it")
    tensor = torch.from_numpy(X)
    assert_counts_as(tensor, X)
    assert_counts_as(tensor.clone().requires_grad_(), X)
    assert_counts_as(torch.nn.Parameter(tensor), X)
    assert_counts_as(tensor.T[:3].T, X[:, :3])
    half = tensor.to(torch.bfloat16)
    assert_counts_as(half, half.float().numpy())
    assert_counts_as(half.clone().requires_grad_(), half.float().numpy())
    eighth = tensor.to(torch.float8_e4m3fn)
    assert_counts_as(eighth, eighth.float().numpy())
    assert_counts_as(torch.arange(12).reshape(4, 3), SMALL)
    assert la.knn(X, X, k=1, exclude=torch.arange(30)).indices.shape == (30, 1)
    for values, words in (
        (tensor.to("meta"), r"X must be in the computer's memory, got a tensor on meta: X.cpu()"),
        (tensor.to_sparse(), "X must be dense, got a tensor of torch.sparse_coo: X.to_dense()"),
        (tensor.to(torch.complex64), "complex64"),
    ):
        with pytest.raises(TypeError) as refused:
            la.knn(values, k=1)
        assert words in str(refused.value)


class Shared:
    """What another library has, which it shares by DLPack alone."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


def test_what_is_shared_by_dlpack():
    assert_counts_as(Shared(X), X)
    assert_counts_as(Shared(X.T[:3].T), X[:, :3])
    with pytest.raises(TypeError, match=r"computer's memory, got a Shared on device 2:1 of DLPack"):
        la.knn(Shared(X, (2, 1)), k=1)
    with pytest.raises(TypeError, match=r"X must be an array of numbers: "):
        la.knn(Shared(X.astype("M8[s]")), k=1)


@pytest.mark.parametrize("kind", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3, ml_dtypes.int4])
def test_narrow_numbers_count_as_float32(kind):
    narrow = np.clip(X, -7, 7).astype(kind)
    assert_counts_as(narrow, narrow.astype(np.float32))


def test_arrays_of_dask_are_told_where_to_go():
    pretended = type("Array", (), {"__module__": "dask.array.core"})()
    for call in (
        lambda: la.knn(pretended, k=1),
        lambda: la.knn(X, pretended, k=1),
        lambda: la.radius_neighbors(pretended, radius=1),
        lambda: la.cdist(pretended, X),
    ):
        with pytest.raises(TypeError, match=r"in memory, got Dask's Array: lookalike\.dask has"):
            call()


def test_no_library_of_others_is_imported():
    script = """
import sys, numpy, lookalike
X = numpy.eye(5)
lookalike.knn(X, k=2); lookalike.knn(X.tolist(), k=2); lookalike.radius_neighbors(X, radius=1)
print(*{"pandas", "polars", "pyarrow", "torch", "scipy", "dask", "ml_dtypes"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
