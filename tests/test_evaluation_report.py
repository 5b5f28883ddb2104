"""The HTML report: complete, escaped, self-contained; its charts stand where the numbers say."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import browser
import lookalike as la
from lookalike.evaluation.show import charts
from lookalike.evaluation.show.page import evaluation_page, write_evaluation_page

HOSTILE = ["<script>alert(1)</script>", "quo\"te & 'more'", "猫 с\u202eемья"]


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(3)
    features = rng.random((60, 5)) + np.eye(4, 5)[np.arange(60) % 4]
    labels = [(*HOSTILE, None)[i % 4] for i in range(60)]
    return la.evaluate(features, labels, k=[2, 7], full=True)


def test_the_page_is_whole_and_needs_nothing_else(found, tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (30, 40, 3), np.uint8)
    write_evaluation_page(
        tmp_path / "page.html",
        found,
        found.bootstrap(50),
        title="<b>Title</b>",
        images=lambda row: (f"<i>{row}.jpg", picture if row % 2 else b"no image"),
    )
    html = (tmp_path / "page.html").read_text()
    page = Page(html)
    assert not {"script", "i", "b", "link", "iframe"} & set(page.tags)
    text = " ".join(page.words)
    for expected in ("<b>Title</b>", *HOSTILE[:2], "<i>", "Every pair of metrics"):
        assert expected in text
    addresses = [value for name, value in page.attributes if name in ("src", "href")]
    assert addresses
    assert all(value.startswith("data:image/jpeg;base64,") for value in addresses)
    assert "url(" not in html
    assert not re.search(r"https?://", html.replace("http://www.w3.org", ""))
    for metric in found.metrics:
        assert f"{found.mean_precision[metric]:.3f}" in text
        assert f"{found.at(2).mean_ndcg[metric]:.4f}" in text
    assert page.tags.count("svg") >= 6


INSIDE = """
[...document.querySelectorAll("figure svg")].flatMap(svg => {
  const outer = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text, circle, rect, polyline, line")].filter(part => {
    const box = part.getBoundingClientRect();
    return box.left < outer.left - 1 || box.right > outer.right + 1 ||
           box.top < outer.top - 1 || box.bottom > outer.bottom + 1;
  }).map(part => part.outerHTML);
})
"""
SMALLEST = """
Math.min(...[...document.querySelectorAll("figure svg text")].map(
  text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))
"""


def test_it_looks_right_on_a_desktop_and_a_phone(found, chromium, tmp_path):
    page = tmp_path / "page.html"
    write_evaluation_page(page, found, found.bootstrap(50))
    for _ in browser.looked_at(chromium, page):
        assert chromium.evaluate(INSIDE) == []
        assert chromium.evaluate(SMALLEST) > 9.5
    # Dark: no colour of the text or of a series is that of the ground.
    chromium.open(page, dark=True)
    colours = chromium.evaluate(
        "[...new Set([...document.querySelectorAll('circle, polyline, svg text')].flatMap("
        "part => [getComputedStyle(part).fill, getComputedStyle(part).stroke]))]"
    )
    ground = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 23, 26)"
    assert ground not in colours


def test_one_metric_one_category_one_neighbour():
    small = la.evaluate([[0.0], [1.0]], ["a", "a"], k=1, metrics="l1")
    for evidence in (None, small.bootstrap(10)):
        text = " ".join(Page(evaluation_page(small, evidence)).words)
        assert "averaged over\n1 category" in text
        assert "Every pair" not in text


def test_many_categories_are_cut_and_counted():
    rng = np.random.default_rng(0)
    found = la.evaluate(rng.random((180, 4)), np.arange(180) % 90, k=3, metrics=["l1", "l2"])
    text = " ".join(Page(evaluation_page(found)).words)
    assert "50 more categories are in the tables." in text
    assert "50 more are left out." in text


@pytest.mark.parametrize("categories", [3, 60])
def test_the_heat_map_shows_the_shares(categories):
    rng = np.random.default_rng(1)
    labels = [None if i % 7 == 0 else i % categories for i in range(4 * categories)]
    found = la.evaluate(rng.random((len(labels), 3)), labels, k=3, metrics="l1")
    page = evaluation_page(found)
    rows = re.findall(r"<tr><th>(\d+)</th>((?:<td style=.*?</td>)+)</tr>", page)
    table = found.confusion("l1")
    shares = table / table.sum(axis=1, keepdims=True)
    shown = [*range(min(40, len(found.counts))), len(found.counts)]
    assert [name for name, _ in rows] == [str(c) for c in found.categories[:40]]
    for place, (_, cells) in enumerate(rows):
        printed = [float(cell) for cell in re.findall(r">([\d.]+) %<", cells)]
        assert printed == pytest.approx(100 * shares[place, shown], abs=0.0501)


def test_thousands_of_categories_are_quick_and_small():
    """No table of all categories by all categories, which here would have 800 MB."""
    rng = np.random.default_rng(1)
    found = la.evaluate(rng.random((20_000, 2)), np.arange(20_000) // 2, k=2, metrics="l1")
    assert "9960 more are left out." in " ".join(Page(evaluation_page(found)).words)


def test_bars_are_as_long_as_their_numbers():
    chart = charts.bars({"a": 10, "b": 5, "c": 1})
    lengths = [row.marks[0].x - chart.left for row in chart.rows]
    assert lengths == pytest.approx([lengths[0], lengths[0] / 2, lengths[0] / 10])
    assert [row.value for row in chart.rows] == ["10", "5", "1"]


def test_dots_stand_on_the_scale_of_the_ticks(found):
    chart = charts.dots(found.precision, found.mean_precision, "precision")
    first, last = chart.x_ticks[0], chart.x_ticks[-1]
    assert first.label == "0"

    def value(x):
        return (x - first.at) / (last.at - first.at) * float(last.label)

    for row, category in zip(chart.rows, [*found.categories, None], strict=True):
        for mark, metric in zip(row.marks, found.metrics, strict=True):
            expected = (
                found.mean_precision[metric]
                if category is None
                else found.precision[metric][category]
            )
            assert value(mark.x) == pytest.approx(expected)
            assert f"{expected:.3f}" in mark.title
            assert mark.series == charts.series(metric)


def test_intervals_enclose_the_mean(found):
    evidence = found.bootstrap(200)
    chart = charts.intervals(found.mean_precision, evidence.intervals, "precision")
    assert [row.value for row in chart.rows] == sorted(
        (f"{value:.3f}" for value in found.mean_precision.values()), reverse=True
    )
    for row in chart.rows:
        mark = row.marks[0]
        assert chart.left <= mark.low <= mark.x <= mark.high <= chart.right


def test_curves_end_where_the_precision_is(found):
    x = np.arange(1, 8)
    chart = charts.curves({"l1": (x, x / 10)}, "k", "precision")
    points = [tuple(map(float, p.split(","))) for p in chart.lines[0].points.split()]
    assert len(points) == 7
    assert np.diff([a for a, _ in points]) == pytest.approx(points[1][0] - points[0][0], abs=0.11)
    assert [b for _, b in points] == sorted((b for _, b in points), reverse=True)
    long = charts.curves({"l1": (np.arange(10_000), np.ones(10_000))}, "k", "precision")
    assert len(long.lines[0].points.split()) == 200


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.42, 0.73, ["0.4", "0.5", "0.6", "0.7", "0.8"]),
        (0, 0.2, ["0", "0.05", "0.1", "0.15", "0.2"]),
        (0, 0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.5, 0.5, ["0.5", "0.6"]),
        (1, 100, ["0", "20", "40", "60", "80", "100"]),
    ],
)
def test_axes_have_round_numbers(low, high, expected):
    values = charts.axis(low, high)
    assert values[0] <= low + 1e-9
    assert values[-1] >= high - 1e-9
    assert len(values) <= 8
    assert all(len(f"{value:.6g}") <= 5 for value in values)
    if (low, high) not in ((0, 0), (0.5, 0.5)):
        assert [f"{value:.6g}" for value in values] == expected


def test_the_page_keeps_its_spaces_and_its_names():
    import re

    from lookalike import evaluate
    from lookalike.evaluation.show import charts
    from lookalike.evaluation.show.page import evaluation_page

    features = np.random.default_rng(0).random((60, 8))
    labels = ["WhatsApp Images 2019"] * 20 + ["MMMMWWWW wide"] * 19 + ["only"] + [None] * 20
    page = evaluation_page(evaluate(features, labels, k=5, metrics=["l1", "cosine"]))
    text = re.sub(r"<[^>]+>", "\n", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    assert not re.findall(r"[a-z][.,;:][A-Z0-9]", text)
    assert "their label.\n20 have" in text
    for name in (*labels[:1], labels[20], "猫" * 20, "i" * 60):
        assert charts._width(charts._short(name)) <= charts.LEFT - 12
        assert name.startswith(charts._short(name).rstrip("…"))
    assert charts._short("Bray-Curtis") == "Bray-Curtis"
