"""Indexes beside a gallery's features that are damaged, half written, or of others."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import warnings

import pytest

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
from lookalike.distance.index_file import FORMAT
from lookalike.gallery.storage import search_indexes
from processes import HANGS


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small galleries have indexes."""
    monkeypatch.setattr(search_indexes, "LEAST_BYTES", LEAST)


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path / "gallery", rows()).close()
    return tmp_path / "gallery"


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


@pytest.mark.parametrize("number", [-1, 1])
def test_one_of_another_format_is_passed_over_and_made_anew(folder, number):
    """It is as good to the version that wrote it, so it is no damage and no word is said of it."""
    file = folder / "features-0.correlation.index"
    ours = file.read_bytes()
    first = b"lookalike index %d\n"
    theirs = ours.replace(first % FORMAT, first % (FORMAT + number), 1)
    assert theirs != ours
    file.write_bytes(theirs)
    with warnings.catch_warnings(), la.Gallery.open(folder, mode="r") as gallery:
        warnings.simplefilter("error")
        assert held(gallery) == [("correlation", 0)]
        assert_searches_exactly(gallery, by_index=False)
    assert la.check_gallery(folder).ok
    with pytest.raises(la.IndexFileError, match="another version of lookalike"):
        la.Index.open(file)
    assert file.read_bytes() == theirs  # readers leave it alone
    with la.Gallery.open(folder) as gallery:
        gallery.add(rows(1, seed=2), paths=["one more"])
        assert held(gallery) == [("correlation", N + 1)]
        assert_searches_exactly(gallery, by_index=True)


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
