"""Indexes beside a gallery's features: when there are any, and that searches do not change."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lookalike as la
from gallery_rows import filled, names
from indexed_gallery import (
    DIM,
    LEAST,
    N,
    assert_searches_exactly,
    held,
    index_files,
    opened_of,
    rows,
)
from lookalike.gallery.storage import search_indexes
from lookalike.gallery.storage.search_indexes import MOST_BEHIND
from matrices import googlenet_like
from reference import assert_neighbours, assert_same_bits


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small galleries have indexes."""
    monkeypatch.setattr(search_indexes, "LEAST_BYTES", LEAST)


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path / "gallery", rows()).close()
    return tmp_path / "gallery"


def test_a_large_gallery_has_one_for_searches_by_default(folder):
    assert index_files(folder) == ["features-0.correlation.index"]
    with la.Gallery.open(folder, mode="r") as gallery:
        assert held(gallery) == [("correlation", N)]
        assert (
            gallery.info()["indexes"][0]["bytes"]
            == (folder / "features-0.correlation.index").stat().st_size
        )
        assert_searches_exactly(gallery, by_index=True)
        assert_searches_exactly(gallery, "cosine", by_index=False)


def test_a_small_gallery_has_none(tmp_path):
    with filled(tmp_path / "a", rows(99)) as gallery:
        assert gallery.indexes == gallery.info()["indexes"] == []
        gallery.keep_indexes(["cosine"])
        assert index_files(tmp_path / "a") == []
        assert_searches_exactly(gallery, "cosine", by_index=False)
        gallery.add(rows(1, seed=1), paths=["one more"])  # and is what a person asked for
        assert index_files(tmp_path / "a") == ["features-0.cosine.index"]


def test_rows_are_not_kept_twice(tmp_path):
    wide = np.random.default_rng(0).random((200, 512), dtype=np.float32)
    with filled(tmp_path / "a", wide):
        path = tmp_path / "a" / "features-0.correlation.index"
        assert path.stat().st_size < wide.nbytes / 2
        with pytest.raises(la.IndexFileError, match="without its rows, which lie elsewhere"):
            la.Index.open(path)


@pytest.mark.parametrize("metric", [*la.METRICS, "hellinger", "hamming"])
def test_every_metric_that_takes_nothing_from_rows(folder, metric):
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes([metric])
        gallery.add(rows(7, seed=1), paths=names(7, N))
        assert held(gallery) == [(metric, N)]
        assert_searches_exactly(gallery, metric, by_index=True)


def test_metrics_are_asked_for_and_dropped(folder):
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes(["cosine", "l1", "cosine"])
        assert held(gallery) == [("cosine", N), ("manhattan", N)]
        assert index_files(folder) == ["features-0.cosine.index", "features-0.manhattan.index"]
        for wrong in ("mahalanobis", "seuclidean", "none"):
            with pytest.raises(ValueError, match=r"metrics? must be"):
                gallery.keep_indexes([wrong])
        gallery.forget("photo 7")  # decisions about contents go, this one stays
        assert held(gallery) == [("cosine", N - 1), ("manhattan", N - 1)]
        gallery.keep_indexes("l1")
        assert held(gallery) == [("manhattan", N - 1)]
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes([])
        gallery.add(rows(50, seed=2), paths=names(50, N))
        assert gallery.indexes == [] == index_files(folder)
        assert_searches_exactly(gallery, by_index=False)
    with la.Gallery.open(folder, mode="r") as reader, pytest.raises(la.GalleryError, match="read"):
        reader.keep_indexes(["cosine"])


def test_parameters_are_searched_without(folder):
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes(["minkowski", "euclidean"])
        assert opened_of(gallery, "minkowski") is not None
        for metric in (
            la.Metric("minkowski", p=3),
            la.Metric("euclidean", w=np.arange(1.0, DIM + 1)),
            la.Metric("seuclidean").fitted(gallery.features),
        ):
            assert gallery._view._indexes._find(metric) is None
            assert_searches_exactly(gallery, metric)


def test_few_new_images_are_searched_beside_it_and_many_renew_it(folder):
    few = N // MOST_BEHIND
    with la.Gallery.open(folder) as gallery:
        before = (folder / "features-0.correlation.index").stat()
        gallery.add(rows(few, seed=1), paths=names(few, N))
        assert held(gallery) == [("correlation", N)]
        after = (folder / "features-0.correlation.index").stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert_searches_exactly(gallery, by_index=True)
        gallery.add(rows(1, seed=2), paths=["one more"])
        assert held(gallery) == [("correlation", N + few + 1)]
        assert_searches_exactly(gallery, by_index=True)


def test_what_is_forgotten_is_not_in_it(folder):
    with la.Gallery.open(folder) as gallery:
        gallery.forget(names(40))
        assert index_files(folder) == ["features-1.correlation.index"]
        assert held(gallery) == [("correlation", N - 40)]
        assert_searches_exactly(gallery, by_index=True)
        gallery.forget(names(170, 40))
        assert index_files(folder) == []
        assert_searches_exactly(gallery, by_index=False)


def test_a_changed_image_is_found_as_it_is_now(folder):
    with la.Gallery.open(folder) as gallery:
        changed = rows(1, seed=5)
        gallery.add(changed, paths=["photo 4"])
        assert_searches_exactly(gallery, by_index=True)
        assert gallery.search(changed[0], k=1).paths == ["photo 4"]


def test_a_reader_keeps_its_state(folder):
    with la.Gallery.open(folder, mode="r") as reader, la.Gallery.open(folder) as writer:
        assert_searches_exactly(reader, by_index=True)
        writer.add(rows(200, seed=1), paths=names(200, N))
        assert len(reader) == N
        assert_searches_exactly(reader, by_index=True)
        with la.Gallery.open(folder, mode="r") as late:
            assert_searches_exactly(late, by_index=True)
        writer.forget("photo 9")
        assert_searches_exactly(reader, by_index=True)
        reader.refresh()
        assert_searches_exactly(reader, by_index=True)


def test_a_reader_of_fewer_rows_than_the_index_has(folder):
    with la.Gallery.open(folder, mode="r") as reader, la.Gallery.open(folder) as writer:
        writer.add(rows(200, seed=1), paths=names(200, N))
        assert_searches_exactly(reader, by_index=False)


@settings(max_examples=10)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 60)),
            st.tuples(st.just("again"), st.integers(1, 5)),
            st.tuples(st.just("forget"), st.integers(1, 40)),
            st.tuples(st.just("keep"), st.sampled_from(["correlation", "chebyshev", ""])),
        ),
        min_size=1,
        max_size=5,
    ),
    seed=st.integers(0, 2**16),
)
def test_any_adding_and_forgetting_between_searches(tmp_path_factory, steps, seed):
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("any") / "gallery"
    with filled(folder, rows(120)) as gallery:
        gallery.keep_indexes(["correlation", "manhattan"])
        for step, (what, how) in enumerate(steps):
            if what == "add":
                gallery.add(rows(how, seed=step), paths=[f"{step} {i}" for i in range(how)])
            elif what == "again":
                some = rng.choice(gallery.paths, how, replace=False).tolist()
                gallery.add(googlenet_like(how, DIM, seed=step), paths=some)
            elif what == "forget":
                gallery.forget(rng.choice(gallery.paths, how, replace=False).tolist())
            else:
                gallery.keep_indexes([how] if how else [])
            Q = googlenet_like(2, DIM, seed=step + 50)
            for metric in ("correlation", "manhattan", "chebyshev"):
                expected = la.knn(Q, gallery.features, k=9, metric=metric)
                assert_neighbours(gallery.knn(Q, k=9, metric=metric), expected)
                for each in gallery.indexes:
                    assert each.rows >= len(gallery) * MOST_BEHIND // (MOST_BEHIND + 1)


def test_a_row_behind_it_that_cannot_be_compared_is_named(folder):
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes(["hellinger"])
        gallery.add(-rows(30)[:3], paths=names(3, N))
    with la.Gallery.open(folder, mode="r") as gallery, pytest.raises(ValueError, match=f"row {N} "):
        gallery.knn(rows()[:2], k=2, metric="hellinger")


def test_no_queries_are_an_error_with_an_index_too(folder):
    with la.Gallery.open(folder, mode="r") as gallery, pytest.raises(TypeError):
        gallery.knn(None, k=2)


def test_threads_search_at_once(folder):
    with la.Gallery.open(folder, mode="r") as gallery, ThreadPoolExecutor(4) as threads:
        X = gallery.features
        found = threads.map(lambda row: gallery.knn(X[row : row + 1], k=5), range(16))
        expected = la.knn(X[:16], X, k=5, metric="correlation")
        assert_same_bits(np.concatenate([each.distances for each in found]), expected.distances)


def test_readers_go_on_while_a_writer_renews(folder):
    code = (
        "import sys, numpy as np, lookalike as la\n"
        "from lookalike.gallery.storage import search_indexes\n"
        "search_indexes.LEAST_BYTES = 0\n"
        "gallery = la.Gallery.open(sys.argv[1], mode='r')\n"
        "print('ready', flush=True)\n"
        "while sys.stdin.readline():\n"
        "    gallery.refresh()\n"
        "    X = gallery.features\n"
        "    near, known = gallery.knn(X[:2], k=9), la.knn(X[:2], X, k=9, metric='correlation')\n"
        "    print(np.array_equal(near.indices, known.indices)\n"
        "          and near.distances.tobytes() == known.distances.tobytes(), flush=True)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout.readline() == "ready\n"
        with la.Gallery.open(folder) as writer:
            for step in range(4):
                it.stdin.write("search\n" * 3)
                it.stdin.flush()
                writer.add(rows(30, seed=step + 1), paths=names(30, N + 30 * step))
                writer.forget(f"photo {step}")
        it.stdin.close()
        assert it.stdout.read() == "True\n" * 12


def test_a_pickled_reader_searches_alike(folder):
    with la.Gallery.open(folder, mode="r") as gallery:
        again = pickle.loads(pickle.dumps(gallery))
        assert_searches_exactly(again, by_index=True)


def test_no_interpreter_loads_an_index_for_a_small_gallery(tmp_path, monkeypatch):
    monkeypatch.setattr(search_indexes, "said_of_rows", None)  # would fail if it was called
    with filled(tmp_path / "a", rows(99)) as gallery:
        gallery.search(row=0, k=3)
