"""Folders by several names, renamed, missing and forgotten: each image is kept once."""

import os
import shutil

import pytest

import lookalike as la
from lookalike import GalleryError
from tiny_embedder import WIDTH, TinyEmbedder, assert_matches_disk, write_image


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for i in range(6):
        write_image(folder / "bc"[i % 2] / f"{i}.png", i)
    return folder


@pytest.fixture
def gallery(tmp_path):
    with la.Gallery.create(tmp_path / "gallery", dim=WIDTH) as made:
        yield made


def counts(report):
    return (report.added, report.updated, report.moved, report.removed, report.unchanged)


def state(gallery):
    return dict(zip(gallery.paths, gallery.labels, strict=True))


def add(gallery, *sources):
    return [gallery.add(each, labels="folder", embedder=TinyEmbedder()) for each in sources][-1]


def afresh(tmp_path, *sources):
    shutil.rmtree(tmp_path / "afresh", ignore_errors=True)
    with la.Gallery.create(tmp_path / "afresh", dim=WIDTH) as made:
        made.add(list(sources), labels="folder", embedder=TinyEmbedder())
        return state(made)


def test_real_names_win_over_links_to_siblings(gallery, photos, tmp_path):
    expected = afresh(tmp_path, photos)
    (photos / "a").symlink_to("b")
    (photos / "c" / "up").symlink_to("..")
    add(gallery, photos)
    assert state(gallery) == expected == afresh(tmp_path, photos)
    assert counts(gallery.update()) == (0, 0, 0, 0, 6)


def test_a_link_to_elsewhere_is_followed_until_its_real_name_is_added(gallery, photos, tmp_path):
    away = tmp_path / "away"
    write_image(away / "x" / "1.png", 20)
    (photos / "a").symlink_to(away)
    (photos / "a2").symlink_to(away / "x")
    (photos / ".hidden").mkdir()
    write_image(photos / ".hidden" / "2.png", 21)
    (photos / "shown").symlink_to(".hidden")
    add(gallery, photos)
    found = state(gallery)
    assert len(found) == 8
    assert found[str(photos / "a" / "x" / "1.png")] == "a"
    assert found[str(photos / "shown" / "2.png")] == "shown"
    assert counts(add(gallery, away)) == (0, 0, 1, 0, 0)
    assert len(gallery) == 8
    assert_matches_disk(gallery)
    assert counts(gallery.update()) == (0, 0, 0, 0, 8)
    assert state(gallery) == afresh(tmp_path, photos, away)


def test_of_two_links_to_one_folder_one_counts(gallery, photos, tmp_path):
    write_image(tmp_path / "away" / "1.png", 22)
    (photos / "second").symlink_to(tmp_path / "away")
    add(gallery, photos)
    (photos / "a first").symlink_to(tmp_path / "away")
    assert counts(gallery.update()) == (0, 0, 1, 0, 6)
    assert state(gallery) == afresh(tmp_path, photos)
    assert counts(gallery.update()) == (0, 0, 0, 0, 7)


def test_a_folder_is_itself_by_whichever_name(gallery, photos, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("photos")
    add(gallery, photos)
    assert counts(add(gallery, link)) == (0, 0, 0, 0, 6)
    assert counts(add(gallery, link / "b" / "0.png")) == (0, 0, 0, 0, 1)
    assert gallery.roots == [str(photos), str(photos / "b")]
    assert gallery.remove(link / "b" / "0.png") == 1
    with la.Gallery.create(tmp_path / "other", dim=WIDTH) as other:
        add(other, link, photos)
        assert len(other) == 6
        assert other.roots == [str(photos)]


def test_a_folder_that_became_a_link_stays_the_same_folder(gallery, photos, tmp_path):
    add(gallery, photos)
    photos.rename(tmp_path / "big disk")
    photos.symlink_to("big disk")
    assert counts(gallery.update()) == (0, 0, 0, 0, 6)
    assert gallery.roots == [str(tmp_path / "big disk")]
    assert state(gallery) == afresh(tmp_path, photos)


def test_two_roots_that_turn_out_to_be_one_are_merged(gallery, photos, tmp_path):
    shutil.copytree(photos, tmp_path / "twin")
    add(gallery, photos, tmp_path / "twin")
    assert len(gallery) == 12
    shutil.rmtree(tmp_path / "twin")
    (tmp_path / "twin").symlink_to("photos")
    gallery.update()
    assert gallery.roots == [str(photos)]
    assert state(gallery) == afresh(tmp_path, photos)
    assert gallery.check().ok


def test_a_renamed_folder_is_not_missing_for_ever(gallery, photos, tmp_path):
    add(gallery, photos, photos / "b")
    (photos / "b").rename(photos / "d")
    report = gallery.update()
    assert counts(report) == (0, 0, 3, 0, 3)
    assert report.failed == []
    assert gallery.roots == [str(photos)]
    photos.rename(tmp_path / "pictures")
    (report,) = [add(gallery, tmp_path / "pictures")]
    assert (counts(report), report.failed) == ((0, 0, 6, 0, 0), [])
    assert report.notes == [f"{photos} is gone, with all that was in it: it is no longer looked at"]
    assert gallery.update().failed == []
    assert_matches_disk(gallery)


def test_a_link_that_leads_nowhere_is_a_failure_and_no_image(gallery, photos, tmp_path):
    target = write_image(tmp_path / "target.png", 40)
    link = photos / "b" / "link.png"
    link.symlink_to(target)
    add(gallery, photos)
    target.unlink()
    report = gallery.update()
    assert counts(report) == (0, 0, 0, 1, 6)
    assert report.failed == [(str(link), "No such file or directory")]
    assert gallery.check().outdated == []
    link.unlink()
    assert gallery.update().failed == gallery.failed == []


def test_forget_drops_all_that_is_kept_and_touches_no_file(gallery, photos):
    (photos / "b" / "broken.png").write_bytes(b"?")
    add(gallery, photos)
    forgotten = gallery.forget(photos / "b")
    assert forgotten == (3, 1, [], [str(photos / "b")])
    assert len(gallery) == 3
    assert gallery.failed == []
    assert counts(gallery.update(embedder=TinyEmbedder()))[0] == 3  # as it said
    assert gallery.forget([photos / "b" / "0.png", photos / "b" / "broken.png"])[:2] == (1, 1)
    with pytest.raises(GalleryError, match="nowhere is not in"):
        gallery.forget([photos, "nowhere"])
    before = sorted(photos.rglob("*"))
    assert gallery.forget(photos) == (5, 0, [str(photos)], [])
    assert (len(gallery), gallery.roots) == (0, [])
    assert sorted(photos.rglob("*")) == before
    assert counts(gallery.update()) == (0, 0, 0, 0, 0)


def test_forget_ends_the_looking_for_a_folder_that_is_gone(gallery, photos):
    add(gallery, photos)
    os.rename(photos, photos.with_name("away"))
    assert len(gallery.update().failed) == 1
    assert gallery.forget(photos) == (6, 0, [str(photos)], [])
    assert gallery.update().failed == []


def test_a_folder_that_moved_is_relocated_by_either_name(gallery, photos, tmp_path):
    (tmp_path / "link").symlink_to("photos")
    add(gallery, tmp_path / "link")
    photos.rename(tmp_path / "moved")
    (tmp_path / "new link").symlink_to("moved")
    assert gallery.relocate(tmp_path / "link", tmp_path / "new link") == 6
    assert gallery.roots == [str(tmp_path / "moved")]
    assert counts(gallery.update()) == (0, 0, 0, 0, 6)
