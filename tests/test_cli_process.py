"""``lookalike`` as a process: interrupted, killed, piped, completed, asked for help."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from command_line import MAIN, draw, environment, run
from lookalike import Gallery
from lookalike.cli import VERBS
from processes import HANGS

IMAGES = 100
# An image each 100 ms at most, by whatever thread: it is never done before it is stopped.
UNHURRIED = """
import threading, time
from PIL.ImageFile import ImageFile
one, load = threading.Lock(), ImageFile.load
def slowly(image):
    with one:
        time.sleep(0.1)
    return load(image)
ImageFile.load = slowly
from lookalike.cli import main
main()
"""


@contextlib.contextmanager
def started(folder, settings, *arguments):
    """Start ``lookalike`` on images that take their time."""
    process = subprocess.Popen(
        [sys.executable, "-c", UNHURRIED, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            yield process
    finally:
        process.kill()


def committed(folder):
    if not (folder / "lookalike.gallery" / "catalogue.sqlite").exists():
        return 0
    with Gallery.open(folder / "lookalike.gallery", mode="r") as gallery:
        return len(gallery)


def wait_for_more(folder, before, process):
    while committed(folder) <= before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def stored(count):
    """What an interrupted command says that it leaves."""
    return f"interrupted; {count} image{'s' * (count != 1)} stored"


@pytest.mark.long
def test_an_index_that_was_interrupted_and_killed_goes_on(tmp_path, settings):
    (tmp_path / "photos").mkdir()
    for seed in range(IMAGES):
        draw("round", seed).save(tmp_path / "photos" / f"{seed:03}.bmp")
    with started(tmp_path, settings, "index", "photos") as process:
        wait_for_more(tmp_path, 0, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS)
    interrupted = committed(tmp_path)
    assert (process.returncode, out) == (130, "")
    expected = f"lookalike: {stored(interrupted)}, the same command goes on from there"
    assert err.strip() == expected
    assert 0 < interrupted < IMAGES

    with started(tmp_path, settings, "index", "photos") as process:
        wait_for_more(tmp_path, interrupted, process)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    kept = committed(tmp_path)
    assert interrupted < kept < IMAGES

    done = run("index", "photos", cwd=tmp_path, **settings)
    assert done.returncode == 0
    # What is read again has its features already, whoever was killed while reading it.
    assert f"{IMAGES} images in lookalike.gallery: {IMAGES - kept} added" in done.stdout
    assert run("check", cwd=tmp_path, **settings).stdout.endswith(f"{IMAGES} images, intact\n")


def test_a_second_writer_is_told_so(drawn, settings):
    with Gallery.open(drawn / "lookalike.gallery", mode="r+"):
        refused = run("index", cwd=drawn, **settings)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.count("\n") == 1
        assert "lookalike.gallery" in refused.stderr
        assert run("info", cwd=drawn, **settings).returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error_message(drawn, settings):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [*MAIN, "info", "--json"],
        cwd=drawn,
        env=environment(**settings),
        stdout=write,
        stderr=subprocess.PIPE,
    )
    os.close(write)
    assert process.communicate()[1] == b""
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full to write to")
def test_a_full_disk_is_one_line(drawn, settings):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*MAIN, "info"],
            cwd=drawn,
            env=environment(**settings),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (1, "lookalike: No space left on device\n")


def test_closed_output_is_no_traceback(drawn, settings):
    command = [*MAIN, "info"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        cwd=drawn,
        env=environment(**settings),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pipe_gets_no_colour_no_bar_and_nothing_cut(drawn, settings):
    done = run(
        "search",
        "photos/round/0.png",
        "--include-self",
        "--absolute",
        cwd=drawn,
        COLUMNS="20",
        **settings,
    )
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert f"\t{drawn}/photos/round/0.png\n" in done.stdout
    assert len(done.stdout.splitlines()) == 10


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(lookalike, verb):
    done = lookalike(verb, "--help")
    assert done.code == 0
    assert "Example" in done.out
    assert f"\n    lookalike {verb}" in done.out
    assert done.out.isascii()
    assert max(map(len, done.out.splitlines())) <= 80
    if verb not in ("model", "demo", "browse"):
        assert "--json" in done.out


@pytest.mark.parametrize("verb", ["download", "import", "info", "path"])
def test_so_has_what_stands_below_model(lookalike, verb):
    assert f"\n    lookalike model {verb}" in lookalike("model", verb, "--help").out


@pytest.mark.parametrize("arguments", [[], ["model"]])
def test_without_a_verb_the_help_is_shown(lookalike, arguments):
    done = lookalike(*arguments)
    helped = lookalike(*arguments, "--help").out
    assert (done.code, done.out, done.err.strip()) == (2, "", helped.strip())


def test_help_lists_every_verb_with_what_it_does(lookalike):
    lines = lookalike("--help").out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines if line[2] != " "] == list(VERBS)
    assert not any(line.rstrip().endswith("...") for line in lines)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(lookalike, monkeypatch, shell):
    monkeypatch.setenv("_LOOKALIKE_COMPLETE", f"{shell}_source")
    if shell == "bash":
        pytest.importorskip("click.shell_completion")
    script = lookalike()
    assert script.code == 0
    assert "_LOOKALIKE_COMPLETE" in script.out
    monkeypatch.setenv("_LOOKALIKE_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "lookalike dup" if shell != "fish" else "lookalike")
    monkeypatch.setenv("COMP_CWORD", "1" if shell != "fish" else "dup")
    assert "duplicates" in lookalike().out
