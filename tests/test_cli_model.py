"""``lookalike model``: output, one-line errors, exit codes."""

import pytest

from command_line import call
from lookalike.embedding import weights
from lookalike.embedding.untrained import untrained_googlenet

MODEL = untrained_googlenet(0)


@pytest.fixture
def lookalike(own_cache, monkeypatch, capfdbinary):
    # Nothing listens there: a test never downloads by accident.
    monkeypatch.setenv("LOOKALIKE_MODEL_URL", "http://127.0.0.1:9/googlenet.onnx")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between two attempts
    return lambda *arguments: call(arguments, monkeypatch, capfdbinary)


def test_help_shows_examples(lookalike):
    assert "model" in lookalike("--help").out
    shown = lookalike("model", "--help").out
    for expected in ("download", "import", "info", "path", "\n    lookalike model import ~/"):
        assert expected in shown


def test_import_then_path_and_info(lookalike, own_cache, tmp_path, monkeypatch):
    file = tmp_path / "mine.onnx"
    file.write_bytes(MODEL)
    installed = str(own_cache / "lookalike" / "models" / "googlenet.onnx")
    assert lookalike("model", "import", file) == (0, f"{installed}\n", "")
    assert lookalike("model", "path").out == f"{installed}\n"
    assert lookalike("model", "path", "--json").json["path"] == installed
    info = lookalike("model", "info").out
    for expected in (installed, str(len(MODEL)), "untrained (seed 0)", "space   untrained-"):
        assert expected in info
    known = lookalike("model", "info", "--json").json
    assert known.keys() == {"schema", "path", "bytes", "sha256", "model", "space"}
    assert known["bytes"] == len(MODEL)
    monkeypatch.setenv("LOOKALIKE_MODEL", str(file))
    assert lookalike("model", "path").out == f"{file}\n"


def test_failures_are_one_line_and_exit_with_1(lookalike, tmp_path):
    (tmp_path / "text.onnx").write_text("text")
    for arguments, message in [
        (("import", tmp_path / "text.onnx"), "text.onnx is not an ONNX model"),
        (("import", tmp_path / "none.onnx"), "no such file"),
        (("path",), "`lookalike model download` fetches it"),
        (("info",), "no GoogLeNet model"),
    ]:
        failed = lookalike("model", *arguments)
        assert (failed.code, failed.out) == (1, "")
        assert failed.err.startswith("lookalike: ")
        assert message in failed.err
        assert failed.err.count("\n") == 1


def test_download_without_network_says_what_to_do(lookalike):
    failed = lookalike("model", "download")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith("Fetching googlenet.onnx from http://127.0.0.1:9/googlenet.onnx\n")
    assert "Connection refused" in failed.err
    assert "lookalike model import googlenet-12.onnx" in failed.err
    assert "Traceback" not in failed.err


@pytest.mark.parametrize("arguments", [("model", "nonsense"), ("model", "import"), ("nonsense",)])
def test_wrong_usage_exits_with_2(lookalike, arguments):
    failed = lookalike(*arguments)
    assert (failed.code, failed.out, failed.err.count("\n")) == (2, "", 1)
    assert "Usage:" in failed.err


def test_interrupt_exits_with_130(lookalike, monkeypatch):
    def interrupted(say):
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "download_model", interrupted)
    stopped = lookalike("model", "download")
    assert (stopped.code, stopped.out, stopped.err.strip()) == (130, "", "lookalike: interrupted")
