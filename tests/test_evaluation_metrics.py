"""Evaluations of metrics with parameters, and of such as the features cannot have."""

import csv
import io
import json

import numpy as np
import pytest

import lookalike as la
from lookalike.evaluation.show.formats import csv_text, json_text

RNG = np.random.default_rng(4)
FEATURES = RNG.random((60, 8)) + np.eye(3, 8)[np.arange(60) % 3]
LABELS = ["abc"[i % 3] for i in range(60)]
CUBES, ROOTS = la.Metric("minkowski", p=3), la.Metric("minkowski", p=0.5, w=RNG.random(8))
ASKED = ["cosine", CUBES, "l1", ROOTS, "seuclidean", "mahalanobis", "chisquare", "hellinger"]


@pytest.fixture(scope="module")
def below_zero():
    features = FEATURES.copy()
    features[7, 2] = -0.25
    features[:, 5] = 3
    return la.evaluate(features, LABELS, k=[2, 5], metrics=ASKED, full=True)


def test_results_are_found_under_what_was_given():
    found = la.evaluate(FEATURES, LABELS, k=5, metrics=ASKED)
    assert found.metrics == tuple(ASKED)
    assert found.skipped == {}
    for metric in ASKED:
        whole = la.Metric(metric).fitted(FEATURES) if isinstance(metric, str) else metric
        near = la.knn(FEATURES, k=5, metric=whole).indices
        np.testing.assert_array_equal(found.neighbors(metric), near)
    alone = la.evaluate(FEATURES, LABELS, k=5, metrics=CUBES)
    assert alone.metrics == (CUBES,)
    mean = f"{alone.mean_precision[CUBES]:.4f}"
    assert repr(alone).endswith(f"best minkowski:p=3, mean precision {mean}>")
    with pytest.raises(ValueError, match=r"metric must be one of minkowski:p=3, got 'cosine'"):
        alone.hits("cosine")


def test_what_the_features_cannot_have_is_left_out(below_zero):
    negative = "features row 7 has a value below zero, where the metric is not defined"
    constant = "cannot be taken from these rows: column 5 has one value only; leave such columns"
    assert below_zero.skipped.keys() == {"seuclidean", "mahalanobis", "chisquare", "hellinger"}
    assert below_zero.skipped["chisquare"] == below_zero.skipped["hellinger"] == negative
    assert below_zero.skipped["seuclidean"].startswith(f"V {constant}")
    assert below_zero.skipped["mahalanobis"].startswith(f"VI {constant}")
    assert below_zero.metrics == ("cosine", CUBES, "l1", ROOTS)
    assert below_zero.full.mean_r_precision.keys() == set(below_zero.metrics)
    assert below_zero.at(2).skipped == below_zero.skipped
    mixed = np.where(np.arange(60)[:, None] == 7, -FEATURES, FEATURES)
    with pytest.raises(ValueError, match=f"these features can have, got Chi-square: {negative}"):
        la.evaluate(mixed, LABELS, k=5, metrics="chisquare")


def test_a_wrong_parameter_or_value_is_an_error_all_the_same():
    with pytest.raises(ValueError, match=r"w must have 8 numbers .*, got 2"):
        la.evaluate(FEATURES, LABELS, k=5, metrics=["l1", la.Metric("l1", w=[1, 2])])
    with pytest.raises(ValueError, match="metric must be one of"):
        la.evaluate(FEATURES, LABELS, k=5, metrics=["l1", "dice"])
    broken = FEATURES.copy()
    broken[3, 3] = np.nan
    with pytest.raises(ValueError, match="features row 3 has a value that is not finite"):
        la.evaluate(broken, LABELS, k=5, metrics=["mahalanobis"])


def test_tables_have_titles_and_say_what_is_missing(below_zero):
    table = below_zero.table("precision")
    assert list(table.columns) == [
        "Manhattan", "Cosine", "Minkowski p=3", "Weighted Minkowski p=0.5",
    ]  # fmt: skip
    assert [note.split(" was left out: ")[0] for note in table.notes] == [
        "Standardised Euclidean", "Mahalanobis", "Chi-square", "Hellinger",
    ]  # fmt: skip
    assert table.markdown().count("was left out: ") == table.latex().count(r"\par ") == 4
    evidence = below_zero.bootstrap(50)
    document = json.loads(json_text(below_zero, evidence))
    weighted = next(name for name in document["metrics"] if "w=#" in name)
    names = ["cosine", "minkowski:p=3", "l1", weighted]
    assert document["metrics"] == names
    assert list(document["at"][0]["mean_precision"]) == names
    assert list(document["evidence"]["intervals"]) == names
    assert document["skipped"] == below_zero.skipped
    rows = list(csv.DictReader(io.StringIO(csv_text(below_zero))))
    assert {row["metric"] for row in rows} == set(names)


def test_the_page_says_it_too(below_zero, tmp_path):
    below_zero.to_html(tmp_path / "page.html", below_zero.bootstrap(50))
    page = (tmp_path / "page.html").read_text()
    for text in ("Minkowski p=3", "Weighted Minkowski p=0.5", "Hellinger was left out: features"):
        assert text in page


def test_the_command_line_says_it_too(lookalike, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", FEATURES[:6])
    (tmp_path / "y.txt").write_text("\n".join(LABELS[:6]))
    metrics = ["--metric", "mahalanobis", "--metric", "m:p=3"]
    done = lookalike("evaluate", "x.npy", "--labels", "y.txt", "-k", "1", *metrics, "--json")
    assert done.json["metrics"] == ["minkowski:p=3"]
    assert done.err.count("\n") == 1
    assert done.err.startswith("Mahalanobis was left out: VI cannot be taken from 6 rows of 8")
    done = lookalike("evaluate", "x.npy", "--labels", "y.txt", "-k", "1", "--metric", "mahal")
    assert (done.code, done.out) == (2, "")
    assert "metrics must have one that these features can have, got Mahalanobis: VI" in done.err
