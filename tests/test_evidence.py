"""Bootstrap intervals and corrected comparisons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lookalike as la
from lookalike.evaluation.bootstrap import bootstrap, holm


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(5)
    features = rng.random((90, 6)) + 0.4 * np.eye(3, 6)[np.arange(90) % 3]
    return la.evaluate(features, np.arange(90) % 3, k=[3, 8])


def resampled_one_query_at_a_time(found, samples, seed):
    """The bootstrap as it reads, from the same draws: (samples, categories, metrics)."""
    random = np.random.default_rng(seed)
    result = np.empty((samples, len(found.categories), len(found.metrics)))
    for number in range(len(found.categories)):
        own = np.flatnonzero(found.query_categories == number)
        for sample, drawn in enumerate(random.integers(0, len(own), (samples, len(own)))):
            for place, metric in enumerate(found.metrics):
                result[sample, number, place] = np.mean(found.hits(metric)[own[drawn]]) / found.k
    return result


@pytest.mark.parametrize("k", [3, 8])
def test_the_bootstrap_is_paired_and_stratified(found, k):
    view = found.at(k)
    evidence = view.bootstrap(300, seed=7, confidence=0.9)
    values = resampled_one_query_at_a_time(view, 300, 7)
    mean = values.mean(axis=1)
    for place, metric in enumerate(found.metrics):
        expected = np.quantile(mean[:, place], [0.05, 0.95])
        assert evidence.intervals[metric] == pytest.approx(expected, rel=1e-12)
        low, high = evidence.intervals[metric]
        assert low < view.mean_precision[metric] < high
        for number, category in enumerate(found.categories):
            expected = np.quantile(values[:, number, place], [0.05, 0.95])
            assert evidence.category_intervals[metric][category] == pytest.approx(expected)
    assert len(evidence.comparisons) == 21
    for pair in evidence.comparisons:
        a, b = found.metrics.index(pair.metric), found.metrics.index(pair.other)
        difference = mean[:, a] - mean[:, b]
        expected = np.quantile(difference, [0.05, 0.95])
        assert (pair.low, pair.high) == pytest.approx(expected, abs=1e-12)
        assert pair.difference == pytest.approx(
            view.mean_precision[pair.metric] - view.mean_precision[pair.other]
        )
    assert evidence.comparisons == view.bootstrap(300, seed=7, confidence=0.9).comparisons
    assert evidence.comparisons != view.bootstrap(300, seed=8, confidence=0.9).comparisons


def test_p_values_by_hand():
    # Ten queries of one category; euclidean and l2 are one metric, chebyshev finds nothing.
    features = np.array([[float(i), 100.0 * (i % 2)] for i in range(10)] + [[4.4, 50.0]] * 2)
    labels = ["a" if i % 2 else "b" for i in range(10)] + [None] * 2
    found = la.evaluate(features, labels, k=1, metrics=["euclidean", "l2", "canberra"])
    evidence = found.bootstrap(99)
    same = evidence.comparisons[0]
    assert (same.metric, same.other, same.difference, same.p, same.p_holm) == (
        "euclidean",
        "l2",
        0,
        1,
        1,
    )
    assert evidence.rivals("euclidean") == ("l2",) + (
        ("canberra",) if evidence.comparisons[1].p_holm >= 0.05 else ()
    )
    assert evidence.rivals("l2", "a")[0] == "euclidean"


def test_a_clear_difference_is_told():
    rng = np.random.default_rng(0)
    directions = np.eye(4, 12)[np.arange(200) % 4] + 0.05 * rng.random((200, 12))
    features = directions * rng.uniform(0.01, 10, (200, 1))  # length means nothing
    found = la.evaluate(features, np.arange(200) % 4, k=20)
    evidence = found.bootstrap(2000)
    pair = next(
        pair
        for pair in evidence.comparisons
        if {pair.metric, pair.other} == {"cosine", "euclidean"}
    )
    assert pair.p == pytest.approx(2 / 2001)  # none of 2,000 samples
    assert pair.p_holm < 0.05
    assert "euclidean" not in evidence.rivals("cosine")
    for category, pairs in evidence.category_comparisons.items():
        assert category in range(4)
        assert len(pairs) == 21


def test_intervals_cover_the_truth(rng):
    """Of many databases drawn from one law, an interval misses the expected hits as often as told.

    Queries and database are independent draws here, so that the condition on the database holds.
    """
    trials, missed = 120, 0
    for _ in range(trials):
        hits = rng.binomial(10, 0.3, 80)
        found = _Hits(hits)
        low, high = bootstrap(found, 400, seed=0, confidence=0.8).intervals["m"]
        missed += not low <= 0.3 <= high
    # 20 % of 120, deviation 4.4.
    assert abs(missed - 0.2 * trials) < 4 * 4.4


class _Hits:
    """As much of an evaluation as the bootstrap reads."""

    k, metrics, categories = 10, ("m",), ("c",)

    def __init__(self, hits):
        self.query_categories = np.zeros(len(hits), int)
        self.precision = {"m": {"c": hits.mean() / 10}}
        self.mean_precision = {"m": hits.mean() / 10}
        self.hits = lambda metric: hits


@given(st.lists(st.floats(0, 1), min_size=1, max_size=25))
def test_holm(values):
    p = np.array(values)
    corrected = holm(p)
    ranked = sorted(values)
    for value, ours in zip(values, corrected, strict=True):
        expected = max(
            min(1, (len(values) - place) * other)
            for place, other in enumerate(ranked)
            if other <= value and place <= ranked.index(value) + ranked.count(value) - 1
        )
        assert ours <= 1
        assert ours >= value or np.isclose(ours, value)
        assert expected == pytest.approx(corrected[p == value].max())
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples must be at least 1, got 0"),
        ({"confidence": 95}, "confidence must be between 0 and 1, got 95"),
    ],
)
def test_errors(found, options, message):
    with pytest.raises(ValueError, match=message):
        found.bootstrap(**options)
