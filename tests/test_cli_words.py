"""What the command line answers to what a careless person types: one line, in words, exit 2."""

import csv

import numpy as np
import pytest

from command_line import draw, run
from lookalike import Gallery, cdist


@pytest.fixture
def empty(tmp_path):
    Gallery.create(tmp_path / "empty.gallery").close()
    return tmp_path / "empty.gallery"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serach", "a.jpg"], "No such command 'serach'. Did you mean 'search'?"),
        (["Index"], "Did you mean 'index'?"),
        (["xyzzy"], "No such command 'xyzzy'. (Usage"),
        (["duplicates", "--threshold", "nan"], "--threshold must be a number from 0, got nan"),
        (["duplicates", "--threshold", "inf"], "--threshold must be a number from 0, got inf"),
        (["distances", "-o", "D.txt"], "--output must end in .npy or .csv, got 'D.txt'"),
        (["duplicates", "photos"], "makes one of the images in it; lookalike.gallery has them"),
        (["search", "photos/round/1.png", "--metric", "l3"], "'l3' is not one of"),
        (["search", "-k"], "lookalike search: Option '-k' requires an argument. (Usage"),
        (["--version=1"], "lookalike: Option '--version' does not take a value."),
        (["demo", "-o", "/proc/demo.html"], "cannot write /proc/demo.html: "),
    ],
)
def test_wrong_usage(lookalike, arguments, message):
    done = lookalike(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("l2", "euclidean"),
        ("Bray-Curtis", "braycurtis"),
        ("L1", "manhattan"),
        ("Minkowski:p=3", "minkowski:p=3"),
    ],
)
def test_a_metric_has_several_names(lookalike, given, name):
    done = lookalike("search", "photos/round/1.png", "--metric", given, "--json")
    assert done.json["metric"] == name


@pytest.mark.parametrize("verb", [["search", "photos/round/1.png", "-g"], ["duplicates"]])
def test_an_empty_gallery_is_called_empty(lookalike, empty, verb):
    done = lookalike(*verb, empty)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"lookalike: {empty} holds no images: `lookalike index FOLDER` adds some\n"


def test_damage_is_told_as_damage(lookalike, tmp_path):
    rows = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    gallery = Gallery.import_features(tmp_path / "a.gallery", rows)
    gallery.close()
    file = tmp_path / "a.gallery" / "features-0.f32"
    rows[1, 2] = np.nan
    file.write_bytes(rows.tobytes())
    for verb in (["duplicates"], ["neighbors", "-o", tmp_path / "n.npz"]):
        done = lookalike(*verb, tmp_path / "a.gallery")
        assert done.code == 1
        assert "a.gallery is damaged, its features hold a value that is not finite" in done.err
        assert "lookalike check" in done.err.splitlines()[-1]


def test_a_table_of_distances(lookalike, drawn, tmp_path):
    assert lookalike("distances", "-o", tmp_path / "D.csv", "--metric", "l1").code == 0
    with open(tmp_path / "D.csv", newline="", errors="surrogateescape") as file:
        head, *rows = csv.reader(file)
    with Gallery.open(drawn / "lookalike.gallery") as gallery:
        assert head == ["path", *gallery.paths]
        assert [row[0] for row in rows] == gallery.paths
        expected = cdist(gallery.features, gallery.features, "l1", dtype="float32")
    read = np.array([row[1:] for row in rows], np.float32)
    np.testing.assert_array_equal(read, expected)


def test_a_path_that_begins_with_a_dash_is_no_option(lookalike, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-rf.png", "copy.png"):
        draw("round", 1).save(tmp_path / name)
    assert lookalike("index", ".").code == 0
    search = ("search", "copy.png", "--include-self", "--no-fold")
    assert "./-rf.png" in lookalike(*search, "--paths-only").out.splitlines()
    assert "./-rf.png" in lookalike(*search, "-0").out.split("\0")
    assert lookalike("duplicates", "--list", "keep").out == "./-rf.png\n"


def test_a_first_run_without_network_fails_before_it_makes_anything(tmp_path):
    (tmp_path / "photos").mkdir()
    draw("round", 1).save(tmp_path / "photos" / "a.png")
    settings = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "LOOKALIKE_MODEL": "",
        "LOOKALIKE_MODEL_URL": "http://127.0.0.1:9/googlenet.onnx",
        "NO_PROXY": "127.0.0.1",
    }
    done = run("index", "photos", cwd=tmp_path, **settings)
    first, *error = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert first == "Fetching the weights of GoogLeNet, 28 MB, once."
    assert len(error) <= 5
    assert "huggingface.co/onnxmodelzoo/googlenet-12/" in done.stderr  # where to fetch it elsewhere
    assert "Connection refused" in error[0]
    assert "googlenet.onnx: " not in done.stderr
    assert error[-1].endswith("index --untrained 0 FOLDER (--verbose tells more)")
    assert not (tmp_path / "lookalike.gallery").exists()
    more = run("index", "photos", "--verbose", cwd=tmp_path, **settings)
    assert "http://127.0.0.1:9/googlenet.onnx: " in more.stderr
