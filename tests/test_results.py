"""Results go on: as sparse graphs, frames, dicts, to UMAP, and to other processes as they were."""

import copy
import itertools
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors

import lookalike as la
from matrices import googlenet_like

X, Q = googlenet_like(40, 9), googlenet_like(7, 9, seed=1)
TWICE = np.concatenate([X[:10], X[:10], X[:10]])  # each row thrice


def dense(near, columns):
    graph = np.full((len(near.indices), columns), np.inf)
    np.put_along_axis(graph, near.indices, near.distances, axis=1)
    return graph


def entries(graph):
    """The entries of a graph, inf where there is none, so that zeros count."""
    full = np.full(graph.shape, np.inf)
    coo = graph.tocoo()
    full[coo.row, coo.col] = coo.data
    return full


@pytest.mark.parametrize("rows", [X, TWICE], ids=["few equal", "many equal"])
@pytest.mark.parametrize("symmetric", [None, "max", "min", "mutual"])
def test_a_graph_has_the_neighbours_and_zeros_are_edges(rows, symmetric):
    near = la.knn(rows, k=4, metric="l1")
    one = dense(near, len(rows))
    other = one.T
    choices = {
        None: one,
        "max": np.minimum(one, other),  # of an edge and none, whose place is inf, the edge
        "min": np.minimum(one, other),
        "mutual": np.maximum(one, other),
    }
    graph = near.to_csr(symmetric=symmetric)
    assert scipy.sparse.issparse(graph)
    assert graph.shape == (len(rows), len(rows))
    np.testing.assert_array_equal(entries(graph), choices[symmetric])
    for start, end in itertools.pairwise(graph.indptr):
        pairs = list(zip(graph.data[start:end], graph.indices[start:end], strict=True))
        assert pairs == sorted(pairs)
    connected = near.to_csr("connectivity", symmetric)
    np.testing.assert_array_equal(connected.toarray(), np.isfinite(choices[symmetric]))


def test_where_two_distances_of_an_edge_differ_the_word_says_which_is_taken():
    D = np.array([[0.0, 1.0, 5.0], [2.0, 0.0, 9.0], [3.0, 4.0, 0.0]])
    near = la.topk(D, 2)
    assert near.to_csr(symmetric="max").toarray()[0].tolist() == [0, 2, 3]
    assert near.to_csr(symmetric="min").toarray()[0].tolist() == [0, 1, 3]
    mutual = entries(near.to_csr(symmetric="mutual"))
    assert mutual[0].tolist() == [0, 2, np.inf]
    np.testing.assert_array_equal(mutual, mutual.T)


def test_columns_that_are_nobodys_neighbour_are_there():
    Y = np.concatenate([X, X[:3] + 1000])
    near, close = la.knn(Q, Y, k=2), la.radius_neighbors(Q, Y, radius=1e-9)
    for graph in (near.to_csr(), close.to_csr(), close.to_csr("connectivity")):
        assert graph.shape == (len(Q), len(Y))
    assert la.knn(Q[:0], Y, k=2).to_csr().shape == (0, len(Y))
    assert la.topk(np.eye(4)[:2], 1).to_csr().shape == (2, 4)
    assert la.radius_neighbors(Q, Y[:0], radius=1).to_csr().shape == (len(Q), 0)


def test_a_graph_is_what_scikit_learn_makes():
    near = la.knn(X, k=5, metric="euclidean")
    theirs = NearestNeighbors(n_neighbors=5).fit(X.astype(float)).kneighbors_graph(mode="distance")
    np.testing.assert_allclose(near.to_csr().toarray(), theirs.toarray(), rtol=1e-12)
    within = la.radius_neighbors(X, radius=9, metric="euclidean")
    theirs = NearestNeighbors(radius=9).fit(X.astype(float)).radius_neighbors_graph(mode="distance")
    np.testing.assert_allclose(within.to_csr().toarray(), theirs.toarray(), rtol=1e-12)


@pytest.mark.parametrize("rows", [X, TWICE], ids=["few equal", "many equal"])
def test_scikit_learn_takes_a_graph_as_precomputed_with_its_zeros(rows):
    graph = la.knn(rows, k=4, metric="l1", include_self="first").to_csr()
    model = NearestNeighbors(n_neighbors=3, metric="precomputed").fit(graph)  # no warning: sorted
    distances, indices = model.kneighbors(graph)
    exact = la.knn(rows, k=3, metric="l1", include_self="first")
    np.testing.assert_array_equal(distances, exact.distances)
    np.testing.assert_array_equal(indices, exact.indices)
    assert (exact.distances[:, 1] == 0).all() == (rows is TWICE)
    transformed = KNeighborsTransformer(n_neighbors=3, metric="manhattan").fit_transform(rows)
    assert transformed.nnz == graph.nnz


@pytest.mark.parametrize("symmetric", [None, "max", "mutual"])
def test_a_graph_is_a_copy(symmetric):
    near = la.knn(X, k=5)
    before = near.distances.copy(), near.indices.copy()
    graph = near.to_csr(symmetric=symmetric)
    graph.data[:] = graph.indices[:] = 0
    np.testing.assert_array_equal(near, before)


@pytest.mark.parametrize("k", [1, 2, 5, 30])
def test_first_is_the_row_itself_among_masses_of_equal_rows(k):
    near = la.knn(TWICE, k=k, metric="cosine", include_self="first")
    assert near.indices.shape == near.distances.shape == (30, k)
    np.testing.assert_array_equal(near.indices[:, 0], np.arange(30))
    assert (near.distances[:, 0] == 0).all()
    if k > 1:
        others = la.knn(TWICE, k=k - 1, metric="cosine")
        np.testing.assert_array_equal(near.indices[:, 1:], others.indices)
        np.testing.assert_array_equal(near.distances[:, 1:], others.distances)
    found, stats = la.knn(TWICE, k=k, include_self="first", return_stats=True)
    assert found.indices.shape == (30, k)
    assert stats["stages"]


def test_first_leaves_out_what_it_is_told_to():
    exclude = np.full(30, -1)
    exclude[0] = 10  # its like
    near = la.knn(TWICE, k=2, include_self="first", exclude=exclude)
    assert near.indices[:2].tolist() == [[0, 20], [1, 11]]
    assert la.knn(TWICE[:1], k=1, include_self="first").indices.tolist() == [[0]]
    assert la.knn(TWICE[:0], k=1, include_self="first").indices.shape == (0, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: la.knn(X, k=2, include_self="last"), "True, False or \"first\", got 'last'"),
        (lambda: la.knn(X, Q, k=2, include_self="first"), "include_self must be False when Y"),
        (lambda: la.knn(X, k=41, include_self="first"), "k must be from 1 to 40"),
        (lambda: la.knn(X, k=0, include_self="first"), "k must be from 1 to 40"),
        (
            lambda: la.knn(X, k=2, include_self="first", exclude=np.arange(40)),
            "exclude must not name a row itself",
        ),
        (lambda: la.radius_neighbors(X, radius=1, include_self="first"), "in radius_neighbors"),
        (lambda: la.knn(np.full((2, 2), np.nan), k=1, include_self="first"), "X row 0"),
        (lambda: la.knn(X, k=2).to_csr("weights"), "mode must be distance or connectivity"),
        (lambda: la.knn(X, k=2).to_csr(symmetric="or"), "None, max, min or mutual, got 'or'"),
        (lambda: la.knn(Q, X, k=2).to_csr(symmetric="max"), "rows among themselves"),
        (lambda: la.knn(X.copy(), X, k=2).to_umap(), "rows among themselves"),
        (lambda: la.topk(1 + np.eye(3), 3).to_umap(), "at distance 0 from themselves: not row 0"),
        (lambda: la.Neighbors(*la.knn(X, k=2)).to_csr(), "made by hand"),
        (lambda: la.Neighbors(*la.knn(X, k=39), 5).to_csr(), "more than every index, got 5"),
        (lambda: la.knn(X, k=2).to_frame(range(39)), "ids must name the 40 rows searched, got 39"),
        (lambda: la.knn(Q, X, k=2).to_frame(query_ids="ab"), "the 7 rows that asked, got 2"),
        (lambda: la.knn(X, k=2).to_dict(["a"] * 40), "each row by another, got 'a' twice"),
        (lambda: la.knn(X, k=2).to_frame(library="dask"), "pandas or polars, got 'dask'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        call()


def test_umap_gets_each_row_first_whatever_was_asked():
    expected = la.knn(TWICE, k=5, include_self="first")
    asked = [
        la.knn(TWICE, k=4),
        la.knn(TWICE, k=5, include_self=True),
        la.knn(TWICE, TWICE, k=5),
        la.knn(TWICE, TWICE, k=4, exclude=np.arange(30)),
        expected,
    ]
    for near in asked:
        indices, distances = near.to_umap()
        np.testing.assert_array_equal(indices, expected.indices)
        np.testing.assert_array_equal(distances, expected.distances)
    # So many equal rows that some do not come to be their own neighbours.
    near = la.knn(np.ones((9, 3)), k=3, include_self=True)
    indices, distances = near.to_umap()
    assert indices[[0, 4, 8]].tolist() == [[0, 1, 2], [4, 0, 1], [8, 0, 1]]
    assert (distances == 0).all()


@pytest.mark.ecosystem
@pytest.mark.long
def test_umap_embeds_what_it_is_given():
    reason = "umap-learn is not installed: `nox -s ecosystem` has it"
    umap = pytest.importorskip("umap", reason=reason)
    near = la.knn(X, k=15, metric="euclidean", include_self="first")
    options = {"n_neighbors": 15, "init": "random", "n_epochs": 20, "random_state": 0, "n_jobs": 1}
    with pytest.warns(UserWarning, match="transform"):  # of others, which needs more
        ours = umap.UMAP(precomputed_knn=near.to_umap(), **options).fit(X)
    theirs = umap.UMAP(metric="euclidean", **options).fit(X)
    np.testing.assert_allclose(ours.graph_.toarray(), theirs.graph_.toarray(), rtol=1e-4)
    assert np.isfinite(ours.embedding_).all()


def test_a_frame_has_a_line_for_each_neighbour():
    near = la.knn(X, k=3)
    frame = near.to_frame()
    assert list(frame.columns) == ["row", "rank", "neighbor", "distance"]
    assert list(frame.dtypes.map(str)) == ["int64", "int64", "int64", "float64"]
    np.testing.assert_array_equal(frame["neighbor"], near.indices.ravel())
    np.testing.assert_array_equal(frame["distance"], near.distances.ravel())
    assert frame["row"].tolist() == np.repeat(np.arange(40), 3).tolist()
    assert frame["rank"].tolist() == [1, 2, 3] * 40
    names = [f"photo {i}" for i in range(40)]
    named = near.to_frame(names)
    assert named["row"].tolist() == [names[i] for i in frame["row"]]
    assert named["neighbor"].tolist() == [names[i] for i in frame["neighbor"]]
    some = la.knn(Q, X, k=2).to_frame(names, query_ids=list("abcdefg"))
    assert some["row"].tolist() == [c for c in "abcdefg" for _ in range(2)]


def test_pairs_within_a_radius_are_lines_too():
    close = la.radius_neighbors(X, radius=0.3)
    assert len(close.indices)
    frame, nested = close.to_frame(), close.to_dict()
    rebuilt = {row: {} for row in range(40)}
    for row, rank, neighbor, distance in frame.itertuples(index=False):
        assert rank == len(rebuilt[row]) + 1
        rebuilt[row][neighbor] = distance
    assert rebuilt == nested
    assert la.radius_neighbors(X[:0], X, radius=1).to_dict() == {}


def test_a_dict_has_names_and_numbers_of_python():
    near = la.knn(X, k=2)
    nested = near.to_dict([f"p{i}" for i in range(40)])
    first, second = near.indices[3]
    assert list(nested["p3"]) == [f"p{first}", f"p{second}"]
    assert nested["p3"][f"p{first}"] == near.distances[3, 0]
    assert {type(key) for key in near.to_dict()} == {int}


@pytest.mark.ecosystem
def test_polars_where_it_is_asked_for():
    polars = pytest.importorskip(
        "polars", reason="polars is not installed: `nox -s ecosystem` has it"
    )
    near = la.knn(X, k=2)
    for ids in (None, [f"p{i}" for i in range(40)], polars.Series(range(100, 140))):
        frame = near.to_frame(ids, library="polars")
        assert isinstance(frame, polars.DataFrame)
        other = near.to_frame(None if ids is None else list(ids), library="pandas")
        assert {name: frame[name].to_list() for name in frame.columns} == other.to_dict("list")


def test_what_is_missing_is_named_with_what_to_install(monkeypatch):
    near = la.knn(X, k=2)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        near.to_csr()
    monkeypatch.setattr("lookalike.distance.edge_lists.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lookalike\[pandas\]' or "):
        near.to_frame()
    with pytest.raises(ImportError, match=r"pip install 'lookalike\[polars\]'$"):
        near.to_frame(library="polars")


CARRIED = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda found, n=n: pickle.loads(pickle.dumps(found, n))
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "replace": lambda found: found._replace(distances=found.distances),
}


@pytest.mark.parametrize("carry", CARRIED.values(), ids=CARRIED)
def test_a_result_stays_a_named_tuple_and_keeps_what_it_knows(carry):
    frame = pd.DataFrame(X, index=[f"p{i}" for i in range(40)])
    for found in (la.knn(Q, frame, k=3), la.radius_neighbors(Q, frame, radius=1)):
        carried = carry(found)
        assert isinstance(carried, tuple)
        assert type(carried) is type(found)
        assert carried._fields == found._fields
        for one, other in zip(carried, found, strict=True):
            np.testing.assert_array_equal(one, other)
        assert (carried.columns, carried.itself) == (40, False)
        assert list(carried.column_ids) == list(frame.index)
        np.testing.assert_array_equal(carried.to_csr().toarray(), found.to_csr().toarray())
        assert list(carried._asdict()) == list(found._fields)
        assert repr(carried).startswith(f"{type(found).__name__}({found._fields[0]}=array(")
