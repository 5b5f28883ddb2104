"""Hash, thumbnail and facts of every picture: made with its features, made again, and forgotten."""

import csv
import hashlib
import io
import os
import sqlite3

import numpy as np
import pytest
from PIL import Image

import lookalike as la
from lookalike.gallery.intake import lacking, looks
from lookalike.gallery.storage.records import DecisionRecord
from lookalike.pictures.perceptual_hash import perceptual_hash
from tiny_embedder import TinyEmbedder, features_of, write_image

NOW = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def photos(tmp_path):
    for i in range(5):
        write_image(tmp_path / "photos" / f"{i}.png", i)
    large = Image.radial_gradient("L").resize((600, 300)).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 1"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:03 04:05:06"
    large.save(tmp_path / "photos" / "large.jpg", exif=exif)
    return tmp_path / "photos"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gallery"


@pytest.fixture
def gallery(folder, photos):
    with la.Gallery.create(folder, dim=12) as gallery:
        gallery.add(photos, embedder=TinyEmbedder())
        yield gallery


def row_of(gallery, path):
    return gallery.paths.index(str(path))


def size_of(thumbnail):
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert image.format == "WEBP"
        return image.size


def assert_complete(gallery):
    view = gallery._view
    assert set(view.contents()) == set(view.column("hash")) - {None}
    kept = view.thumbnails(view.contents())
    assert set(kept) == set(view.contents())


def test_each_picture_is_known_by_more_than_its_features(gallery, photos):
    row = row_of(gallery, photos / "large.jpg")
    facts = gallery.facts(row)
    assert facts.hash.hex() == gallery.hashes[row]
    assert len(facts.phash) == 32
    assert facts[2:] == (600, 300, "JPEG", "2020-02-03 04:05:06", "Maker Model 1")
    assert size_of(gallery.thumbnail(row)) == (256, 128)
    row = row_of(gallery, photos / "3.png")
    with Image.open(photos / "3.png") as image:
        assert gallery.facts(row).phash == perceptual_hash(image.convert("RGB"))
    assert gallery.facts(row)[2:] == (6, 6, "PNG", None, None)
    assert gallery.facts(-1) == gallery.facts(len(gallery) - 1)
    with pytest.raises(IndexError):
        gallery.thumbnail(len(gallery))
    assert_complete(gallery)
    assert gallery.info()["contents"] == 6


def test_columns_for_all_images_at_once(gallery):
    view = gallery._view
    hashes, known = view.perceptual_hashes
    assert known.all()
    assert hashes.shape == (6, 32)
    for row in range(6):
        assert hashes[row].tobytes() == gallery.facts(row).phash
        assert view.content_column("width")[row] == gallery.facts(row).width


def test_a_picture_is_decoded_once(folder, photos, monkeypatch):
    def decoded_again(content):
        raise AssertionError

    monkeypatch.setattr(looks, "look_at", decoded_again)
    with la.Gallery.create(folder, dim=12) as gallery:
        gallery.add(photos, embedder=TinyEmbedder())
        assert_complete(gallery)


def test_a_model_that_decodes_by_itself(folder, photos):
    class Itself(TinyEmbedder):
        def embed_iter(self, images):
            return super().embed_iter(bytes(image) for image in images)

    with la.Gallery.create(folder, dim=12) as gallery:
        gallery.add(photos, embedder=Itself())
        assert_complete(gallery)
        assert gallery.facts(0).width == 6


@pytest.fixture
def of_array(folder, photos):
    """Features that came as an array, of files that are there."""
    files = sorted(photos.iterdir())
    (photos / "none.txt").write_text("no picture")
    rows = np.stack([*map(features_of, files), np.ones(12, np.float32)])
    names = [path.name for path in files] + ["none.txt"]
    with la.Gallery.create(folder, dim=12, space="tiny") as gallery:
        gallery.add(rows, paths=names, root=photos)
        yield gallery


def test_what_came_as_an_array_is_looked_at_by_the_next_update(of_array, photos):
    embedder = TinyEmbedder()
    last = len(of_array) - 1
    assert of_array.facts(0) is None
    assert size_of(of_array.thumbnail(0)) == (6, 6)
    assert of_array.thumbnail(last) is None
    seen = []
    of_array.update(embedder=embedder, progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 7) for done in range(1, 8)]
    assert embedder.embedded == 0
    assert of_array.facts(0).width == 6
    assert of_array.facts(last)[1:] == (None,) * 6
    assert of_array.thumbnail(last) is None
    hashes, known = of_array._view.perceptual_hashes
    assert known.tolist() == [True] * 6 + [False]
    assert not hashes[last].any()
    of_array.update(embedder=embedder, progress=lambda *counts: seen.append(counts))
    assert len(seen) == 7  # once


def test_looking_again_goes_on_where_it_was_interrupted(of_array, monkeypatch):
    monkeypatch.setattr("lookalike.gallery.storage.writer.MAX_UNCOMMITTED", 1)

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_array.update(progress=interrupt)
    of_array.refresh()
    assert len(of_array._view.contents()) == 3
    seen = []
    of_array.update(progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 4) for done in range(1, 5)]


def test_a_file_that_has_changed_is_not_taken_for_what_it_was(gallery, photos):
    row = row_of(gallery, photos / "2.png")
    digest = gallery.facts(row).hash
    write_image(photos / "2.png", 102)
    assert size_of(gallery.thumbnail(row)) == (6, 6)  # the one that was kept
    (gallery._writer.thumbnails).drop([digest])
    assert gallery.thumbnail(row) is None
    gallery.update(embedder=TinyEmbedder())
    row = row_of(gallery, photos / "2.png")
    assert gallery.facts(row).hash == hashlib.sha256((photos / "2.png").read_bytes()).digest()
    assert digest not in gallery._view.contents()
    assert_complete(gallery)


@pytest.mark.parametrize("damage", ["missing", "no database", "half", "rotten"])
def test_damaged_thumbnails_stop_nothing_and_are_made_again(gallery, folder, photos, damage):
    gallery.close()
    path = folder / "thumbnails.sqlite"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "no database":
        path.write_bytes(b"no database" * 1000)
    elif damage == "half":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:4096] + b"\xaa" * (len(content) - 4096))
    with la.Gallery.open(folder, mode="r") as reader:
        row = row_of(reader, photos / "large.jpg")
        assert reader.search(row=row, k=1).paths == [str(photos / "large.jpg")]
        assert size_of(reader.thumbnail(row)) == (256, 128)
        report = reader.check()
    assert report.ok == (damage == "missing")
    assert all("`lookalike index` makes it again" in str(each) for each in report.damage)
    if damage == "rotten":
        assert la.check_gallery(folder, repair=True).ok
        assert not path.exists()
    embedder = TinyEmbedder()
    with la.Gallery.open(folder) as writing:
        report = writing.update(embedder=embedder)
        assert report.unchanged == 6
        assert_complete(writing)
        assert writing.check().ok
        assert writing.info()["generation"] == 0  # no features were touched
    assert embedder.embedded == 0


def decide(gallery, *decisions):
    catalogue = gallery._writing().catalogue
    with catalogue.transaction():
        for decision in decisions:
            catalogue.note_decision(decision)
    gallery.refresh()


@pytest.mark.parametrize("how", ["forget", "delete", "change"])
def test_what_is_gone_is_forgotten_with_all_that_was_known_of_it(gallery, folder, photos, how):
    path = photos / "large.jpg"
    row = row_of(gallery, path)
    digest, other, third = (bytes.fromhex(gallery.hashes[i]) for i in (row, 0, 1))
    thumbnail = gallery.thumbnail(row)
    trash = DecisionRecord(None, NOW, 1, "trash", "done", b"t" * 32, digest, b"/gone.jpg", "{}")
    decide(
        gallery,
        DecisionRecord(None, NOW, None, "different", "done", digest, other),
        DecisionRecord(None, NOW, None, "different", "done", other, digest),
        DecisionRecord(None, NOW, None, "kept", "done", digest),
        DecisionRecord(None, NOW, None, "different", "done", other, third),
        DecisionRecord(None, NOW, None, "different", "done", other, b"t" * 32),
        trash,
        trash._replace(state="undone"),
    )
    files = [folder / name for name in ("catalogue.sqlite", "thumbnails.sqlite")]
    assert any(digest in file.read_bytes() for file in files)
    assert thumbnail[12:300] in files[1].read_bytes()
    if how == "forget":
        gallery.forget(path)
    elif how == "delete":
        path.unlink()
        gallery.update(embedder=TinyEmbedder())
    else:
        write_image(photos / "large.jpg", 77)
        gallery.update(embedder=TinyEmbedder())
    assert not any(digest in file.read_bytes() for file in files)
    assert thumbnail[12:300] not in files[1].read_bytes()
    assert b"Maker" not in files[0].read_bytes()
    assert [each.id for each in gallery._view.decisions()] == [4, 5, 6]
    assert gallery._view.decisions("trash") == [trash._replace(id=6, other=None)]
    assert_complete(gallery)


def test_what_another_file_still_has_stays(gallery, photos):
    copy = photos / "copy.png"
    copy.write_bytes((photos / "1.png").read_bytes())
    gallery.update(embedder=TinyEmbedder())
    decide(gallery, DecisionRecord(None, NOW, None, "kept", "done", gallery.facts(1).hash))
    gallery.forget(photos / "1.png")
    assert len(gallery._view.decisions()) == 1
    assert gallery.facts(row_of(gallery, copy)).width == 6
    assert_complete(gallery)


def test_a_path_in_the_journal_alone_can_be_forgotten(gallery, tmp_path):
    lay = os.fsencode(tmp_path / "elsewhere" / "a.jpg")
    decide(gallery, DecisionRecord(None, NOW, 1, "trash", "done", b"t" * 32, None, lay))
    assert gallery.forget(tmp_path / "elsewhere").images == 0
    assert gallery._view.decisions() == []
    with pytest.raises(la.GalleryError, match="is not in"):
        gallery.forget(tmp_path / "elsewhere")


def test_a_repair_keeps_what_was_decided(gallery, folder):
    digest = gallery.facts(0).hash
    decide(gallery, DecisionRecord(None, NOW, None, "kept", "done", digest))
    with gallery._writer.catalogue.transaction():
        gallery._writer.catalogue.set_patterns([("exclude", "*.tmp")])
    contents = gallery._view.contents()
    gallery.close()
    path = folder / "catalogue.sqlite"
    with sqlite3.connect(path) as database:
        ((page,),) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'failures'")
    database.close()
    with open(path, "r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xaa" * 4096)
    report = la.check_gallery(folder, repair=True)
    assert report.ok
    assert "images saved" in report.damage[0].reason
    with la.Gallery.open(folder, mode="r") as saved:
        assert len(saved) == 6
        assert saved._view.contents() == contents
        assert [each.hash for each in saved._view.decisions("kept")] == [digest]
        assert saved._view.patterns() == [("exclude", "*.tmp")]
        assert not saved.is_of_earlier_decoding


def test_a_repair_drops_thumbnails_of_no_image(gallery, folder):
    gallery._writer.thumbnails.put([(b"x" * 32, b"webp")])
    assert gallery.check(repair=True).ok
    assert gallery._view.thumbnails([b"x" * 32]) == {}
    assert_complete(gallery)


def test_thumbnails_are_committed_before_the_catalogue_tells(folder, photos, monkeypatch):
    """Where the catalogue cannot be written, there are thumbnails too many, never too few."""
    with la.Gallery.create(folder, dim=12) as gallery:
        writer = gallery._writing()

        def fail(contents):
            raise la.GalleryError("full")

        monkeypatch.setattr(writer.catalogue, "put_contents", fail)
        with pytest.raises(la.GalleryError, match="full"):
            gallery.add(photos, embedder=TinyEmbedder())
        assert len(writer.thumbnails.hashes()) == 6
        assert len(gallery) == 0
        monkeypatch.undo()
        gallery.add(photos, embedder=TinyEmbedder())
        assert_complete(gallery)


def test_lacking_asks_for_nothing_where_nothing_is_missing(gallery):
    assert lacking.lacking(gallery._writing()) == set()


def test_compact_makes_the_files_small(gallery, folder):
    digest = b"x" * 32
    gallery._writer.thumbnails.put([(digest, bytes(300_000))])
    before = (folder / "thumbnails.sqlite").stat().st_size
    assert not gallery.compact()
    assert (folder / "thumbnails.sqlite").stat().st_size < before - 250_000
    assert_complete(gallery)


def test_the_table_that_is_exported_has_the_facts(gallery, tmp_path, photos):
    gallery.export(tmp_path / "out")
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
        table = {row["path"]: row for row in csv.DictReader(file)}
    large = table[str(photos / "large.jpg")]
    assert list(large)[:6] == ["row", "path", "label", "size", "mtime_ns", "sha256"]
    assert list(large.values())[6:] == [
        "600",
        "300",
        "JPEG",
        "2020-02-03 04:05:06",
        "Maker Model 1",
    ]
    assert table[str(photos / "0.png")]["taken"] == ""
