"""Calls in a child forked after, and during, a call of its parent: no hang, the same bits."""

import pytest

SETUP = """
import os, sys, threading, time, signal, multiprocessing, zlib
import lookalike, numpy as np
from matrices import googlenet_like

X = googlenet_like(600, 200)
DEADLINE = 200

def work(metric="correlation"):
    near = lookalike.radius_neighbors(X[:300], radius=0.5)
    pieces = [*lookalike.knn(X, k=10, metric=metric), *lookalike.knn(X[:2], X, k=5, metric=metric)]
    pieces += [near.indices, lookalike.cdist(X, X[:50], metric), lookalike.pdist(X, metric)]
    pieces += [lookalike.topk(pieces[-2], 5).indices]
    return b"".join(np.ascontiguousarray(piece).tobytes() for piece in pieces)

def in_child():
    '''Fork; the child works and compares. Return its exit code, or "hangs".'''
    child = os.fork()
    if child == 0:
        code = 3
        try:
            code = 0 if work() == expected else 4
        finally:
            os._exit(code)
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
"""

AFTER = """
expected = work()
print(in_child(), in_child(), work() == expected)
"""

DURING = """
expected = work()
stop = threading.Event()

def keep_busy():
    while not stop.is_set():
        lookalike.knn(X, k=10, metric="canberra")

busy = [threading.Thread(target=keep_busy) for _ in range(2)]
for thread in busy:
    thread.start()
codes = []
for _ in range(8):
    time.sleep(0.013)
    codes.append(in_child())
stop.set()
for thread in busy:
    thread.join()
print(*codes, work() == expected)
"""

BEFORE = """
# The child is the first to call at all; the parent follows.
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, b"%d" % zlib.crc32(work()))
    os._exit(0)
os.waitpid(child, 0)
print(int(os.read(reader, 99)) == zlib.crc32(work()))
"""

POOL = """
expected = work()
with multiprocessing.get_context("fork").Pool(3) as pool:
    results = pool.map_async(work, ["correlation"] * 6).get(DEADLINE)
print(all(result == expected for result in results))
"""

THREADS_IN_CHILD = """
expected = work()
child = os.fork()
if child == 0:
    right = []
    threads = [
        threading.Thread(target=lambda: right.append(work() == expected)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0 if right == [True] * 4 else 4)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (BEFORE, "True"),
        (AFTER, "0 0 True"),
        (DURING, " ".join(["0"] * 8 + ["True"])),
        (POOL, "True"),
        (THREADS_IN_CHILD, "0"),
    ],
    ids=["before", "after", "during", "pool", "threads in the child"],
)
def test_fork(script, printed, run_python):
    # Python warns of forks with threads about: they are what is tested.
    environment = {"PYTHONWARNINGS": "ignore::DeprecationWarning", "OMP_NUM_THREADS": "2"}
    assert run_python(SETUP + script, **environment).strip() == printed
