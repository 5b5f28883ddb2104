"""One writer of a gallery and any number of readers; how it is made, opened and locked."""

import os
import subprocess
import sys

import numpy as np
import pytest

import lookalike as la
from gallery_rows import DIM, filled, names
from lookalike import GalleryError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "a.gallery"


@pytest.fixture
def rows(rng):
    return rng.gamma(0.5, size=(40, DIM)).astype(np.float32)


def test_a_reader_sees_the_state_that_it_opened(folder, rows):
    with filled(folder, rows[:20]) as writer, la.Gallery.open(folder, mode="r") as reader:
        late = la.Gallery.open(folder, mode="r")
        writer.add(rows[20:], paths=names(20, 20))
        writer.remove("photo 3")
        assert reader.paths == names(20)
        np.testing.assert_array_equal(reader.features, rows[:20])
        assert reader.search(rows[3], k=1).paths == ["photo 3"]
        np.testing.assert_array_equal(late.features, rows[:20])  # first looked at after the change
        late.close()
        reader.refresh()
        assert len(reader) == 39
        np.testing.assert_array_equal(reader.features, np.delete(rows, 3, axis=0))
        late.close()


def test_readers_while_a_writer_adds_and_changes_generations(folder):
    la.Gallery.create(folder, dim=DIM).close()
    script = f"""
import random, sys, numpy as np, lookalike as la
rng = random.Random(0)
with la.Gallery.open(sys.argv[1], mode="r+") as gallery:
    for _ in range(60):
        new = [rng.randrange(1000) for _ in range(20)]
        names = sorted(set(map(str, new)))
        gallery.add(np.repeat(np.array(names, int)[:, None], {DIM}, axis=1), paths=names)
        gallery.remove(rng.sample(gallery.paths, len(gallery) // 3))
"""
    seen = set()
    with subprocess.Popen([sys.executable, "-c", script, str(folder)]) as writer:
        while writer.poll() is None:
            with la.Gallery.open(folder, mode="r") as reader:
                seen.add(reader.info()["generation"])
                values = [float(name) for name in reader.paths]
                np.testing.assert_array_equal(reader.features[:, 0], values)
                assert reader.check().ok
    assert writer.returncode == 0
    assert len(seen) > 3


def test_one_writer(folder, rows, run_python):
    with filled(folder, rows) as writer:
        with pytest.raises(GalleryError, match="is being written by this process; one writer"):
            la.Gallery.open(folder, mode="r+")
        other = la.Gallery.open(folder)
        assert len(other) == 40
        with pytest.raises(GalleryError, match="one writer at a time"):
            other.add(rows)
        script = """
import sys, lookalike as la
try:
    la.Gallery.open(sys.argv[1], mode="a")
except la.GalleryError as error:
    print(error)
"""
        assert f"is being written by process {os.getpid()};" in run_python(script, str(folder))
        writer.close()
        assert other.add(rows[:1]).added == 1
        other.close()


def test_a_lock_ends_with_its_process_even_if_a_child_lives_on(folder, rows, run_python):
    filled(folder, rows).close()
    script = """
import os, sys, time, lookalike as la
gallery = la.Gallery.open(sys.argv[1], mode="r+")
if os.fork() == 0:
    os.close(1), os.close(2)
    time.sleep(20)
os._exit(0)
"""
    run_python(script, str(folder))
    la.Gallery.open(folder, mode="r+").close()


def test_a_forked_child_reads_and_does_not_write(folder, rows, run_python):
    filled(folder, rows).close()
    script = """
import os, sys, warnings, lookalike as la
warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads about
gallery = la.Gallery.open(sys.argv[1], mode="r+")
child = os.fork()
if child == 0:
    print(gallery.search(row=3, k=1).paths[0])
    try:
        gallery.add([[1.0] * gallery.dim])
    except la.GalleryError as error:
        print(f"by process {os.getppid()};" in str(error), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(gallery.add([[1.0] * gallery.dim]).added)
"""
    assert run_python(script, str(folder)).split("\n")[:3] == ["photo 3", "True", "1"]


def test_modes(folder, rows):
    with pytest.raises(GalleryError, match="is not a gallery: it has no catalogue"):
        la.Gallery.open(folder, mode="r+")
    assert not folder.exists()
    folder.parent.joinpath("else").mkdir()
    for mode in (None, "r", "r+"):
        with pytest.raises(GalleryError, match="is not a gallery"):
            la.Gallery.open(folder.parent / "else", mode=mode)
    assert not os.listdir(folder.parent / "else")
    with la.Gallery.open(folder, mode="a") as gallery:
        assert gallery.dim == 1024
    gallery = la.Gallery.open(folder, mode="r")
    with pytest.raises(GalleryError, match="was opened with mode='r', to read only"):
        gallery.add(rows)
    gallery.close()
    with pytest.raises(ValueError, match="mode must be None, 'r', 'r\\+' or 'a', got 'w'"):
        la.Gallery.open(folder, mode="w")
    with pytest.raises(GalleryError, match="has been closed"):
        gallery.search(row=0)
    assert "closed" in repr(gallery)
    with la.Gallery.open(folder) as gallery:
        assert repr(gallery).endswith("0 images, 1,024 features>")


def test_create_overwrites_nothing(folder, rows):
    filled(folder, rows).close()
    with pytest.raises(GalleryError, match="it holds a gallery already"):
        la.Gallery.create(folder)
    (folder.parent / "photos").mkdir()
    (folder.parent / "photos" / "a.jpg").touch()
    with pytest.raises(GalleryError, match=r"it holds 'a\.jpg' already"):
        la.Gallery.create(folder.parent / "photos")
    with pytest.raises(GalleryError, match=r"cannot create .*File exists"):
        la.Gallery.create(folder.parent / "photos" / "a.jpg")
    with pytest.raises(ValueError, match="dim must be at least 1, got 0"):
        la.Gallery.create(folder.parent / "b", dim=0)
    with la.Gallery.open(folder) as gallery:
        assert len(gallery) == 40


def test_a_creation_cut_short_can_be_done_again(folder, rows):
    folder.mkdir()
    for name in ("writer.lock", "features-0.f32", "catalogue.sqlite.new"):
        (folder / name).write_bytes(b"half")
    with pytest.raises(GalleryError, match="is not a gallery"):
        la.Gallery.open(folder)
    filled(folder, rows).close()
    with la.Gallery.open(folder) as gallery:
        np.testing.assert_array_equal(gallery.features, rows)
