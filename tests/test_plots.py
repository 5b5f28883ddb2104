"""Pictures with matplotlib: every panel shows the numbers it should."""

import numpy as np
import pytest

import lookalike as la

pytest.importorskip("matplotlib")

from lookalike.evaluation.show.plots import figure, save_figure


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(3)
    features = rng.random((60, 5)) + np.eye(3, 5)[np.arange(60) % 3]
    return la.evaluate(features, [("a $x$", "<b>", "猫\n")[i % 3] for i in range(60)], k=7)


def test_the_panels_show_the_numbers(found):
    evidence = found.bootstrap(100)
    counts, means, curves, precision, recall, confusion = figure(found, evidence).axes
    assert [bar.get_width() for bar in counts.patches] == [20, 20, 20]
    dots = {
        line.get_ydata()[0]: line.get_xdata()[0] for line in means.lines if line.get_marker() == "o"
    }
    assert [dots[place] for place in range(7)] == sorted(found.mean_precision.values())[::-1]
    intervals = {tuple(line.get_xdata()) for line in means.lines if len(line.get_xdata()) == 2}
    assert intervals == set(evidence.intervals.values())
    for line, metric in zip(curves.lines, found.metrics, strict=True):
        assert (line.get_ydata() == found.precision_curve(metric)).all()
    for axes, values in ((precision, found.precision), (recall, found.recall)):
        for line, metric in zip(axes.lines, found.metrics, strict=True):
            assert list(line.get_xdata()) == list(values[metric].values())
    table = found.confusion(found.best_metric)
    shares = (table / table.sum(axis=1, keepdims=True))[:, :3]
    assert (confusion.images[0].get_array() == shares).all()
    assert [label.get_text() for label in confusion.get_xticklabels()] == [
        r"a \$x\$",
        "<b>",
        r"猫\n",
    ]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.filterwarnings("ignore:Glyph")  # matplotlib's font has no 猫
def test_files_are_whole_or_not_there(found, tmp_path, kind, monkeypatch):
    path = tmp_path / f"a.{kind}"
    save_figure(path, found)
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")
    before = path.read_bytes()
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_figure(path, found)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_unknown_format_is_refused_before_anything_is_drawn(found, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.png, \.svg or \.pdf, got '.*a\.bmp'"):
        save_figure(tmp_path / "a.bmp", found)
    assert not list(tmp_path.iterdir())
