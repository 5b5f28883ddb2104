"""``lookalike index``: what gets into a gallery, what is said of it, and what is refused."""

import os
import shutil

import pytest

from command_line import HOSTILE, draw
from lookalike import Gallery
from lookalike.printable import printable


@pytest.fixture
def photos(lookalike, tmp_path, monkeypatch):
    """Two pictures, in the current folder of this test alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "a").mkdir(parents=True)
    draw("round", 1).save(tmp_path / "photos" / "a" / "1.png")
    draw("round", 2).save(tmp_path / "photos" / "2.PNG")
    return tmp_path / "photos"


def test_a_folder_becomes_a_gallery_of_the_default_name(drawn):
    with Gallery.open(drawn / "lookalike.gallery") as gallery:
        assert len(gallery) == 9
        assert str(drawn / "photos" / HOSTILE) in gallery.paths
        of = dict(zip(gallery.paths, gallery.labels, strict=True))
    assert of[str(drawn / "photos" / "round" / "0.png")] == "round"
    assert of[str(drawn / "photos" / HOSTILE)] is None


def test_what_it_did_is_said_and_what_it_skipped(lookalike, photos):
    (photos / "bad \x1b[31m.jpg").write_text("no image")
    (photos / ".hidden.png").write_text("no image")
    (photos / "notes.txt").write_text("no image")
    first = lookalike("index", "photos")
    assert first.code == 0
    assert first.out.startswith("2 images in lookalike.gallery: 2 added (")
    assert first.out.count("\n") == 1
    assert first.err.splitlines()[:2] == [
        "1 file skipped:",
        r"  photos/bad \x1b[31m.jpg: not an image in a known format",
    ]
    assert "untrained" in first.err.splitlines()[2]
    assert "2 unchanged" in lookalike("index", "photos").out
    (photos / "a" / "1.png").rename(photos / "a" / "3.png")
    (photos / "2.PNG").unlink()
    draw("square", 5).save(photos / "4.png")
    again = lookalike("index")  # without a folder: those of before
    assert "2 images in lookalike.gallery: 1 added, 1 moved, 1 removed (" in again.out


def test_json_says_the_same(lookalike, photos):
    (photos / "bad.jpg").touch()
    done = lookalike("index", "photos", "-o", "my.gallery", "--json").json
    assert {key: done[key] for key in ("images", "added", "updated", "moved", "unchanged")} == {
        "images": 2,
        "added": 2,
        "updated": 0,
        "moved": 0,
        "unchanged": 0,
    }
    assert done["gallery"] == str(photos.parent / "my.gallery")
    assert done["failed"] == [{"path": str(photos / "bad.jpg"), "reason": "empty file"}]
    assert done["untrained"] is True


def test_labels_come_from_folders_or_a_table_or_not_at_all(lookalike, photos):
    table = photos.parent / "labels.csv"
    table.write_text("path,label\na/1.png,first\n2.PNG,second\n")
    for labels, expected in [
        ("folder", {"2.PNG": None, "1.png": "a"}),
        ("none", {"2.PNG": None, "1.png": None}),
        ("labels.csv", {"2.PNG": "second", "1.png": "first"}),
    ]:
        assert lookalike("index", "photos", "-o", labels + ".g", "--labels", labels).code == 0
        with Gallery.open(photos.parent / (labels + ".g")) as gallery:
            names = [path.rpartition("/")[2] for path in gallery.paths]
            assert dict(zip(names, gallery.labels, strict=True)) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index"], "there is no gallery lookalike.gallery; `lookalike index FOLDER` makes one"),
        (["index", "nowhere"], "Path 'nowhere' does not exist."),
        (["index", "photos", "--labels", "none.csv"], "--labels must be folder, none or a CSV"),
        (["index", "photos", "--untrained", "-1"], "-1 is not in the range x>=0."),
        (["index", "photos", "--untrained", "0", "--model", "x"], "exclude each other"),
    ],
)
def test_wrong_usage_is_one_line_and_2(lookalike, photos, arguments, message):
    done = lookalike(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.startswith("lookalike index: ")
    assert "Usage: lookalike index" in done.err
    assert done.err.count("\n") == 1


def test_other_features_are_refused_in_one_line(lookalike, photos):
    assert lookalike("index", "photos").code == 0
    draw("round", 7).save(photos / "7.png")
    done = lookalike("index", "photos", "--untrained", "1")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "space" in done.err
    with Gallery.open("lookalike.gallery") as gallery:
        assert len(gallery) == 2


def test_without_weights_the_ways_out_are_said(lookalike, photos, monkeypatch):
    monkeypatch.delenv("LOOKALIKE_MODEL")
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", "http://127.0.0.1:9/googlenet.onnx")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    done = lookalike("index", "photos")
    assert (done.code, done.out) == (1, "")
    for way in ("Connection refused", "lookalike model import", "LOOKALIKE_MODEL", "--untrained 0"):
        assert way in done.err
    assert "Traceback" not in done.err
    tried = lookalike("index", "photos", "--untrained", "0")
    assert tried.code == 0
    assert "mean little" in tried.err
    # The gallery says what it was made with; nobody has to repeat it.
    assert lookalike("search", "photos/2.PNG", "--paths-only").out == "photos/a/1.png\n"


def test_weights_that_are_none_make_no_gallery(lookalike, photos, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_MODEL", str(photos / "2.PNG"))
    done = lookalike("index", "photos")
    assert (done.code, done.out) == (1, "")
    assert "2.PNG is not an ONNX model" in done.err
    assert not (photos.parent / "lookalike.gallery").exists()


def test_a_name_that_is_not_utf8_is_found_again(lookalike, photos):
    shutil.copy(photos / "2.PNG", photos / HOSTILE)
    done = lookalike("index", "photos", "--json").json
    assert done["added"] == 3
    listed = lookalike("search", photos / HOSTILE, "-k", "2").out
    assert printable(f"photos/{HOSTILE}") in listed


def test_a_folder_that_is_not_utf8_is_a_label_in_all_that_is_printed(lookalike, photos):
    odd = os.fsdecode(b"caf\xe9")
    (photos / "a").rename(photos / odd)
    (photos / "b").mkdir()
    for i in range(2):
        draw("square", i).save(photos / "b" / f"{i}.png")
        draw("round", i + 10).save(photos / odd / f"more {i}.png")
    assert lookalike("index", "photos").code == 0
    assert r"caf\xe9 3, b 2" in lookalike("info").out
    assert lookalike("info", "--json").json["labels"] == {"b": 2, odd: 3}
    assert "\tcaf\\xe9\t" in lookalike("search", "photos/2.PNG").out
    hits = lookalike("search", "photos/2.PNG", "--json").json["results"][0]["hits"]
    assert odd in {hit["label"] for hit in hits}
    assert lookalike("search", "photos/2.PNG", "--html", "page.html").code == 0
    assert "caf\\xe9" in (photos.parent / "page.html").read_text()
    for output in ("--json", "--csv", "--latex", "--markdown", "--html=e.html", "--bootstrap"):
        done = lookalike("evaluate", "-k", "1", output)
        assert done.code == 0
        assert "?" not in done.out
    for verb in ("export", "neighbors", "check"):
        assert lookalike(verb).code == 0


def test_rows_of_a_table_that_match_nothing_are_said(lookalike, photos):
    table = photos.parent / "labels.csv"
    table.write_text("path,label\na/1.png,first\nb/1.png,x\nb/2.png,x\n")
    done = lookalike("index", "photos", "--labels", "labels.csv")
    note = "labels: 2 of 3 rows of labels.csv match no image, for example b/1.png"
    assert note in done.err.splitlines()
    assert lookalike("index", "photos", "--labels", "labels.csv", "--json").json["notes"] == [note]
    assert lookalike("index", "photos").code == 0  # keeps what the table said
    with Gallery.open("lookalike.gallery") as gallery:
        assert sorted(map(str, gallery.labels)) == ["None", "first"]
    table.write_bytes("path,label\na/1.png,café\n".encode("latin-1"))
    refused = lookalike("index", "photos", "--labels", "labels.csv")
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)


def test_indexes_for_searches_are_asked_for_told_of_and_dropped(lookalike, photos, monkeypatch):
    monkeypatch.setattr("lookalike.gallery.storage.search_indexes.LEAST_BYTES", 0)
    folder = photos.parent / "lookalike.gallery"
    assert lookalike("index", "photos", "--search-index", "cosine, l1").code == 0
    assert sorted(folder.glob("*.index")) == [
        folder / "features-0.cosine.index",
        folder / "features-0.manhattan.index",
    ]
    said = lookalike("info").out
    assert "search index  cosine, 0.0 MB" in said
    assert "search index  manhattan, 0.0 MB" in said
    kept = lookalike("info", "--json").json["indexes"]
    assert [(each["metric"], each["rows"]) for each in kept] == [("cosine", 2), ("manhattan", 2)]
    found = lookalike("search", "photos/2.PNG", "--metric", "cosine")
    damaged = folder / "features-0.cosine.index"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    again = lookalike("search", "photos/2.PNG", "--metric", "cosine")
    assert again.out == found.out
    (line,) = [line for line in again.err.splitlines() if line not in found.err.splitlines()]
    assert line.startswith(f"{damaged} is damaged: ")
    assert line.endswith("it is searched without this index: `lookalike check` says more")
    checked = lookalike("check")
    assert (checked.code, checked.out.count("damage: ")) == (1, 1)
    assert lookalike("index").code == 0  # which finds a header that says another size
    assert lookalike("check").code == 0
    assert lookalike("index", "--search-index", "none").code == 0
    assert not list(folder.glob("*.index"))
    for wrong in ("mahalanobis", "speed", "cosine,"):
        done = lookalike("index", "--search-index", wrong)
        assert done.code == 2
        assert "--search-index takes metrics or none: metric" in done.err
        assert done.err.count("\n") == 1
