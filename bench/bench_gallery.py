"""A gallery of 100,000 images: opening, searching, finding its place again.

    pytest bench/bench_gallery.py --benchmark-columns=median,rounds

The photos are files of a number each, and what is known of them is made up; their features are
mixtures of real ones (features.py): nothing here depends on what an image shows. ``extra_info``
holds the size on disk and, for the searches, how much memory beyond the mapped file they took,
measured in a process of their own, and how long the first search in it took.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import lookalike as la
from features import DIM, features
from lookalike.gallery.storage.records import ContentRecord
from lookalike.gallery.storage.writer import Writer

N = 100_000
FOLDERS = 200
PART = 20_000

pytestmark = [pytest.mark.benchmark(group="gallery"), pytest.mark.large]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for i in range(FOLDERS):
        (folder / f"{i:03}").mkdir()
    for i in range(N):
        (folder / f"{i % FOLDERS:03}" / f"photo {i:06}.jpg").write_text(str(i))
    return folder


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, photos):
    path = tmp_path_factory.mktemp("galleries") / "gallery"
    names = [f"{i % FOLDERS:03}/photo {i:06}.jpg" for i in range(N)]
    with la.Gallery.create(path, dim=DIM) as made:
        for part in range(0, N, PART):
            some = names[part : part + PART]
            rows = features(len(some), seed=part + 1)
            made.add(rows, paths=some, labels=[name[:3] for name in some], root=photos)
    writer = Writer(str(path))
    for number, digest in enumerate(writer.catalogue.hashes()):
        facts = (4000, 3000, "JPEG", "2020-02-03 04:05:06", "Maker Model 1")
        writer.note_content(ContentRecord(digest, digest, *facts), digest * 160)
        if number % 5000 == 0:
            writer.commit()
    writer.commit()
    writer.close()
    with la.Gallery.open(path) as opened:
        assert len(opened) == N
    return path


def report(benchmark, path, **facts):
    files = {name: os.stat(path / name).st_size for name in os.listdir(path)}
    benchmark.extra_info.update(facts, megabytes=round(sum(files.values()) / 1e6))


def test_open(benchmark, gallery):
    def run():
        with la.Gallery.open(gallery, mode="r") as opened:
            assert opened.features.shape[0] == N

    benchmark.pedantic(run, rounds=10, warmup_rounds=1)
    report(benchmark, gallery)


def test_open_and_list_paths_and_labels(benchmark, gallery):
    def run():
        with la.Gallery.open(gallery, mode="r") as opened:
            assert len(opened.paths) == len(opened.labels) == N

    benchmark.pedantic(run, rounds=10, warmup_rounds=1)
    report(benchmark, gallery)


@pytest.mark.parametrize("kept", [True, False], ids=["index", "none"])
@pytest.mark.parametrize("queries", [1, 100])
@pytest.mark.parametrize("metric", ["correlation", "manhattan"])
def test_search(benchmark, gallery, metric, queries, kept):
    with la.Gallery.open(gallery) as writer:
        writer.keep_indexes(["correlation", "manhattan"] if kept else [])
    with la.Gallery.open(gallery, mode="r") as opened:
        rows = np.array(opened.features[:: N // queries][:queries])
        benchmark.pedantic(
            opened.search, (rows,), {"k": 10, "metric": metric}, rounds=5, warmup_rounds=1
        )
    script = f"""
import json, sys, time, numpy as np, lookalike as la
def kib(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1])
with la.Gallery.open(sys.argv[1], mode="r") as opened:
    rows = np.array(opened.features[:: {N // queries}][:{queries}])
    began = time.perf_counter()
    opened.search(rows[:1], k=1, metric={metric!r})
    first = time.perf_counter() - began
    before = kib("RssAnon")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    opened.search(rows, k=10, metric={metric!r})
    print(json.dumps([first, (kib("VmHWM") - kib("RssFile") - before) / 1024]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, gallery], capture_output=True, text=True, check=True
    )
    first, mib = json.loads(done.stdout)
    report(benchmark, gallery, extra_mib=round(mib, 1), first_ms=round(1000 * first, 1))


def test_resumed_index_finds_its_place(benchmark, gallery, photos):
    def run():
        with la.Gallery.open(gallery) as opened:
            assert opened.add(photos).unchanged == N

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    report(benchmark, gallery)


def test_check(benchmark, gallery):
    benchmark.pedantic(lambda: la.check_gallery(gallery), rounds=2)
    report(benchmark, gallery)


def test_remove_one_image(benchmark, gallery):
    """The next generation of the file: all rows are written again."""

    def run():
        with la.Gallery.open(gallery) as opened:
            opened.remove(opened.paths[len(opened) // 2])

    benchmark.pedantic(run, rounds=2)
    report(benchmark, gallery)
