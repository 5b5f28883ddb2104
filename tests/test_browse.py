"""What the browser's pages are told: the same as the package answers, and as the gallery is now."""

import itertools
import signal
import socket
import time

import numpy as np
import pytest

pytest.importorskip("starlette", reason="pip install 'lookalike[browse]'")

import httpx2 as httpx

import lookalike as la
from browsing import Served, browsing, made
from command_line import draw
from large_gallery import large_gallery
from lookalike.browse import orders
from lookalike.browse.orders import Graph, by_likeness, by_oddness
from processes import HANGS


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A gallery of 300 rows, the last 20 of which are copies of the first."""
    rows = np.random.default_rng(1).random((300, 12), np.float32)
    rows[-20:] = rows[:20]
    return large_gallery(tmp_path_factory.mktemp("many") / "a.gallery", rows, copies=20)


@pytest.fixture(scope="module")
def asked(many):
    client = Served(many).enter()
    return lambda path, **question: client.get(path, params=question).json()


def test_the_rows_of_a_photo_are_what_each_metric_finds(many, asked):
    found = asked("/api/alike", row=30)
    X = la.Gallery.open(many, mode="r").features
    assert [each["name"] for each in found["metrics"]] == list(la.METRICS)
    for each in found["metrics"]:
        near = la.knn(X[30:31], X, k=100, metric=each["name"], exclude=[30])
        ranked = near.indices[0].tolist()
        copies = {row for row in ranked if row >= 280}  # the lower row stands for its content
        assert each["rows"] == [row for row in ranked if row not in copies][:12]
        by_row = dict(zip(near.indices[0].tolist(), near.distances[0].tolist(), strict=True))
        assert each["distances"] == [by_row[row] for row in each["rows"]]
    for row, facts in found["pictures"].items():
        assert facts["copies"] == (int(row) < 20)
        assert facts["same"] == (facts["label"] == "label 2")
        for each, place in zip(found["metrics"], facts["places"], strict=True):
            shown = place is not None and place <= 12
            assert (int(row) in each["rows"]) == shown
            assert not shown or each["rows"][place - 1] == int(row)
            assert place is None or place <= found["ranked"]


def test_a_photo_and_its_copies_are_not_among_its_look_alikes(asked):
    for row in (3, 283):
        for each in asked("/api/alike", row=row)["metrics"]:
            assert not {3, 283} & set(each["rows"])


def test_several_together_are_nearest_on_average(many, asked):
    X = la.Gallery.open(many, mode="r").features.astype(np.float64)
    found = asked("/api/alike", rows="30,31,200")
    for each in found["metrics"]:
        mean = la.cdist(X[[30, 31, 200]], X[:280], each["name"]).mean(axis=0)
        mean[[30, 31, 200]] = np.inf
        assert each["rows"] == np.argsort(mean, kind="stable")[:12].tolist()
    refused = asked("/api/alike", rows=",".join(map(str, range(21))))
    assert "rows may hold 20 numbers, got 21" in refused["error"]


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({"row": 300}, "not in the gallery any more"),
        ({"row": -1}, "row must be a whole number, got '-1'"),
        ({"row": "x"}, "row must be a whole number"),
        ({"rows": "1,,2"}, "rows must be whole numbers"),
        ({"row": 1, "k": 101}, "k must be from 1 to 100, got 101"),
        ({"found": "nothing"}, "drop it again"),
        ({"row": 1, "is": "0" * 16}, "not in the gallery any more"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(asked, question, error):
    assert error in asked("/api/alike", **question)["error"]


def test_orders_and_filters(many, asked):
    shown = Served(many).state.shown
    whole = asked("/api/order")
    assert sorted(whole["rows"]) == list(range(300))
    dates = [shown.dates[row] for row in whole["rows"]]
    assert dates == sorted(dates, reverse=True)
    for name, place in whole["sections"]:
        assert dates[place].startswith(name)
    folder = "/synthetic/photos/03"
    for question, meant in (
        ({"folder": folder}, lambda row: shown.folders[row] == folder),
        ({"folder": "/synthetic"}, lambda row: True),
        ({"folder": "/synthetic/photos/0"}, lambda row: False),
        ({"label": "label 4"}, lambda row: shown.labels[row] == "label 4"),
        ({"label": "label"}, lambda row: False),
        ({"from": "2014-02", "to": "2014"}, lambda row: "2014-02" <= shown.dates[row] < "2015"),
        ({"to": "2012-01-30"}, lambda row: shown.dates[row] < "2012-01-31"),
        ({"label": "label 4", "folder": folder}, lambda row: False),
    ):
        for sort in ("date", "folder", "likeness", "oddness"):
            found = settled(asked, sort=sort, **question)
            assert sorted(found["rows"]) == [row for row in range(300) if meant(row)], question
    assert asked("/api/order", sort="folder")["rows"] == sorted(
        range(300), key=lambda row: shown.paths[row]
    )
    assert "sort must be date" in asked("/api/order", sort="size")["error"]
    assert "2024-05-31" in asked("/api/order", to="yesterday")["error"]


def settled(asked, **question):
    while "rows" not in (found := asked("/api/order", **question)):
        assert found["total"] is None or found["done"] <= found["total"]
    return found


def test_oddness_is_the_distance_to_the_nearest(many, asked):
    near = la.knn(la.Gallery.open(many, mode="r").features, k=1).distances[:, 0]
    rows = settled(asked, sort="oddness")["rows"]
    assert near[rows].tolist() == sorted(near.tolist(), reverse=True)


def test_likeness_is_a_chain(many, asked):
    """Each is followed by the nearest that is not in the chain yet, as far as neighbours go."""
    near = la.knn(la.Gallery.open(many, mode="r").features, k=orders.NEIGHBOURS).indices
    rows = settled(asked, sort="likeness")["rows"]
    seen = {rows[0]}
    steps = 0
    for before, row in itertools.pairwise(rows):
        free = [each for each in near[before].tolist() if each not in seen]
        if free:
            assert row == free[0]
            steps += 1
        seen.add(row)
    assert steps > 200


def test_a_chain_goes_back_where_it_is_at_an_end():
    #        0–1–2 in a line, 3 near 0 alone, 4–5 apart
    near = np.array([[1, 3], [2, 0], [1, 0], [0, 1], [5, 0], [4, 0]], np.int32)
    graph = Graph(near, np.array([0.0, 3, 1, 2, 5, 4]))
    rows = np.arange(6)
    assert by_likeness(rows, graph) == [0, 1, 2, 3, 4, 5]
    assert by_likeness(np.array([0, 2, 4]), graph) == [0, 2, 4]
    assert by_oddness(rows, graph) == [4, 5, 1, 3, 2, 0]
    assert by_likeness(rows[:0], graph) == []


def test_the_evaluation_is_the_packages(many, asked):
    while True:
        found = asked("/api/evaluation", k=25)
        if not found["running"]:
            break
        time.sleep(0.02)
    gallery = la.Gallery.open(many, mode="r")
    judged = la.evaluate(gallery.features, gallery.labels, k=25)
    assert [each["name"] for each in found["metrics"]] == list(la.METRICS)
    for each in found["metrics"]:
        metric = each["name"]
        assert each["precision"] == judged.mean_precision[metric]
        assert each["recall"] == judged.mean_recall[metric]
        for (label, count), value in zip(found["categories"], each["categories"], strict=True):
            assert value == judged.precision[metric][label]
            assert count == 12
        behind = asked("/api/evaluation/photos", metric=metric, label="label 3", k=25)
        hits = dict(zip(judged.query_rows.tolist(), judged.hits(metric).tolist(), strict=True))
        assert sorted(behind["rows"]) == list(range(36, 48))
        assert behind["notes"] == [f"{hits[row]} of 25" for row in behind["rows"]]
        assert [hits[row] for row in behind["rows"]] == sorted(hits[row] for row in behind["rows"])
    assert "k must be one of 10, 25, 50, 100" in asked("/api/evaluation", k=11)["error"]


def test_the_state_follows_the_gallery(tmp_path):
    served = Served(made(tmp_path))
    client = served.enter()
    before = client.get("/api/order").json()
    mark = served.state.shown.mark(1)
    long_made = served.state.shown.made
    with la.Gallery.open(served.state.path) as other:  # as another process would
        other.note_different(*other.paths[:2])
    seen = client.get("/api/order").json()
    assert seen == before  # something was decided, no image has changed
    assert served.state.shown.made is long_made
    with la.Gallery.open(served.state.path) as other:
        assert served.state.shown is served.state.shown
        other.forget(other.paths[0])
    served.state._taken = -1e9  # or a change soon after another would wait
    after = client.get("/api/order").json()
    assert after["state"] != before["state"]
    assert sorted(after["rows"]) == [0, 1]
    assert served.state.shown.made is not long_made
    # An address leads to the same photo, and never to another.
    assert 'href="/file/0?is=' in client.get(f"/photo/1?is={mark}").text
    gone = client.get("/photo/1?is=0000000000000000")
    assert gone.status_code == 404
    assert "not in the gallery any more" in gone.text


def test_a_gallery_that_is_away_for_a_while_is_shown_as_it_was(tmp_path):
    served = Served(made(tmp_path))
    client = served.enter()
    before = client.get("/api/order").json()
    catalogue = tmp_path / "a.gallery" / "catalogue.sqlite"
    kept = catalogue.read_bytes()
    for damage in (catalogue.unlink, lambda: catalogue.write_bytes(b"x" * 5000)):
        damage()
        served.state._taken = -1e9
        assert client.get("/api/order").json() == before
        assert client.get("/photo/0").status_code == 200
    catalogue.write_bytes(kept)
    with la.Gallery.open(served.state.path) as other:
        other.forget(other.paths[2])
    served.state._taken = -1e9
    assert sorted(client.get("/api/order").json()["rows"]) == [0, 1]


def test_thumbnails_may_be_kept_as_long_as_rows_mean_the_same(tmp_path):
    served = Served(made(tmp_path))
    client = served.enter()
    state = served.state.shown.id
    kept = client.get(f"/thumb/0?s={state}")
    assert "immutable" in kept.headers["cache-control"]
    assert "private" in kept.headers["cache-control"]
    for other in ("/thumb/0", "/thumb/0?s=another"):
        asked = client.get(other, headers={"if-none-match": kept.headers["etag"]})
        assert asked.status_code == 304
        assert "no-cache" in asked.headers["cache-control"]


def test_a_gallery_without_photos(tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=8):
        pass
    client = Served(tmp_path / "a.gallery").enter()
    assert "No photos yet" in client.get("/").text
    assert "No photo has a label" in client.get("/distances").text
    for sort in ("date", "folder", "likeness", "oddness"):
        assert client.get(f"/api/order?sort={sort}").json()["rows"] == []
    assert client.get("/photo/0").status_code == 404
    assert client.get("/api/choices").json()["folders"] == []


def test_one_photo_alone(tmp_path):
    client = Served(made(tmp_path, ("a.jpg",))).enter()
    assert [each["rows"] for each in client.get("/api/alike?row=0").json()["metrics"]] == [[]] * 7
    for sort in ("likeness", "oddness"):
        assert client.get(f"/api/order?sort={sort}").json()["rows"] == [0]


def test_a_picture_is_searched_by(drawn, settings, tmp_path):
    """Through the command, as checks and scripts may ask: one that is known, new, or no picture."""
    new = tmp_path / "new.png"
    draw("round", 77).save(new)
    gallery = drawn / "lookalike.gallery"
    with (
        browsing(gallery, **settings) as (address, process),
        httpx.Client(timeout=HANGS) as client,
    ):
        assert address.startswith("http://127.0.0.1:")
        home, _, key = address.partition("/?key=")
        assert len(key) >= 32
        client.get(address)
        for picture in (drawn / "photos" / "round" / "1.png", new):
            asked = client.post(f"{home}/api/search?k=3", content=picture.read_bytes())
            hits = asked.json()["hits"]
            with la.Gallery.open(gallery, mode="r") as opened:
                found = opened.search(
                    picture.read_bytes(), k=3, embedder=la.GoogLeNet(settings["LOOKALIKE_MODEL"])
                )
            assert [hit["row"] for hit in hits] == found.indices.tolist()
            assert [hit["distance"] for hit in hits] == pytest.approx(found.distances.tolist())
            page = client.get(f"{home}/found/{asked.json()['search']}")
            assert page.status_code == 200
            thumb = client.get(f"{home}/found/{asked.json()['search']}/picture")
            assert thumb.headers["content-type"] == "image/webp"
        assert client.post(f"{home}/api/search", content=b"no picture").status_code == 415
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS)
        assert process.returncode == 0, err
        assert time.monotonic() - began < HANGS / 4
        assert out == ""  # the address was the only line
        assert "Traceback" not in err


def test_without_weights_the_page_says_so(tmp_path, own_cache):
    served = Served(made(tmp_path))
    with la.Gallery.open(served.state.path, mode="r") as opened:
        known = (tmp_path / "photos" / "a.jpg").read_bytes()
        assert len(opened)
    client = served.enter()
    hits = client.post("/api/search", content=known).json()["hits"]  # needs no network
    assert (hits[0]["row"], hits[0]["distance"]) == (0, 0.0)
    for metric in ("nonsense", "seuclidean"):
        answer = client.post(f"/api/search?metric={metric}", content=known)
        assert answer.status_code == 400
        assert answer.json()["error"].endswith(f", hamming, got '{metric}'")
    (tmp_path / "new.png").write_bytes(b"")
    draw("square", 50).save(tmp_path / "new.png")
    answer = client.post("/api/search", content=(tmp_path / "new.png").read_bytes())
    assert answer.status_code == 400
    assert "does not say which network" in answer.json()["error"]


def test_a_port_that_is_taken_is_one_line(lookalike):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = lookalike("browse", "--no-open", "--port", str(port))
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert f"port {port}" in done.err


def test_without_the_extra_the_command_names_it(drawn, run_python):
    script = """
import sys
sys.modules["uvicorn"] = None
sys.argv[:1] = ["lookalike", "browse", "--no-open"]
sys.stderr = sys.stdout
from lookalike.cli import main
try:
    main()
except SystemExit as end:
    print(end.code)
"""
    message, code = run_python(script, str(drawn / "lookalike.gallery")).splitlines()
    assert "pip install 'lookalike[browse]'" in message
    assert code == "1"
