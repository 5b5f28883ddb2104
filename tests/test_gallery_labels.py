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
    with pytest.raises(TypeError, match="labels must be None, 'folder', a mapping"):
        gallery.add(photos, labels=7, embedder=embedder)
    assert len(gallery) == 0
