"""A prepared database answers as `knn` does, from memory and from a file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike
from filters import assert_codes
from lookalike import _core
from matrices import googlenet_like, of_dtype
from processes import HANGS
from reference import METRICS, assert_neighbours, assert_same_bits

every_metric = pytest.mark.parametrize("metric", METRICS)


def assert_answers_as_knn(index, X, Q, k, metric):
    expected = lookalike.knn(Q, X, k=k, metric=metric)
    assert_neighbours(index.knn(Q, k), expected)


@every_metric
@pytest.mark.parametrize("queries", [1, 2, 7, 8, 33])
def test_answers_are_those_of_knn(metric, queries):
    X, Q = googlenet_like(1500, 130), googlenet_like(queries, 130, seed=1)
    index = lookalike.Index(X, metric)
    for k in (1, 20, 1500):
        assert_answers_as_knn(index, X, Q, k, metric)
    assert_answers_as_knn(index, X, X[:queries], 5, metric)


@every_metric
def test_a_search_reads_the_codes(metric):
    X = googlenet_like(3000, 256)
    _, stats = lookalike.Index(X, metric).knn(X[:1], 10, return_stats=True)
    assert_codes(stats["stages"][0], metric, X)
    assert stats["pairs"] >= 3000
    assert stats["refined"] < 1000


@every_metric
def test_queries_unlike_the_rows(metric, rng):
    """None of the rows is negative, degenerate or far away: queries may be."""
    X = googlenet_like(400, 40) + np.float32(0.1)
    Q = np.zeros((6, 40))
    Q[1] = 3
    Q[2] = -X[0]
    Q[3] = rng.standard_normal(40) * 1e200
    Q[4] = X[7] * np.float32(1e-30)
    Q[5] = X[9]
    assert_answers_as_knn(lookalike.Index(X, metric), X, Q, 50, metric)


@every_metric
@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint8", "int32", "bool"])
def test_types_and_files(metric, dtype, tmp_path):
    X = of_dtype(dtype, 200, 33)
    lookalike.Index(X[::2], metric).save(tmp_path / "a.index")
    index = lookalike.Index.open(tmp_path / "a.index")
    assert index.metric == metric
    assert index.shape == (100, 33)
    assert len(index) == 100
    assert_same_bits(index.rows, X[::2])
    assert_answers_as_knn(index, X[::2], X[:9], 20, metric)


def test_opening_reads_little(tmp_path):
    X = googlenet_like(4000, 512)
    lookalike.Index(X, "cosine").save(tmp_path / "a.index")
    index = lookalike.Index.open(tmp_path / "a.index")
    assert isinstance(index.rows.base.base if index.rows.base is not None else None, np.ndarray)
    assert not index.rows.flags.writeable
    assert_answers_as_knn(index, X, X[:3], 10, "cosine")


SAVE = """
import sys, numpy as np, lookalike
X = np.load("X.npy")
for metric in lookalike.METRICS:
    lookalike.Index(X, metric).save(sys.argv[1] + metric)
"""
SEARCH = """
import sys, numpy as np, lookalike
for metric in lookalike.METRICS:
    index = lookalike.Index.open(sys.argv[1] + metric)
    found = index.knn(index.rows[:9], 20)
    np.savez(metric, distances=found.distances, indices=found.indices)
"""


@pytest.mark.long
def test_a_file_serves_every_instruction_set(tmp_path):
    # Codes of products differ between instruction sets.
    X = googlenet_like(500, 70)
    np.save(tmp_path / "X.npy", X)
    for level in ("avx2", ""):
        run(SAVE, tmp_path, f"made-{level}-", level)
        for other in ("", "avx2", "baseline"):
            run(SEARCH, tmp_path, f"made-{level}-", other)
            for metric in METRICS:
                expected = lookalike.knn(X[:9], X, k=20, metric=metric)
                with np.load(tmp_path / f"{metric}.npz") as found:
                    assert_same_bits(found["indices"], expected.indices)
                    assert_same_bits(found["distances"], expected.distances)


def run(code, folder, argument, level):
    command = [sys.executable, "-c", code, argument]
    environment = os.environ | {"LOOKALIKE_SIMD": level}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=HANGS)


def answers(path, Q):
    index = lookalike.Index.open(path)
    return index.knn(Q, 7), index.knn(Q[:1], 50)


@pytest.mark.parametrize("metric", ["cosine", "manhattan", "braycurtis", "canberra"])
def test_no_changed_byte_goes_unnoticed(metric, tmp_path, rng):
    # The second search reads every row.
    path = tmp_path / "a.index"
    X = googlenet_like(50, 20)
    lookalike.Index(X, metric).save(path)
    whole = bytearray(path.read_bytes())
    expected = answers(path, X)
    header = whole.index(b"}") + 1
    for at in {*range(0, header, 7), *rng.integers(0, len(whole), 150), len(whole) - 1}:
        damaged = whole.copy()
        damaged[at] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(lookalike.IndexFileError, match=re.escape(str(path))):
            answers(path, X)
    path.write_bytes(whole)
    for found, right in zip(answers(path, X), expected, strict=True):
        assert_same_bits(found.indices, right.indices)


def test_rows_and_codes_are_checked_when_they_are_read(tmp_path):
    path = tmp_path / "a.index"
    X = np.repeat(np.eye(8, 64, dtype=np.float32), 100, axis=0)  # 16 rows of 256 bytes in a chunk
    lookalike.Index(X, "manhattan").save(path)
    whole = path.read_bytes()
    at = whole.rindex(X[-1].tobytes())
    path.write_bytes(whole[:at] + b"\x01" + whole[at + 1 :])
    index = lookalike.Index.open(path)
    if "8-bit" in repr(index):  # else all rows are read
        near = index.knn(X[:1], 50)
        assert (near.distances == 0).all()
    with pytest.raises(lookalike.IndexFileError, match="part 'rows' is not as it was written"):
        index.knn(X[:1], 800)


def test_files_that_are_no_index_are_refused(tmp_path):
    path = tmp_path / "a.index"
    lookalike.Index(googlenet_like(50, 20), "cosine").save(path)
    whole = path.read_bytes()
    first, _, line, body = whole.split(b"\n", 3)
    header = json.loads(line)

    def refused(content, says):
        path.write_bytes(content)
        with pytest.raises(lookalike.IndexFileError, match=says) as error:
            lookalike.Index.open(path)
        assert str(path) in str(error.value)

    def changed(**values):  # with the checksum that belongs to it
        text = json.dumps(header | values).encode()
        text += b" " * (len(line) - len(text)) + b"\n"
        (checksum,) = _core.checksums(np.frombuffer(text, np.uint8), len(text))
        return b"\n".join([first, b"%016x" % checksum, text + body])

    refused(b"", "not an index")
    refused(b"something else\n" + whole, "not an index")
    refused(b"lookalike index 1" + whole[17:], "another version of lookalike.*build it again")
    refused(whole[: len(first) + 10], "damaged")
    refused(whole[:-1], "damaged: it has .* bytes of data where it should have")
    refused(whole + b"x", "damaged")
    refused(changed(shape=[51, 20]), "damaged")
    refused(changed(shape=[50, 19]), "damaged")
    refused(changed(shape=[20, 50]), "damaged")
    refused(changed(shape=[50, 0]), "damaged: its rows cannot be")
    refused(changed(shape=[-50, -20]), "damaged")
    refused(changed(dtype="<f2"), "damaged")
    refused(changed(dtype=">f4"), "damaged: its rows cannot be")
    refused(changed(dtype="<i4", metric="euclidean"), "damaged")
    refused(changed(metric="braycurtis"), "damaged")
    refused(changed(metric="no such"), "damaged: metric must be one of")
    refused(changed(metric=None), "damaged")
    refused(changed(parameters={"p": 2.0}), "damaged: its metric cannot have the parameters")
    refused(changed(chunks={"rows": 0, "codes": 1}), "damaged")
    refused(changed(parts={"rows": header["parts"]["rows"]}), "damaged")
    for part, (at, length, checksum) in header["parts"].items():
        if length:
            refused(changed(parts=header["parts"] | {part: [at, length - 1, checksum]}), "damaged")
            refused(changed(parts=header["parts"] | {part: [at, 10**9, checksum]}), "damaged")
        refused(changed(parts={p: v for p, v in header["parts"].items() if p != part}), "damaged")
    path.write_bytes(whole)
    assert len(lookalike.Index.open(path)) == 50


def test_bad_arguments():
    X = googlenet_like(20, 5)
    index = lookalike.Index(X, "l1")
    assert index.metric == "manhattan"
    with pytest.raises(ValueError, match=r"Q must have 5 columns like X, got 4"):
        index.knn(np.ones((2, 4)), 1)
    with pytest.raises(ValueError, match=r"k must be from 1 to 20 \(the rows\), got 21"):
        index.knn(X, 21)
    with pytest.raises(ValueError, match=r"k must be from 1 to 20 \(the rows\), got 100"):
        index.knn(X)
    with pytest.raises(ValueError, match="Q row 1 has a value that is not finite"):
        index.knn(np.where(np.arange(10).reshape(2, 5) == 7, np.nan, 1), 1)
    X[3, 2] = np.inf
    with pytest.raises(ValueError, match="X row 3 has a value that is not finite"):
        lookalike.Index(X)
    with pytest.raises(ValueError, match="metric must be one of"):
        lookalike.Index(np.ones((2, 2)), "dice")


def test_no_queries_and_no_rows(tmp_path):
    index = lookalike.Index(googlenet_like(20, 5))
    assert index.knn(np.empty((0, 5)), 3).indices.shape == (0, 3)
    empty = lookalike.Index(np.empty((0, 5)))
    with pytest.raises(ValueError, match="k must be"):
        empty.knn(np.ones((1, 5)), 1)
    empty.save(tmp_path / "empty.index")
    assert len(lookalike.Index.open(tmp_path / "empty.index")) == 0


def test_saving_replaces_a_file_whole(tmp_path):
    path = Path(tmp_path / "a.index")
    lookalike.Index(googlenet_like(30, 5)).save(path)
    opened = lookalike.Index.open(path)
    lookalike.Index(googlenet_like(40, 5)).save(path)
    assert len(lookalike.Index.open(path)) == 40
    assert len(opened.knn(opened.rows, 3).indices) == 30  # still the file that it opened
    assert os.listdir(tmp_path) == ["a.index"]
