"""``lookalike model``: output, one-line errors, exit codes."""

import os
import subprocess
import sys

import pytest

from lookalike.googlenet_graph import untrained_googlenet

MODEL = untrained_googlenet(0)


@pytest.fixture
def lookalike(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOOKALIKE_")}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    # Nothing listens there: a test never downloads by accident.
    environment["LOOKALIKE_MODEL_URL"] = "http://127.0.0.1:9/googlenet.onnx"

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-c", "from lookalike.cli import main; main()", *arguments],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_help_shows_examples(lookalike):
    assert "model" in lookalike("--help").stdout
    shown = lookalike("model", "--help").stdout
    for expected in ("download", "import", "info", "path", "\n    lookalike model import ~/"):
        assert expected in shown


def test_import_then_path_and_info(lookalike, tmp_path):
    file = tmp_path / "mine.onnx"
    file.write_bytes(MODEL)
    installed = str(tmp_path / "cache" / "lookalike" / "models" / "googlenet.onnx")
    done = lookalike("model", "import", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{installed}\n", "")
    assert lookalike("model", "path").stdout == f"{installed}\n"
    info = lookalike("model", "info").stdout
    for expected in (installed, str(len(MODEL)), "untrained (seed 0)", "space   untrained-"):
        assert expected in info
    chosen = lookalike("model", "path", LOOKALIKE_MODEL=str(file))
    assert chosen.stdout == f"{file}\n"


def test_failures_are_one_line_and_exit_with_1(lookalike, tmp_path):
    (tmp_path / "text.onnx").write_text("text")
    for arguments, message in [
        (("import", str(tmp_path / "text.onnx")), "text.onnx is not an ONNX model"),
        (("import", str(tmp_path / "none.onnx")), "no such file"),
        (("path",), "`lookalike model download` fetches it"),
        (("info",), "no GoogLeNet model"),
    ]:
        failed = lookalike("model", *arguments)
        assert failed.returncode == 1
        assert failed.stderr.startswith("lookalike: ")
        assert message in failed.stderr
        assert failed.stderr.count("\n") == 1
        assert not failed.stdout


def test_download_without_network_says_what_to_do(lookalike):
    failed = lookalike("model", "download")
    assert failed.returncode == 1
    assert "Connection refused" in failed.stderr
    assert "lookalike model import googlenet-12.onnx" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("arguments", [("model", "nonsense"), ("model", "import"), ("nonsense",)])
def test_wrong_usage_exits_with_2(lookalike, arguments):
    failed = lookalike(*arguments)
    assert failed.returncode == 2
    assert "Usage:" in failed.stderr


def test_interrupt_exits_with_130():
    code = """if True:
        from lookalike import cli, weights
        def interrupted():
            raise KeyboardInterrupt
        weights.download_model = interrupted
        import sys; sys.argv = ["lookalike", "model", "download"]
        cli.main()
    """
    stopped = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (stopped.returncode, stopped.stderr.strip()) == (130, "lookalike: interrupted")
