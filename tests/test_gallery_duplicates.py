"""Duplicates of a gallery: its files are looked at, and what they show decides."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lookalike import Gallery
from tiny_embedder import TinyEmbedder


def scene(side=400, seed=0):
    """A picture with colours, edges and smooth places, that no other seed draws."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 216, (6, 6, 3), np.uint8)
    image = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.integers(0, side - 60, 2).tolist()
        box = (x, y, x + int(rng.integers(20, 60)), y + int(rng.integers(20, 60)))
        draw.ellipse(box, fill=tuple(rng.integers(0, 256, 3).tolist()))
    return image.filter(ImageFilter.GaussianBlur(0.7))


def tinted(image):
    pixels = np.asarray(image.convert("L").convert("RGB")) * np.array([1.06, 1, 0.9])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def marked(image):
    image = image.copy()
    ImageDraw.Draw(image).text((250, 350), "© Ann", fill="white")
    return image


@pytest.fixture
def found(tmp_path):
    """The verdict and reason of each of some files of one picture, by name."""

    def verdicts(**pictures):
        folder = tmp_path / "photos"
        folder.mkdir()
        for name, image in pictures.items():
            image.save(folder / f"{name}.jpg", quality=92)
        with Gallery.create(tmp_path / "g", dim=12) as gallery:
            gallery.add(folder, embedder=TinyEmbedder())
            groups = gallery.find_duplicates(threshold=0.2).groups
        return {
            member.path.removeprefix(f"{folder}/").removesuffix(".jpg"): member
            for group in groups
            for member in group.members
        }

    return verdicts


@pytest.mark.parametrize(
    ("edit", "verdict", "reason"),
    [
        (lambda image: image.resize((280, 280)), "remove", "fewer pixels"),
        (lambda image: image.convert("L"), "remove", "without colour"),
        (marked, "look", "differ"),
        (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), None, ""),
        (lambda image: image.point(lambda value: int(value * 0.9)), "look", ""),
    ],
    ids=["smaller", "grey", "marked", "mirrored", "darker"],
)
def test_copies_and_edits(found, edit, verdict, reason):
    original = scene()
    members = found(original=original, other=edit(original))
    if verdict is None:
        assert not any(member.removable for member in members.values())
    else:
        assert {member.verdict for member in members.values()} == {"keep", verdict}
        assert verdict == "look" or members["original"].verdict == "keep"
        assert any(reason in member.reason for member in members.values())


def test_a_tint_never_goes_before_its_original_nor_the_other_way_round(found):
    grey = scene().convert("L")
    members = found(original=grey, other=tinted(grey))
    assert {member.verdict for member in members.values()} == {"keep", "look"}


def test_files_that_hold_more_than_is_seen_stay(tmp_path):
    cover, pages = scene(), [scene(seed=seed) for seed in (1, 2)]
    for number, page in enumerate(pages):
        path = tmp_path / f"{number}.tif"
        cover.save(path, save_all=True, append_images=[page])
    with Gallery.create(tmp_path / "g", dim=12) as gallery:
        gallery.add(tmp_path, embedder=TinyEmbedder())
        found = gallery.find_duplicates(threshold=0.2)
    assert found.remove == []
    assert [member.reason for member in found.groups[0].others] == ["holds several pictures"]


def test_what_a_person_said_is_remembered(tmp_path):
    original = scene()
    for name, side in (("a", 400), ("b", 300)):
        original.resize((side, side)).save(tmp_path / f"{name}.png")
    with Gallery.create(tmp_path / "g", dim=12) as gallery:
        gallery.add([tmp_path / "a.png", tmp_path / "b.png"], embedder=TinyEmbedder())
        assert gallery.find_duplicates().remove == [str(tmp_path / "b.png")]
        assert gallery.note_different(tmp_path / "a.png", tmp_path / "b.png")
        assert gallery.find_duplicates().groups == []
        assert gallery.note_same(tmp_path / "b.png", tmp_path / "a.png")
        assert gallery.find_duplicates().remove == [str(tmp_path / "b.png")]
        assert not gallery.note_same(tmp_path / "a.png", tmp_path / "b.png")
        assert gallery.note_different(tmp_path / "a.png", tmp_path / "b.png")
        assert gallery.find_duplicates().groups == []
