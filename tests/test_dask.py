"""Blocks of rows as Dask's tasks find what one search finds, to the bit."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import lookalike as la
from matrices import googlenet_like
from processes import HANGS
from reference import assert_same_bits

dask = pytest.importorskip("dask", reason="needs lookalike[dask]")
da = pytest.importorskip("dask.array", reason="needs lookalike[dask]")
distributed = pytest.importorskip("distributed", reason="needs lookalike[dask]")

import lookalike.dask as ld  # noqa: E402 - only where there is Dask
from lookalike.dask.nearest import rounds  # noqa: E402
from lookalike.dask.threads import threads_of_task  # noqa: E402

CHUNKS = (100, 1, 0, 57, 130, 12)
SCHEDULERS = ("threads", "synchronous")


@pytest.fixture(scope="module")
def rows():
    X = googlenet_like(300, 24)
    X[20:60] = X[5]  # in two blocks and more than neighbours are wanted
    X[170:190] = X[5]
    return X


def blocks(X, chunks=CHUNKS):
    return da.from_array(X, chunks=(chunks, X.shape[1]))


def assert_same(found, expected, **options):
    for each, right in zip(dask.compute(*found, **options), expected, strict=True):
        assert_same_bits(each, right)


def ways(X, metric, tmp_path):
    """Each way in which rows can be searched, as `index`."""
    index = la.Index(X, metric)
    index.save(tmp_path / "a.index")
    return [None, True, index, la.Index.open(tmp_path / "a.index"), tmp_path / "a.index"]


@pytest.mark.parametrize("metric", ["manhattan", "correlation", "chebyshev"])
def test_neighbours_are_those_of_one_search(rows, metric, tmp_path):
    x, Q = blocks(rows), googlenet_like(40, 24, seed=1)
    for index in ways(rows, metric, tmp_path):
        for self_too in (False, True, "first"):
            found = ld.knn(x, k=15, metric=metric, include_self=self_too, index=index)
            assert [each.chunks[0] for each in found] == [CHUNKS, CHUNKS]
            expected = la.knn(rows, k=15, metric=metric, include_self=self_too)
            assert_same(found, expected, scheduler="threads")
        found = ld.knn(blocks(Q, (25, 15)), x, k=70, metric=metric, index=index)
        assert_same(found, la.knn(Q, rows, k=70, metric=metric), scheduler="threads")
    found = ld.knn(blocks(Q, (25, 15)), la.Index(rows, metric), k=70, metric=metric)
    assert_same(found, la.knn(Q, rows, k=70, metric=metric), scheduler="threads")


@pytest.mark.parametrize("metric", ["manhattan", "correlation", "chebyshev"])
def test_rows_within_a_radius_are_those_of_one_search(rows, metric, tmp_path):
    x, Q = blocks(rows), googlenet_like(40, 24, seed=1)
    radius = float(np.quantile(la.cdist(rows, rows, metric), 0.1))
    options = {"radius": radius, "metric": metric}
    for index in ways(rows, metric, tmp_path):
        for self_too in (False, True):
            found = ld.radius_neighbors(x, include_self=self_too, index=index, **options)
            assert found[0].shape == (301,)
            expected = la.radius_neighbors(rows, include_self=self_too, **options)
            assert_same(found, expected, scheduler="threads")
        found = ld.radius_neighbors(blocks(Q, (25, 15)), x, index=index, **options)
        assert_same(found, la.radius_neighbors(Q, rows, **options), scheduler="threads")


def test_parameters_of_metrics(rows):
    weights = np.arange(24.0)
    for options in (
        {"metric": "minkowski", "p": 3, "w": weights},
        {"metric": la.Metric("seuclidean", V=weights + 1)},
    ):
        expected = la.knn(rows, k=9, **options)
        for index in (None, True, la.Index(rows, **options)):
            assert_same(ld.knn(blocks(rows), k=9, index=index, **options), expected)
            expected_radius = la.radius_neighbors(rows, radius=1, **options)
            found = ld.radius_neighbors(blocks(rows), radius=1, index=index, **options)
            assert_same(found, expected_radius)
    with pytest.raises(ValueError, match="V must be given for seuclidean"):
        ld.knn(blocks(rows), k=1, metric="seuclidean")
    with pytest.raises(ValueError, match="index must be of the metric correlation, got minkowski"):
        ld.knn(blocks(rows), k=1, index=la.Index(rows, "minkowski", p=3))


@pytest.mark.parametrize("k", [1, 299])
@pytest.mark.parametrize("chunks", [(300,), (1,) * 9 + (291,), (150, 150)])
def test_any_chunks_and_any_k(rows, k, chunks):
    for index in (None, True):
        found = ld.knn(blocks(rows, chunks), k=k, index=index)
        assert_same(found, la.knn(rows, k=k), scheduler="synchronous")
    found = ld.knn(blocks(rows, chunks), k=k, include_self="first")
    assert_same(found, la.knn(rows, k=k, include_self="first"), scheduler="synchronous")


def test_everybody_meets_everybody_once():
    for count in range(1, 12):
        found = rounds(count)
        pairs = sorted(pair for each in found for pair in each)
        assert pairs == [(a, b) for a in range(count) for b in range(a + 1, count)]
        for each in found:
            together = [place for pair in each for place in pair]
            assert len(together) == len({*together}) == count // 2 * 2
        assert sorted(found[0]) == [(a, a + 1) for a in range(0, count - 1, 2)]


def test_nothing_is_computed_before_it_is_asked_for(rows):
    read = []

    def look(block):
        read.append(len(block))
        return block

    x = blocks(rows).map_blocks(look, dtype=rows.dtype, meta=rows[:0])
    found = [*ld.knn(x, k=3), *ld.knn(x, k=3, index=True), *ld.radius_neighbors(x, radius=0.1)]
    assert read == []
    dask.compute(*found, scheduler="synchronous")
    assert sorted(read) == sorted(CHUNKS)


def test_bad_arrays(rows):
    x = blocks(rows)
    with pytest.raises(ValueError, match=r"known sizes, got .* x.compute_chunk_sizes\(\) finds"):
        ld.knn(x[x[:, 0] > 1], k=1)
    with pytest.raises(ValueError, match=r"one chunk, got chunks of \(12, 12\) columns: x.rechunk"):
        ld.knn(x.rechunk((100, 12)), k=1)
    with pytest.raises(ValueError, match="x must be 2-D, got 1-D"):
        ld.radius_neighbors(x[:, 0], radius=1)
    with pytest.raises(TypeError, match="x must hold real numbers"):
        ld.knn(x.astype(complex), k=1)
    with pytest.raises(ValueError, match="y must have 24 columns like x, got 20"):
        ld.knn(x, x[:, :20], k=1)
    with pytest.raises(ValueError, match=r"from 1 to 299 \(the other rows of x\), got 300"):
        ld.knn(x, k=300)
    with pytest.raises(ValueError, match="include_self must be False when y is given"):
        ld.knn(x, x, k=1, include_self=True)
    with pytest.raises(ValueError, match="metric must be one of"):
        ld.knn(x, k=1, metric="none such")
    with pytest.raises(ValueError, match="radius must be at least 0"):
        ld.radius_neighbors(x, radius=-1)
    with pytest.raises(ValueError, match="index must hold the 300 rows to choose from, got 299"):
        ld.knn(x, k=1, index=la.Index(rows[1:]))
    with pytest.raises(ValueError, match="index must be of the metric correlation, got cosine"):
        ld.knn(x, k=1, index=la.Index(rows, "cosine"))
    with pytest.raises(ValueError, match="index must be None where y is an Index"):
        ld.knn(x, la.Index(rows), k=1, index=True)
    with pytest.raises(TypeError, match="index must be an Index, the path of one, or True"):
        ld.knn(x, k=1, index=3)
    with pytest.raises(TypeError, match=r"lookalike.dask has\s+knn"):
        la.knn(x, k=1)


def test_a_file_of_other_rows_is_refused(rows, tmp_path):
    la.Index(rows[1:]).save(tmp_path / "a.index")
    found = ld.knn(blocks(rows), k=1, index=tmp_path / "a.index")
    with pytest.raises(ValueError, match="index must hold the 300 rows to choose from, got 299"):
        dask.compute(*found, scheduler="synchronous")


@pytest.mark.parametrize("far", [(163, 4), (299, 5), (100, 1)])
def test_a_far_row_that_cannot_be_compared_is_named(rows, far):
    row, block = far
    X = rows.copy()
    X[row, 7] = np.nan
    says = f"block {block}: row {row} has a value that is not finite"
    for index in (None, True, la.Index(rows)):
        for found in (
            ld.knn(blocks(X), k=2, index=index),
            ld.knn(blocks(X), k=1, include_self="first"),  # of which nothing need be computed
            ld.radius_neighbors(blocks(X), radius=0.1, index=index),
        ):
            with pytest.raises(ValueError, match=f"x {says}"):
                dask.compute(*found, scheduler="synchronous")
    for index in (None, True):
        for found in (
            ld.knn(blocks(rows), blocks(X), k=2, index=index),
            ld.radius_neighbors(blocks(rows), blocks(X), radius=0.1, index=index),
        ):
            with pytest.raises(ValueError, match=f"y {says}"):
                dask.compute(*found, scheduler="synchronous")


def test_no_task_takes_threads_of_another(monkeypatch):
    assert threads_of_task() is None
    found = []
    thread = threading.Thread(target=lambda: found.append(threads_of_task()))
    thread.start()
    thread.join()
    assert found == [1]
    worker = type("Worker", (), {"state": type("State", (), {"nthreads": 4})})
    monkeypatch.setattr(distributed, "get_worker", lambda: worker)
    for declared, threads in [("1", 1), ("8", 2), ("9,2", 2), ("", 1), ("many", 1)]:
        monkeypatch.setenv("OMP_NUM_THREADS", declared)
        assert threads_of_task() == threads


def test_the_page_runs(run_python, tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "scale.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    run_python(f"import os; os.chdir({str(tmp_path)!r})\n" + "\n".join(blocks))


CLUSTER = """
import os, sys, time, warnings
import dask, dask.array as da, numpy as np
import lookalike as la, lookalike.dask as ld
from dask.distributed import Client, LocalCluster, wait

def busy(block):
    time.sleep(0.05)
    return block

def main():
    X = np.load("rows.npy")
    options = {"dashboard_address": None, "n_workers": 2, "threads_per_worker": 1}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        threads = client.run(lambda: os.environ["OMP_NUM_THREADS"])
        assert set(threads.values()) == {"1"}, threads
        x = da.from_array(X, chunks=(60, -1)).map_blocks(busy, dtype=X.dtype)
        la.Index(X).save("a.index")
        expected = la.knn(X, k=15)
        for index in (None, True, os.path.abspath("a.index")):
            found = client.compute(ld.knn(x, k=15, index=index))
            while not any(client.processing().values()):
                time.sleep(0.01)
            if index is not True:
                victim = next(iter(client.run(os.getpid).values()))
                os.kill(victim, 9)
            for future, right in zip(found, expected):
                assert np.array_equal(future.result(), right), index
            client.wait_for_workers(2)
        near = client.compute(ld.radius_neighbors(x, radius=0.05))
        for future, right in zip(near, la.radius_neighbors(X, radius=0.05)):
            assert np.array_equal(future.result(), right)
    print("all the same")

if __name__ == "__main__":
    main()
"""


def test_it_is_imported_when_it_is_asked_for(run_python):
    script = "import sys, lookalike as la; print('dask' in sys.modules, la.dask.knn.__module__)"
    assert run_python(script).split() == ["False", "lookalike.dask.nearest"]


def test_a_gallery(rows, tmp_path):
    path = tmp_path / "a.gallery"
    with la.Gallery.import_features(path, rows) as gallery:
        array = gallery.to_dask(rows=70)
        assert array.chunks == ((70, 70, 70, 70, 20), (24,))
        assert_same(ld.knn(array, k=5), la.knn(rows, k=5), scheduler="threads")
        with pytest.raises(ValueError, match="rows must be at least 1, got 0"):
            gallery.to_dask(0)
        gallery.remove([gallery.paths[3], gallery.paths[200]])
        left = np.delete(rows, [3, 200], axis=0)
        assert_same([gallery.to_dask(rows=70)], [left], scheduler="threads")
        with pytest.raises(FileNotFoundError, match=r"features-.*\.f32"):
            array.compute(scheduler="synchronous")


@pytest.mark.long
def test_on_a_cluster_that_loses_workers(rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    environment = os.environ | {"DASK_LOGGING__DISTRIBUTED": "critical"}
    environment.pop("OMP_NUM_THREADS", None)
    ended = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "all the same" in ended.stdout
