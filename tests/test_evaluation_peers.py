"""Measures of retrieval beside other tools': the table of docs/evaluation.md, number by number."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

EVALUATION = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text()
K = 10
OTHER = "–"

ecosystem = pytest.mark.ecosystem


@pytest.fixture(scope="module")
def found():
    """Categories smaller and larger than k, ties, queries without a hit, images without a label."""
    rng = np.random.default_rng(4)
    labels = [*"a" * 4, *"b" * 25, *"c" * 11, *"d" * 2, "alone", None, None]
    middles = rng.integers(0, 4, (5, 3))
    kinds = [ord(label[0]) % 5 if label else 0 for label in labels]
    features = middles[kinds] + rng.integers(-2, 3, (len(labels), 3))
    found = la.evaluate(features, labels, k=[3, K], metrics=["l1", "linf"])
    assert 0 < found.micro_hit_rate["l1"] < 1
    assert found.left_out == 1
    return found


def columns(tool):
    """The names of a tool's measures in the table of the documentation, by ours."""
    table = re.search(r"^\| measure, over all queries.*?\n\n", EVALUATION, re.DOTALL | re.MULTILINE)
    head, _, *lines = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in table[0].strip().splitlines()
    ]
    place = head.index(tool)
    return {line[0]: line[place] for line in lines if line[place] != OTHER}


def test_a_run_keeps_the_order_and_names(found):
    names = [f"photo {i}" for i in range(found.images)]
    run, qrels = found.to_run("l1", names), found.to_qrels(names)
    assert list(run) == list(qrels) == [names[row] for row in found.query_rows]
    for row, near, relevant in zip(
        found.query_rows, found.neighbors("l1"), found.query_relevant, strict=True
    ):
        name = names[row]
        assert list(run[name]) == [names[other] for other in near]
        assert list(run[name].values()) == list(range(K, 0, -1))
        assert len(qrels[name]) == relevant
        assert name not in qrels[name]
    hits = [len(run[name].keys() & qrels[name].keys()) for name in run]
    assert hits == found.hits("l1").tolist()
    assert found.to_run() == found.to_run(found.best_metric)
    assert len(next(iter(found.at(3).to_run().values()))) == 3
    assert json.loads(json.dumps(run)) == run


def test_oneself_is_in_both_where_it_counts():
    found = la.evaluate(
        [[0.0], [1.0], [5.0], [9.0]], list("aabb"), k=2, metrics="l1", include_self=True
    )
    assert found.to_run()["0"] == {"0": 2.0, "1": 1.0}
    assert found.to_qrels() == {
        "0": {"0": 1, "1": 1},
        "1": {"0": 1, "1": 1},
        "2": {"2": 1, "3": 1},
        "3": {"2": 1, "3": 1},
    }


def test_wrong_names_are_refused(found):
    with pytest.raises(ValueError, match=f"ids must name the {found.images} images, got 2"):
        found.to_run("l1", "ab")
    with pytest.raises(ValueError, match="each image by another, got 'x' twice"):
        found.to_qrels(["x"] * found.images)
    with pytest.raises(ValueError, match=r"measure must be one of precision, .*got 'map'"):
        found.per_query("map", "l1")


@ecosystem
@pytest.mark.long
@pytest.mark.filterwarnings("ignore:unsafe cast from uint64")  # of numba, in its code
def test_ranx(found):
    ranx = pytest.importorskip("ranx", reason="ranx is not installed: `nox -s ecosystem` has it")
    qrels, run = ranx.Qrels(found.to_qrels()), ranx.Run(found.to_run("l1"))
    for ours, theirs in columns("ranx").items():
        expected = ranx.evaluate(qrels, run, theirs.replace("k", str(K)))
        assert getattr(found, ours)["l1"] == pytest.approx(expected, rel=1e-12), ours


@ecosystem
def test_ir_measures(found):
    reason = "ir_measures is not installed: `nox -s ecosystem` has it"
    ir_measures = pytest.importorskip("ir_measures", reason=reason)
    qrels, run = found.to_qrels(), found.to_run("l1")
    for ours, theirs in columns("ir_measures").items():
        measure = ir_measures.parse_measure(theirs.replace("k", str(K)))
        expected = ir_measures.calc_aggregate([measure], qrels, run)[measure]
        assert getattr(found, ours)["l1"] == pytest.approx(expected, rel=1e-6), ours


@ecosystem
def test_pytrec_eval(found):
    reason = "pytrec_eval is not installed: `nox -s ecosystem` has it"
    pytrec_eval = pytest.importorskip("pytrec_eval", reason=reason)
    names = {f"map_cut.{K}", f"ndcg_cut.{K}", f"P.{K}", f"recall.{K}", "recip_rank"}
    judged = pytrec_eval.RelevanceEvaluator(found.to_qrels(), names)
    queries = judged.evaluate(found.to_run("l1")).values()
    for ours, theirs in (
        ("precision", f"P_{K}"),
        ("recall", f"recall_{K}"),
        ("average_precision_over_r", f"map_cut_{K}"),
        ("reciprocal_rank", "recip_rank"),
        ("ndcg", f"ndcg_cut_{K}"),
    ):
        expected = [query[theirs] for query in queries]
        assert found.per_query(ours, "l1") == pytest.approx(expected, rel=1e-12), ours


@ecosystem
@pytest.mark.long
def test_torchmetrics(found):
    reason = "torchmetrics is not installed: `nox -s ecosystem` has it"
    pytest.importorskip("torchmetrics", reason=reason)
    import torch
    from torchmetrics.functional import retrieval

    run, qrels = found.to_run("l1"), found.to_qrels()

    def mean(function):
        values = []
        for query, scores in run.items():
            others = [str(row) for row in range(found.images) if str(row) != query]
            preds = torch.tensor([scores.get(other, 0.0) for other in others])
            target = torch.tensor([other in qrels[query] for other in others])
            values.append(float(function(preds, target, top_k=K)))
        return np.mean(values)

    for ours, theirs in columns("torchmetrics").items():
        expected = mean(getattr(retrieval, theirs))
        assert getattr(found, ours)["l1"] == pytest.approx(expected, rel=1e-6), ours
    # And what it calls average precision is neither of ours: it divides by the hits.
    hits, sums = found.hits("l1"), found.per_query("average_precision_over_r", "l1")
    divided = sums * found.query_relevant / np.maximum(hits, 1)
    assert mean(retrieval.retrieval_average_precision) == pytest.approx(divided.mean(), rel=1e-6)
