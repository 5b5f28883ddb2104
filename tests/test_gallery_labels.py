"""Labels of photos: from their folders, from a mapping or from a table."""

import os

import pytest

import lookalike as la
from lookalike import GalleryError
from tiny_embedder import WIDTH, TinyEmbedder, write_image


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


def test_labels_from_folders(gallery, photos, embedder):
    write_image(photos / "in no folder.png", 50)
    write_image(photos / "a" / "deeper" / "51.png", 51)
    gallery.add(photos, labels="folder", embedder=embedder)
    expected = {
        str(p): None if p.parent == photos else p.relative_to(photos).parts[0]
        for p in photos.rglob("*.png")
    }
    assert dict(zip(gallery.paths, gallery.labels, strict=True)) == expected
    write_image(photos / "c" / "later.png", 52)
    os.rename(photos / "a" / "0.png", photos / "b" / "0.png")
    gallery.update(embedder=embedder)  # goes on labelling
    found = dict(zip(gallery.paths, gallery.labels, strict=True))
    assert found[str(photos / "c" / "later.png")] == "c"
    assert found[str(photos / "b" / "0.png")] == "b"


def test_labels_from_a_table(gallery, photos, embedder, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "\ufeffpath,other,label\na/0.png,x,first\n" + f"{photos}/b/1.png,x,2\nc/2.png,x,\n"
    )
    gallery.add(photos, embedder=embedder)
    assert gallery.labels == [None] * 12
    assert counts(gallery.add(photos, labels=table)) == (0, 0, 0, 0, 12)
    found = dict(zip(gallery.paths, gallery.labels, strict=True))
    assert {label for label in found.values() if label is not None} == {"first", "2"}
    assert found[str(photos / "a/0.png")] == "first"
    gallery.add(photos, labels={"a/0.png": 1, photos / "c" / "2.png": "zwei"})
    found = dict(zip(gallery.paths, gallery.labels, strict=True))
    assert found[str(photos / "a/0.png")] == 1
    assert found[str(photos / "b/1.png")] == "2"  # not named, so kept
    assert found[str(photos / "c/2.png")] == "zwei"


def test_wrong_labels(gallery, photos, embedder, tmp_path):
    with pytest.raises(GalleryError, match="none of the paths is one of the images found"):
        gallery.add(photos, labels={"0.png": "a"}, embedder=embedder)
    assert gallery.roots == []
    with pytest.raises(GalleryError, match=r"cannot read nowhere\.csv: No such file"):
        gallery.add(photos, labels="nowhere.csv", embedder=embedder)
    (tmp_path / "t.csv").write_text("file,label\n")
    with pytest.raises(GalleryError, match="columns path and label, got file, label"):
        gallery.add(photos, labels=tmp_path / "t.csv", embedder=embedder)
    with pytest.raises(TypeError, match="labels must be None, 'folder', 'none', 'kept', a mapping"):
        gallery.add(photos, labels=7, embedder=embedder)
    assert len(gallery) == 0


def labels_of(gallery, photos):
    return {
        os.path.relpath(path, photos): label
        for path, label in zip(gallery.paths, gallery.labels, strict=True)
    }


def test_a_folder_that_is_not_utf8_is_a_label_like_any(gallery, photos, embedder):
    odd = os.fsdecode(b"caf\xe9")
    write_image(photos / odd / "1.png", 30)
    gallery.add(photos, labels="folder", embedder=embedder)
    assert gallery.labels.count(odd) == 1
    path = str(photos / odd / "1.png")
    assert gallery.search(path, k=1).labels == [odd]
    os.utime(path)
    os.rename(photos / "a" / "0.png", photos / odd / "2.png")
    assert counts(gallery.update()) == (0, 0, 1, 0, 12)
    assert gallery.labels.count(odd) == 2
    table = gallery.export(photos.parent / "out")[1]
    before = labels_of(gallery, photos)
    gallery.add(photos, labels="none")
    assert set(gallery.labels) == {None}
    gallery.add(photos, labels=table)  # an exported table is one of labels
    assert labels_of(gallery, photos) == before
    with pytest.raises(ValueError, match="a label must be text that can be encoded"):
        gallery.add(photos, labels={"a/3.png": "\ud800"})


def test_tables_of_other_encodings_are_read_or_refused(gallery, photos, embedder, tmp_path):
    table = tmp_path / "t.csv"
    text = "path,label\na/0.png,café\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        table.write_text(text, encoding=encoding)
        gallery.add(photos, labels=table, embedder=embedder)
        assert labels_of(gallery, photos)["a/0.png"] == "café"
        gallery.add(photos, labels="none")
    for content in (text.encode("latin-1"), b"path,label\ncaf\xe9/0.png,x\n"):
        table.write_bytes(content)
        with pytest.raises(GalleryError, match=r"t\.csv is not text in UTF-8 \(line 2\); save it"):
            gallery.add(photos, labels=table)
    table.write_bytes(text.encode("utf-16-le"))
    with pytest.raises(GalleryError, match=r"is not text in UTF-8 \(NUL bytes\)"):
        gallery.add(photos, labels=table)
    table.write_text("label,path\nx\n")
    with pytest.raises(GalleryError, match=r"t\.csv has no path in line 2"):
        gallery.add(photos, labels=table)


def test_tables_that_contradict_themselves_or_match_little(gallery, photos, embedder, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(f"path,label\na/0.png,x\n{photos}/a/0.png,y\n")
    with pytest.raises(GalleryError, match=r"t\.csv gives .*/a/0\.png two labels, 'x' and 'y'"):
        gallery.add(photos, labels=table, embedder=embedder)
    table.write_text("path,label\na/0.png,x\n./a/0.png,x\nelse/1.png,y\nelse/2.png,y\n")
    report = gallery.add(photos, labels=table, embedder=embedder)
    assert report.notes == [
        f"labels: 2 of 4 rows of {table} match no image, for example else/1.png"
    ]
    assert gallery.add(photos, labels={"a/0.png": "z"}).notes == []


def test_names_in_another_normal_form_match(gallery, photos, embedder):
    write_image(photos / "a" / "u\u0308.png", 31)
    report = gallery.add(photos, labels={"a/\u00fc.png": "umlaut"}, embedder=embedder)
    assert report.notes == []
    assert labels_of(gallery, photos)["a/u\u0308.png"] == "umlaut"


@pytest.mark.parametrize("order", ["p", "pi", "ip", "pip", "ii p"])
def test_overlapping_folders_give_the_same_labels_in_any_order(gallery, photos, embedder, order):
    write_image(photos / "a" / "deep" / "1.png", 32)
    for letter in order.replace(" ", ""):
        source = photos if letter == "p" else photos / "a"
        gallery.add(source, labels="folder", embedder=embedder)
        gallery.update(embedder=embedder)
    found = labels_of(gallery, photos)
    assert len(found) == 13
    assert all(label == path.partition("/")[0] for path, label in found.items())


def test_a_table_is_not_forgotten_by_what_looks_again(gallery, photos, embedder):
    gallery.add(photos, labels="folder", embedder=embedder)
    gallery.add(photos, labels={"a/0.png": "own"})
    gallery.update()
    gallery.add(photos / "a", labels="kept")
    gallery.add(photos)
    assert labels_of(gallery, photos)["a/0.png"] == "own"
    write_image(photos / "b" / "new.png", 33)
    gallery.update(embedder=embedder)
    assert labels_of(gallery, photos)["b/new.png"] is None  # folders are no labels now
    assert labels_of(gallery, photos)["b/1.png"] == "b"
