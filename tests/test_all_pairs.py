"""The matrix and the graph of all pairs as files, in blocks, begun again where they stopped."""

import errno
import json
import os

import numpy as np
import pytest

import lookalike as la
from lookalike import all_pairs
from lookalike.all_pairs import neighbor_graph, write_distances, write_graph


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


@pytest.mark.parametrize("block", [1, 7, 59, 60, 100])
def test_the_graph_is_knns_whatever_the_blocks(rows, tmp_path, block):
    work = tmp_path / "work"
    expected = la.knn(rows, k=6, metric="euclidean")
    found = neighbor_graph(rows, 6, "euclidean", work=work, block_rows=block)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)
    assert work.exists() == (block < 60)


def test_the_graph_goes_on_where_it_stopped(rows, tmp_path, monkeypatch):
    work, searched = tmp_path / "work", []
    knn = all_pairs.knn

    def counted(queries, *others, **options):
        searched.append(len(queries))
        return knn(queries, *others, **options)

    monkeypatch.setattr(all_pairs, "knn", counted)
    with pytest.raises(KeyboardInterrupt):
        neighbor_graph(rows, 6, "l1", work=work, block_rows=9, progress=stop_at(30))
    done = json.loads((work / "state.json").read_text())["done"]
    assert 0 < done < 60
    searched.clear()
    found = neighbor_graph(rows, 6, "l1", work=work, block_rows=9)
    assert sum(searched) == 60 - done
    np.testing.assert_array_equal(found.indices, la.knn(rows, k=6, metric="l1").indices)


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
    with pytest.raises(ValueError, match="metric must be one of"):
        neighbor_graph(rows, 3, "dice", work=work, block_rows=9)
    assert not work.exists()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_matrix_is_cdists(rows, tmp_path, dtype, monkeypatch):
    file = tmp_path / "D.npy"
    expected = la.cdist(rows, rows, "canberra", dtype=dtype)
    for block in (16384, 11):
        monkeypatch.setattr(all_pairs, "BLOCK_ROWS", block)
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
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 17)
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
