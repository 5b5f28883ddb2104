"""Galleries of format 1: read as they are, converted as a whole or not at all."""

import os
import shutil
import signal
import sqlite3
import warnings

import numpy as np
import pytest

import lookalike as la
from format_1 import OF_TODAY, TodaysEmbedder, write_format_1
from lookalike import GalleryError
from lookalike.gallery.intake import survey
from lookalike.gallery.storage import writer as writer_module
from lookalike.gallery.storage.converting_file import Converting
from lookalike.gallery.storage.writer import Writer
from lookalike.pictures import DECODING
from tiny_embedder import SPACE, TinyEmbedder, features_of, write_image

IMAGES = 12


@pytest.fixture
def photos(tmp_path):
    for i in range(IMAGES):
        write_image(tmp_path / "photos" / f"{i:02}.png", i)
    return tmp_path / "photos"


@pytest.fixture
def folder(tmp_path, photos):
    return write_format_1(tmp_path / "old.gallery", photos, {"03.png": "three"})


@pytest.fixture
def embedder():
    return TodaysEmbedder()


def assert_old(folder):
    """Readers see the whole of it, in the space that it was made in."""
    with la.Gallery.open(folder, mode="r") as reader:
        assert reader.space == SPACE
        assert len(reader) == IMAGES
        for path, row in zip(reader.paths, reader.features, strict=True):
            np.testing.assert_array_equal(row, expected[path], err_msg=path)


expected = {}


@pytest.fixture(autouse=True)
def remember(photos):
    expected.update({str(path): features_of(path) for path in photos.iterdir()})


def assert_converted(gallery):
    assert gallery.space == OF_TODAY
    assert not gallery.is_of_earlier_decoding
    for path, row in zip(gallery.paths, gallery.features, strict=True):
        np.testing.assert_array_equal(row, 2 * features_of(path), err_msg=path)
    assert set(gallery._view.contents()) == {bytes.fromhex(each) for each in gallery.hashes}
    assert all(gallery._view.content_column("phash"))
    assert gallery.check().ok
    assert "converting.sqlite" not in os.listdir(gallery.path)


def test_it_is_read_as_it_is(folder, photos, embedder, tmp_path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = write_image(tmp_path / "other.png", 99)
    with la.Gallery.open(folder, mode="r") as reader:
        assert reader.info()["format"] == 1
        assert reader.is_of_earlier_decoding
        assert reader.search(row=2, k=1).paths == [str(photos / "02.png")]
        for model in (None, embedder):
            found = reader.search(photos / "05.png", k=1, embedder=model)
            assert found.paths == [str(photos / "05.png")]
        assert reader.facts(0) is None
        assert reader.thumbnail(0).startswith(b"RIFF")  # of the file
        with pytest.raises(GalleryError, match=r"once `lookalike index` has converted it"):
            reader.search(other, embedder=embedder)
        with pytest.raises(GalleryError, match=r"mode='r'"):
            reader.update(embedder=embedder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert la.check_gallery(folder).ok


@pytest.mark.parametrize("by", ["add", "update"])
def test_it_is_converted_while_readers_see_it_as_it_was(folder, photos, embedder, by, monkeypatch):
    monkeypatch.setattr(writer_module, "MAX_UNCOMMITTED", 2)
    seen = []

    def progress(done, total):
        seen.append((done, total))
        assert_old(folder)

    with la.Gallery.open(folder) as gallery:
        arguments = [photos] if by == "add" else []
        report = getattr(gallery, by)(*arguments, embedder=embedder, progress=progress)
        assert (report.unchanged, report.added, report.updated) == (IMAGES, 0, 0)
        assert report.notes == [
            "photos are decoded otherwise than by the version that made the gallery: 12 images "
            "have been embedded anew"
        ]
        assert seen == [(done, IMAGES) for done in range(1, IMAGES + 1)]
        assert_converted(gallery)
        assert gallery.labels[gallery.paths.index(str(photos / "03.png"))] == "three"
        assert gallery.info()["format"] == 2
        again = gallery.update(embedder=embedder)
        assert (again.unchanged, again.notes) == (IMAGES, [])
    assert embedder.embedded == IMAGES


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer is killed in a child")
def test_killed_at_any_image_it_is_as_it_was_and_goes_on_from_there(
    folder, tmp_path, embedder, monkeypatch
):
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads about
    monkeypatch.setattr(writer_module, "MAX_UNCOMMITTED", 2)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Killed(TodaysEmbedder):
        def embed_iter(self, images):
            for done, result in super().embed_iter(images):
                if done == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield done, result

    for last in (0, 3, 1, 2):  # noqa: B007 - the child reads it
        if (child := os.fork()) == 0:
            try:
                la.Gallery.open(folder).update(embedder=Killed(log=log))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert_old(folder)
        assert la.check_gallery(folder).ok
    before = os.stat(tmp_path / "log").st_size
    with la.Gallery.open(folder) as gallery:
        gallery.update(embedder=embedder)
        assert_converted(gallery)
    assert before == 1 + 4 + 2 + 3
    assert embedder.embedded == IMAGES - 2 - 2  # whole pairs were committed


def test_what_ctrl_c_leaves_is_kept(folder, embedder):
    class Interrupted(TodaysEmbedder):
        def embed_iter(self, images):
            for done, result in super().embed_iter(images):
                yield done, result
                if done == 6:
                    raise KeyboardInterrupt

    with la.Gallery.open(folder) as gallery:
        with pytest.raises(KeyboardInterrupt):
            gallery.update(embedder=Interrupted())
        assert_old(folder)
        gallery.update(embedder=embedder)
        assert_converted(gallery)
    assert embedder.embedded == IMAGES - 7


def test_files_that_have_changed_moved_or_gone_meanwhile(folder, photos, embedder, tmp_path):
    write_image(photos / "03.png", 103)
    (photos / "04.png").unlink()
    (photos / "05.png").rename(photos / "five.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (photos / "06.png").rename(elsewhere / "six.png")
    os.utime(photos / "07.png", ns=(1, 1))
    shutil.copy(photos / "08.png", photos / "copy of 08.png")
    write_image(photos / "new.png", 200)
    with la.Gallery.open(folder) as gallery:
        report = gallery.add([photos, elsewhere], embedder=embedder)
        assert (report.added, report.moved, report.removed) == (2, 2, 1)
        assert_converted(gallery)
        names = dict(zip(map(os.path.basename, gallery.paths), gallery.labels, strict=True))
        assert sorted(names) == sorted(
            [f"{i:02}.png" for i in range(IMAGES) if i not in (4, 5, 6)]
            + ["five.png", "six.png", "copy of 08.png", "new.png"]
        )
        assert names["03.png"] == "three"
    assert embedder.embedded == IMAGES - 1 + 1


def test_a_file_that_can_no_longer_be_decoded_is_a_failure(folder, photos):
    class Fails(TodaysEmbedder):
        def embed_iter(self, images):
            for position, result in super().embed_iter(images):
                failed = self.embedded == 3
                yield position, la.ImageError("x", "too odd") if failed else result

    with la.Gallery.open(folder) as gallery:
        report = gallery.update(embedder=Fails())
        assert report.failed == [(str(photos / "02.png"), "too odd")]
        assert_converted(gallery)
        assert len(gallery) == IMAGES - 1


def test_what_the_earlier_decoding_failed_at_is_tried_again(folder, photos, embedder):
    late = write_image(photos / "late.png", 50)
    status = late.stat()
    decoders = survey.decoders().removesuffix(f", decoding {DECODING}")  # as 0.1.0 named them
    record = (b"late.png", status.st_size, status.st_mtime_ns, decoders, "chunk too large")
    with sqlite3.connect(folder / "catalogue.sqlite") as catalogue:
        catalogue.execute("INSERT INTO failures VALUES (1, ?, ?, ?, ?, ?)", record)
    catalogue.close()
    with la.Gallery.open(folder) as gallery:
        assert gallery.failed == [(str(late), "chunk too large")]
        report = gallery.update(embedder=embedder)
        assert (report.added, report.failed, gallery.failed) == (1, [], [])
        expected[str(late)] = features_of(late)
        assert_converted(gallery)


def test_while_a_folder_is_missing_nothing_is_converted(folder, photos, embedder):
    away = photos.with_name("away")
    photos.rename(away)
    photos.mkdir()  # where a disk is not mounted
    with la.Gallery.open(folder) as gallery:
        with pytest.raises(GalleryError, match=r"all its files can be read, and 12 cannot"):
            gallery.update(embedder=embedder)
        photos.rmdir()
        away.rename(photos)
        assert_old(folder)
        (photos / "00.png").chmod(0)
        gallery.update(embedder=embedder)
        assert_converted(gallery)


@pytest.fixture
def disk(folder, photos, tmp_path):
    """Another folder of the gallery, on a disk that is not there, and what was on it."""
    disk = tmp_path / "disk"
    with sqlite3.connect(folder / "catalogue.sqlite") as database:
        database.execute("INSERT INTO roots VALUES (2, ?, 1, 0)", (os.fsencode(disk),))
        database.execute("UPDATE images SET root = 2 WHERE row >= 9")
    database.close()
    (tmp_path / "disk that is away").mkdir()
    for i in range(9, IMAGES):
        (photos / f"{i:02}.png").rename(tmp_path / f"disk that is away/{i:02}.png")
    disk.mkdir()
    return disk


def test_with_a_disk_away_no_photo_is_embedded(folder, embedder, disk):
    with la.Gallery.open(folder) as gallery:
        with pytest.raises(GalleryError, match=r"and 3 cannot, such as .*/disk/09\.png"):
            gallery.update(embedder=embedder)
        assert embedder.embedded == 0
        disk.rmdir()
        (disk.parent / "disk that is away").rename(disk)
        gallery.update(embedder=embedder)
        assert (len(gallery), gallery.space) == (IMAGES, OF_TODAY)
    assert embedder.embedded == IMAGES


def test_what_is_away_is_converted_where_a_copy_is_here(folder, embedder, disk):
    with sqlite3.connect(folder / "catalogue.sqlite") as database:
        for i in range(9, IMAGES):
            database.execute(
                "UPDATE images SET hash = (SELECT hash FROM images WHERE row = ?) WHERE row = ?",
                (i - 9, i),
            )
    database.close()
    with la.Gallery.open(folder) as gallery:
        gallery.update(embedder=embedder)
        assert (len(gallery), gallery.space) == (IMAGES, OF_TODAY)
    assert embedder.embedded == IMAGES - 3


def test_rows_that_are_no_files_stand_in_the_way_until_they_are_forgotten(
    tmp_path, photos, embedder
):
    folder = write_format_1(tmp_path / "a", photos, names=["row 1", "row 2"])
    with la.Gallery.open(folder) as gallery:
        with pytest.raises(GalleryError, match=r"and 2 of its images are no files"):
            gallery.update(embedder=embedder)
        assert gallery.space == SPACE
        assert len(gallery) == IMAGES + 2
        gallery.forget(["row 1", "row 2"])
        gallery.update(embedder=embedder)
        assert_converted(gallery)


@pytest.mark.parametrize("space", [None, "of another model"])
def test_features_of_another_or_an_unknown_space_stay(tmp_path, photos, embedder, space):
    folder = write_format_1(tmp_path / "a", photos, space=space)
    with la.Gallery.open(folder) as gallery:
        if space is None:
            with pytest.raises(GalleryError, match=r"\(not known\)"):
                gallery.update(embedder=embedder)
        else:
            with pytest.raises(GalleryError, match="of another model"):
                gallery.update(embedder=embedder)
        assert gallery.space == space
    np.testing.assert_array_equal(
        la.Gallery.open(folder).features[3], features_of(photos / "03.png")
    )
    assert embedder.embedded == 0


def test_a_model_that_decodes_as_before_converts_nothing(folder):
    embedder = TinyEmbedder()
    with la.Gallery.open(folder) as gallery:
        assert gallery.update(embedder=embedder).notes == []
        assert not gallery.is_of_earlier_decoding
        assert all(gallery._view.content_column("phash"))  # looked at, without the model
    assert embedder.embedded == 0


def test_forgetting_reaches_what_waits(folder, photos):
    class Interrupted(TodaysEmbedder):
        def embed_iter(self, images):
            yield from super().embed_iter(images)
            raise KeyboardInterrupt

    path = photos / "03.png"
    waiting = (2 * features_of(path)).tobytes()
    with la.Gallery.open(folder) as gallery:
        with pytest.raises(KeyboardInterrupt):
            gallery.update(embedder=Interrupted())
        assert waiting in (folder / "converting.sqlite").read_bytes()
        gallery.forget(path)
        assert waiting not in (folder / "converting.sqlite").read_bytes()
        path.unlink()
        embedder = TodaysEmbedder()
        gallery.update(embedder=embedder)
        assert_converted(gallery)
        assert embedder.embedded == 0


def test_damage_to_what_waits_is_found(folder, embedder):
    writing = Writer(str(folder))
    digest = writing.catalogue.images()[4].hash
    writing.begin_conversion(OF_TODAY).put([(digest, np.ones(12, np.float32))])
    writing.close()
    with sqlite3.connect(folder / "converting.sqlite") as database:
        database.execute("UPDATE converted SET crc = crc + 1")
    database.close()
    with la.Gallery.open(folder) as gallery:
        with pytest.raises(GalleryError, match=r"was damaged; `lookalike index` does it again"):
            gallery.update(embedder=embedder)
        assert_old(folder)
        gallery.update(embedder=embedder)
        assert_converted(gallery)
    assert embedder.embedded == IMAGES


def test_what_waits_is_of_one_space(tmp_path):
    for space, kept in (("a", 0), ("a", 1), ("b", 0)):
        waiting = Converting(str(tmp_path), space)
        assert len(waiting.hashes()) == kept
        waiting.put([(b"h" * 32, np.arange(3, dtype=np.float32))])
        np.testing.assert_array_equal(waiting.get(b"h" * 32), [0, 1, 2])
        waiting.close()


def test_what_a_conversion_killed_at_its_end_has_left_is_deleted(folder, embedder):
    with la.Gallery.open(folder) as gallery:
        gallery.update(embedder=embedder)
    Converting(str(folder), OF_TODAY).close()
    with la.Gallery.open(folder, mode="r+") as gallery:
        assert_converted(gallery)


def test_features_that_are_no_photos_have_no_decoding(tmp_path, photos):
    """An array's names stay what they are, and more of them are taken."""
    empty = tmp_path / "none"
    empty.mkdir()
    folder = write_format_1(tmp_path / "a", empty, names=["row 1", "row 2"])
    with la.Gallery.open(folder) as gallery:
        assert not gallery.is_of_earlier_decoding
        gallery.add(np.ones((1, 12)), paths=["row 3"])
        assert gallery.paths == ["row 1", "row 2", "row 3"]
        assert gallery.space == SPACE
