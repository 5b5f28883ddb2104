"""Who is let in by the browser's server, what is refused, and which files it shows."""

import itertools
import os
import re
import stat
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="pip install 'lookalike[browse]'")

from starlette.testclient import TestClient

from browsing import HOME, PORT, Served, made
from lookalike import Gallery
from lookalike.browse.opening import opened
from lookalike.browse.safety import HEADERS, TOKEN_HEADER


@pytest.fixture
def served(tmp_path):
    return Served(made(tmp_path))


def test_without_the_key_nothing_is_told(served):
    for path in ("/", "/thumb/0", "/file/0", "/api/order", "/static/page.js", "/photo/0", "/no"):
        for client in (served.client, TestClient(served.app, base_url=HOME, cookies={"a": "b"})):
            answer = client.get(path)
            assert answer.status_code == 403
            assert "key" in answer.text
            assert served.access.token not in answer.text
    for key in ("", "x", served.access.key[:-1], served.access.key + "x", "é", "\udcff"):
        refused = served.client.get("/", params={"key": key.encode("utf-8", "surrogateescape")})
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
    assert served.client.post("/api/search", content=b"x").status_code == 403


def test_the_key_is_exchanged_for_a_strict_cookie_of_this_port(served):
    answer = served.client.get("/photo/1", params={"key": served.access.key, "is": "a&b"})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    name, _, rest = cookie.partition("=")
    assert name == f"lookalike-{PORT}"
    assert {part.strip().lower() for part in rest.split(";")[1:]} == {
        "httponly",
        "path=/",
        "samesite=strict",
    }
    assert served.access.key not in cookie
    assert served.access.key not in answer.text  # the browser goes on without it
    assert 'url=/photo/1?is=a%26b"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert served.client.get("/").status_code == 200
    assert served.another().get("/").status_code == 403
    # As long as the server runs, the key lets others in: another browser, a script.
    thumb = served.another().get("/thumb/0", params={"key": served.access.key})
    assert thumb.headers["content-type"] == "image/webp"


def test_the_entrance_leads_nowhere_else(served):
    for path in ("//evil.example/", "/%2F/evil.example", "/\\evil.example", '/"><script>'):
        answer = served.client.get(HOME + path + f"?key={served.access.key}")
        for target in re.findall(r'(?:url=|href=")([^"]*)"', answer.text):
            assert re.match(r"/(?![/\\])", target), target
        assert "<script" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:1"])
def test_another_host_is_refused(served, host):
    client = served.enter()
    assert client.get("/", headers={"host": host}).status_code == 421
    assert client.get("/", headers={"host": f"LOCALHOST:{PORT}"}).status_code in (200, 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:1"]
)
def test_another_origin_is_refused(served, origin):
    client = served.enter()
    token = {TOKEN_HEADER: served.access.token}
    for method, path in (("GET", "/"), ("GET", "/thumb/0"), ("POST", "/api/search")):
        answer = client.request(method, path, headers={"origin": origin, **token})
        assert answer.status_code == 403, path
    assert client.get("/", headers={"origin": HOME}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_asks_for_is_refused_by_fetch_metadata(served, site):
    client = served.enter()
    assert client.get("/thumb/0", headers={"sec-fetch-site": site}).status_code == 403
    for own in ("same-origin", "none"):
        assert client.get("/thumb/0", headers={"sec-fetch-site": own}).status_code == 200


def test_changes_need_the_token(served):
    client = served.enter()
    for token in ({}, {TOKEN_HEADER: "x"}, {TOKEN_HEADER: served.access.key}):
        answer = client.post("/api/change", headers=token)
        assert answer.status_code == 403
        assert "reload" in answer.json()["error"]
    known = {TOKEN_HEADER: served.access.token}
    assert client.post("/api/change", headers=known).status_code == 404  # let through, and unknown
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert client.request(method, "/", headers=known).status_code == 405


def test_read_only_refuses_every_change(tmp_path):
    served = Served(made(tmp_path), read_only=True)
    client = served.enter()
    answer = client.post("/api/change", headers={TOKEN_HEADER: served.access.token})
    assert answer.status_code == 403
    assert "--read-only" in answer.json()["error"]
    with pytest.raises(PermissionError, match="read-only"):
        served.state.writing()
    assert client.get("/").status_code == 200
    assert "data-read-only" in client.get("/").text


def test_every_answer_forbids_what_it_can(served):
    client = served.enter()
    answers = [client.get(path) for path in ("/", "/thumb/0", "/no", "/api/order", "/file/0")]
    answers += [served.another().get("/"), client.get("/", headers={"host": "x"})]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "server" not in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    for path in ("/", "/photo/0", "/together?rows=0,1", "/distances"):
        page = client.get(path).text  # nothing that this policy would stop
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*src=)|<style", page)
        assert not re.search(r"(src|href)=\"(?!/|#)", page)


def test_files_are_served_by_row_alone(served):
    client = served.enter()
    paths = ("/thumb/3", "/thumb/-1", "/thumb/x", "/thumb/0/1", "/file/99999999999999999999")
    for path in paths:
        assert client.get(path).status_code == 404, path
    for path in (
        "/file/..%2f..%2fetc%2fpasswd",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/static/page.js").headers["content-type"].startswith("text/javascript")


def path_of(served, row):
    return Path(served.state.shown.paths[row])


def test_a_file_is_sent_as_it_was_indexed(served):
    client = served.enter()
    for row, kind in ((0, "image/jpeg"), (1, "image/png")):
        answer = client.get(f"/file/{row}")
        assert answer.content == path_of(served, row).read_bytes()
        assert answer.headers["content-type"] == kind
        again = client.get(f"/file/{row}", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        assert not again.content


def changed(path):
    path.write_bytes(path.read_bytes() + b" ")


def same_size_and_time(path):
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def linked(path):
    there = path.with_name("elsewhere")
    path.rename(there)
    path.symlink_to(there)


def linked_to_another(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


def behind_a_link(path):
    there = path.parent.with_name("elsewhere")
    path.parent.rename(there)
    path.parent.symlink_to(there)


def gone(path):
    path.unlink()


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("happens", "thumbnail"),
    [
        (changed, 404),
        (linked_to_another, 404),
        (a_pipe, 404),
        # The gallery has a thumbnail of what was indexed, which is all that it shows of these.
        (same_size_and_time, 200),
        (linked, 200),
        (behind_a_link, 200),
        (gone, 200),
    ],
)
def test_a_file_that_is_not_as_it_was_is_not_sent(served, happens, thumbnail):
    client = served.enter()
    assert client.get("/file/0").status_code == 200
    tag = client.get("/file/0").headers["etag"]
    kept = client.get("/thumb/0").content
    happens(path_of(served, 0))
    for headers in ({}, {"if-none-match": tag}):
        answer = client.get("/file/0", headers=headers)
        assert answer.status_code == 404
        assert "not shown" in answer.text
    answer = client.get("/thumb/0")
    assert answer.status_code == thumbnail
    assert (answer.content == kept) == (thumbnail == 200)


def test_what_is_no_picture_is_never_sent_as_what_it_says_it_is(tmp_path):
    """A gallery made of an array takes any file: nothing of one may run in the page."""
    gallery = made(tmp_path, ("a.jpg", "b.jpg"))
    evil = tmp_path / "photos" / "c.svg"
    evil.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    page = tmp_path / "photos" / "d.jpg"
    page.write_text("<html><script>alert(1)</script></html>")
    with Gallery.open(gallery) as opened_:
        opened_.add(np.ones((2, 8)), paths=["c.svg", "d.jpg"], root=tmp_path / "photos")
    served = Served(gallery)
    client = served.enter()
    for row in (2, 3):
        for path in (f"/file/{row}", f"/thumb/{row}"):
            answer = client.get(path)
            assert answer.status_code in (404, 500)
            assert answer.headers["content-type"].startswith("text/plain")
            assert b"<script" not in answer.content


def test_uploads_are_bounded(served, monkeypatch):
    client = served.enter()
    monkeypatch.setattr("lookalike.browse.search.MOST_BYTES", 1000)
    read = []

    def endless():
        while True:
            read.append(1)
            yield b"x" * 100

    answer = client.post("/api/search", content=itertools.islice(endless(), 50))
    assert answer.status_code == 413
    assert client.post("/api/search", content=b"").status_code == 400
    monkeypatch.setattr("lookalike.browse.search.MOST_BYTES", 1 << 20)
    monkeypatch.setattr("lookalike.browse.search.MOST_PIXELS", 100)
    content = path_of(served, 0).read_bytes()
    answer = client.post("/api/search", content=content)
    assert answer.status_code == 413
    assert "160 × 120" in answer.json()["error"]
    assert client.post("/api/search", content=b"<svg/>").status_code == 415


def test_the_browser_is_opened_through_a_file_that_others_cannot_read(monkeypatch):
    seen = []

    def open_browser(address):
        file = Path(address.removeprefix("file://"))
        seen.append((stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)))
        seen.append(file)
        seen.append(file.read_text())
        return True

    monkeypatch.setattr("webbrowser.open", open_browser)
    entered = []
    with opened(f"{HOME}/?key=abc&x", lambda: bool(entered)):
        for _ in range(600):
            if len(seen) == 3:
                break
            time.sleep(0.02)
        modes, file, text = seen
        assert modes == (0o600, 0o700)
        assert f"url={HOME}/?key=abc&amp;x" in text
        assert file.exists()
        entered.append(True)
        for _ in range(600):
            if not file.parent.exists():
                break
            time.sleep(0.02)
        assert not file.parent.exists()
    seen.clear()
    with opened(HOME, lambda: False):
        for _ in range(600):
            if len(seen) == 3:
                break
            time.sleep(0.02)
    assert not seen[1].parent.exists()  # at the end at the latest
