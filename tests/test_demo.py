"""``lookalike demo``: the whole job without network, photos or weights."""

import re
import socket
import time

import numpy as np
import pytest

import browser
import lookalike as la
from command_line import call
from lookalike.demo import run as demo
from lookalike.demo.drawings import CATEGORIES, draw, draw_set
from lookalike.demo.plain_numpy import PLAIN
from lookalike.evaluation import paper
from test_evaluation_report import INSIDE, Page


@pytest.fixture
def done(tmp_path, own_cache, monkeypatch, capfdbinary):
    def refused(*arguments, **options):
        raise OSError("the demo must not use the network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(demo, "TIMED", 2)  # NumPy's time is not what is tested
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    result = call(["demo"], monkeypatch, capfdbinary)
    assert time.process_time() - started < 60
    return result


def test_everything_is_shown_and_written(done, tmp_path, own_cache, monkeypatch, request):
    assert (done.code, done.err) == (0, "")
    text = done.out
    assert "drawn, untrained" in text
    assert "real features" in text
    assert re.search(r"query: fish\n(\S+\t0\.\d{4}\n){5}", text)
    # Both tables in full, ours and the paper's.
    assert text.count("the paper\n") == 0
    for row in ("Mean", *paper.CATEGORIES):
        assert text.count(f"\n{row} ") == 2
    for cells in (paper.PRECISION, paper.RECALL):
        for metric in paper.METRIC_ORDER:
            assert all(f"{value:.3f}" in text for value in cells[metric].values())
    lines = text.splitlines()
    means = [place for place, line in enumerate(lines) if line.startswith("Mean ")]
    expected = "0.636 0.711 0.616 0.709 0.709 0.427 0.725"
    assert lines[means[0]].split()[1:] == expected.split()
    assert lines[means[0] + 1].split()[-7:] == [
        f"{paper.MEAN_PRECISION[metric]:.3f}" for metric in paper.METRIC_ORDER
    ]
    assert re.search(r"from features to tables: \d+\.\d\d s\. Plain NumPy in float64: \d+ s, "
                     r"measured on 2 of the photos for each distance and scaled", text)  # fmt: skip
    assert re.search(r"(100\.00|99\.\d\d)% of the neighbours", text)
    page = tmp_path / "lookalike-demo.html"
    assert f"{page}\n" in text
    assert "lookalike index ~/Photos" in text
    assert "lookalike search ~/Photos/one.jpg" in text
    assert sorted(tmp_path.iterdir()) == sorted({page, own_cache} & {*tmp_path.iterdir()})
    html = Page(page.read_text())
    words = " ".join(html.words)
    assert "drawn, untrained" in words
    assert "real features" in words
    pictures = [value for name, value in html.attributes if name == "src"]
    assert len(pictures) == 6
    assert all(picture.startswith("data:image/jpeg;base64,") for picture in pictures)
    assert "0.890" in words
    assert "script" not in html.tags
    monkeypatch.undo()  # Chromium's pipes want a process that may open them
    chromium = request.getfixturevalue("chromium")  # without one the rest has been tested
    for size in browser.looked_at(chromium, page):
        assert chromium.evaluate(INSIDE) == []
        rows = "new Set([...document.images].map(i => i.getBoundingClientRect().y)).size"
        assert chromium.evaluate(rows) == (1 if size == browser.DESKTOP else 2)


def test_another_name_for_the_page_and_one_that_cannot_be_written(
    tmp_path, monkeypatch, capfdbinary
):
    monkeypatch.setattr(demo, "search_drawn", lambda: pytest.fail("too late"))
    done = call(["demo", "-o", tmp_path / "none" / "page.html"], monkeypatch, capfdbinary)
    assert done.code == 2
    assert "there is no folder" in done.err
    assert not done.out


@pytest.mark.parametrize("metric", PLAIN)
def test_plain_numpy_computes_the_same_distances(metric, rng):
    rows = rng.gamma(0.5, size=(30, 40)) * (rng.random((30, 40)) < 0.7)
    expected = la.cdist(rows[:4], rows, metric)
    assert PLAIN[metric](rows[:4], rows) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_the_shipped_features():
    six = la.datasets.load_six()
    assert (six.features.shape, six.features.dtype) == ((2640, 1024), np.float32)
    assert la.category_counts(six.labels) == dict.fromkeys(paper.CATEGORIES, 440)
    assert len(set(six.ids)) == 2640
    assert six.ids[0] == "construction-001"
    assert np.isfinite(six.features).all()
    assert 0.31 < (six.features == 0).mean() < 0.33
    assert la.datasets.FILE.stat().st_size < 5_000_000


def test_they_are_the_features_of_the_photos(data):
    expected = np.load(data / "six_pool5.npy")
    error = np.abs(la.datasets.load_six().features - expected)
    # Half a unit in the last of float16's 11 digits, and 4e-5 between two ways to compute them.
    assert (error <= expected * 2.0**-11 + 4.5e-5).all()


def test_saving_and_loading(tmp_path, monkeypatch):
    features = np.random.default_rng(0).random((5, 3)).astype(np.float32)
    la.datasets.save_six(features, list("bbaca"), tmp_path / "few.npz")
    monkeypatch.setattr(la.datasets, "FILE", tmp_path / "few.npz")
    loaded = la.datasets.load_six()
    assert loaded.labels.tolist() == list("bbaca")
    assert np.abs(loaded.features - features).max() < 2.0**-11
    assert loaded.ids == ["b-001", "b-002", "a-001", "c-001", "a-002"]


def test_drawings_are_seeded_and_differ():
    images, labels = draw_set(2)
    assert labels == [category for category in CATEGORIES for _ in range(2)]
    assert {image.size for image in images} == {(256, 256)}
    assert len({image.tobytes() for image in images}) == len(images)
    assert draw("boat", 1).tobytes() == images[labels.index("boat") + 1].tobytes()
