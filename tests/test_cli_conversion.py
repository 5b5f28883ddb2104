"""What the command line says of galleries of format 1."""

import numpy as np
import pytest

from command_line import draw
from format_1 import write_format_1
from lookalike import Gallery, GoogLeNet


@pytest.fixture
def network():
    return GoogLeNet.untrained(0)


@pytest.fixture
def old(lookalike, tmp_path, monkeypatch, network):
    """A gallery as 0.1.0 made it with an untrained network."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for seed in (1, 2):
        draw("round", seed).save(tmp_path / "photos" / f"{seed}.png")
    (space,) = network.earlier_spaces
    features = np.random.default_rng(0).random((2, 1024))
    return write_format_1(
        tmp_path / "lookalike.gallery", tmp_path / "photos", space=space, features=features
    )


def test_it_is_searched_as_it_is_and_converted_by_index(lookalike, old, tmp_path, network):
    draw("square", 3).save(tmp_path / "other.png")
    before = (old / "catalogue.sqlite").read_bytes()
    assert "photos/2.png" in lookalike("search", "photos/1.png").out
    refused = lookalike("search", "other.png")
    assert refused.code != 0
    assert refused.err.count("\n") == 1
    assert "once `lookalike index` has converted it" in refused.err
    assert "`lookalike index` converts it" in lookalike("info").out
    assert (old / "catalogue.sqlite").read_bytes() == before
    done = lookalike("index")
    assert done.code == 0
    assert done.out.startswith("2 images in lookalike.gallery: 2 unchanged (")
    assert done.err.splitlines()[:2] == [
        "the gallery is of an earlier version, which decoded photos otherwise: its photos are "
        "embedded anew, once",
        "photos are decoded otherwise than by the version that made the gallery: 2 images have "
        "been embedded anew",
    ]
    with Gallery.open(old, mode="r") as gallery:
        assert gallery.space == network.space
        np.testing.assert_allclose(
            gallery.features, network.embed(gallery.paths), rtol=1e-4, atol=1e-5
        )
    assert "earlier version" not in lookalike("index").err
    assert lookalike("search", "other.png").code == 0
    assert "decoding" not in lookalike("info").out


def test_a_gallery_of_another_network_is_left_as_it_is(lookalike, tmp_path, old, monkeypatch):
    (tmp_path / "b").mkdir()
    features = np.ones((2, 1024))
    other = write_format_1(
        tmp_path / "b" / "other.gallery", tmp_path / "photos", space="another", features=features
    )
    done = lookalike("index", "-g", other)
    assert done.code == 0
    assert "embedded anew" not in done.err
    with Gallery.open(other, mode="r") as gallery:
        assert gallery.space == "another"
        np.testing.assert_array_equal(gallery.features, features)
