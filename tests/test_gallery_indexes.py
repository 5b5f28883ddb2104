"""Indexes beside a gallery's features: whatever becomes of them, searches are those without."""

import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lookalike as la
from gallery_rows import filled, names
from lookalike.gallery.storage import search_indexes
from lookalike.gallery.storage.search_indexes import MOST_BEHIND
from matrices import googlenet_like
from processes import HANGS
from reference import assert_neighbours, assert_same_bits

DIM = 32
N = 300
LEAST = 100 * DIM * 4


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small galleries have indexes."""
    monkeypatch.setattr(search_indexes, "LEAST_BYTES", LEAST)


def rows(n=N, seed=0):
    X = googlenet_like(n, DIM, seed=seed)
    X[n // 2 : n // 2 + 9] = X[n // 3]  # ties
    return X


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path / "gallery", rows()).close()
    return tmp_path / "gallery"


def index_files(folder):
    return sorted(name for name in os.listdir(folder) if ".index" in name)


def held(gallery):
    return [(each.metric, each.rows) for each in gallery.indexes]


def opened_of(gallery, metric="correlation"):
    """The index that a search by a metric uses."""
    return gallery._view._indexes._find(la.Metric(metric))


def assert_searches_exactly(gallery, metric="correlation", by_index=None):
    """Hold searches against those of the features; tell whether an index answers them."""
    X = gallery.features
    for Q in (X[:3], X[-1:] * 1.01, googlenet_like(70, DIM, seed=9), np.float64(X[5:7]) + 0.1):
        k = min(12, len(X) - 1)
        exclude = np.arange(len(Q)) - 1
        for left_out in (None, exclude):
            found = gallery.knn(Q, k=k, metric=metric, exclude=left_out)
            assert_neighbours(found, la.knn(Q, X, k=k, metric=metric, exclude=left_out))
    hits = gallery.search(row=[0, len(X) - 1], k=len(X), metric=metric, exclude_self=True)
    for row, found in zip((0, len(X) - 1), hits, strict=True):
        near = la.knn(X[row][None], X, k=len(X) - 1, metric=metric, exclude=[row])
        assert_same_bits(found.distances, near.distances[0])
        assert_same_bits(found.indices, near.indices[0])
    if by_index is not None:
        assert (opened_of(gallery, metric) is not None) == by_index


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
        assert (folder / "features-0.correlation.index").stat() == before
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


def test_one_of_other_rows_is_never_used(folder, tmp_path):
    """A folder put together of parts of two galleries."""
    others = rows(seed=7)
    filled(tmp_path / "other", others).close()
    shutil.copy(tmp_path / "other" / "features-0.correlation.index", folder)
    with la.Gallery.open(folder) as gallery:
        assert held(gallery) == [("correlation", 0)]
        assert_searches_exactly(gallery, by_index=False)
        gallery.add(others[:1], paths=["one more"])  # a writer makes it anew
        assert held(gallery) == [("correlation", N + 1)]
        assert_searches_exactly(gallery, by_index=True)
    swapped = rows()[::-1]
    filled(tmp_path / "swapped", swapped).close()
    shutil.copy(folder / "features-0.correlation.index", tmp_path / "swapped")
    with la.Gallery.open(tmp_path / "swapped", mode="r") as gallery:
        assert_searches_exactly(gallery, by_index=False)


def test_one_for_another_metric_is_never_used(folder):
    os.rename(folder / "features-0.correlation.index", folder / "features-0.cosine.index")
    with la.Gallery.open(folder, mode="r") as gallery:
        assert_searches_exactly(gallery, "cosine", by_index=False)
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes(["cosine"])
        assert_searches_exactly(gallery, "cosine", by_index=True)


def test_one_of_a_cpu_with_other_codes_is_left_alone(folder, monkeypatch):
    cpu = la.cpu_info() | {"simd": "another", "extensions": []}
    with monkeypatch.context() as patch, la.Gallery.open(folder, mode="r") as gallery:
        patch.setattr(search_indexes, "cpu_info", lambda: cpu)
        assert_searches_exactly(gallery, by_index=False)


@pytest.mark.parametrize("where", ["header", "middle", "codes", "end", "cut", "empty", "other"])
def test_a_damaged_one_is_told_of_once_and_left_alone(folder, where):
    path = folder / "features-0.correlation.index"
    content = bytearray(path.read_bytes())
    if where in ("cut", "empty"):
        content = content[: len(content) // 2 if where == "cut" else 0]
    elif where == "other":
        content[:9] = b"something"
    else:
        at = {"header": 60, "middle": len(content) // 2, "end": len(content) - 100}
        codes = content.find(rows()[0].tobytes())
        assert codes == -1
        content[at.get(where, len(content) * 2 // 3)] ^= 0x10
    path.write_bytes(content)
    with la.Gallery.open(folder, mode="r") as gallery:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert_searches_exactly(gallery)
            assert_searches_exactly(gallery)
        assert len(caught) <= 1
        assert len(caught) == 1 or where in ("codes", "middle", "end")
        for warning in caught:
            assert "features-0.correlation.index" in str(warning.message)
            assert "without this index" in str(warning.message)
    report = la.check_gallery(folder)
    assert [problem.path for problem in report.damage] == [str(path)]
    assert "index" in report.damage[0].reason
    assert la.check_gallery(folder, repair=True).ok
    assert not path.exists()
    assert la.check_gallery(folder).damage == []
    with la.Gallery.open(folder) as gallery:
        gallery.add(rows(1, seed=3), paths=["one more"])
        assert_searches_exactly(gallery, by_index=True)


def test_damaged_features_are_told_of_as_such(folder):
    features = bytearray((folder / "features-0.f32").read_bytes())
    features[:DIM] = bytes(DIM)
    (folder / "features-0.f32").write_bytes(features)
    told = pytest.warns(UserWarning, match="lookalike check")
    with la.Gallery.open(folder, mode="r") as gallery, told:
        assert_searches_exactly(gallery)
    (problem,) = la.check_gallery(folder).damage
    assert problem.path.endswith("photo 0")


def test_media_that_cannot_be_written(folder):
    os.unlink(folder / "features-0.correlation.index")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    try:
        with la.Gallery.open(folder, mode="r") as gallery:
            assert held(gallery) == [("correlation", 0)]
            assert_searches_exactly(gallery, by_index=False)
    finally:
        folder.chmod(0o755)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_full_disk(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with la.Gallery.open(folder) as gallery:
        with monkeypatch.context() as patch:
            patch.setattr("lookalike.distance.index_file.write", full)
            report = gallery.add(rows(200, seed=1), paths=names(200, N))
            assert report.added == 200
            (note,) = report.notes
            assert "No space left on device" in note
            assert_searches_exactly(gallery, by_index=True)  # the one before still fits
            assert gallery.forget("photo 3").images == 1
            assert_searches_exactly(gallery, by_index=False)
            with pytest.raises(la.GalleryError, match="No space left"):
                gallery.keep_indexes(["cosine"])
        assert index_files(folder) == []
        gallery.update()
        assert held(gallery) == [("cosine", N + 199)]
        assert_searches_exactly(gallery, "cosine", by_index=True)


def test_ctrl_c_while_one_is_written_keeps_what_was_added(folder, monkeypatch):
    def interrupted(out, *_):
        out.write(b"some of it")
        raise KeyboardInterrupt

    with la.Gallery.open(folder) as gallery:
        with monkeypatch.context() as patch:
            patch.setattr("lookalike.distance.index_file.write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                gallery.add(rows(200, seed=1), paths=names(200, N))
        assert len(gallery) == N + 200
        assert index_files(folder) == ["features-0.correlation.index"]
        assert_searches_exactly(gallery, by_index=True)
        gallery.update()
        assert held(gallery) == [("correlation", N + 200)]


def test_ctrl_c_while_one_is_written_forgets_no_other_image_later(folder, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    with la.Gallery.open(folder) as gallery:
        first, second, third = (gallery.paths[row] for row in (0, 5, 6))
        with monkeypatch.context() as patched:
            patched.setattr(type(gallery), "_renew_indexes", interrupted)
            with pytest.raises(KeyboardInterrupt):
                gallery.forget(first)
        assert gallery.forget(second).images == 1  # its row has another number now
        assert first not in gallery.paths
        assert second not in gallery.paths
        assert third in gallery.paths
        assert_searches_exactly(gallery)


def test_one_with_rows_of_its_own_is_never_used(folder):
    with la.Gallery.open(folder, mode="r") as gallery:
        (name,) = index_files(folder)
        la.Index(gallery.features[:200], "correlation").save(folder / name)
    with la.Gallery.open(folder, mode="r") as gallery:
        assert opened_of(gallery) is None
        assert_searches_exactly(gallery)


def test_a_row_behind_it_that_cannot_be_compared_is_named(folder):
    with la.Gallery.open(folder) as gallery:
        gallery.keep_indexes(["hellinger"])
        gallery.add(-rows(30)[:3], paths=names(3, N))
    with la.Gallery.open(folder, mode="r") as gallery, pytest.raises(ValueError, match=f"row {N} "):
        gallery.knn(rows()[:2], k=2, metric="hellinger")


def test_no_queries_are_an_error_with_an_index_too(folder):
    with la.Gallery.open(folder, mode="r") as gallery, pytest.raises(TypeError):
        gallery.knn(None, k=2)


def test_none_is_made_of_damaged_features(folder):
    os.unlink(folder / "features-0.correlation.index")
    whole = (folder / "features-0.f32").read_bytes()
    (folder / "features-0.f32").write_bytes(whole[:-4] + bytes(4))
    with la.Gallery.open(folder) as gallery:
        (note,) = gallery.update().notes
        assert "row 299 is damaged, as `lookalike check` says" in note
        assert held(gallery) == [("correlation", 0)]
        (folder / "features-0.f32").write_bytes(whole)  # as somebody had it elsewhere
        gallery.update()
        assert_searches_exactly(gallery, by_index=True)


def test_files_that_are_none_of_ours_stay(folder):
    others = ["mine.index", "features-9.mine.index.old", "correlation.index", ".hidden.index.part"]
    for name in others:
        (folder / name).write_text("mine")
    with la.Gallery.open(folder) as gallery:
        gallery.forget("photo 2")
        gallery.keep_indexes([])
    assert sorted(others) == index_files(folder)


def test_threads_search_at_once(folder):
    with la.Gallery.open(folder, mode="r") as gallery, ThreadPoolExecutor(4) as threads:
        X = gallery.features
        found = threads.map(lambda row: gallery.knn(X[row : row + 1], k=5), range(16))
        expected = la.knn(X[:16], X, k=5, metric="correlation")
        assert_same_bits(np.concatenate([each.distances for each in found]), expected.distances)


KILLED = """
import os, signal, sys
import lookalike as la
from lookalike.distance import index_file
from lookalike.gallery.storage import search_indexes
search_indexes.LEAST_BYTES = 0
write = index_file.write
def killed(out, *given):
    write(out, *given)
    out.seek(0, 2)
    out.truncate(out.tell() // 2)
    out.flush()
    os.kill(os.getpid(), signal.SIGKILL)
index_file.write = killed
gallery = la.Gallery.open(sys.argv[1])
gallery.forget("photo 5")
"""


def test_a_writer_that_is_killed_while_it_writes_one(folder):
    done = subprocess.run([sys.executable, "-c", KILLED, folder], timeout=HANGS, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = index_files(folder)
    assert left.startswith(".features-1.correlation.index.")
    with la.Gallery.open(folder, mode="r") as gallery:
        assert len(gallery) == N - 1
        assert_searches_exactly(gallery, by_index=False)
    with la.Gallery.open(folder) as gallery:
        gallery.add(rows(1, seed=1), paths=["one more"])
        assert index_files(folder) == ["features-1.correlation.index"]
        assert_searches_exactly(gallery, by_index=True)


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
