"""Each recipe of docs/recipes.md as it stands there, beside scikit-learn's own result."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import lookalike as la

pytest.importorskip("sklearn", reason="needs lookalike[sklearn]")

from sklearn import cluster, manifold, neighbors
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import cross_val_score
from sklearn.semi_supervised import LabelSpreading
from threadpoolctl import threadpool_limits

pytestmark = pytest.mark.ecosystem

PAGE = (Path(__file__).parents[1] / "docs/recipes.md").read_text()
START, *RECIPES = re.split(r"^## \d+\. ", PAGE, flags=re.MULTILINE)
TITLES = [each.partition("\n")[0] for each in RECIPES]
NEEDS = {"UMAP with neighbours that are known": "umap"}
LONG = ("t-SNE", "Cross-validation in two processes", "UMAP with neighbours that are known")


def code(text):
    """The Python of a part of the page."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def same_clusters(found, expected):
    assert len(set(expected)) > 2
    assert adjusted_rand_score(found, expected) == 1


def grid_search(X, labels, search, **_):
    theirs = clone(search)
    brute = neighbors.KNeighborsClassifier(weights="distance", algorithm="brute")
    theirs.estimator.set_params(kneighborsclassifier=brute)
    expected = theirs.fit(X, labels).cv_results_["mean_test_score"]
    assert np.array_equal(search.cv_results_["mean_test_score"], expected)
    assert search.best_params_ == theirs.best_params_
    assert search.best_score_ > 0.7


def cross_validation(X, labels, scores, **_):
    brute = neighbors.KNeighborsClassifier(metric="canberra", algorithm="brute")
    codes = np.unique(labels, return_inverse=True)[1]  # brute wants numbers up to scikit-learn 1.4
    assert np.array_equal(scores, cross_val_score(brute, X, codes, cv=4))


def dbscan(X, clusters, **_):
    theirs = cluster.DBSCAN(eps=0.35, min_samples=4, metric="correlation")
    same_clusters(clusters, theirs.fit_predict(X))


def hdbscan(X, clusters, **_):
    theirs = cluster.HDBSCAN(min_cluster_size=8, metric="braycurtis", copy=True)
    same_clusters(clusters, theirs.fit_predict(X))


def tsne(X, tsne, flat, **_):
    graph, found = tsne[0].transform(X), tsne[-1]
    theirs = neighbors.KNeighborsTransformer(n_neighbors=61, metric="cosine").fit_transform(X)
    assert abs(graph - theirs).max() < 1e-6
    expected = clone(found).fit(theirs)  # whose steps take the last bit of a distance far
    assert found.kl_divergence_ == pytest.approx(expected.kl_divergence_, rel=0.1)
    kept = [manifold.trustworthiness(X, each) for each in (flat, expected.embedding_)]
    assert kept[0] == pytest.approx(kept[1], abs=0.01)
    assert kept[0] > 0.85


def isomap(X, isomap, flat, **_):
    expected = manifold.Isomap(n_neighbors=20, metric="manhattan").fit_transform(X)
    signs = np.sign((flat * expected).sum(axis=0))
    assert np.allclose(flat, expected * signs, rtol=0, atol=1e-4 * abs(expected).max())


def spectral(X, clusters, **_):
    theirs = cluster.SpectralClustering(
        n_clusters=6, n_neighbors=15, affinity="nearest_neighbors", random_state=0
    )
    same_clusters(clusters, theirs.fit_predict(X))


def outliers(X, outliers, strangest, **_):
    theirs = neighbors.LocalOutlierFactor(n_neighbors=20, metric="canberra").fit(X)
    expected = theirs.negative_outlier_factor_
    assert outliers.negative_outlier_factor_ == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(strangest, expected.argsort()[:5])


def spreading(X, known, spread, codes, **_):
    def graph(A, B):
        theirs = neighbors.NearestNeighbors(n_neighbors=7, metric="correlation")
        return theirs.fit(B).kneighbors_graph(A)

    expected = LabelSpreading(kernel=graph).fit(X, known)
    assert np.array_equal(spread.transduction_, expected.transduction_)
    assert (spread.transduction_ == codes).mean() > 0.6  # by chance 0.17


def umap(X, umap, flat, **_):
    theirs = neighbors.NearestNeighbors(n_neighbors=15, metric="correlation").fit(X)
    distances, indices = theirs.kneighbors(X)
    reducer = umap.UMAP(n_neighbors=15, precomputed_knn=(indices, distances), random_state=0)
    kept = [manifold.trustworthiness(X, each) for each in (flat, reducer.fit_transform(X))]
    assert kept[0] == pytest.approx(kept[1], abs=0.01)
    assert kept[0] > 0.85


BESIDE = [
    grid_search,
    cross_validation,
    dbscan,
    hdbscan,
    tsne,
    isomap,
    spectral,
    outliers,
    spreading,
    umap,
]


def test_there_is_a_result_beside_each():
    assert len(TITLES) == len(BESIDE) == 10


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=title, marks=[pytest.mark.long] if title in LONG else [])
        for number, title in enumerate(TITLES)
    ],
)
def test_recipe(number):
    if needed := NEEDS.get(TITLES[number]):
        pytest.importorskip(needed, reason=f"needs {needed}, which nox -s ecosystem installs")
    names = {}
    with warnings.catch_warnings(), threadpool_limits(1):  # or threads wait for those of others
        if needed:
            warnings.simplefilter("ignore")  # umap's own
        exec(code(START) + code(RECIPES[number]), names)
        BESIDE[number](**names)
    assert names["la"] is la
