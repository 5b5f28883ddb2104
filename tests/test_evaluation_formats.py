"""Tables, CSV, JSON, pandas: the numbers survive the way out."""

import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

import lookalike as la
import test_paper
from lookalike.evaluation import paper
from lookalike.evaluation.mistakes import confused_categories, hardest_images
from lookalike.evaluation.show.formats import csv_text, json_text
from lookalike.evaluation.show.tables import Table, category_names, evaluation_table, metric_title

HOSTILE = ["a&b_c%$#{}~^\\", "<script>|*x*`", "猫\n\x1b[31m", ""]


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(3)
    features = rng.random((60, 5)) + np.eye(4, 5)[np.arange(60) % 4]
    labels = [HOSTILE[i % 4] for i in range(60)]  # the last is no label
    return la.evaluate(features, labels, k=[2, 7], full=True)


@pytest.fixture(scope="module")
def evidence(found):
    return found.bootstrap(100)


def test_the_tables_look_as_the_papers(found):
    table = evaluation_table(found, "precision")
    assert table.columns == [
        "Manhattan", "Cosine", "Euclidean", "Bray-Curtis", "Canberra", "Chebyshev", "Correlation",
    ]  # fmt: skip
    assert table.rows == [*HOSTILE[:3], "Mean"]
    for name, metric in zip(table.columns, paper.METRIC_ORDER, strict=True):
        column = table.columns.index(name)
        assert [row[column] for row in table.values] == [
            *found.precision[metric].values(),
            found.mean_precision[metric],
        ]
    assert found.table("precision") == table
    recall = evaluation_table(found, "recall", categories=[HOSTILE[1]])
    assert recall.rows == [HOSTILE[1], "Mean"]
    assert recall.values[1][0] == found.mean_recall["manhattan"]
    with pytest.raises(ValueError, match="measure must be precision or recall, got 'ndcg'"):
        evaluation_table(found, "ndcg")


def test_markdown_and_latex_in_full():
    table = Table("A & B", ["x", "y"], ["one|two", "Mean"], [[0.12345, 0.5], [0.25, 0.25]])
    assert table.markdown() == (
        "A & B\n\n|  | x | y |\n|---|--:|--:|\n"
        "| one\\|two | 0.123 | **0.500** |\n| Mean | **0.250** | **0.250** |\n"
    )
    assert table.latex() == (
        "\\begin{table}\n\\caption{A \\& B}\n\\begin{tabular}{lrr}\n\\hline\n"
        " & x & y \\\\\n\\hline\n"
        "one\\textbar{}two & 0.123 & \\textbf{0.500} \\\\\n\\hline\n"
        "Mean & \\textbf{0.250} & \\textbf{0.250} \\\\\n\\hline\n\\end{tabular}\n\\end{table}\n"
    )


def test_hostile_names_stay_in_their_cells(found):
    table = evaluation_table(found, "precision")
    lines = table.markdown().splitlines()
    assert len(lines) == 4 + 4
    for line in lines[2:]:
        assert line.replace("\\|", "").count("|") == 9
    assert "\\<script\\>\\|\\*x\\*\\`" in table.markdown()
    assert "a\\&b\\_c\\%\\$\\#\\{\\}" in table.latex()
    assert "\x1b" not in table.markdown() + table.latex()
    terminal = Console(width=200, record=True, file=io.StringIO())
    terminal.print(table.rich())
    text = terminal.export_text()
    assert "猫\\n\\x1b[31m" in text
    assert "\x1b" not in text


def test_the_paper_s_table_fits_80_columns():
    values = [[0.111, 0.222, 0.333, 0.444, 0.555, 0.666, 0.777]] * 2
    columns = [metric_title(metric) for metric in paper.METRIC_ORDER]
    table = Table("T", columns, ["Invertebrate", "Mean"], values)
    other = Table("T", columns, ["Invertebrate", "Mean"], [[v + 0.1 for v in values[0]]] * 2)
    terminal = Console(width=80, record=True, file=io.StringIO())
    terminal.print(table.rich(beside=other))
    text = terminal.export_text()
    for digit in range(1, 8):
        assert text.count(f"0.{digit}{digit}{digit}") == 2
        assert text.count(f"0.{digit + 1}{digit}{digit}") == 2


def test_a_long_table_is_shortened_in_the_terminal_only():
    rows = [f"category {number}" for number in range(100)] + ["Mean"]
    table = Table("T", ["x"], rows, [[number / 100] for number in range(101)])
    terminal = Console(width=80, record=True, file=io.StringIO())
    terminal.print(table.rich(most=40))
    text = terminal.export_text()
    assert "category 39" in text
    assert "category 40" not in text
    assert "… 60 more" in text
    assert "Mean" in text
    assert table.markdown().count("\n") == 4 + 101


def test_names_of_categories_differ():
    assert category_names([1, "a", None]) == ["1", "a", "None"]
    assert category_names([1, "1"]) == ["1", "'1'"]


def test_csv_holds_every_number(found):
    rows = list(csv.DictReader(io.StringIO(csv_text(found))))
    assert len(rows) == 2 * 7 * len(la.METRICS) * (3 + 1)
    for row in rows:
        view = found.at(int(row["k"]))
        if row["category"]:
            expected = getattr(view, row["measure"])[row["metric"]][row["category"]]
        else:
            expected = getattr(view, f"mean_{row['measure']}")[row["metric"]]
        assert float(row["value"]) == expected


def test_pandas_holds_every_number(found):
    pytest.importorskip("pandas")
    frame = found.to_frame()
    assert list(frame.columns) == ["measure", "k", "metric", "category", "value"]
    means = frame[frame.category.isna() & (frame.measure == "recall") & (frame.k == 2)]
    assert dict(zip(means.metric, means.value, strict=True)) == found.at(2).mean_recall


def test_json_holds_every_number(found, evidence):
    document = json.loads(json_text(found, evidence))
    assert document["schema"] == 1
    assert document["images"] == 60
    assert document["unlabelled"] == 15
    assert [view["k"] for view in document["at"]] == [2, 7]
    for view in document["at"]:
        ours = found.at(view["k"])
        for name in ("precision", "recall", "average_precision", "ndcg"):
            assert view[name] == getattr(ours, name)
            assert view[f"mean_{name}"] == getattr(ours, f"mean_{name}")
        assert view["tie_share"] == ours.tie_share
        assert view["tie_averaged_mean_precision"] == ours.tie_averaged.mean_precision
    assert document["full"]["average_precision"] == found.full.average_precision
    assert document["evidence"]["intervals"] == {
        metric: list(limits) for metric, limits in evidence.intervals.items()
    }
    first = document["evidence"]["comparisons"][0]
    assert first["p_holm"] == evidence.comparisons[0].p_holm
    assert {image["instead"] for image in document["hardest"]} <= {*HOSTILE[:3], None}
    alone = json.loads(json_text(found))
    assert "evidence" not in alone


def test_hardest_and_most_confused():
    features = np.array([[0.0], [1], [2], [3], [4], [50], [51], [52]])
    labels = ["a", "a", "a", "b", "a", "b", "b", None]
    found = la.evaluate(features, labels, k=2, metrics="l1")
    hard = found.hardest(2)
    assert hard == hardest_images(found, "l1", 2)
    # Image 3 finds 2 and 4; 2 finds 1 and 3.
    assert (hard[0].row, hard[0].category, hard[0].hits) == (3, "b", 0)
    assert (hard[0].instead, hard[0].instead_hits) == ("a", 2)
    assert (hard[1].row, hard[1].hits) == (2, 1)
    pairs = found.confused(metric="l1")
    assert pairs == confused_categories(found, "l1")
    # b: image 3 finds two a; 5 and 6 find each other and the one without a label.
    # a: images 2 and 4 find 3.
    assert [(pair.category, pair.other, pair.share) for pair in pairs] == [
        ("b", "a", 1 / 3),
        ("b", None, 1 / 3),
        ("a", "b", 1 / 4),
    ]


def test_the_papers_tables_are_those_of_another_transcription():
    for ours, theirs in (
        (paper.PRECISION, test_paper.PRECISION),
        (paper.RECALL, test_paper.RECALL),
    ):
        assert tuple(theirs) == paper.CATEGORIES
        for category, row in theirs.items():
            cells = dict(zip(test_paper.COLUMNS, map(float, row.split()), strict=True))
            assert {metric: ours[metric][category] for metric in paper.METRIC_ORDER} == cells
    for ours, theirs in (
        (paper.MEAN_PRECISION, test_paper.MEAN_PRECISION),
        (paper.MEAN_RECALL, test_paper.MEAN_RECALL),
    ):
        assert list(ours.values()) == list(map(float, theirs.split()))
    assert set(paper.METRIC_ORDER) <= set(la.METRICS)


def test_formats_import_no_pandas(run_python):
    script = """
import sys, lookalike as la
from lookalike.evaluation.show.formats import csv_text, json_text
found = la.evaluate([[0.0], [1.0]], [1, 1], k=1)
csv_text(found), json_text(found)
assert not {"pandas", "matplotlib", "rich", "jinja2", "PIL", "onnxruntime"} & set(sys.modules)
"""
    run_python(script)


def test_to_frame_names_what_is_missing(found, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'lookalike\[pandas\]'"):
        found.to_frame()
