"""Finding and fetching the weights, against a local server that misbehaves."""

import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from lookalike.embedding import download, weights
from lookalike.embedding.download import Source
from lookalike.embedding.googlenet import GoogLeNet
from lookalike.embedding.untrained import untrained_googlenet
from lookalike.embedding.weights import ModelError
from processes import HANGS

MODEL = untrained_googlenet(0)
SHA256 = hashlib.sha256(MODEL).hexdigest()


pytestmark = pytest.mark.usefixtures("own_cache")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        answer = getattr(self, self.path[1:].partition("?")[0])
        answer()

    def send(self, body, *, promised=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.send(MODEL)

    def wrong(self):
        self.send(MODEL[:-1] + b"?")

    def cut(self):
        self.send(MODEL[: len(MODEL) // 2], promised=len(MODEL))

    def cut_once(self):
        self.good() if self.server.requests.count(self.path) > 1 else self.cut()

    def missing(self):
        self.send_error(404)

    def pointer(self):
        self.send(b"version https://git-lfs.github.com/spec/v1\noid sha256:c99c\nsize 28021836\n")

    def silent(self):
        self.server.over.wait()

    def elsewhere(self):
        self.send_response(302)
        self.send_header("Location", "/good?signature=secret")
        self.end_headers()

    def circle(self):
        self.send_response(302)
        self.send_header("Location", "/circle")
        self.end_headers()

    def slow(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(MODEL)))
        self.end_headers()
        for start in range(0, len(MODEL), 1 << 22):
            time.sleep(0.1)
            self.wfile.write(MODEL[start : start + (1 << 22)])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRIES", 1)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.requests, running.over = [], threading.Event()
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


def use(monkeypatch, server, *answers):
    """Let the addresses be these answers of the server, and the test's model the pinned one."""
    sources = tuple(Source(f"{server.url}/{answer}", SHA256) for answer in answers)
    monkeypatch.setattr(weights, "SOURCES", sources)


def left_behind(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


# --- where a model is looked for -----------------------------------------------------------------


def test_order_of_places(tmp_path, monkeypatch, server):
    files = {}
    for name in ("explicit", "variable"):
        files[name] = tmp_path / f"{name}.onnx"
        files[name].write_bytes(MODEL)
    use(monkeypatch, server, "good")
    assert weights.find_model() == weights.cached_model()  # downloaded
    assert weights.find_model() == weights.cached_model()  # from the cache
    assert server.requests == ["/good"]
    monkeypatch.setenv("LOOKALIKE_MODEL", str(files["variable"]))
    assert weights.find_model() == files["variable"]
    assert weights.find_model(files["explicit"]) == files["explicit"]
    assert GoogLeNet().embed([]).shape == (0, 1024)


def test_a_named_file_that_is_missing_is_never_replaced_by_another(monkeypatch, tmp_path):
    with pytest.raises(ModelError, match=r"^model: no such file: nowhere\.onnx"):
        weights.find_model("nowhere.onnx")
    monkeypatch.setenv("LOOKALIKE_MODEL", "nowhere.onnx")
    with pytest.raises(ModelError, match=r"^LOOKALIKE_MODEL: no such file: nowhere\.onnx"):
        GoogLeNet()
    monkeypatch.setenv("LOOKALIKE_MODEL", str(tmp_path))
    with pytest.raises(ModelError, match=r"^LOOKALIKE_MODEL: not a file but a folder: "):
        GoogLeNet()


def test_installed_model_is_found(tmp_path):
    (tmp_path / "own.onnx").write_bytes(MODEL)
    assert weights.install_model(tmp_path / "own.onnx") == weights.find_model(download=False)
    assert weights.find_model().read_bytes() == MODEL


# --- downloads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason", "requests"),
    [
        ("wrong", "does not match the known hash", 1),
        ("cut", "IncompleteRead", 2),
        ("missing", "404 Client Error", 1),
        ("pointer", "gave a git-lfs pointer", 1),
        ("silent", "Read timed out", 2),
        ("circle", "Exceeded 30 redirects", 31),
    ],
)
def test_failed_download(monkeypatch, server, own_cache, answer, reason, requests):
    use(monkeypatch, server, answer)
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3 if answer == "silent" else HANGS)
    with pytest.raises(ModelError) as caught:
        GoogLeNet()
    message = "\n".join([str(caught.value), *caught.value.__notes__])
    assert reason in message
    assert f"{server.url}/{answer}" in message
    assert len(server.requests) == requests  # only what may pass is tried again
    assert left_behind(own_cache) == []
    for expected in (
        "LOOKALIKE_MODEL is not set",
        str(weights.cached_model()),
        "lookalike model import",
        "LOOKALIKE_MODEL_URL",
    ):
        assert expected in message


def test_next_mirror_and_retry(monkeypatch, server, own_cache):
    use(monkeypatch, server, "missing", "pointer", "wrong", "cut_once")
    assert weights.download_model().read_bytes() == MODEL
    assert server.requests == ["/missing", "/pointer", "/wrong", "/cut_once", "/cut_once"]
    assert left_behind(own_cache) == ["googlenet.onnx"]


def test_what_is_said_on_the_way(monkeypatch, server):
    use(monkeypatch, server, "missing", "cut_once", "elsewhere")
    said = []
    weights.download_model(said.append)
    mb = len(MODEL) / 1e6
    assert said == [
        f"Fetching missing from {server.url}/missing",
        f"  failed: 404 Client Error: Not Found for url: {server.url}/missing",
        f"Fetching cut_once from {server.url}/cut_once",
        said[3],
        f"  {mb:.1f} MB, with the SHA-256 it has to have",
    ]
    # What is left of the last piece does not count.
    failed, way, rest = re.fullmatch(
        r"  (\w+) after ([\d.]+) of (.*); tried again", said[3]
    ).groups()
    assert (failed, rest) == ("IncompleteRead", f"{mb:.1f} MB")
    assert 0.9 < float(way) / (mb / 2) <= 1.01
    said.clear()
    weights.download_model(said.append)
    assert said == [f"{weights.cached_model()} is missing already"]


def test_redirect_is_followed_and_said(monkeypatch, server):
    use(monkeypatch, server, "elsewhere")
    said = []
    assert weights.download_model(said.append).read_bytes() == MODEL
    assert server.requests == ["/elsewhere", "/good?signature=secret"]
    assert said[1] == f"  which leads to {server.url}/good"


def test_each_address_has_a_checksum_of_its_own(monkeypatch, server):
    sources = (Source(f"{server.url}/good", "0" * 64), Source(f"{server.url}/elsewhere", SHA256))
    monkeypatch.setattr(weights, "SOURCES", sources)
    assert weights.download_model().read_bytes() == MODEL
    assert server.requests[:2] == ["/good", "/elsewhere"]


def test_the_public_addresses():
    files = [(source.file, source.sha256) for source in download.SOURCES]
    assert files == [
        ("googlenet-12.onnx", download.GOOGLENET_12),
        ("googlenet-9.onnx", download.GOOGLENET_9),
        *[("googlenet-12.onnx", download.GOOGLENET_12)] * 3,
    ]
    hub = "https://huggingface.co/onnxmodelzoo/"
    assert download.SOURCES[0].url == f"{hub}googlenet-12/resolve/main/googlenet-12.onnx"
    assert download.SOURCES[1].url == f"{hub}googlenet-9/resolve/main/googlenet-9.onnx"
    assert all(source.url.startswith("https://") for source in download.SOURCES)


def test_a_checksum_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", "http://127.0.0.1:9/a.onnx#sha256=beef")
    with pytest.raises(ModelError, match=r"LOOKALIKE_MODEL_URL: .*64 hexadecimal .*'beef'"):
        weights.download_model()


def test_slow_server_is_waited_for(monkeypatch, server):
    use(monkeypatch, server, "slow")
    monkeypatch.setattr(download, "TIMEOUT_S", HANGS)
    assert weights.download_model().read_bytes() == MODEL


def test_address_of_ones_own(monkeypatch, server):
    use(monkeypatch, server, "missing")
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", f"{server.url}/good#sha256={SHA256}")
    assert weights.download_model().read_bytes() == MODEL
    assert server.requests == ["/good"]
    # Without a hash it has to be the public file.
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", f"{server.url}/good")
    with pytest.raises(ModelError, match=f"expected sha256:{download.GOOGLENET_12}"):
        weights.download_model()


def test_failed_download_keeps_the_model_there_was(monkeypatch, server, tmp_path):
    (tmp_path / "own.onnx").write_bytes(b"before")
    weights.install_model(tmp_path / "own.onnx")
    use(monkeypatch, server, "wrong")
    with pytest.raises(ModelError):
        weights.download_model()
    assert weights.cached_model().read_bytes() == b"before"


def test_no_server(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", "http://127.0.0.1:9/googlenet.onnx")
    said = []
    with pytest.raises(ModelError, match="Connection refused"):
        weights.find_model(say=said.append)
    assert not any("tried again" in line for line in said)
    assert len(said) == 2


def test_two_processes_at_once(server, own_cache):
    environment = os.environ | {"LOOKALIKE_MODEL_URL": f"{server.url}/slow#sha256={SHA256}"}
    code = "from lookalike.embedding.weights import find_model; print(find_model())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=HANGS)[0].strip() for process in processes]
    assert answers == [str(weights.cached_model())] * 2
    assert weights.cached_model().read_bytes() == MODEL
    assert left_behind(own_cache) == ["googlenet.onnx"]


def test_cache_that_cannot_be_written(monkeypatch, server, tmp_path):
    use(monkeypatch, server, "good")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"Not a directory.*(.|\n)*XDG_CACHE_HOME"):
        weights.find_model()
    (tmp_path / "own.onnx").write_bytes(MODEL)
    with pytest.raises(ModelError, match=r"cannot write .*: Not a directory"):
        weights.install_model(tmp_path / "own.onnx")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_read_only_cache(monkeypatch, server, own_cache):
    use(monkeypatch, server, "good")
    own_cache.mkdir()
    own_cache.chmod(0o500)
    with pytest.raises(ModelError, match="Permission denied"):
        weights.find_model()
