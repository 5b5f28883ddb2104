"""Indexing from the page: begun, seen by all, stopped, gone on with; what fails is said."""

import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("starlette", reason="pip install 'lookalike[browse]'")

import lookalike as la
from browser import DESKTOP, PHONE
from browsing import Served, serving
from lookalike.browse import index_page
from processes import HANGS
from test_browse_pages import CONTRASTS, Tab
from tiny_embedder import SPACE, WIDTH, Gate, TinyEmbedder, assert_matches_disk, write_image


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number in range(12):
        write_image(folder / f"{number:02}.png", number)
    return folder


@pytest.fixture
def gate(tmp_path):
    """A gate that is open for five photos."""
    gate = Gate(tmp_path / "gate")
    gate.open(5)
    return gate


@pytest.fixture
def empty(tmp_path):
    with la.Gallery.create(tmp_path / "a.gallery", dim=WIDTH):
        pass
    return tmp_path / "a.gallery"


class Page:
    """What the page asks of a server."""

    def __init__(self, gallery: Path, embedder=None, read_only=False) -> None:
        self.served = Served(gallery, read_only)
        self.embedder = embedder or TinyEmbedder()
        self.served.state.network = lambda: self.embedder
        self.client = self.served.enter()
        self.indexing = self.served.app._app.state.indexing

    def post(self, path: str, **given):
        return self.client.post(f"/api/index/{path}", json=given, headers=self.served.token)

    def contents(self) -> dict:
        return self.client.get("/api/index").json()

    def events(self) -> list[dict]:
        """What a stream tells until nothing goes on any more."""
        answer = self.client.get("/api/index/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.endswith("event: pause\ndata: \n\n")
        lines = answer.text.splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    def ended(self) -> dict:
        assert self.indexing.wait(HANGS)
        return self.indexing.told()["ended"]

    def until(self, photos: int) -> None:
        until = time.monotonic() + HANGS
        while self.indexing.told().get("done", 0) < photos:
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.fixture(autouse=True)
def _short_streams(monkeypatch):
    monkeypatch.setattr(index_page, "LIFE", 0.0)
    monkeypatch.setattr(index_page, "TICK", 0.02)


def test_a_folder_is_added_and_looked_at_again(photos, empty):
    page = Page(empty)
    assert page.contents()["folders"] == []
    refused = page.post("start")
    assert refused.status_code == 400
    assert "there is no folder yet" in refused.json()["error"]
    page.served.state._cost = 1e9  # what others change is not looked at for a long time
    assert page.post("start", folder=str(photos)).status_code == 200
    ended = page.ended()
    assert ended["how"] == "done"
    assert ended["counts"] == {"added": 12, "updated": 0, "moved": 0, "removed": 0, "unchanged": 0}
    assert page.contents()["folders"] == [{"path": str(photos), "count": 12, "there": True}]
    assert page.client.get("/thumb/11").status_code == 200  # the grid has them

    (photos / "00.png").unlink()
    (photos / "01.png").rename(photos / "moved.png")
    write_image(photos / "02.png", 100)
    write_image(photos / "new.png", 101)
    page.post("start")
    assert page.ended()["counts"] == {
        "added": 1,
        "updated": 1,
        "moved": 1,
        "removed": 1,
        "unchanged": 9,
    }
    assert page.embedder.embedded == 14
    with la.Gallery.open(empty, mode="r+") as gallery:  # others may write again
        assert gallery.space == SPACE
        assert_matches_disk(gallery)


def test_a_run_is_stopped_in_the_middle_and_gone_on_with(photos, empty, gate):
    page = Page(empty, TinyEmbedder(gate=gate))
    page.post("start", folder=str(photos))
    page.until(3)
    page.indexing.stop()
    then = page.embedder.embedded
    page.post("stop")
    gate.open()
    ended = page.ended()
    assert page.embedder.embedded <= then + 1  # at once
    assert ended["how"] == "stopped"
    assert ended["error"] is None
    assert 3 <= ended["stored"] < 12
    with la.Gallery.open(empty, mode="r") as gallery:
        assert len(gallery) == ended["stored"]
        assert_matches_disk(gallery)
        assert gallery.check().damage == []
    page.post("start")
    assert page.ended()["counts"]["added"] == 12 - ended["stored"]
    assert page.embedder.embedded <= 13  # the one that it was at, once more
    with la.Gallery.open(empty, mode="r") as gallery:
        assert len(gallery) == 12
        assert_matches_disk(gallery)


def test_two_browsers_see_one_run(photos, empty, gate):
    page = Page(empty, TinyEmbedder(seconds=0.05, gate=gate))
    another = page.served.another()
    another.get("/", params={"key": page.served.access.key})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        page.post("start", folder=str(photos))
        first = pool.submit(page.events)
        page.until(2)
        other = Page.__new__(Page)
        other.client = another
        second = pool.submit(other.events)
        joined = another.post("/api/index/start", json={}, headers=page.served.token)
        assert joined.json()["running"]
        refused = page.post("start", folder=str(photos))
        assert refused.status_code == 409
        assert "are being read already" in refused.json()["error"]
        with pytest.raises(la.GalleryError, match="photos are being read"):
            page.served.state.writing()
        gate.open()
        told, told_other = first.result(HANGS), second.result(HANGS)
    assert {each["run"] for each in told + told_other} == {told[0]["run"]}
    assert told[-1] == told_other[-1]
    assert told[-1]["ended"]["counts"]["added"] == 12
    assert told[-1]["images"] == 12
    counts = [each["done"] for each in told if each["running"]]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert {each["total"] for each in told if each["done"]} == {12}
    assert any(each.get("rate") for each in told)
    assert page.embedder.embedded == 12


def test_what_fails_is_said_with_its_reason(photos, empty):
    (photos / "text.jpg").write_text("not a picture")
    (photos / "none.jpg").write_bytes(b"")
    page = Page(empty)
    page.post("start", folder=str(photos))
    assert page.ended()["failed"] == 2
    found = page.contents()
    assert found["failed"] == 2
    with la.Gallery.open(empty, mode="r") as gallery:
        failed = dict(gallery.failed)
    assert {each["reason"]: each["files"] for each in found["failures"]} == {
        reason: [path] for path, reason in failed.items()
    }
    text = page.client.get("/index/failures").text
    assert sorted(text.splitlines()) == sorted(f"{path}: {why}" for path, why in failed.items())

    photos.rename(photos.with_name("elsewhere"))  # a disk that is not mounted
    page.post("start")
    assert page.ended()["how"] == "done"
    found = page.contents()
    assert found["folders"] == [{"path": str(photos), "count": 12, "there": False}]
    assert any("missing or empty" in each["reason"] for each in found["failures"])
    assert len(la.Gallery.open(empty, mode="r")) == 12


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("", "name a folder of photos"),
        (7, "name a folder of photos"),
        ("photos", "by its whole path"),
        ("/no\0where", "by its whole path"),
        ("/no/such/folder", "/no/such/folder is not there"),
        ("{photos}/00.png", "is a file, not a folder"),
        ("/", "holds the pictures of every program"),
        ("{gallery}", "is the gallery itself"),
    ],
)
def test_a_folder_that_cannot_be_added_is_refused_in_words(photos, empty, folder, said):
    page = Page(empty)
    if isinstance(folder, str):
        folder = folder.format(photos=photos, gallery=empty)
    refused = page.post("start", folder=folder)
    assert refused.status_code == 400
    assert said in refused.json()["error"]
    assert not page.indexing.running
    with la.Gallery.open(empty, mode="r+") as gallery:
        assert gallery.roots == []


def test_patterns_are_added_and_removed(photos, empty):
    page = Page(empty)
    page.post("patterns", exclude="0*.png")
    page.post("patterns", include="03.png")
    assert page.contents()["patterns"] == [["exclude", "0*.png"], ["include", "03.png"]]
    page.post("start", folder=str(photos))
    ended = page.ended()
    assert ended["counts"]["added"] == 3  # 10, 11 and 03
    assert ended["left_out"] == [["0*.png", 9]]
    assert page.post("patterns", drop="0*.png").json()["version"] != ended
    assert page.contents()["patterns"] == [["include", "03.png"]]
    page.post("start")
    assert page.ended()["counts"]["added"] == 9
    for given, said in (
        ({"exclude": "../x"}, "a pattern must be"),
        ({"exclude": " "}, "name what is to be left out"),
        ({"drop": "*.gif"}, "no pattern '*.gif'"),
        ({"shell": "rm"}, "exclude, include or drop"),
    ):
        refused = page.post("patterns", **given)
        assert refused.status_code >= 400
        assert said in refused.json()["error"]


def test_a_gallery_that_another_writes_is_left_to_it(photos, empty):
    page = Page(empty)
    with la.Gallery.open(empty, mode="r+"):
        for path, given in (("start", {"folder": str(photos)}), ("patterns", {"exclude": "x"})):
            refused = page.post(path, **given)
            assert refused.status_code == 409
            assert "is being written by" in refused.json()["error"]
    page.post("start", folder=str(photos))
    assert page.ended()["counts"]["added"] == 12


def test_nothing_is_changed_read_only_nor_by_strangers(photos, empty):
    page = Page(empty, read_only=True)
    for path in ("start", "stop", "patterns"):
        refused = page.post(path, folder=str(photos), exclude="x")
        assert refused.status_code == 403
        assert "--read-only" in refused.json()["error"]
    assert page.client.get("/index").status_code == 200
    assert "<form" not in page.client.get("/index").text
    assert 'href="/index">Add' not in page.client.get("/").text
    page = Page(empty)
    assert page.client.post("/api/index/start", json={}).status_code == 403  # without the token
    for path in ("/index", "/api/index", "/api/index/events", "/index/failures"):
        assert page.served.another().get(path).status_code == 403
    sent = page.client.post("/api/index/start", content=b"[" * 70_000, headers=page.served.token)
    assert sent.status_code == 413
    for path in ("index/start", "duplicates/mark"):  # nested too deep to be read
        deep, headers = b"[" * 60_000, page.served.token
        assert page.client.post(f"/api/{path}", content=deep, headers=headers).status_code == 400


def test_without_weights_it_is_said_what_can_be_done(photos, empty, monkeypatch, tmp_path):
    page = Page(empty)
    page.served.state.network = lambda: None
    monkeypatch.setenv("LOOKALIKE_MODEL", str(tmp_path / "no.onnx"))
    page.post("start", folder=str(photos))
    ended = page.ended()
    assert ended["how"] == "failed"
    assert "no.onnx" in ended["error"]
    assert "lookalike browse --untrained 0" in ended["error"]
    with la.Gallery.open(empty, mode="r+") as gallery:
        assert len(gallery) == 0


def slow_server(gallery: Path, gate: Path):
    """A server that reads photos as a gate lets them."""
    script = str(Path(__file__).with_name("slow_browse.py"))
    return serving([sys.executable, script, os.fspath(gallery), os.fspath(gate)])


def listening(address: str) -> bool:
    where = urlsplit(address)
    with contextlib.suppress(ConnectionError):
        socket.create_connection((where.hostname, where.port)).close()
        return True
    return False


@pytest.mark.long
def test_the_page_in_chromium(tmp_path, empty, gate, chromium):
    photos = tmp_path / "photos"
    for number in range(60):
        write_image(photos / f"{number:02}.png", number)
    (photos / "text.jpg").write_text("not a picture")
    with slow_server(empty, tmp_path / "gate") as (address, _):
        tab = Tab(chromium, address)
        tab.wait("document.querySelector('.empty a[href=\"/index\"]')")
        tab.js("document.querySelector('.empty a').click()")
        tab.wait("location.pathname === '/index'")
        tab.ready()
        assert tab.js("document.getElementById('invitation').checkVisibility()")

        def add(folder):
            tab.js(
                f"document.getElementById('folder').value = {json.dumps(str(folder))};"
                "document.querySelector('#add-folder button').click()"
            )

        add(tmp_path / "nowhere")
        tab.wait("document.getElementById('folder-wrong').textContent.includes('is not there')")
        assert len(tab.faults()) == 1  # the browser writes down that this was refused
        add(photos)
        tab.wait("document.getElementById('bar').value > 0.1")
        gate.open(20)
        tab.wait("document.getElementById('rate').textContent.includes('photos/s')")
        for size in (DESKTOP, PHONE):  # in the middle, and a page that comes later sees it
            for dark in (False, True):
                tab.open("/index", size, dark=dark)
                tab.ready()
                tab.wait("document.getElementById('now').checkVisibility()")
                assert tab.js("document.documentElement.scrollWidth") <= size[0]
                tab.wait(f"{CONTRASTS}.length === 0")
                assert tab.unnamed() == []
        tab.press("s")
        tab.wait("document.getElementById('doing').textContent.startsWith('Stopping')")
        gate.open()
        tab.wait("document.getElementById('end-title').textContent.startsWith('Stopped: ')")
        with la.Gallery.open(empty, mode="r+") as gallery:
            assert 0 < len(gallery) < 60
            assert_matches_disk(gallery)
        tab.press("n")
        tab.wait("document.getElementById('end-title').textContent.startsWith('Done in ')")
        tab.wait("document.querySelector('#folders .number').textContent === '60 photos'")
        tab.wait("document.querySelector('.failure li').textContent.endsWith('text.jpg')")
        for size in (DESKTOP, PHONE):
            for dark in (False, True):
                tab.open("/index", size, dark=dark)
                tab.ready()
                tab.wait("document.getElementById('end').checkVisibility()")
                assert tab.js("document.documentElement.scrollWidth") <= size[0]
                tab.wait(f"{CONTRASTS}.length === 0")
                assert tab.unnamed() == []
                assert tab.js("document.querySelectorAll('h1').length") == 1
        tab.open("/")
        tab.wait("document.getElementById('count')?.textContent === '60 photos'")
        assert tab.faults() == []


@pytest.mark.long
def test_ctrl_c_ends_a_run_well(tmp_path, empty, gate, chromium):
    for number in range(100):
        write_image(tmp_path / "photos" / f"{number:02}.png", number)
    with slow_server(empty, tmp_path / "gate") as (address, process):
        tab = Tab(chromium, address)
        tab.open("/index")
        tab.ready()
        tab.js(
            f"document.getElementById('folder').value = {json.dumps(str(tmp_path / 'photos'))};"
            "document.querySelector('#add-folder button').click()"
        )
        tab.wait("document.getElementById('bar').value > 3")
        process.send_signal(signal.SIGINT)
        while listening(address):  # as long as it has not seen the signal
            time.sleep(0.01)
        gate.open()
        _, errors = process.communicate(timeout=HANGS)
        assert (process.returncode, errors) == (0, "")
    with la.Gallery.open(empty, mode="r+") as gallery:
        assert 3 < len(gallery) < 100
        assert_matches_disk(gallery)
        assert not np.isnan(gallery.features).any()
        assert gallery.check().damage == []
