"""`evaluate` against the definitions, one query and one neighbour at a time."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evaluation_reference as direct
import lookalike as la
from test_real_features import EXCLUDED, INCLUDED

LABELS = [None, "", math.nan, "tree", "food", 3, 4.5]


@st.composite
def databases(draw):
    """Small whole numbers: many equal rows and tied distances, all exact in float64."""
    n = draw(st.integers(2, 24))
    rows = draw(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=n, max_size=n))
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=n, max_size=n))
    include_self = draw(st.booleans())
    k = draw(st.integers(1, n - (not include_self)))
    return np.array(rows, np.float32), labels, k, include_self


@given(databases(), st.sampled_from(["manhattan", "chebyshev"]))
def test_every_measure_is_its_definition(database, metric):
    features, labels, k, include_self = database
    matrix = direct.distances(features, metric)
    queries, means = direct.evaluate(matrix, labels, k, include_self)
    if not queries:
        with pytest.raises(ValueError, match="labels must give at least"):
            la.evaluate(features, labels, k=k, metrics=metric, include_self=include_self)
        return
    found = la.evaluate(
        features, labels, k=[1, k], metrics=metric, include_self=include_self, full=True
    )
    assert found.queries == len(queries)
    labelled = sum(not direct.missing(label) for label in labels)
    assert found.unlabelled == len(labels) - labelled
    assert found.left_out == labelled - len(queries)
    # Fractions become the nearest float64, which is what one division of whole numbers gives.
    assert found.precision[metric] == {c: float(v) for c, v in means["precision"].items()}
    assert found.recall[metric] == {c: float(v) for c, v in means["recall"].items()}
    assert list(found.precision[metric]) == list(found.categories) == list(means["precision"])
    hits = [query["precision"] * k for query in queries]
    assert found.hits(metric).tolist() == hits
    assert (found.hits(metric) / found.query_relevant).tolist() == [
        float(query["recall"]) for query in queries
    ]
    assert found.tie_share[metric] == sum(query["tied"] for query in queries) / len(queries)
    for ours, theirs in [
        (found.tie_averaged.precision, "expected"),
        (found.average_precision, "ap"),
        (found.average_precision_over_r, "ap_over_r"),
        (found.reciprocal_rank, "rr"),
        (found.hit_rate, "hit"),
        (found.ndcg, "ndcg"),
        (found.full.r_precision, "r_precision"),
        (found.full.average_precision, "full_ap"),
    ]:
        assert ours[metric] == pytest.approx(
            {c: float(v) for c, v in means[theirs].items()}, rel=1e-14
        )
    for measure, theirs in [
        ("average_precision", "ap"),
        ("average_precision_over_r", "ap_over_r"),
        ("reciprocal_rank", "rr"),
        ("hit_rate", "hit"),
        ("ndcg", "ndcg"),
    ]:
        each = [query[theirs] for query in queries]
        assert found.per_query(measure, metric) == pytest.approx(each, rel=1e-14)
        micro, mean = getattr(found, f"micro_{measure}"), getattr(found, f"mean_{measure}")
        assert micro[metric] == pytest.approx(np.mean(each), rel=1e-14)
        by_category = [float(value) for value in means[theirs].values()]
        assert mean[metric] == pytest.approx(np.mean(by_category), rel=1e-14)
    for category, curve in found.full.curves[metric].items():
        curves = [query["curve"] for query in queries if query["category"] == category]
        assert curve == pytest.approx(np.mean(curves, axis=0), rel=1e-14)
    assert found.mean_precision[metric] == np.mean(list(found.precision[metric].values()))
    assert found.mean_recall[metric] == np.mean(list(found.recall[metric].values()))
    assert found.micro_precision[metric] == pytest.approx(
        float(sum(query["precision"] for query in queries) / len(queries)), rel=1e-15
    )
    assert found.micro_recall[metric] == pytest.approx(
        float(sum(query["recall"] for query in queries) / len(queries)), rel=1e-14
    )


@given(databases())
def test_one_search_serves_every_k(database):
    features, labels, k, include_self = database
    options = {"metrics": ["euclidean"], "include_self": include_self}
    try:
        all_at_once = la.evaluate(features, labels, k=range(1, k + 1), **options)
    except ValueError:
        return  # nobody has anyone to find
    for one in range(1, k + 1):
        alone, view = la.evaluate(features, labels, k=one, **options), all_at_once.at(one)
        for name in ("k", "precision", "recall", "ndcg", "tie_share", "mean_average_precision"):
            assert getattr(alone, name) == getattr(view, name), name
        assert alone.tie_averaged.precision["euclidean"] == pytest.approx(
            view.tie_averaged.precision["euclidean"], rel=1e-14
        )
        assert (alone.confusion("euclidean") == view.confusion("euclidean")).all()
    assert all_at_once.precision_curve("euclidean") == pytest.approx(
        [all_at_once.at(one).mean_precision["euclidean"] for one in range(1, k + 1)], rel=1e-14
    )


def test_long_blocks_of_ties_are_counted_to_their_end(rng):
    # 300 equal rows: the block that the 5th neighbour belongs to is longer than any first look.
    features = np.concatenate([np.zeros((300, 8)), rng.random((40, 8)) + 1]).astype(np.float32)
    labels = rng.choice(["a", "b", "c", None], 340).tolist()
    for include_self in (True, False):
        found = la.evaluate(features, labels, k=5, metrics="l2", include_self=include_self)
        matrix = direct.distances(features, "euclidean")
        queries, means = direct.evaluate(matrix, labels, 5, include_self)
        assert found.tie_averaged.precision["l2"] == pytest.approx(
            {c: float(v) for c, v in means["expected"].items()}, rel=1e-14
        )
        assert found.tie_share["l2"] == sum(query["tied"] for query in queries) / len(queries)
        assert found.tie_share["l2"] > 0.5


@pytest.mark.parametrize("metric", la.METRICS)
def test_long_ties_at_distances_that_are_no_whole_numbers(rng, metric):
    """The list's distances and those of the rest of its block come from two functions."""
    features = np.concatenate([np.tile(rng.random(19), (70, 1)), rng.random((20, 19))])
    features = features[rng.permutation(90)].astype(np.float32)
    labels = rng.choice(["a", "b"], 90).tolist()
    found = la.evaluate(features, labels, k=4, metrics=metric)
    matrix = la.cdist(features, features, metric, dtype="float64")
    _, means = direct.evaluate(matrix, labels, 4, False)
    assert found.tie_share[metric] > 70 / 90 - 0.01
    assert found.tie_averaged.precision[metric] == pytest.approx(
        {c: float(v) for c, v in means["expected"].items()}, rel=1e-14
    )


def test_few_labelled_images_in_a_large_database(rng):
    """The labelled ones alone are searched for: another road to the same neighbours."""
    features = rng.integers(0, 3, (90, 4)).astype(np.float32)
    labels = [None] * 90
    for row in range(0, 90, 3):
        labels[row] = "even" if row % 2 == 0 else "odd"
    for include_self in (True, False):
        found = la.evaluate(features, labels, k=7, metrics=["manhattan"], include_self=include_self)
        assert found.query_rows.tolist() == list(range(0, 90, 3))
        matrix = direct.distances(features, "manhattan")
        _, means = direct.evaluate(matrix, labels, 7, include_self)
        for ours, theirs in (
            (found.precision, "precision"),
            (found.recall, "recall"),
            (found.tie_averaged.precision, "expected"),
        ):
            assert ours["manhattan"] == pytest.approx(
                {c: float(v) for c, v in means[theirs].items()}, rel=1e-14
            )
        every = la.knn(features, k=7, metric="manhattan", include_self=include_self).indices
        assert (found.neighbors("manhattan") == every[::3]).all()


def test_a_search_among_equal_rows_without_oneself():
    # With more equal rows before it than neighbours wanted, a row is not in its own list.
    features, labels = np.zeros((9, 2)), [None] * 6 + ["a", "a", "b"]
    found = la.evaluate(features, labels, k=3, metrics="l1")
    assert found.neighbors("l1").tolist() == [[0, 1, 2]] * 2
    assert found.precision["l1"] == {"a": 0}
    assert found.tie_averaged.precision["l1"]["a"] == pytest.approx(1 / 8)


def test_confusion_counts_what_is_retrieved():
    features = np.array([[0.0], [1], [2], [3], [10]])
    labels = ["a", "a", "b", None, "c"]
    found = la.evaluate(features, labels, k=2, metrics="l1")
    assert (found.categories, found.left_out, found.unlabelled) == (("a",), 2, 1)
    assert found.counts == {"a": 2, "b": 1, "c": 1}
    # Image 0 finds images 1 and 2, image 1 finds 0 and 2.
    assert found.confusion("l1").tolist() == [[2, 2, 0, 0]]
    with_self = la.evaluate(features, labels, k=2, metrics="l1", include_self=True)
    # 2 finds itself and 1, 4 finds itself and 3.
    assert with_self.confusion("l1").tolist() == [[4, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([7, 7, 8, 8]), {7: 1, 8: 1}),
        (np.array(["x", "x", "y", "y"]), {"x": 1, "y": 1}),
        ([np.int64(7), 7, 8.0, np.float32(8)], {7: 1, 8: 1}),
        ([("a", 1), ("a", 1), "b", "b"], {("a", 1): 1, "b": 1}),
        (np.ma.masked_equal([7, 7, 5, 5], 5), {7: 1}),
        (np.array([True, True, False, False]), {True: 1, False: 1}),
        (iter(["x", "x", "y", "y"]), {"x": 1, "y": 1}),
        (np.array([1.0, 1.0, np.nan, np.nan]), {1: 1}),
    ],
)
def test_categories_are_the_values_given(labels, expected):
    features = [[0.0], [0.1], [5.0], [5.1]]
    found = la.evaluate(features, labels, k=1, metrics=["l2"])
    assert found.precision["l2"] == expected


def test_columns_of_a_table_are_labels():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series(["x", "x", pandas.NA, "y", "y"], index=[5, 4, 3, 2, 1])
    features = [[0.0], [0.1], [9.0], [5.0], [5.1]]
    for given_ in (labels, labels.astype("category"), labels.astype("string")):
        found = la.evaluate(features, given_, k=1, metrics=["l2"])
        assert found.precision["l2"] == {"x": 1, "y": 1}
        assert found.unlabelled == 1


def test_metrics_are_found_under_the_names_given():
    features, labels = [[0.0, 1], [0.1, 1], [5.0, 0]], ["a", "a", "b"]
    found = la.evaluate(features, labels, k=1, metrics=["cityblock", "l2", "l2"])
    assert list(found.precision) == ["cityblock", "l2"] == list(found.metrics)
    assert set(la.evaluate(features, labels, k=1).precision) == set(la.METRICS)


def test_k_beyond_the_database_is_lowered_with_one_warning():
    features, labels = [[0.0], [1.0], [2.0]], ["a", "a", "a"]
    with pytest.warns(
        UserWarning, match=r"k = 100 is more than the 2 images .* k = 2 is used"
    ) as w:
        found = la.evaluate(features, labels, k=[1, 50, 100])
    assert len(w) == 1
    assert w[0].filename == __file__
    assert (found.k, found.ks) == (2, (1, 2))
    assert found.precision["cosine"] == {"a": 1}
    # As many as there are is no reason to warn, which would be an error here.
    assert la.evaluate(features, labels, k=3, include_self=True).recall["cosine"] == {"a": 1}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": ["a"]}, ValueError, "labels must have 4 entries, one a row of features, got 1"),
        ({"labels": "aabb"}, TypeError, "labels must be one an image, got the str"),
        ({"labels": np.zeros((4, 1))}, ValueError, "labels must be 1-D, got 2-D"),
        ({"labels": [["a"], ["a"], "b", "b"]}, TypeError, "got a list at 0"),
        ({"labels": [np.zeros(2)] * 4}, TypeError, "got a ndarray at 0"),
        ({"labels": [1, 2, 3, 4]}, ValueError, "at least two images the same label, got 4 cat"),
        ({"labels": [None] * 4}, ValueError, "got 0 categories of 4 images"),
        ({"labels": [None] * 4, "include_self": True}, ValueError, "at least one image a label"),
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": []}, ValueError, r"k must be at least 1, got \[\]"),
        ({"k": [1, -2]}, ValueError, r"k must be at least 1, got \[1, -2\]"),
        ({"k": 1.5}, TypeError, "k must be an integer or several, got 1.5"),
        ({"k": "12"}, TypeError, "k must be an integer or several, got '12'"),
        ({"metrics": "l3"}, ValueError, "metric must be one of manhattan, .* got 'l3'"),
        ({"metrics": ["l2", "dice"]}, ValueError, "got 'dice'"),
        ({"metrics": []}, ValueError, "metrics must name at least one metric"),
        ({"features": [0.0, 1, 2, 3]}, ValueError, "features must be 2-D, got 1-D"),
        ({"features": [[1j]] * 4}, TypeError, "features must hold real numbers"),
        ({"features": np.empty((4, 0))}, ValueError, "features must have at least one column"),
        ({"features": [[1.0], [2], [np.nan], [3]]}, ValueError, "features row 2 has a value that"),
        ({"features": np.empty((0, 3)), "labels": []}, ValueError, "got 0 categories of 0 images"),
    ],
)
def test_errors_name_the_argument_and_the_value(options, error, message):
    arguments = {"features": [[0.0], [1], [2], [3]], "labels": list("aabb"), "k": 1} | options
    with pytest.raises(error, match=message):
        la.evaluate(arguments.pop("features"), arguments.pop("labels"), **arguments)


def test_views_and_metrics_that_are_not_there():
    found = la.evaluate([[0.0], [1.0], [2.0]], list("aab"), k=1, metrics="l1")
    with pytest.raises(ValueError, match="k must be from 1 to 1, the most searched for, got 2"):
        found.at(2)
    with pytest.raises(ValueError, match="metric must be one of l1, got 'l2'"):
        found.hits("l2")
    assert found.full is None


def test_progress_rises_to_its_total():
    features = np.random.default_rng(0).random((40, 4))
    seen = []
    la.evaluate(
        features,
        [0, 1] * 20,
        k=3,
        full=True,
        metrics=["l1", "l2"],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (160, 160)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_best():
    # Canberra weighs the small feature, Manhattan the large one.
    features = [[100.0, 0.1], [200.0, 0.1], [100.0, 0.9], [210.0, 0.9]]
    found = la.evaluate(features, list("aabb"), k=1, metrics=["l1", "canberra"])
    assert found.best_metric == "canberra"
    assert found.best == {"a": "canberra", "b": "canberra"}
    assert "best canberra, mean precision 1.0000" in repr(found)


def test_balanced_subsets():
    labels = np.array(["a"] * 50 + ["b"] * 5 + [""] * 10 + ["c"] * 20)
    rows = la.balanced_subset(labels, 8, seed=3)
    assert la.category_counts(labels[rows]) == {"a": 8, "b": 5, "c": 8}
    assert (np.diff(rows) > 0).all()
    assert rows.tolist() == la.balanced_subset(labels.tolist(), 8, seed=3).tolist()
    assert rows.tolist() != la.balanced_subset(labels, 8, seed=4).tolist()
    assert la.category_counts(labels) == {"a": 50, "b": 5, "c": 20}
    chosen = np.zeros(len(labels))
    for seed in range(600):
        chosen[la.balanced_subset(labels, 10, seed=seed)] += 1
    # Each image of the 50 is chosen with probability 0.2: 120 of 600 times, deviation 9.8.
    assert (np.abs(chosen[:50] - 120) < 5 * 9.8).all()
    with pytest.raises(ValueError, match="per_category must be at least 1, got 0"):
        la.balanced_subset(labels, 0)
    assert la.balanced_subset([], 3).tolist() == []


@pytest.mark.parametrize("include_self", [True, False])
def test_the_real_photos(data, include_self):
    features = np.load(data / "six_pool5.npy")
    with (data / "six_rows.csv").open() as rows:
        labels = [row["category"] for row in csv.DictReader(rows)]
    found = la.evaluate(features, labels, include_self=include_self)
    for metric, expected in (INCLUDED if include_self else EXCLUDED).items():
        figures = found.mean_precision[metric], found.mean_recall[metric]
        assert figures == pytest.approx(expected, abs=0.00005)
    assert found.best_metric == "correlation"
    if include_self:
        assert found.tie_share["chebyshev"] == pytest.approx(0.128, abs=0.0005)
        some = range(0, 2640, 40)
        matrix = direct.distances(features, "chebyshev", some)
        for row, query in zip(matrix, some, strict=True):
            nearest = np.argsort(row, kind="stable")[:100]
            hits = sum(labels[other] == labels[query] for other in nearest)
            assert found.hits("chebyshev")[query] == hits
