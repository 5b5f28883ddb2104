"""What is left out of folders: by default, by patterns that the gallery remembers."""

import os
import unicodedata

import pytest

import lookalike as la
from lookalike.gallery.intake.exclusions import Exclusions, checked_pattern
from tiny_embedder import WIDTH, TinyEmbedder, write_image


@pytest.fixture
def gallery(tmp_path):
    with la.Gallery.create(tmp_path / "gallery", dim=WIDTH) as made:
        yield made


def photos(folder, *paths):
    for i, path in enumerate(paths):
        write_image(folder / path, i)
    return folder


def add(gallery, folder, **options):
    return gallery.add(folder, embedder=TinyEmbedder(), **options)


def names(gallery, folder):
    return [os.path.relpath(path, folder) for path in sorted(gallery.paths)]


def test_folders_of_other_programs(gallery, tmp_path):
    folder = photos(
        tmp_path / "photos",
        "1.png",
        "a/@eaDir/1.png/SYNOPHOTO_THUMB_XL.png",
        "#recycle/1.png",
        "$Recycle.Bin/S-1/1.png",
        "lost+found/1.png",
        ".Trash-1000/files/1.png",
        ".hidden/1.png",
        "__MACOSX/1.png",
        "a/.@__thumb/1.png",
        "a/Thumbs/1.png",
        "Lightroom Previews.lrdata/1.png",
        "My.photoslibrary/originals/A/2.png",
        "My.photoslibrary/resources/derivatives/1.png",
        "old/Old.photoslibrary/Masters/2015/3.png",
        "old/Old.photoslibrary/Thumbnails/1.png",
    )
    report = add(gallery, folder)
    assert names(gallery, folder) == [
        "1.png",
        "My.photoslibrary/originals/A/2.png",
        "old/Old.photoslibrary/Masters/2015/3.png",
    ]
    assert report.left_out["@eaDir/"] == report.left_out["$RECYCLE.BIN/"] == 1
    assert report.left_out["**/*.photoslibrary/*/"] == 2
    assert ".*" not in report.left_out


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("My.photoslibrary", ["originals/2.png"]),
        ("My.photoslibrary/resources", ["1.png"]),
        ("@eaDir", ["3.png"]),
    ],
)
def test_a_folder_that_is_named_is_taken(gallery, tmp_path, root, expected):
    photos(
        tmp_path,
        "My.photoslibrary/resources/1.png",
        "My.photoslibrary/originals/2.png",
        "@eaDir/3.png",
    )
    add(gallery, tmp_path / root)
    assert names(gallery, tmp_path / root) == expected
    gallery.update(embedder=TinyEmbedder())
    assert names(gallery, tmp_path / root) == expected


def test_patterns_are_remembered_and_taken_back(gallery, tmp_path):
    folder = photos(tmp_path / "photos", "1.png", "a/2.png", "raw/3.png", "a/raw/4.png", "b.gif")
    assert add(gallery, folder).added == 5
    report = gallery.update(exclude=["raw/", "*.GIF"])
    assert (report.removed, report.unchanged, report.left_out) == (3, 2, {"raw/": 2, "*.GIF": 1})
    assert names(gallery, folder) == ["1.png", "a/2.png"]
    assert (folder / "raw/3.png").exists()
    assert gallery.patterns == [("exclude", "raw/"), ("exclude", "*.GIF")]
    assert report.notes == []
    assert gallery.update(exclude="none*").notes == ["'none*' has left out nothing, so far"]
    gallery.update(include="none*")
    network = TinyEmbedder()
    report = gallery.update(include="a/raw", embedder=network)
    assert names(gallery, folder) == ["1.png", "a/2.png", "a/raw/4.png"]
    gallery.update(include="raw/", embedder=network)
    assert gallery.patterns == [
        ("exclude", "*.GIF"),
        ("include", "none*"),
        ("include", "a/raw"),
        ("include", "raw/"),
    ]
    assert len(gallery) == 4
    with pytest.raises(ValueError, match="a pattern must be a name or a path below"):
        gallery.update(exclude=["x", "../y"])
    assert ("exclude", "x") not in gallery.patterns
    with pytest.raises(TypeError, match="exclude and include go with paths"):
        gallery.add([[1.0] * WIDTH], exclude="x")


def test_what_was_indexed_before_goes_and_failures_too(gallery, tmp_path):
    folder = photos(tmp_path / "photos", "1.png", "a/2.png")
    (folder / "a/broken.png").write_bytes(b"no image")
    add(gallery, folder)
    assert len(gallery.failed) == 1
    report = gallery.update(exclude="a")
    assert (report.removed, report.failed, gallery.failed) == (1, [], [])
    report = gallery.update(include="a", embedder=TinyEmbedder())
    assert (report.added, len(report.failed)) == (1, 1)


def test_a_folder_left_out_of_one_may_be_added_itself(gallery, tmp_path):
    folder = photos(tmp_path / "photos", "1.png", "@eaDir/2.png")
    add(gallery, folder / "@eaDir")
    for _ in range(2):
        add(gallery, folder)
        assert len(gallery) == 2
    assert gallery.update().unchanged == 2


def test_a_file_named_in_a_folder_that_is_left_out_stays(gallery, tmp_path):
    folder = photos(tmp_path / "photos", "1.png", "@eaDir/2.png", ".3.png")
    add(gallery, [folder, folder / "@eaDir/2.png", folder / ".3.png"])
    assert len(gallery) == 3
    assert gallery.update().unchanged == 3


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a", "a/1.png", True),
        ("a", "b/A/1.png", True),
        ("a/", "b/a", False),
        ("1.*", "b/1.png", True),
        ("./a", "a/1.png", True),
        ("./a", "b/a/1.png", False),
        ("b/a", "b/a/1.png", True),
        ("b/a", "c/b/a/1.png", False),
        ("**/b/a", "c/b/a/1.png", True),
        ("b/**/1.png", "b/1.png", True),
        ("b/**/1.png", "b/c/d/1.png", True),
        ("b/*/1.png", "b/c/d/1.png", False),
        ("/root/b", "b/1.png", True),
        ("/other/b", "b/1.png", False),
        ("[0-9].png", "1.png", True),
        ("[!0-9].png", "1.png", False),
        (unicodedata.normalize("NFD", "Ä"), "ä/1.png", True),
        ("\udcff*", "\udcff1.png", True),
        ("*", "1.png", True),
    ],
)
def test_semantics(pattern, path, matches):
    rules = Exclusions([("exclude", checked_pattern(pattern))])
    assert bool(rules.judge_all(b"/root", os.fsencode(path))) == matches


@pytest.mark.parametrize("pattern", ["", "/", "./", "..", "a/../b", "a\0"])
def test_patterns_that_can_match_nothing(pattern):
    with pytest.raises(ValueError, match="a pattern must be"):
        checked_pattern(pattern)


def test_on_the_command_line(lookalike, tmp_path):
    folder = photos(tmp_path / "photos", "1.png", "2.bmp", "@eaDir/3.png")
    gallery = tmp_path / "g"
    done = lookalike("index", folder, "-g", gallery, "--untrained", "0", "--exclude", "*.bmp")
    assert done.code == 0
    assert done.out.startswith("1 image in")
    assert "Left out: *.bmp 1, @eaDir/ 1. --include takes back what you want." in done.err
    info = lookalike("info", gallery)
    assert "exclude   *.bmp" in info.out
    assert lookalike("info", gallery, "--json").json["patterns"] == [
        {"kind": "exclude", "pattern": "*.bmp"}
    ]
    done = lookalike("index", "-g", gallery, "--include", "*.bmp", "--include", "@eaDir/", "--json")
    assert done.json["images"] == 3
    assert done.json["left_out"] == {}
    wrong = lookalike("index", folder, "-g", tmp_path / "none", "--exclude", "../x")
    assert wrong.code == 2
    assert "a pattern must be a name or a path below" in wrong.err
    assert not (tmp_path / "none").exists()
