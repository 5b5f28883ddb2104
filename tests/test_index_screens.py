"""Few queries of an index: what screens exclude is not near, from memory and from a file."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lookalike
from matrices import googlenet_like
from reference import assert_neighbours

SCREENED = ("euclidean", "cosine", "correlation", "chebyshev")
HERE = lookalike.cpu_info()["simd"] != "baseline"  # whose kernels have no bytes to screen by

every_screened = pytest.mark.parametrize("metric", SCREENED)


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Also where they do not pay."""
    monkeypatch.setenv("LOOKALIKE_SCREENS", "always")


def asked(index, Q, k, **named):
    found, stats = index.knn(Q, k, return_stats=True, **named)
    assert (stats["stages"][0] == "screens") == HERE, stats["stages"]
    return found


def hostile(name, rng):
    """Rows, and queries, that a screen made from a sample of the rows knows little of."""
    n, d = 700, 96
    X = rng.standard_normal((n, d)).astype(np.float32)
    if name == "noise":
        return X, rng.standard_normal((5, d)).astype(np.float32)
    if name == "outside the span":  # what tells rows apart is in directions that no sample has
        X[:, 40:] = 0
        Q = X[:5].copy()
        X[350:360, 40:] = rng.standard_normal((10, d - 40))
        Q[:, 40:] = X[350:355, 40:]
        return X, Q
    if name == "equal rests":
        X[:, :8] *= 30
        X[:, 8:] /= np.linalg.norm(X[:, 8:], axis=1, keepdims=True)
        return X, X[:5] + np.float32(1e-3)
    if name == "far from the origin":
        return X + np.float32(1e5), X[:5] + np.float32(1e5)
    if name == "by an ulp":
        X[:] = X[0]
        X[np.arange(n), rng.integers(0, d, n)] *= np.float32(1 + 2.0**-22)
        return X, X[:5]
    if name == "equal rows":
        X[50:600] = X[3]
        return X, X[[3, 3, 7, 60, 699]]
    if name == "scales":
        X *= np.float32(10.0) ** rng.integers(-18, 18, (n, 1))
        X[5] = 0
        X[6] = 3
        return X, np.concatenate([X[5:7], X[100:103]])
    if name == "one outlier":
        X[9] *= np.float32(1e6)
        return X, X[7:12]
    X = X.astype(np.float64)  # out of the filters' range
    X[17] *= 1e200
    X[18] *= 1e-200
    return X, X[15:20]


KINDS = (
    "noise",
    "outside the span",
    "equal rests",
    "far from the origin",
    "by an ulp",
    "equal rows",
    "scales",
    "one outlier",
    "beyond float32",
)


@every_screened
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_excluded_that_is_near(metric, kind, rng):
    X, Q = hostile(kind, rng)
    index = lookalike.Index(X, metric)
    many = np.concatenate([Q, X[:40:2], Q])  # are compared with all rows by the second screen too
    for k in (1, 9, 300):
        assert_neighbours(index.knn(Q, k), lookalike.knn(Q, X, k=k, metric=metric))
        assert_neighbours(index.knn(many, k), lookalike.knn(many, X, k=k, metric=metric))
        assert_neighbours(index.knn(Q[:1], k), lookalike.knn(Q[:1], X, k=k, metric=metric))


@every_screened
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_are_those_of_knn(metric, threads):
    X, Q = googlenet_like(5000, 300), googlenet_like(40, 300, seed=1)
    index = lookalike.Index(X, metric)
    for queries in (1, 3, 40):
        for k in (1, 30):
            expected = lookalike.knn(Q[:queries], X, k=k, metric=metric)
            assert_neighbours(asked(index, Q[:queries], k, threads=threads), expected)


@every_screened
def test_rows_that_are_left_out(metric):
    X = googlenet_like(900, 200)
    index = lookalike.Index(X, metric)
    near = asked(index, X[:4], 8).indices
    exclude = near[:, 1]
    found = asked(index, X[:4], 7, exclude=exclude).indices
    assert (
        found == [[i for i in row if i != out] for row, out in zip(near, exclude, strict=True)]
    ).all()


@every_screened
def test_an_opened_index_reads_few_bytes_and_checks_them(metric, tmp_path):
    X, Q = googlenet_like(3000, 256), googlenet_like(3, 256, seed=1)
    path = tmp_path / "a.index"
    index = lookalike.Index(X, metric)
    index.save(path)
    expected = index.knn(Q, 20)
    assert_neighbours(asked(lookalike.Index.open(path), Q, 20), expected)
    if not HERE:
        return
    whole = path.read_bytes()
    header = json.loads(whole.split(b"\n", 3)[2])
    start = len(whole) - header["bytes"]
    parts = {name: part for name, part in header["parts"].items() if "screen" in name}
    assert parts["screen 1"][2] is None  # checked when it is read
    for at, length, _ in parts.values():
        if not length:
            continue
        place = start + at + length // 2
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(lookalike.IndexFileError, match="not as it was written"):
            lookalike.Index.open(path).knn(X[:60], 900)  # looks at all rows


@every_screened
def test_a_file_without_screens_answers_too(metric, tmp_path, monkeypatch):
    X, Q = googlenet_like(900, 200), googlenet_like(3, 200, seed=1)
    path = tmp_path / "a.index"
    monkeypatch.setenv("LOOKALIKE_SCREENS", "never")
    lookalike.Index(X, metric).save(path)
    monkeypatch.setenv("LOOKALIKE_SCREENS", "always")
    found, stats = lookalike.Index.open(path).knn(Q, 20, return_stats=True)
    assert "screens" not in stats["stages"]
    assert_neighbours(found, lookalike.knn(Q, X, k=20, metric=metric))


@every_screened
def test_batches_read_all_codes_as_panels(metric, tmp_path, monkeypatch):
    # 210 features are no whole lines of codes, 901 rows no whole panels.
    X, Q = googlenet_like(901, 210), googlenet_like(70, 210, seed=1)
    path = tmp_path / "a.index"
    index = lookalike.Index(X, metric)
    index.save(path)
    expected = lookalike.knn(Q, X, k=20, metric=metric)
    monkeypatch.setenv("LOOKALIKE_SCREENS", "never")
    for each in (index, lookalike.Index.open(path)):
        with ThreadPoolExecutor(4) as pool:  # one makes the panels, the others do not wait for it
            for found in pool.map(lambda _, each=each: each.knn(Q, 20), range(8)):
                assert_neighbours(found, expected)
        assert_neighbours(each.knn(Q[:1], 20), lookalike.knn(Q[:1], X, k=20, metric=metric))
    if not HERE:
        return
    whole = path.read_bytes()
    header = json.loads(whole.split(b"\n", 3)[2])
    place = len(whole) - header["bytes"] + sum(header["parts"]["codes"][:2]) - 64
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    opened = lookalike.Index.open(path)
    for _ in range(2):  # and again
        with pytest.raises(lookalike.IndexFileError, match="'codes' is not as it was written"):
            opened.knn(Q, 20)


def test_data_without_structure_is_not_screened(monkeypatch, rng):
    monkeypatch.delenv("LOOKALIKE_SCREENS")
    X = rng.standard_normal((17000, 256)).astype(np.float32)
    _, stats = lookalike.Index(X, "euclidean").knn(X[:1], 10, return_stats=True)
    assert "screens" not in stats["stages"]
