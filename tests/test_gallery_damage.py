"""Files damaged on purpose: named, never a crash, and repaired as far as there is anything left."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike as la
from lookalike import GalleryError
from processes import HANGS
from tiny_embedder import WIDTH, TinyEmbedder, assert_matches_disk, write_image

IMAGES = 30
ROW = WIDTH * 4


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    for i in range(IMAGES):
        write_image(folder / "photos" / f"{i:02}.png", i)
    with la.Gallery.create(folder / "gallery", dim=WIDTH) as gallery:
        gallery.add(folder / "photos", embedder=TinyEmbedder())
    return folder


@pytest.fixture
def photos(original):
    return original / "photos"


@pytest.fixture
def target(original, tmp_path):
    return Path(shutil.copytree(original / "gallery", tmp_path / "gallery"))


@pytest.fixture
def features(target):
    return target / "features-0.f32"


@pytest.fixture
def cat(target):
    return target / "catalogue.sqlite"


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)


def refused(target, match):
    """Readers and writers say what is wrong, and change nothing."""
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    for mode in ("r", "r+", None):
        with pytest.raises(GalleryError, match=match):
            la.Gallery.open(target, mode=mode)
    after = {path.name: path.read_bytes() for path in target.iterdir()}
    assert {**after, "writer.lock": b""} == {**before, "writer.lock": b""}


def repaired(target, photos, kept):
    """A repair keeps what is intact, an update brings back the rest."""
    found = la.check_gallery(target)
    assert not found.ok
    report = la.check_gallery(target, repair=True)
    assert report.ok
    assert all(problem.repaired for problem in report.damage)
    assert [problem.reason for problem in report.damage] != []
    assert report.images == kept
    assert la.check_gallery(target).damage == []
    embedder = TinyEmbedder()
    with la.Gallery.open(target) as gallery:
        assert len(gallery) == kept
        assert_matches_disk(gallery)
        assert gallery.update(embedder=embedder).added == IMAGES - kept
        assert len(gallery) == IMAGES
        assert_matches_disk(gallery)
    assert embedder.embedded == IMAGES - kept
    return report


def test_intact(target):
    report = la.check_gallery(target)
    assert (report.ok, report.images, report.damage, report.outdated) == (True, IMAGES, [], [])


def test_truncated_features(target, photos, features):
    os.truncate(features, 20 * ROW + 5)
    refused(target, r"features-0\.f32 is damaged: it has 965 bytes, 30 rows of 12 .* need 1,440")
    report = repaired(target, photos, 20)
    assert "the features of 10 of 30 images are lost" in report.damage[0].reason


def test_missing_features(target, photos, features):
    features.unlink()
    refused(target, r"is damaged: .*features-0\.f32")
    report = repaired(target, photos, 0)
    assert "missing, with the features of 30 images" in report.damage[0].reason


def test_flipped_bytes_in_features(target, photos, features):
    for row in (0, 7, 29):
        flip(features, row * ROW + 11)
    with la.Gallery.open(target) as gallery:
        damage = gallery.check().damage
        names = [gallery.paths[row] for row in (0, 7, 29)]
    assert [problem.path for problem in damage] == names
    assert all("are not those that were written" in problem.reason for problem in damage)
    repaired(target, photos, 27)


def test_a_search_names_the_gallery_whose_features_are_not_finite(target, features):
    with features.open("r+b") as file:
        file.seek(7 * ROW)
        file.write(np.float32(np.nan).tobytes())
    with la.Gallery.open(target) as gallery:
        with pytest.raises(GalleryError, match="is damaged, its features hold a value that is not"):
            gallery.search(np.ones(WIDTH), k=1)
        with pytest.raises(ValueError, match="a vector must be finite, got nan"):
            gallery.search(np.full(WIDTH, np.nan), k=1)


def test_an_open_gallery_repairs_itself(target, features):
    flip(features, 3)
    with la.Gallery.open(target, mode="r+") as gallery:
        assert gallery.check(repair=True).ok
        assert len(gallery) == IMAGES - 1
        assert gallery.update(embedder=TinyEmbedder()).added == 1


def test_features_longer_than_committed_are_no_damage(target, features):
    with open(features, "ab") as file:
        file.write(b"\xff" * (ROW + 7))
    (target / "features-1.f32").write_bytes(b"never committed")
    assert la.check_gallery(target).ok
    with la.Gallery.open(target) as gallery:
        assert gallery.features.shape == (IMAGES, WIDTH)
        gallery.add(np.ones((1, WIDTH)), paths=["extra"])
        np.testing.assert_array_equal(gallery.features[-1], np.ones(WIDTH))
        assert gallery.check().ok
    assert not (target / "features-1.f32").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"garbage " * 1000, "it is damaged .*not a database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "it is damaged"),
        (b"", r"it is damaged \(it is empty\)"),
    ],
)
def test_a_catalogue_of_garbage(target, cat, content, match):
    cat.write_bytes(content)
    refused(target, match)
    for repair in (False, True):
        report = la.check_gallery(target, repair=repair)
        assert not report.ok
        assert report.damage[0].path == str(cat)
    assert "add the images to a new gallery" in report.damage[0].reason
    assert cat.read_bytes() == content


def test_a_catalogue_whose_schema_is_no_text(target, cat):
    # SQLite quotes it in its message.
    cat.write_bytes(cat.read_bytes().replace(b"CREATE TABLE roots", b"CREATE\x82TABLE roots"))
    refused(target, "it is damaged")
    for repair in (False, True):
        assert not la.check_gallery(target, repair=repair).ok


def test_a_catalogue_without_its_first_row(target, cat):
    with sqlite3.connect(cat) as connection:
        connection.execute("DELETE FROM gallery")
    connection.close()
    refused(target, "it does not say what the gallery holds")
    assert not la.check_gallery(target, repair=True).ok


def test_a_catalogue_that_names_rows_which_were_never_committed(target, photos, cat):
    with sqlite3.connect(cat) as connection:
        connection.execute("UPDATE gallery SET rows = 28")
    connection.close()
    with pytest.raises(GalleryError, match="is damaged: it names row 29 of 28"):
        la.Gallery.open(target)
    repaired(target, photos, 28)


def test_a_missing_catalogue(target, cat):
    cat.unlink()
    with pytest.raises(GalleryError, match="is not a gallery: it has no catalogue"):
        la.Gallery.open(target)
    for repair in (False, True):
        report = la.check_gallery(target, repair=repair)
        assert not report.ok
        assert "missing" in report.damage[0].reason
    with pytest.raises(GalleryError, match="no such folder"):
        la.check_gallery(target / "nowhere")


def test_some_other_database(target, cat):
    cat.unlink()
    with sqlite3.connect(cat) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    refused(target, "is not a catalogue of lookalike but some other database")
    with pytest.raises(GalleryError, match="some other database"):
        la.check_gallery(target, repair=True)


@pytest.fixture
def large(tmp_path):
    """A catalogue of many pages, and the number of each page's table or index."""
    target = tmp_path / "large"
    rows = np.arange(4000 * 3, dtype=np.float32).reshape(-1, 3)
    with la.Gallery.create(target, dim=3, space="s") as gallery:
        gallery.add(rows, paths=[f"{'x' * 40} {i}" for i in range(4000)], labels=[1] * 4000)
    return target


@pytest.mark.parametrize("page", range(8, 96, 8))
def test_a_page_of_the_catalogue_overwritten(large, page):
    path = large / "catalogue.sqlite"
    with open(path, "r+b") as file:
        file.seek(page * 4096)
        file.write(os.urandom(4096))
    assert not la.check_gallery(large).ok
    report = la.check_gallery(large, repair=True)
    assert report.ok
    assert report.images >= 3800  # one page of the table, or one of an index: then all
    assert la.check_gallery(large).damage == []
    assert (large / "catalogue.sqlite.damaged-1").exists()
    with la.Gallery.open(large, mode="r") as gallery:
        assert len(gallery) == report.images
        for name, row in zip(gallery.paths, gallery.features, strict=True):
            assert row[0] == 3 * int(name.split()[1])
        assert gallery.space == "s"
        assert set(gallery.labels) == {1}


def test_photos_that_are_gone_or_changed_are_no_damage(target, original, tmp_path):
    photos = Path(shutil.copytree(original / "photos", tmp_path / "photos"))
    with la.Gallery.open(target) as gallery:
        gallery.relocate(original / "photos", photos)
        (photos / "03.png").unlink()
        write_image(photos / "04.png", 99)
        report = gallery.check()
    assert report.ok
    assert {(Path(p.path).name, p.reason) for p in report.outdated} == {
        ("03.png", "is gone"),
        ("04.png", "has changed since it was added"),
    }


def test_repair_waits_for_no_writer(target):
    with la.Gallery.open(target, mode="r+"):
        with pytest.raises(GalleryError, match="one writer at a time"):
            la.check_gallery(target, repair=True)
        assert la.check_gallery(target).ok


@pytest.fixture
def in_a_namespace():
    """Run a script that may mount what it likes; it sees the test modules."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("no mount namespaces here: neither a full nor a read-only disk can be made")

    def run(script, *arguments):
        done = subprocess.run(
            [*unshare, sys.executable, "-c", script, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            timeout=HANGS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_read_only_disk(target, original, in_a_namespace):
    script = """
import subprocess, sys, pytest, lookalike as la
target, photo = sys.argv[1:]
subprocess.run(["mount", "--bind", target, target], check=True)
subprocess.run(["mount", "-o", "remount,ro,bind", target], check=True)
gallery = la.Gallery.open(target)
assert len(gallery.paths) == 30
assert gallery.search(row=3, k=1).indices == [3]
assert gallery.check().ok
for change in (lambda: gallery.add([[1.0] * 12]), lambda: gallery.remove(gallery.paths[0]),
               lambda: la.Gallery.open(target, mode="r+"), gallery.compact, gallery.update,
               lambda: la.check_gallery(target, repair=True)):
    with pytest.raises(la.GalleryError, match="cannot write .*: Read-only file system"):
        change()
with pytest.raises(la.GalleryError, match="cannot create .*: Read-only file system"):
    la.Gallery.create(target + "/inside")
"""
    in_a_namespace(script, target, original / "photos" / "00.png")


def test_a_full_disk(original, tmp_path, in_a_namespace):
    script = """
import os, shutil, subprocess, sys
from pathlib import Path
import lookalike as la
from tiny_embedder import WIDTH, TinyEmbedder, assert_matches_disk
photos, disk = map(Path, sys.argv[1:])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k", "none", disk], check=True)
failed = 0
for free in range(0, 400, 16):
    ballast = disk / "ballast"
    target = disk / "gallery"
    facts = os.statvfs(disk)
    ballast.write_bytes(bytes(facts.f_bavail * facts.f_bsize - free * 1024))
    gallery = None
    kept = 0
    try:
        gallery = la.Gallery.create(target, dim=WIDTH)
        gallery.add(photos, embedder=TinyEmbedder())
        gallery.remove(gallery.paths[::2])
    except la.GalleryError as error:
        assert any(word in str(error) for word in ("No space left", "full")), error
        failed += 1
    if gallery is not None:
        assert gallery.check().ok
        kept = len(gallery)
        gallery.close()
    ballast.unlink()
    created = gallery is not None
    with la.Gallery.open(target) if created else la.Gallery.create(target, dim=WIDTH) as gallery:
        assert len(gallery) == kept
        gallery.add(photos, embedder=TinyEmbedder())
        assert len(gallery) == 30
        assert_matches_disk(gallery)
        assert gallery.check().ok
    shutil.rmtree(target)
print(failed)
"""
    disk = tmp_path / "disk"
    disk.mkdir()
    assert 5 <= int(in_a_namespace(script, original / "photos", disk)) < 25


def test_a_limit_on_the_size_of_files(target, run_python):
    script = """
import resource, sys, numpy as np, lookalike as la
gallery = la.Gallery.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
rows = np.ones((2000, 12))
try:
    gallery.add(rows)
except la.GalleryError as error:
    print(error)
assert len(gallery) == 30 and gallery.check().ok
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert gallery.add(rows).added == 2000
assert len(gallery) == 2030 and gallery.check().ok
"""
    said = run_python(script, str(target))
    assert "cannot write" in said
    assert "File too large; what was committed before is intact" in said
