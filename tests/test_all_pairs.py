"""The matrix and the graph of all pairs as files, in blocks, begun again where they stopped."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import lookalike as la
from lookalike.all_pairs import (
    graph,
    graph_files,
    matrix,
    neighbor_graph,
    write_distances,
    write_graph,
)
from processes import HANGS


@pytest.fixture
def rows(rng):
    rows = rng.gamma(0.5, size=(60, 16)).astype(np.float32)
    rows[20:30] = rows[5]  # more equal rows than neighbours are wanted
    return rows


def stop_at(row):
    """Return a progress that interrupts the work when it has reached a row."""

    def progress(done, total):
        if done >= row:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("block", [4, 7, 59, 60, 100])
def test_the_graph_is_knns_whatever_the_blocks(rows, tmp_path, block):
    work = tmp_path / "work"
    expected = la.knn(rows, k=6, metric="euclidean")
    found = neighbor_graph(rows, 6, "euclidean", work=work, block_rows=block)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)
    assert work.exists() == (block < 60)


def test_few_rows_are_compared_at_once_and_what_is_done_is_not_done_again(
    rows, tmp_path, monkeypatch
):
    monkeypatch.setattr(graph, "BLOCK_ROWS", 9)
    work, expected = tmp_path / "work", la.knn(rows, k=6, metric="l1")
    for name, most in (("WHOLE_ROWS", 59), ("WHOLE_SIZE", rows.size - 1), ("WHOLE_ROWS", 60)):
        with monkeypatch.context() as patch:
            patch.setattr(graph, name, most)
            met = pairs_met(patch)
            found = neighbor_graph(rows, 6, "l1", work=work)
            np.testing.assert_array_equal(found.indices, expected.indices)
            assert (met == [], work.exists()) == ((True, False) if most == 60 else (False, True))
        shutil.rmtree(work, ignore_errors=True)
    with pytest.raises(KeyboardInterrupt):
        neighbor_graph(rows, 6, "l1", work=work, block_rows=9, progress=stop_at(30))
    met = pairs_met(monkeypatch)
    np.testing.assert_array_equal(
        neighbor_graph(rows, 6, "l1", work=work).indices, expected.indices
    )
    assert 0 < len(met) < 28  # of seven blocks


def pairs_met(monkeypatch):
    """A list of the pairs of blocks that meet from now on, by their first rows."""
    met = []

    def counted_across(one, other, *arguments, **options):
        met.append((one.first, other.first))
        return across(one, other, *arguments, **options)

    def counted_within(block, *arguments, **options):
        met.append((block.first, block.first))
        return within(block, *arguments, **options)

    across, within = graph.across, graph.within
    monkeypatch.setattr(graph, "across", counted_across)
    monkeypatch.setattr(graph, "within", counted_within)
    return met


def all_blocks():
    return [(i, j) for i in range(0, 60, 9) for j in range(i, 60, 9)]


def assert_graph(rows, tmp_path, metric="l1"):
    found = neighbor_graph(rows, 6, metric, work=tmp_path / "work", block_rows=9)
    expected = la.knn(rows, k=6, metric=metric)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)


def test_every_pair_of_blocks_meets_once(rows, tmp_path, monkeypatch):
    met = pairs_met(monkeypatch)
    assert_graph(rows, tmp_path)
    assert sorted(met) == all_blocks()


@pytest.mark.parametrize("stop", [1, 17, 30, 55, 59])
def test_the_graph_goes_on_where_it_stopped(rows, tmp_path, monkeypatch, stop):
    met = pairs_met(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        neighbor_graph(rows, 6, "l1", work=tmp_path / "work", block_rows=9, progress=stop_at(stop))
    assert_graph(rows, tmp_path)
    assert {*met} == {*all_blocks()}
    assert len(met) <= 28 + 1  # the one that was interrupted


def test_little_is_held_in_memory_where_little_may_be(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "HELD_BYTES", 3 * 9 * 6 * 16)
    met = pairs_met(monkeypatch)
    assert_graph(rows, tmp_path)
    assert sorted(met) == all_blocks()


def test_blocks_that_are_lost_or_damaged_meet_all_again(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "SECONDS_TO_LOSE", 0)
    assert_graph(rows, tmp_path)
    work = tmp_path / "work"
    (work / "block-000002.npz").unlink()
    (work / "block-000004.npz").write_bytes(b"PK\x03\x04 not much of an archive")
    whole = (work / "block-000005.npz").read_bytes()
    (work / "block-000005.npz").write_bytes(whole[: len(whole) // 2])
    met = pairs_met(monkeypatch)
    assert_graph(rows, tmp_path)
    assert sorted(met) == [pair for pair in all_blocks() if {*pair} & {18, 36, 45}]


KILLED = """
import os, signal, sys, numpy as np
from lookalike.all_pairs import graph
rows, last = np.load("rows.npy"), int(sys.argv[1])
replacing, calls = graph.replacing, 0
def killing(path):
    global calls
    calls += 1
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return replacing(path)
graph.replacing, graph.SECONDS_TO_LOSE = killing, 0
graph.neighbor_graph(rows, 6, "l1", work="work", block_rows=9)
"""


def test_a_killed_process_loses_no_answer(rows, tmp_path, monkeypatch):
    np.save(tmp_path / "rows.npy", rows)
    for at in (6, 8, 11):  # each goes on from what the one before has kept
        command = [sys.executable, "-c", KILLED, str(at)]
        ended = subprocess.run(command, cwd=tmp_path, timeout=HANGS)
        assert ended.returncode == -signal.SIGKILL
    met = pairs_met(monkeypatch)
    assert_graph(rows, tmp_path)
    assert 0 < len(met) < 28


def test_a_row_that_cannot_be_compared_is_named(rows, tmp_path):
    rows[41, 3] = np.nan
    with pytest.raises(ValueError, match="X row 41 has a value that is not finite"):
        neighbor_graph(rows, 6, "l1", work=tmp_path / "work", block_rows=9)


def test_what_is_left_of_another_job_or_damaged_is_not_used(rows, tmp_path):
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        neighbor_graph(rows, 6, "l1", work=work, block_rows=9, progress=stop_at(30))
    other = rows.copy()
    other[3, 3] += 1
    for features, k, metric in [(rows, 6, "cosine"), (other, 6, "cosine"), (other, 5, "cosine")]:
        found = neighbor_graph(features, k, metric, work=work, block_rows=9)
        expected = la.knn(features, k=k, metric=metric)
        np.testing.assert_array_equal(found.indices, expected.indices)
        (work / "state.json").write_text("{")


def test_two_at_work_in_one_folder_is_an_error(rows, tmp_path):
    def second(done, total):
        with pytest.raises(OSError, match="another process is at work"):
            neighbor_graph(rows, 6, "l1", work=tmp_path / "work", block_rows=9)

    neighbor_graph(rows, 6, "l1", work=tmp_path / "work", block_rows=30, progress=second)


def test_the_graphs_arguments_are_checked(rows, tmp_path):
    work = tmp_path / "work"
    for k in (0, 60):
        with pytest.raises(ValueError, match=f"k must be from 1 to 59 .*, got {k}"):
            neighbor_graph(rows, k, "l1", work=work, block_rows=9)
    with pytest.raises(ValueError, match="block_rows must be at least 1, got 0"):
        neighbor_graph(rows, 3, "l1", work=work, block_rows=0)
    with pytest.raises(ValueError, match="metric must be one of"):
        neighbor_graph(rows, 3, "dice", work=work, block_rows=9)
    assert not work.exists()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_matrix_is_cdists(rows, tmp_path, dtype, monkeypatch):
    file = tmp_path / "D.npy"
    expected = la.cdist(rows, rows, "canberra", dtype=dtype)
    for block in (16384, 11):
        monkeypatch.setattr(matrix, "BLOCK_ROWS", block)
        write_distances(file, rows, "canberra", dtype=dtype)
        written = np.load(file, mmap_mode="r")
        assert written.dtype == dtype
        np.testing.assert_array_equal(written, expected)
    assert os.listdir(tmp_path) == ["D.npy"]


def test_an_empty_matrix(tmp_path):
    write_distances(tmp_path / "D.npy", np.empty((0, 4), np.float32), "l1")
    assert np.load(tmp_path / "D.npy").shape == (0, 0)


def test_an_interrupted_matrix_leaves_the_old_one(rows, tmp_path):
    file = tmp_path / "D.npy"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_distances(file, rows, "l1", progress=stop_at(1))
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["D.npy"]


def test_a_full_disk_is_found_before_the_work(tmp_path):
    rows = np.broadcast_to(np.float32(1), (5_000_000, 2))  # 100 TB of distances
    with pytest.raises(OSError, match=r"needs 100,000\.0 GB, the disk has") as caught:
        write_distances(tmp_path / "D.npy", rows, "l1")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "D.npy"))
    assert not os.listdir(tmp_path)


def test_graph_files_hold_the_graph(rows, tmp_path):
    near = la.knn(rows, k=3)
    paths = [f"{i} 猫\udcff.jpg" for i in range(60)]
    labels = ["a", None, *range(58)]
    write_graph(tmp_path / "g.npz", near, paths, labels, metric="correlation", space="s")
    with np.load(tmp_path / "g.npz") as read:
        assert {*read} == {"distances", "indices", "paths", "labels", "metric", "space"}
        np.testing.assert_array_equal(read["indices"], near.indices)
        np.testing.assert_array_equal(read["distances"], near.distances)
        assert read["paths"].tolist() == paths
        assert read["labels"].tolist() == ["a", "", *map(str, range(58))]
        assert str(read["metric"]) == "correlation"


def test_parquet_files_hold_an_edge_a_row(rows, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs lookalike[parquet]")
    monkeypatch.setattr(graph_files, "BLOCK_ROWS", 17)
    near = la.knn(rows, k=3)
    paths = [f"{i} 猫\udcff.jpg" for i in range(60)]
    write_graph(tmp_path / "g.parquet", near, paths, [None] * 60, metric="correlation")
    read = parquet.read_table(tmp_path / "g.parquet")
    assert read.schema.metadata[b"metric"] == b"correlation"
    edges = read.to_pydict()
    assert edges["row"] == np.repeat(np.arange(60), 3).tolist()
    assert edges["rank"] == [1, 2, 3] * 60
    assert edges["neighbor"] == near.indices.ravel().tolist()
    assert edges["distance"] == near.distances.ravel().tolist()
    assert edges["path"][3] == "1 猫\\udcff.jpg"
    assert edges["neighbor_path"][0].startswith(f"{near.indices[0, 0]} ")
