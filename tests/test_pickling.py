"""Embedders, indexes and galleries go to other processes, by pickle and by copy."""

import copy
import multiprocessing
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lookalike as la
from lookalike.embedding.untrained import untrained_googlenet

X = np.random.default_rng(0).random((300, 24), dtype=np.float32)
IMAGE = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}
ways = pytest.mark.parametrize("carry", WAYS.values(), ids=WAYS.keys())


@pytest.fixture
def model(tmp_path, own_cache):
    file = tmp_path / "model.onnx"
    file.write_bytes(untrained_googlenet(0))
    return file


def search(index):
    return index.knn(X[:5], k=3).indices


def embed(network):
    return network.embed([IMAGE])


def look(gallery):
    return gallery.search(X[3], k=2).paths


def in_another_process(function, thing):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (thing,))


@ways
@pytest.mark.parametrize("metric", ["l2", "correlation", "canberra"])
def test_index(tmp_path, carry, metric):
    index = la.Index(X, metric)
    index.save(tmp_path / "a.index")
    for each in (index, la.Index.open(tmp_path / "a.index")):
        carried = carry(each)
        np.testing.assert_array_equal(search(carried), search(index))
        assert repr(carried) == repr(each)
        np.testing.assert_array_equal(carried.rows, X)


def test_an_opened_index_is_carried_by_its_file(tmp_path):
    file = tmp_path / "a.index"
    la.Index(X).save(file)
    index = la.Index.open(file)
    carried = pickle.dumps(index)
    assert len(carried) < 1000
    np.testing.assert_array_equal(in_another_process(search, index), search(index))
    la.Index(X[::-1].copy()).save(file)
    with pytest.raises(la.IndexFileError, match="has changed since the index in it was pickled"):
        pickle.loads(carried)
    file.write_bytes(file.read_bytes()[:-64])
    with pytest.raises(la.IndexFileError, match="is damaged"):
        pickle.loads(carried)
    file.unlink()
    with pytest.raises(la.IndexFileError, match="cannot be read: No such file"):
        pickle.loads(carried)


def use_all_of(content):
    index = la.Index.__new__(la.Index)
    index.__setstate__({"content": content})
    index.knn(X, k=299)


def test_bytes_of_an_index_pass_the_checks_of_a_file():
    state = la.Index(X).__getstate__()
    whole = state["content"]
    for place in range(0, len(whole), 997):
        changed = bytearray(whole)
        changed[place] ^= 1
        with pytest.raises(la.IndexFileError):
            use_all_of(bytes(changed))


@ways
def test_embedder(model, carry):
    network = la.GoogLeNet(model, threads=1)
    expected = embed(network)  # with a session
    for each in (network, la.GoogLeNet.untrained(0)):
        carried = carry(each)
        np.testing.assert_array_equal(embed(carried), expected)
        assert (carried.space, repr(carried)) == (each.space, repr(each))


def test_an_embedder_is_carried_by_its_file(model, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    network = la.GoogLeNet("model.onnx", threads=1)
    expected = embed(network)
    carried = pickle.dumps(network)
    assert len(carried) < 2000
    np.testing.assert_array_equal(in_another_process(embed, network), expected)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.testing.assert_array_equal(embed(pickle.loads(carried)), expected)
    model.write_bytes(untrained_googlenet(1))
    with pytest.raises(la.ModelError, match="has changed since the embedder"):
        pickle.loads(carried)
    model.unlink()
    with pytest.raises(la.ModelError, match=r"cannot read .*No such file"):
        pickle.loads(carried)


def test_copies_share_the_weights():
    network = la.GoogLeNet.untrained(0)
    embed(network)
    for carried in (copy.copy(network), copy.deepcopy(network)):
        assert carried._model is network._model
        assert carried._session is network._session


@ways
def test_gallery(tmp_path, carry):
    with la.Gallery.create(tmp_path / "a.gallery", dim=24) as made:
        made.add(X, labels=[i % 3 for i in range(len(X))])
        with pytest.raises(TypeError, match="is open to write, which cannot be pickled"):
            carry(made)
    with la.Gallery.open(tmp_path / "a.gallery") as gallery:
        with carry(gallery) as carried:
            assert look(carried) == look(gallery)
            assert carried.labels == gallery.labels
        assert look(gallery) == ["3", *look(gallery)[1:]]  # whoever closes the copy
        closed = carry(gallery)
    closed.close()
    with pytest.raises(la.GalleryError, match="has been closed"):
        carry(gallery)


def test_a_gallery_keeps_its_state_or_fails(tmp_path):
    path = tmp_path / "a.gallery"
    la.Gallery.import_features(path, X).close()
    for change in (
        lambda writer: writer.add(X[:1], paths=["new"]),
        lambda writer: writer.add(X[:1], paths=["new"], labels=["other"]),
        lambda writer: writer.remove("new"),
    ):
        with la.Gallery.open(path) as gallery:
            carried = pickle.dumps(gallery)
            assert len(carried) < 1000
            assert in_another_process(look, gallery) == look(gallery)
            with la.Gallery.open(path, mode="r+") as writer:
                change(writer)
            with pytest.raises(la.GalleryError, match="has changed since this reader"):
                pickle.loads(carried)
            gallery.refresh()
            assert look(pickle.loads(pickle.dumps(gallery))) == look(gallery)


def in_threads(function, count=16):
    start = threading.Barrier(count)

    def run(number):
        start.wait()
        return function(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_readers_go_on_while_others_refresh_and_add(tmp_path):
    path = tmp_path / "a.gallery"
    la.Gallery.import_features(path, X).close()
    with la.Gallery.open(path) as gallery:

        def work(number):
            for turn in range(20):
                if number == 0:
                    gallery.add(X[:1], paths=[f"new {turn}"])
                elif number < 4:
                    gallery.refresh()
                else:
                    row = (number * 20 + turn) % len(X)
                    assert gallery.search(row=row, k=1).paths in ([str(row)], ["new 0"])
                    assert len(gallery.paths) >= len(X)

        in_threads(work)


def test_closing_while_others_search_says_so(tmp_path):
    path = tmp_path / "a.gallery"
    la.Gallery.import_features(path, X).close()
    for _ in range(5):
        gallery = la.Gallery.open(path)

        def work(number, gallery=gallery):
            if number == 7:
                gallery.close()
                return True
            for row in range(50):
                try:
                    assert gallery.search(row=row, k=1).paths == [str(row)]
                except la.GalleryError as error:
                    return str(error).endswith("has been closed")
            return True

        assert all(in_threads(work))


def test_threads_share_one_session_and_one_index(model, monkeypatch):
    from lookalike.embedding import embedder

    opened = []
    real = embedder.open_session
    monkeypatch.setattr(embedder, "open_session", lambda model: opened.append(1) or real(model))
    network = la.GoogLeNet(model, threads=1)
    first, *others = in_threads(lambda number: embed(network), 8)
    assert len(opened) == 1
    assert all(np.array_equal(first, other) for other in others)
    index = la.Index(X)
    first, *others = in_threads(lambda number: search(index))
    assert all(np.array_equal(first, other) for other in others)


def test_lazy_names_in_threads(run_python):
    run_python(
        "import lookalike, threading\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "start = threading.Barrier(16)\n"
        "def look(_):\n"
        "    start.wait()\n"
        "    return [getattr(lookalike, name) for name in lookalike.__all__]\n"
        "with ThreadPoolExecutor(16) as pool:\n"
        "    first, *others = pool.map(look, range(16))\n"
        "assert all(one is two for other in others for one, two in zip(first, other))\n"
    )
