"""Folders of photos: what is new, changed, moved or gone is found, and nothing embedded twice."""

import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL
import pytest
from PIL import Image

import lookalike as la
from lookalike import GalleryError
from lookalike.gallery.intake import survey
from lookalike.gallery.intake.folders import find_images
from tiny_embedder import (
    WIDTH,
    TinyEmbedder,
    assert_matches_disk,
    features_of,
    write_image,
)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for i in range(12):
        write_image(folder / "abc"[i % 3] / f"{i}.png", i)
    return folder


@pytest.fixture
def embedder():
    return TinyEmbedder()


@pytest.fixture
def gallery(tmp_path):
    with la.Gallery.create(tmp_path / "gallery", dim=WIDTH) as made:
        yield made


def counts(report):
    return (report.added, report.updated, report.moved, report.removed, report.unchanged)


def test_a_folder_and_again(gallery, photos, embedder):
    report = gallery.add(photos, embedder=embedder)
    assert counts(report) == (12, 0, 0, 0, 0)
    assert gallery.space == "tiny"
    assert gallery.roots == [str(photos)]
    assert gallery.root == str(photos)
    assert gallery.paths == [
        str(photos / f)
        for f in sorted(os.listdir(photos))
        for f in sorted(f"{f}/{name}" for name in os.listdir(photos / f))
    ]
    assert_matches_disk(gallery)
    assert counts(gallery.add(str(photos))) == (0, 0, 0, 0, 12)  # needs no model
    assert counts(gallery.update()) == (0, 0, 0, 0, 12)
    assert embedder.embedded == 12


def test_what_has_happened_is_found(gallery, photos, embedder):
    gallery.add(photos, embedder=embedder)
    write_image(photos / "a" / "new.jpg", 100)
    write_image(photos / "a" / "0.png", 101)  # changed
    os.rename(photos / "a" / "3.png", photos / "b" / "moved.png")
    os.unlink(photos / "c" / "2.png")
    os.utime(photos / "c" / "5.png")  # touched
    shutil.copy(photos / "b" / "1.png", photos / "b" / "copy.png")
    shutil.copy(photos / "b" / "4.png", photos / "b" / "7.png")  # changed, to known content
    embedder.embedded = 0
    report = gallery.update(embedder=embedder)
    assert counts(report) == (2, 2, 1, 1, 8)
    assert embedder.embedded == 2  # the new one and 0.png
    assert_matches_disk(gallery)
    assert gallery.info()["dead_rows"] == 0
    assert counts(gallery.update()) == (0, 0, 0, 0, 13)
    assert gallery.check().ok
    assert gallery.check().outdated == []


def test_files_swapped(gallery, photos, embedder):
    gallery.add(photos, embedder=embedder)
    first, second, aside = photos / "a" / "0.png", photos / "b" / "1.png", photos / "x"
    os.rename(first, aside)
    os.rename(second, first)
    os.rename(aside, second)
    for path in (first, second):
        os.utime(path, ns=(1, hash(str(path)) % 10**9))
    embedder.embedded = 0
    assert counts(gallery.update(embedder=embedder)) == (0, 2, 0, 0, 10)
    assert embedder.embedded == 0
    assert_matches_disk(gallery)


def test_a_copy_takes_the_place_of_what_is_gone_once(gallery, photos, embedder):
    shutil.copy(photos / "a" / "0.png", photos / "a" / "twin.png")
    gallery.add(photos, embedder=embedder)
    for name in ("0.png", "twin.png"):
        os.rename(photos / "a" / name, photos / "c" / f"new {name}")
    shutil.copy(photos / "c" / "new 0.png", photos / "c" / "third.png")
    report = gallery.update()
    assert counts(report) == (1, 0, 2, 0, 11)
    assert embedder.embedded == 12
    assert_matches_disk(gallery)


@pytest.mark.parametrize("ahead", [1, 7, 100])
def test_alike_files_are_embedded_once(gallery, photos, ahead):
    embedder = TinyEmbedder(ahead=ahead)  # so that their like is with the model, or done
    for i in range(5):
        shutil.copy(photos / "a" / "0.png", photos / f"copy {i}.png")
    report = gallery.add(photos, embedder=embedder)
    assert counts(report) == (17, 0, 0, 0, 0)
    assert embedder.embedded == 12
    assert_matches_disk(gallery)


def test_alike_files_fail_together(gallery, photos):
    for i in range(5):
        (photos / f"broken {i}.png").write_bytes(b"broken")
    report = gallery.add(photos, embedder=TinyEmbedder(ahead=100))
    assert counts(report) == (12, 0, 0, 0, 0)
    assert report.failed == gallery.failed
    assert [reason for _, reason in gallery.failed] == ["not an image in a known format"] * 5


def test_failures_are_kept_and_tried_again_only_when_something_changes(
    gallery, photos, embedder, monkeypatch
):
    broken = photos / "a" / "broken.jpg"
    broken.write_bytes(b"not an image")
    (photos / "empty.png").touch()
    expected = [
        (str(photos / "empty.png"), "empty file"),
        (str(broken), "not an image in a known format"),
    ]
    assert sorted(gallery.add(photos, embedder=embedder).failed) == sorted(expected)
    assert sorted(gallery.failed) == sorted(expected)
    assert len(gallery) == 12
    embedded = embedder.embedded
    assert sorted(gallery.add(photos, embedder=embedder).failed) == sorted(expected)
    assert embedder.embedded == embedded
    for changed in ((PIL, "__version__", "99"), (survey, "DECODING", "99")):
        monkeypatch.setattr(*changed)
        assert len(gallery.add(photos, embedder=embedder).failed) == 2
        embedded += 2
        assert embedder.embedded == embedded
        monkeypatch.undo()
        gallery.add(photos, embedder=embedder)  # by the old names again
        embedded += 2
    os.unlink(photos / "empty.png")
    write_image(broken, 200)
    report = gallery.update(embedder=embedder)
    assert (report.added, report.failed, gallery.failed) == (1, [], [])
    assert_matches_disk(gallery)


def test_a_failure_is_listed_once_whichever_folder_finds_it(gallery, photos, embedder):
    broken = photos / "a" / "broken.png"
    for content in (b"one", b"another"):
        broken.write_bytes(content)
        for folder in (photos / "a", photos):
            gallery.add(folder, embedder=embedder)
            assert [path for path, _ in gallery.failed] == [str(broken)]
    write_image(broken, 300)
    gallery.add(photos, embedder=embedder)
    assert gallery.failed == []


def test_a_file_that_breaks_loses_its_features(gallery, photos, embedder):
    gallery.add(photos, embedder=embedder)
    (photos / "a" / "0.png").write_bytes(b"broken now")
    report = gallery.update(embedder=embedder)
    assert counts(report) == (0, 0, 0, 0, 11)
    assert [path for path, _ in report.failed] == [str(photos / "a" / "0.png")]
    assert len(gallery) == 11
    assert_matches_disk(gallery)


def test_a_file_that_cannot_be_read_for_now_keeps_them(gallery, photos, embedder):
    path = photos / "a" / "0.png"
    gallery.add(photos, embedder=embedder)
    path.unlink()
    path.symlink_to(path)  # in the way of the root user too
    report = gallery.update(embedder=embedder)
    assert [name for name, _ in report.failed] == [str(path)]
    assert len(gallery) == 12
    path.unlink()
    write_image(path, 0)
    assert counts(gallery.update()) == (0, 0, 0, 0, 12)
    assert gallery.failed == []


@pytest.mark.parametrize("emptied", [True, False])
def test_a_disk_that_is_not_mounted_loses_nothing(gallery, photos, embedder, emptied):
    gallery.add(photos, embedder=embedder)
    os.rename(photos, photos.with_name("away"))
    if emptied:
        photos.mkdir()
    report = gallery.update()
    assert report.failed == [
        (
            str(photos),
            "missing or empty; its 12 images are kept: `lookalike relocate` if it has moved, "
            "`lookalike forget` if it is gone for good",
        )
    ]
    assert len(gallery) == 12
    assert gallery.remove(photos) == 12
    assert gallery.roots == []
    assert gallery.update().failed == []


def test_files_and_several_sources(gallery, photos, embedder, tmp_path):
    odd = write_image(tmp_path / "elsewhere" / "odd.png", 60).rename(tmp_path / "elsewhere" / "odd")
    write_image(tmp_path / "elsewhere" / "not asked for.png", 61)
    report = gallery.add([photos / "a", str(odd), photos / "b"], embedder=embedder)
    assert counts(report) == (9, 0, 0, 0, 0)
    assert_matches_disk(gallery)
    assert gallery.root == str(tmp_path)
    write_image(odd.with_suffix(".png"), 62).rename(odd)
    assert counts(gallery.update(embedder=embedder)) == (0, 1, 0, 0, 8)
    odd.unlink()
    assert counts(gallery.update()) == (0, 0, 0, 1, 8)
    with pytest.raises(GalleryError, match=r"no such file or folder: .*nowhere"):
        gallery.add(tmp_path / "nowhere")
    with pytest.raises(TypeError, match="got a mixture"):
        gallery.add([photos, 7])
    with pytest.raises(TypeError, match="paths goes with an array"):
        gallery.add(photos, paths=["a"])


def test_nested_folders_hold_each_image_once(gallery, photos, embedder):
    gallery.add(photos / "a", embedder=embedder)
    assert counts(gallery.add(photos, embedder=embedder)) == (8, 0, 0, 0, 4)
    assert counts(gallery.add(photos / "b")) == (0, 0, 0, 0, 4)
    write_image(photos / "b" / "new.png", 70)
    assert counts(gallery.update(embedder=embedder)) == (1, 0, 0, 0, 12)
    assert_matches_disk(gallery)


def test_known_extensions_no_hidden_files_no_loops(tmp_path):
    for name in ("a.JPEG", "b.txt", ".c.png", ".d/e.png", "f/g.TIFF", "f/h", "k.heic"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "f" / "loop").symlink_to(tmp_path)
    (tmp_path / "f" / "dangling.png").symlink_to("nowhere")
    (tmp_path / "f" / "self.png").symlink_to("self.png")
    (tmp_path / "link.png").symlink_to("a.JPEG")
    unreadable = []
    found = [file.path for file in find_images(os.fsencode(tmp_path), unreadable)]
    assert found == [
        b"a.JPEG",
        b"k.heic",
        b"link.png",
        b"f/dangling.png",
        b"f/g.TIFF",
        b"f/self.png",
    ]
    assert unreadable == []
    assert list(find_images(os.fsencode(tmp_path / "none"), unreadable)) == []
    assert unreadable == [(b"", "No such file or directory")]


def test_names_of_any_bytes(gallery, photos, embedder):
    for name in (b"caf\xe9 \xff.png", b"two\nlines.png", "日本 \"<&>'.png".encode()):
        path = os.path.join(os.fsencode(photos), name)
        shutil.copy(write_image(photos / "tmp.png", name[0]), path)
    (photos / "tmp.png").unlink()
    gallery.add(photos, labels="folder", embedder=embedder)
    assert len(gallery) == 15
    assert_matches_disk(gallery)
    assert counts(gallery.update()) == (0, 0, 0, 0, 15)
    odd = os.fsdecode(os.path.join(os.fsencode(photos), b"caf\xe9 \xff.png"))
    assert gallery.search(odd, k=1, metric="l1", embedder=embedder).paths == [odd]
    assert gallery.remove(odd) == 1


def test_search_by_image(gallery, photos, embedder):
    gallery.add(photos, labels="folder", embedder=embedder)
    path = photos / "b" / "4.png"
    shutil.copy(path, photos / "b" / "twin.png")
    gallery.update()
    content = path.read_bytes()
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
        for query in (path, str(path), content, io.BytesIO(content), image, pixels):
            hits = gallery.search(query, k=3, metric="l1")
            assert set(hits.paths[:2]) == {str(path), str(photos / "b" / "twin.png")}
            assert hits.distances[1] == 0 < hits.distances[2]
            assert hits.labels[0] == "b"
    for query in (path, content):
        hits = gallery.search(query, k=20, metric="l1", exclude_self=True)
        assert len(hits.paths) == 11
        assert hits.distances[0] > 0
    mixed = gallery.search([path, features_of(photos / "a" / "0.png"), content], k=1)
    assert mixed[1].paths == [str(photos / "a" / "0.png")]
    with pytest.raises(la.ImageError, match=r"nowhere\.png: No such file"):
        gallery.search(["nowhere.png", path])
    with pytest.raises(la.ImageError, match="<bytes>: not an image"):
        gallery.search(b"hello")


def test_another_model_is_refused_naming_both(gallery, photos, embedder, tmp_path, monkeypatch):
    gallery.add(photos, embedder=embedder)
    other = TinyEmbedder(space="other")
    with pytest.raises(GalleryError, match=r"features of the space tiny, the model .* gives other"):
        gallery.add(photos, embedder=other)
    with pytest.raises(GalleryError, match=r"the space tiny, the model .* of other"):
        gallery.search(photos / "a" / "0.png", embedder=other)
    unknown = write_image(tmp_path / "unknown.png", 99)
    monkeypatch.setattr("lookalike.gallery.reader.default_model", lambda network: other)
    with la.Gallery.open(gallery.path, mode="r") as reader:
        assert reader.search(row=0, k=1).paths == gallery.paths[:1]  # needs no model
        with pytest.raises(GalleryError, match=r"the space tiny, the model .* of other"):
            reader.search(unknown)
        assert reader.search(photos / "a" / "0.png", k=1).distances == [0]  # nor does this
    with la.Gallery.create(tmp_path / "rows", dim=WIDTH) as rows:
        rows.add(gallery.features)
        with pytest.raises(GalleryError, match="does not say which model its features are from"):
            rows.search(photos / "a" / "0.png")
        assert rows.search(photos / "a" / "0.png", k=1, embedder=embedder).indices == [0]
    with (
        la.Gallery.create(tmp_path / "wide", dim=WIDTH + 1) as wide,
        pytest.raises(GalleryError, match=r"holds rows of 13 features, the model .* gives 12"),
    ):
        wide.add(photos, embedder=embedder)


def test_rows_of_files_that_exist_are_followed(gallery, photos, embedder):
    names = ["a/0.png", "a/3.png", "b/gone.png"]
    rows = np.stack([features_of(photos / name) for name in names[:2]] + [np.ones(WIDTH)])
    gallery.add(rows, paths=names, root=photos, space="tiny")
    assert gallery.paths == [str(photos / name) for name in names]
    assert [size is None for size in gallery.sizes] == [False, False, True]
    assert counts(gallery.update()) == (0, 0, 0, 0, 2)
    os.rename(photos / "a" / "0.png", photos / "a" / "other.png")
    assert counts(gallery.add(photos, embedder=embedder)) == (10, 0, 1, 0, 1)
    assert embedder.embedded == 10
    assert gallery.search(photos / "a" / "3.png", k=1, exclude_self=True).distances[0] > 0


def test_relocate(gallery, photos, embedder, tmp_path):
    gallery.add(photos, labels="folder", embedder=embedder)
    os.rename(photos, tmp_path / "new place")
    assert gallery.relocate(photos, tmp_path / "new place") == 12
    assert_matches_disk(gallery)
    os.rename(tmp_path / "new place" / "b", tmp_path / "b")  # a part
    assert gallery.relocate(tmp_path / "new place" / "b", tmp_path / "b") == 4
    assert_matches_disk(gallery)
    assert gallery.roots == [str(tmp_path / "new place"), str(tmp_path / "b")]
    assert counts(gallery.update()) == (0, 0, 0, 0, 12)
    assert gallery.labels.count("b") == 4
    os.makedirs(tmp_path / "disk")
    for name in ("b", "new place"):
        os.rename(tmp_path / name, tmp_path / "disk" / name)
    assert gallery.relocate(tmp_path, tmp_path / "disk") == 12  # above the roots
    assert_matches_disk(gallery)
    with pytest.raises(GalleryError, match="nothing lies below /nowhere; the gallery's folders: /"):
        gallery.relocate("/nowhere", "/somewhere")
    with pytest.raises(GalleryError, match="is a folder of the gallery already"):
        gallery.relocate(tmp_path / "disk" / "b", tmp_path / "disk" / "new place")
    assert_matches_disk(gallery)


def test_progress_counts_what_is_read(gallery, photos, embedder):
    (photos / "broken.png").write_bytes(b"?")
    shutil.copy(photos / "a" / "0.png", photos / "twin.png")
    seen = []
    gallery.add(photos, embedder=embedder, progress=lambda *numbers: seen.append(numbers))
    assert [total for _, total in seen] == [14] * len(seen)
    assert seen[-1] == (14, 14)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    seen.clear()
    gallery.add(photos, progress=lambda *numbers: seen.append(numbers))
    assert seen == []


def test_searches_in_many_threads(gallery, photos, embedder):
    gallery.add(photos, embedder=embedder)
    reader = la.Gallery.open(gallery.path, mode="r")
    expected = {path: reader.search(path, k=3, embedder=embedder) for path in reader.paths}

    def search(path):
        return path, reader.search(path, k=3, exclude_self=False).paths

    with ThreadPoolExecutor(8) as pool:
        for path, found in pool.map(search, list(expected) * 10):
            assert found == expected[path].paths
    reader.close()
