"""Bad input is refused in words: the argument, the rule, the value found. Nothing crashes."""

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from reference import ALIASES, METRICS

X, Y, WIDER = googlenet_like(20, 5), googlenet_like(30, 5, seed=1), googlenet_like(30, 6)
NOTHING_WIDE = np.empty((3, 0))
KNOWN = (*METRICS, *ALIASES)

# name of the case: (call, type of the error, what its message must contain)
CASES = {
    # Shapes.
    "cdist 1-D": (lambda: lookalike.cdist(X[0], Y), ValueError, ["XA", "2", "(5,)"]),
    "cdist 3-D": (lambda: lookalike.cdist(X, Y[None]), ValueError, ["XB", "2", "(1, 30, 5)"]),
    "cdist a number": (lambda: lookalike.cdist(3.0, Y), ValueError, ["XA", "2", "()"]),
    "pdist 1-D": (lambda: lookalike.pdist(X[0]), ValueError, ["X", "2", "(5,)"]),
    "knn 1-D X": (lambda: lookalike.knn(X[0], Y, k=3), ValueError, ["X", "2", "(5,)"]),
    "knn 1-D Y": (lambda: lookalike.knn(X, Y[0], k=3), ValueError, ["Y", "2", "(5,)"]),
    "radius 1-D": (
        lambda: lookalike.radius_neighbors(X, Y[0], radius=1),
        ValueError,
        ["Y", "2", "(5,)"],
    ),
    "topk 1-D": (lambda: lookalike.topk(X[0], 3), ValueError, ["D", "2", "(5,)"]),
    "cdist width": (
        lambda: lookalike.cdist(X, WIDER),
        ValueError,
        ["XB must have 5 columns like XA", "6"],
    ),
    "knn width": (
        lambda: lookalike.knn(X, WIDER, k=3),
        ValueError,
        ["Y must have 5 columns like X", "6"],
    ),
    "radius width": (
        lambda: lookalike.radius_neighbors(X, WIDER, radius=1),
        ValueError,
        ["Y must have 5 columns like X", "6"],
    ),
    "cdist d=0": (lambda: lookalike.cdist(NOTHING_WIDE, NOTHING_WIDE), ValueError, ["XA", "0"]),
    "pdist d=0": (lambda: lookalike.pdist(NOTHING_WIDE), ValueError, ["X", "0"]),
    "knn d=0": (lambda: lookalike.knn(NOTHING_WIDE, k=1), ValueError, ["X", "0"]),
    "radius d=0": (
        lambda: lookalike.radius_neighbors(NOTHING_WIDE, radius=1),
        ValueError,
        ["X", "0"],
    ),
    "ragged list": (lambda: lookalike.cdist([[1, 2], [3]], [[1, 2]]), ValueError, []),
    # Metrics.
    "unknown metric": (lambda: lookalike.cdist(X, Y, "dice"), ValueError, ["hamming", *KNOWN]),
    "knn unknown metric": (
        lambda: lookalike.knn(X, k=3, metric="Cosine "),
        ValueError,
        ["metric", "Cosine ", *METRICS],
    ),
    "radius unknown metric": (
        lambda: lookalike.radius_neighbors(X, radius=1, metric="dice"),
        ValueError,
        ["metric", "dice", *METRICS],
    ),
    "pdist empty metric": (lambda: lookalike.pdist(X, ""), ValueError, ["metric", *METRICS]),
    "metric is a number": (
        lambda: lookalike.pdist(X, 3),
        (TypeError, ValueError),
        ["metric", "3"],
    ),
    # Types.
    "complex": (lambda: lookalike.cdist(X, Y * 1j), TypeError, ["XB", "complex64"]),
    "object": (lambda: lookalike.knn(X.astype(object), k=3), TypeError, ["X", "object"]),
    "strings": (lambda: lookalike.pdist([["a", "b"]]), TypeError, ["X"]),
    "None": (lambda: lookalike.knn(None, k=3), (TypeError, ValueError), ["X"]),
    "dates": (lambda: lookalike.pdist(np.zeros((3, 3), "M8[s]")), TypeError, ["X", "datetime64"]),
    "topk complex": (lambda: lookalike.topk(X * 1j, 2), TypeError, ["D", "complex64"]),
    # k.
    "k = 0": (lambda: lookalike.knn(X, Y, k=0), ValueError, ["k", "1", "30", "0"]),
    "k < 0": (lambda: lookalike.knn(X, Y, k=-3), ValueError, ["k", "1", "30", "-3"]),
    "k > rows of Y": (lambda: lookalike.knn(X, Y, k=31), ValueError, ["k", "30", "31"]),
    "k = n without self": (lambda: lookalike.knn(X, k=20), ValueError, ["k", "19", "20"]),
    "k > n with self": (
        lambda: lookalike.knn(X, k=21, include_self=True),
        ValueError,
        ["k", "20", "21"],
    ),
    "k of no rows": (lambda: lookalike.knn(X, Y[:0], k=1), ValueError, ["k", "0", "1"]),
    "k beyond 64 bits": (lambda: lookalike.knn(X, Y, k=2**70), ValueError, ["k", "30"]),
    "k not an integer": (lambda: lookalike.knn(X, Y, k=2.5), TypeError, ["k", "2.5"]),
    "topk k = 0": (lambda: lookalike.topk(X, 0), ValueError, ["k", "5", "0"]),
    "topk k too large": (lambda: lookalike.topk(X, 6), ValueError, ["k", "5", "6"]),
    "topk k not an integer": (lambda: lookalike.topk(X, "2"), TypeError, ["k"]),
    # radius.
    "radius NaN": (
        lambda: lookalike.radius_neighbors(X, radius=np.nan),
        ValueError,
        ["radius", "nan"],
    ),
    "radius < 0": (
        lambda: lookalike.radius_neighbors(X, radius=-1.5),
        ValueError,
        ["radius", "-1.5"],
    ),
    "radius text": (
        lambda: lookalike.radius_neighbors(X, radius="near"),
        (TypeError, ValueError),
        ["radius", "near"],
    ),
    # include_self.
    "knn include_self": (
        lambda: lookalike.knn(X, Y, k=3, include_self=True),
        ValueError,
        ["include_self", "Y"],
    ),
    "radius include_self": (
        lambda: lookalike.radius_neighbors(X, Y, radius=1, include_self=True),
        ValueError,
        ["include_self", "Y"],
    ),
    # threads, dtype, progress.
    "no threads": (lambda: lookalike.cdist(X, Y, threads=0), ValueError, ["threads", "0"]),
    "fewer than no threads": (
        lambda: lookalike.knn(X, k=3, threads=-2),
        ValueError,
        ["threads", "-2"],
    ),
    "half a thread": (lambda: lookalike.topk(X, 2, threads=0.5), TypeError, ["threads", "0.5"]),
    "dtype": (
        lambda: lookalike.cdist(X, Y, dtype=np.int32),
        (TypeError, ValueError),
        ["dtype", "int32"],
    ),
    "half-precision results": (
        lambda: lookalike.pdist(X, dtype="float16"),
        (TypeError, ValueError),
        ["dtype", "float16"],
    ),
    "progress": (lambda: lookalike.knn(X, k=3, progress="yes"), TypeError, ["progress", "yes"]),
}


def _read_only(shape, dtype):
    out = np.empty(shape, dtype)
    out.flags.writeable = False
    return out


WRONG_OUT = {
    "shape": (np.empty((20, 31), np.float32), ["out", "(20, 30)", "(20, 31)"]),
    "transposed": (np.empty((30, 20), np.float32), ["out", "(20, 30)", "(30, 20)"]),
    "dimensions": (np.empty(600, np.float32), ["out", "(20, 30)", "(600,)"]),
    "type": (np.empty((20, 30), np.int32), ["out", "float32", "int32"]),
    "byte order": (np.empty((20, 30), ">f4"), ["out"]),
    "read-only": (_read_only((20, 30), np.float32), ["out"]),
}


def assert_refused(call, error, words):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    for word in words:
        assert word in message, f"{word!r} is missing from {message!r}"


@pytest.mark.parametrize("case", CASES)
def test_is_refused_in_words(case):
    assert_refused(*CASES[case])


@pytest.mark.parametrize("case", WRONG_OUT)
def test_wrong_out_is_refused_and_left_alone(case):
    out, words = WRONG_OUT[case]
    before = out.tobytes()
    assert_refused(lambda: lookalike.cdist(X, Y, out=out), ValueError, words)
    assert out.tobytes() == before


def test_out_of_the_wrong_precision_is_refused():
    out = np.empty((20, 30), np.float32)
    assert_refused(
        lambda: lookalike.cdist(X, Y, out=out, dtype=np.float64),
        ValueError,
        ["out", "float64", "float32"],
    )
    assert_refused(
        lambda: lookalike.pdist(X, out=np.empty(190), dtype=np.float32),
        ValueError,
        ["out", "float64", "float32"],
    )
    assert_refused(lambda: lookalike.pdist(X, out=[1.0]), (TypeError, ValueError), ["out"])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_non_finite_value_is_named_by_its_row(dtype, value, metric):
    good, bad = Y.astype(dtype), Y.astype(dtype)
    bad[17, 3] = value
    for call, name in (
        (lambda: lookalike.cdist(bad, good, metric), "XA row 17"),
        (lambda: lookalike.cdist(good, bad, metric), "XB row 17"),
        (lambda: lookalike.cdist(bad, bad, metric), "XA row 17"),
        (lambda: lookalike.pdist(bad, metric), "X row 17"),
        (lambda: lookalike.knn(bad, k=3, metric=metric), "X row 17"),
        (lambda: lookalike.knn(bad, good, k=3, metric=metric), "X row 17"),
        (lambda: lookalike.knn(good, bad, k=3, metric=metric), "Y row 17"),
        (lambda: lookalike.knn(good[:2], bad, k=3, metric=metric), "Y row 17"),
        (lambda: lookalike.radius_neighbors(bad, radius=1, metric=metric), "X row 17"),
        (lambda: lookalike.radius_neighbors(good[:2], bad, radius=1, metric=metric), "Y row 17"),
    ):
        assert_refused(call, ValueError, [name])


@pytest.mark.parametrize("d", [1, 7, 16, 33, 1024])
def test_a_non_finite_value_is_found_wherever_it_is(d):
    n = 70
    for row, column in ((0, 0), (0, d - 1), (n - 1, 0), (n - 1, d - 1), (n // 2, d // 2)):
        bad = googlenet_like(n, d)
        bad[row, column] = np.nan
        for rows in (bad, np.asfortranarray(bad), np.repeat(bad, 2, axis=1)[:, ::2]):
            assert_refused(lambda rows=rows: lookalike.knn(rows, k=2), ValueError, [f"row {row} "])


def test_the_first_of_several_bad_rows_is_named_for_any_number_of_threads():
    bad = googlenet_like(5000, 8)
    bad[[31, 900, 4999], 2] = np.inf
    for threads in (1, 2, 3):
        assert_refused(
            lambda t=threads: lookalike.knn(bad, k=2, threads=t), ValueError, ["X row 31"]
        )


def test_topk_names_the_row_of_a_nan():
    for dtype in ("float16", "float32", "float64"):
        D = googlenet_like(9, 40).astype(dtype)
        D[4, 39] = np.nan
        assert_refused(lambda D=D: lookalike.topk(D, 3), ValueError, ["D row 4"])


def test_arguments_after_the_metric_are_named():
    for call in (
        lambda: lookalike.cdist(X, Y, "cosine", None),
        lambda: lookalike.pdist(X, "cosine", None),
        lambda: lookalike.knn(X, Y, 3),
        lambda: lookalike.topk(X, 3, 2),
        lambda: lookalike.radius_neighbors(X, Y, 3),
        lambda: lookalike.radius_neighbors(X, Y),
    ):
        assert_refused(call, TypeError, [])


def test_integers_of_numpy_are_integers():
    expected = lookalike.knn(X, k=3, threads=2)
    found = lookalike.knn(X, k=np.int64(3), threads=np.uint8(2))
    assert found.indices.tolist() == expected.indices.tolist()
    assert lookalike.topk(X, np.int32(2)).indices.shape == (20, 2)
    assert lookalike.radius_neighbors(X, radius=np.float32(1)).indptr[-1] >= 0
