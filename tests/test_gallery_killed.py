"""A writer that is killed or interrupted at any moment loses nothing that it had committed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lookalike as la
from processes import HANGS, wait_until_at_work
from tiny_embedder import write_image

TESTS = Path(__file__).parent
UNTRAINED = "import sys, lookalike as la; network = la.GoogLeNet.untrained(0, threads=2)"


def run_script(name, *arguments):
    done = subprocess.run(
        [sys.executable, TESTS / name, *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_twelve_kills(tmp_path):
    outcome = json.loads(run_script("killed_writer.py", tmp_path, 12, 1))
    assert outcome["growing"] == 6
    assert outcome["changing"] >= 6
    assert outcome["generations"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_kills(tmp_path, seed):
    run_script("killed_writer.py", tmp_path, 250, seed)


@pytest.mark.long
def test_ctrl_c_at_any_moment(tmp_path):
    run_script("interrupted_writer.py", tmp_path, 20, 1)


@pytest.mark.slow
def test_ctrl_c_at_very_many_moments(tmp_path):
    run_script("interrupted_writer.py", tmp_path, 400, 2)


@pytest.fixture
def recorded(monkeypatch):
    """The order in which files are synced and deleted and transactions committed."""
    events = []
    sync, unlink = os.fsync, os.unlink

    def fsync(descriptor):
        events.append(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}")
        sync(descriptor)

    def traced_unlink(path, **options):
        unlink(path, **options)
        events.append(f"delete {os.path.basename(path)}")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "unlink", traced_unlink)

    def watch(gallery):
        connection = gallery._writer.catalogue._connection
        assert connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        connection.set_trace_callback(lambda sql: sql == "COMMIT" and events.append("commit"))
        events.clear()
        return events

    return watch


def test_nothing_is_committed_before_it_is_on_the_disk(tmp_path, recorded):
    with la.Gallery.create(tmp_path / "gallery", dim=3) as gallery:
        events = recorded(gallery)
        gallery.add(np.ones((3, 3)), paths=["a", "b", "c"])
        assert events == ["sync features-0.f32", "commit"]
        events.clear()
        gallery.remove("b")
        assert events[:4] == [
            "sync features-1.f32",
            "sync gallery",
            "commit",
            "delete features-0.f32",
        ]


IMAGES = 150  # two seconds' work on two cores


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for i in range(IMAGES):
        write_image(folder / f"{i:03}.png", i)
    return folder


def start(photos, target):
    script = f"""
{UNTRAINED}
with la.Gallery.open(sys.argv[1], mode="a") as gallery:
    try:
        print("begins", flush=True)
        gallery.add(sys.argv[2], embedder=network)
        print("done", len(gallery))
    except KeyboardInterrupt:
        print("interrupted", len(gallery))
"""
    return subprocess.Popen(
        [sys.executable, "-c", script, str(target), str(photos)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_with_the_real_network(tmp_path, photos):
    with start(photos, tmp_path / "gallery") as process:
        assert process.stdout.readline() == "begins\n"
        wait_until_at_work(process)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=HANGS)
    assert (process.returncode, errors) == (0, "")
    state, count = output.split()
    with la.Gallery.open(tmp_path / "gallery") as gallery:
        assert len(gallery) == int(count)
        assert (state == "done") == (len(gallery) == IMAGES)
        assert gallery.check().ok


@pytest.mark.slow
def test_fifty_kills_with_the_real_network(tmp_path, photos):
    rng = random.Random(3)
    target = tmp_path / "gallery"
    expected = la.GoogLeNet.untrained(0).embed(sorted(photos.iterdir()))
    names = [str(path) for path in sorted(photos.iterdir())]
    committed, kills, rounds = 0, 0, 0
    while kills < 50:
        with start(photos, target) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0, 3))
            process.kill()
            output, _ = process.communicate(timeout=HANGS)
        kills += not output
        with la.Gallery.open(target) as gallery:
            assert gallery.check().ok
            assert len(gallery) >= committed
            committed = len(gallery)
            for path, row in zip(gallery.paths, gallery.features, strict=True):
                np.testing.assert_allclose(row, expected[names.index(path)], rtol=1e-4, atol=1e-5)
            if committed == IMAGES:
                rounds += 1
                gallery.remove(gallery.paths)
                committed = 0
    assert rounds > 0
    assert sorted(os.listdir(target))[0] == "catalogue.sqlite"
