"""`--network`: named once, remembered by the gallery, used by every later verb."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

import lookalike as la
from command_line import call
from lookalike.embedding.networks import read_preprocessing
from lookalike.embedding.weights import ModelError
from lookalike.pictures.images import open_picture
from tiny_networks import SIDE, means, model_of, node, patches, saved

PLAIN = {"size": SIDE, "crop": SIDE}


@pytest.fixture
def folder(tmp_path, monkeypatch, own_cache):
    """Three photos, a network and its preprocessing; GoogLeNet's weights are nowhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", "http://127.0.0.1:9/googlenet.onnx")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    random = np.random.default_rng(0)
    (tmp_path / "photos" / "Tree").mkdir(parents=True)
    for name in "abc":
        image = Image.fromarray(random.integers(0, 256, (20, 30, 3), np.uint8))
        image.save(tmp_path / "photos" / "Tree" / f"{name}.png")
    saved(means(), tmp_path / "net.onnx")
    (tmp_path / "fed.json").write_text(json.dumps(PLAIN))
    return tmp_path


@pytest.fixture
def lookalike(folder, monkeypatch, capfdbinary):
    return lambda *arguments: call(arguments, monkeypatch, capfdbinary)


NAMED = ("--network", "net.onnx", "--preprocessing", "fed.json", "--output", "features")


def add_photo(folder, name):
    image = Image.fromarray(
        np.random.default_rng(len(name)).integers(0, 256, (20, 30, 3), np.uint8)
    )
    image.save(folder / name)


def test_named_once_used_by_every_verb(lookalike, folder):
    made = lookalike("index", "photos", *NAMED)
    assert (made.code, "3 images" in made.out) == (0, True), made.err
    with la.Gallery.open("lookalike.gallery") as gallery:
        assert gallery.features.shape == (3, 3)
        network = gallery.network
    assert network.path == str(folder / "net.onnx")
    assert network.preprocessing == la.Preprocessing(size=SIDE, crop=SIDE)
    assert network.output == "features"
    add_photo(folder, "photos/other.png")
    add_photo(folder, "elsewhere.png")
    again = lookalike("index")
    assert (again.code, "1 added" in again.out) == (0, True), again.err
    found = lookalike("search", "elsewhere.png", "-k", "2", "--json")
    assert found.code == 0, found.err
    assert len(found.json["results"][0]["hits"]) == 2
    for verb in ("check", "duplicates --exact", "neighbors -k 2", "evaluate -k 1"):
        assert lookalike(*verb.split()).code == 0
    told = lookalike("info").out
    assert f"network   {folder / 'net.onnx'}\n" in told
    assert "output    features" in told
    known = lookalike("info", "--json").json["network"]
    assert (known["path"], known["sha256"]) == (network.path, network.sha256)
    assert known["preprocessing"]["size"] == SIDE


def test_a_file_that_is_missing_or_has_moved(lookalike, folder):
    lookalike("index", "photos", *NAMED)
    shutil.move("net.onnx", "moved.onnx")
    add_photo(folder, "photos/other.png")
    add_photo(folder, "elsewhere.png")
    for verb in ("index", "search elsewhere.png"):
        failed = lookalike(*verb.split())
        assert failed.code == 1
        assert f"{folder / 'net.onnx'} is not there: put it back, or say where" in failed.err
        assert "--untrained" not in failed.err
    assert lookalike("search", "photos/Tree/a.png").code == 0  # whose features are there
    assert "(not there)" in lookalike("info").out
    checked = lookalike("check")
    assert (checked.code, "is not there: put it back" in checked.err) == (0, True)
    moved = lookalike("index", "--network", "moved.onnx")
    assert (moved.code, "1 added" in moved.out) == (0, True), moved.err
    assert lookalike("search", "elsewhere.png").code == 0
    with la.Gallery.open("lookalike.gallery") as gallery:
        assert gallery.network.path == str(folder / "moved.onnx")
        assert gallery.network.output == "features"


def test_a_file_that_has_changed(lookalike, folder):
    lookalike("index", "photos", *NAMED)
    doubled = model_of(
        [
            node("ReduceMean", "pixels", "mean", axes=[2, 3], keepdims=0),
            node("Add", "mean mean"),
        ]
    )
    saved(doubled, "net.onnx")
    add_photo(folder, "photos/other.png")
    add_photo(folder, "elsewhere.png")
    for verb in ("index", "search elsewhere.png"):
        failed = lookalike(*verb.split())
        assert (failed.code, "is not the file it was" in failed.err) == (1, True), failed.err
    assert "is not the file it was" in lookalike("check", "--json").json["network"]
    refused = lookalike("index", *NAMED)
    assert (refused.code, "holds features of the space" in refused.err) == (1, True)
    with la.Gallery.open("lookalike.gallery") as gallery:
        assert len(gallery) == 3


def test_tokens_presets_and_another_gallery(lookalike, folder):
    saved(patches(), "tokens.onnx")
    named = ("--network", "tokens.onnx", "--preprocessing", "fed.json", "--output", "features")
    unclear = lookalike("index", "photos", *named, "-o", "t.gallery")
    assert (unclear.code, "5 tokens of 3" in unclear.err) == (1, True)
    assert not (folder / "t.gallery").exists()
    assert lookalike("index", "photos", *named, "--tokens", "mean", "-o", "t.gallery").code == 0
    with la.Gallery.open("t.gallery") as gallery:
        assert gallery.network.preprocessing.tokens == "mean"
    saved(means(sides=(224, 224)), "clip.onnx")
    for preset in ("imagenet", "clip", "bvlc"):
        named = ("--network", "clip.onnx", "--preprocessing", preset, "--output", "features")
        assert lookalike("index", "photos", *named, "-o", f"{preset}.gallery").code == 0
    with la.Gallery.open("clip.gallery") as gallery:
        assert gallery.network.preprocessing == la.CLIP


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--preprocessing", "clip"), 2, "--preprocessing goes with --network"),
        (("--output", "x"), 2, "--output goes with --network"),
        (("--network", "net.onnx"), 2, "--network wants --preprocessing: imagenet, clip, bvlc or"),
        ((*NAMED, "--untrained", "0"), 2, "--network excludes --model and --untrained"),
        (("--network", "no.onnx", "--preprocessing", "clip"), 1, "cannot read no.onnx"),
        (("--network", "net.onnx", "--preprocessing", "fed.jso"), 2, "got 'fed.jso': No such file"),
        (("--network", "net.onnx", "--preprocessing", "bad.json"), 2, "bad.json: no such key: 'si"),
        (("--network", "net.onnx", "--preprocessing", "clip"), 1, "does not end in a classifier"),
        ((*NAMED[:4], "--output", "pool"), 1, "net.onnx has no tensor 'pool' to cut at"),
        (("--network", "big.onnx", *NAMED[2:]), 1, "big.onnx takes [3, 9, 9], the preprocessing"),
        (("--network", "u8.onnx", *NAMED[2:3], "n.json", *NAMED[4:]), 1, "u8.onnx takes uint8"),
        (("--network", "photos", *NAMED[2:]), 2, "is a directory"),
    ],
)
def test_what_is_refused_makes_no_gallery(lookalike, folder, arguments, code, message):
    (folder / "bad.json").write_text('{"sise": 8}')
    (folder / "n.json").write_text(json.dumps(PLAIN | {"mean": [1, 2, 3]}))
    saved(means(sides=(9, 9)), "big.onnx")
    saved(means(kind=TensorProto.UINT8), "u8.onnx")
    failed = lookalike("index", "photos", *arguments)
    assert failed.code == code
    assert message in failed.err
    assert "Traceback" not in failed.err
    assert "--untrained 0" not in failed.err
    assert not (folder / "lookalike.gallery").exists()


def test_a_gallery_of_another_network_refuses_it(lookalike, folder):
    lookalike("index", "photos", *NAMED)
    before = lookalike("info", "--json").json
    saved(means(kind=TensorProto.UINT8), "other.onnx")
    for arguments in (
        ("--network", "other.onnx", *NAMED[2:]),
        ("--untrained", "0"),
    ):
        refused = lookalike("index", *arguments)
        assert refused.code == 1
        assert "holds" in refused.err
    assert lookalike("info", "--json").json == before


def test_help_shows_the_options(lookalike):
    told = lookalike("index", "--help").out
    for expected in ("--network FILE.onnx", "imagenet|clip|bvlc|FILE.json", "--output", "--tokens"):
        assert expected in told


# --- in Python -----------------------------------------------------------------------------------


def test_created_for_an_embedder(folder):
    embedder = la.Embedder("net.onnx", la.Preprocessing(**PLAIN), output="features")
    with la.Gallery.create("own.gallery", embedder=embedder) as gallery:
        assert (gallery.dim, gallery.space) == (3, embedder.space)
        gallery.add("photos")
    with la.Gallery.open("own.gallery") as gallery:
        picture = open_picture("photos/Tree/a.png").image
        np.testing.assert_allclose(gallery.search(picture, k=1).distances, 0, atol=1e-6)
        gallery.update()
    for wrong in ({"dim": 4}, {"space": "other"}):
        with pytest.raises(ValueError, match=r"(dim|space) must be the embedder's"):
            la.Gallery.create("wrong.gallery", embedder=embedder, **wrong)
    assert not (folder / "wrong.gallery").exists()


def test_added_with_an_embedder(folder):
    embedder = la.Embedder("net.onnx", la.Preprocessing(**PLAIN), output="features")
    with la.Gallery.create("own.gallery", dim=3) as gallery:
        assert gallery.network is None
        gallery.add("photos", embedder=embedder)
        assert gallery.network.sha256 == embedder.file.sha256
    (folder / "net.onnx").unlink()
    with la.Gallery.open("own.gallery") as gallery, pytest.raises(ModelError, match="is not there"):
        gallery.search(Image.new("RGB", (9, 9)))


def test_a_network_of_no_file_is_not_remembered(folder):
    content = (folder / "net.onnx").read_bytes()
    embedder = la.Embedder(content, la.Preprocessing(**PLAIN), output="features")
    with la.Gallery.create("own.gallery", embedder=embedder) as gallery:
        gallery.add("photos")
        assert gallery.network is None


def test_the_json_of_the_page_is_one():
    page = (Path(__file__).parents[1] / "docs" / "embedding.md").read_text()
    (block,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown = la.Preprocessing.from_json(block)
    assert (shown.interpolation, shown.tokens) == ("bicubic", "first")
    np.testing.assert_allclose([shown.mean, shown.std], [la.IMAGENET.mean, la.IMAGENET.std])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "it is not JSON"),
        (b" " * 70_000, "at most 65,536 bytes"),
        (b'{"mean": "no"}', "p.json: mean must be three numbers, got 'no'"),
    ],
)
def test_a_preprocessing_file_that_is_wrong_is_named(folder, content, message):
    (folder / "p.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_preprocessing("p.json")
