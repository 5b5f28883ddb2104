"""Calls among other threads, under Ctrl-C, and what they tell of their progress."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import lookalike
from matrices import LAYOUTS, googlenet_like
from processes import HANGS, cpu_seconds, wait_until_at_work
from reference import METRICS, assert_same_bits


def everything(X, metric, threads):
    near = lookalike.radius_neighbors(X, radius=0.5, metric=metric, threads=threads)
    return [
        lookalike.cdist(X, X[:50], metric, threads=threads),
        lookalike.pdist(X, metric, threads=threads),
        *lookalike.knn(X, k=10, metric=metric, threads=threads),
        *lookalike.knn(X[:3], X, k=10, metric=metric, threads=threads),
        near.indices,
        near.distances,
        lookalike.topk(X, 5, threads=threads).indices,
    ]


@pytest.mark.parametrize("layout", ["Fortran", "strided columns", "negative columns"])
def test_the_time_of_no_layout_grows_with_the_square_of_its_stride(layout, tmp_path):
    X = googlenet_like(20_000, 128)
    rows = LAYOUTS[layout](X, tmp_path)

    def seconds(Y):
        """Of the processor, by this thread alone: the other tests' workers may still spin."""
        times = []
        for _ in range(2):
            start = time.thread_time()
            lookalike.cdist(X[:2], Y, "manhattan", threads=1)
            times.append(time.thread_time() - start)
        return min(times)

    # A cache line or a page for each element costs some ten times the read of a row.
    assert seconds(rows) < 50 * seconds(X) + 0.5


def test_other_threads_run_during_a_call():
    X = googlenet_like(2000, 512)
    ticks, finished = [], threading.Event()

    def tick():
        while not finished.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.002)

    other = threading.Thread(target=tick)
    other.start()
    try:
        for call in (
            lambda: lookalike.cdist(X, X[:1000], "canberra", dtype="float64", threads=1),
            lambda: lookalike.knn(X, metric="canberra", threads=1),
            lambda: lookalike.radius_neighbors(X, radius=0, metric="canberra", threads=1),
            lambda: lookalike.topk(np.tile(X, (20, 1)), 500, threads=1),
        ):
            ticks.clear()
            start, worked = time.monotonic(), time.thread_time()
            call()
            worked = time.thread_time() - worked
            end = time.monotonic()
            # A tick each 2 ms where the thread runs freely; one in 50 ms, when the call looks for
            # Ctrl-C, were the lock held. On a busy machine there is less work in the same time.
            assert sum(start < at < end for at in ticks) > worked / 0.02
    finally:
        finished.set()
        other.join()


def test_calls_from_many_threads_do_not_disturb_each_other():
    X = googlenet_like(250, 60)
    expected = {metric: everything(X, metric, 1) for metric in METRICS}
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            (metric, pool.submit(everything, X, metric, threads))
            for _ in range(3)
            for metric in METRICS
            for threads in (1, 2, 3)
        ]
        for metric, job in jobs:
            for found, one in zip(job.result(timeout=HANGS), expected[metric], strict=True):
                assert_same_bits(found, one)


def test_more_threads_than_rows_or_cores():
    X = googlenet_like(5, 20)
    expected = everything(np.tile(X, (12, 1)), "cosine", 1)
    for threads in (16, 64):
        for found, one in zip(
            everything(np.tile(X, (12, 1)), "cosine", threads), expected, strict=True
        ):
            assert_same_bits(found, one)
        assert lookalike.knn(X, k=2, threads=threads).indices.shape == (5, 2)


# Each works for many seconds when it is left alone.
LONG_CALLS = {
    "knn": "lookalike.knn(X, metric='canberra', threads=1)",
    "knn of few": "lookalike.knn(np.tile(X[:7], (1, 8)), X8, k=5, metric='canberra', threads=1)",
    "radius": "lookalike.radius_neighbors(X, radius=1, metric='canberra', threads=2)",
    "cdist": "lookalike.cdist(X, X[:9000], 'canberra', dtype='float64', threads=1)",
    "pdist": "lookalike.pdist(X[:12000], 'canberra', dtype='float64', threads=2)",
}
INTERRUPTED = """
import time
import lookalike, numpy as np

X = np.random.default_rng(0).random((16000, 1024), np.float32)
X8 = np.lib.stride_tricks.as_strided(X, (300_000, 8192), (0, 4))
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print(time.process_time(), flush=True)
    # It works on after the interruption.
    assert lookalike.knn(X[:50], k=3).indices.shape == (50, 3)
"""


@pytest.mark.parametrize("name", LONG_CALLS)
def test_ctrl_c_stops_a_long_call(name):
    script = INTERRUPTED.format(call=LONG_CALLS[name])
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            wait_until_at_work(process)
            before = cpu_seconds(process.pid)
            process.send_signal(signal.SIGINT)
            until, errors = process.communicate(timeout=HANGS)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    # Half a second is promised, of two threads at most.
    assert float(until) - before < 1


def search_calls(**options):
    X = googlenet_like(2500, 300)
    radius = float(np.quantile(lookalike.pdist(X[:200]), 0.02))
    yield lambda: lookalike.knn(X, k=10, **options)
    yield lambda: lookalike.knn(X[:1000], X, k=10, metric="canberra", **options)
    yield lambda: lookalike.knn(X[:2], X, k=10, **options)
    yield lambda: lookalike.radius_neighbors(X, radius=radius, **options)


def test_progress_rises_to_its_total():
    seen = []
    for call in search_calls(progress=lambda done, total: seen.append((done, total))):
        seen.clear()
        call()
        assert seen
        done, totals = zip(*seen, strict=True)
        assert len(set(totals)) == 1
        assert list(done) == sorted(done)
        assert done[0] >= 0
        assert done[-1] == totals[0] > 0
        assert all(isinstance(value, int) for value in (*done, *totals))


def test_a_long_call_tells_its_progress_often():
    X = googlenet_like(6000, 512)
    times = []
    lookalike.knn(X, metric="canberra", progress=lambda *_: times.append(time.thread_time()))
    # About every 50 ms, of which this thread works at most so long.
    assert len(times) >= (times[-1] - times[0]) / 0.15


def test_progress_is_called_in_the_calling_thread():
    callers = set()
    for call in search_calls(progress=lambda *_: callers.add(threading.get_ident())):
        call()
    assert callers == {threading.get_ident()}


def test_an_exception_of_the_callback_ends_the_call():
    def refuse(done, total):
        raise LookupError(f"at {done} of {total}")

    for call in search_calls(progress=refuse):
        with pytest.raises(LookupError, match=r"at \d+ of \d+"):
            call()
    X = googlenet_like(100, 20)
    assert lookalike.knn(X, k=3).indices.shape == (100, 3)


def test_progress_changes_no_result(capfd):
    X = googlenet_like(500, 60)
    expected = lookalike.knn(X, k=10)
    for progress in (True, lambda done, total: None):
        found = lookalike.knn(X, k=10, progress=progress)
        assert_same_bits(found.indices, expected.indices)
        assert_same_bits(found.distances, expected.distances)
    assert capfd.readouterr().out == ""


def test_the_callback_may_call_back():
    X = googlenet_like(300, 40)
    inner = []
    lookalike.knn(X, k=5, progress=lambda *_: inner.append(lookalike.knn(X[:50], k=5)))
    assert inner[0].indices.shape == (50, 5)


def test_inputs_are_left_as_they_are():
    X = googlenet_like(60, 40)
    before = X.copy()
    for metric in METRICS:
        everything(X, metric, 2)
    assert_same_bits(X, before)


def test_an_array_freed_by_another_thread_during_a_call_is_kept_alive():
    holder = [googlenet_like(2000, 256)]
    expected = lookalike.knn(holder[0].copy(), k=10, metric="canberra")
    results = []
    worker = threading.Thread(
        target=lambda: results.append(lookalike.knn(holder.pop(), k=10, metric="canberra"))
    )
    worker.start()
    while holder:
        time.sleep(0)
    np.full((2000, 256), np.nan, np.float32)
    worker.join()
    assert_same_bits(results[0].indices, expected.indices)
