"""Threads of the core: their number, forks, and other packages that bring OpenMP."""

import importlib.util
import os

import pytest

import lookalike as la

# Builds of Clang link their libomp: none is chosen, and this one refuses settings that are empty.
LINKED = la.cpu_info()["openmp"] == "linked"

# Each brings an OpenMP runtime of its own, which hangs in the child of a process that has used it.
THEIRS = {
    "sklearn": """
    from sklearn.metrics import pairwise_distances_argmin
    return hashlib.sha256(pairwise_distances_argmin(X[:300], X[300:]).tobytes()).hexdigest()
""",
    "faiss": """
    import faiss
    return hashlib.sha256(faiss.knn(X[:300], X[300:], 5)[1].tobytes()).hexdigest()
""",
}

SETUP = """
import hashlib, multiprocessing, os, resource, signal, sys, threading, time
import numpy as np
from matrices import googlenet_like
from processes import HANGS

X = googlenet_like(600, 200)

def ours(metric="correlation"):
    import lookalike
    found = [*lookalike.knn(X, k=10, metric=metric), lookalike.cdist(X, X[:50], metric)]
    return hashlib.sha256(b"".join(map(np.ndarray.tobytes, found))).hexdigest()

def in_child(work):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(int(HANGS))  # ends a child that hangs
        try:
            os.write(writer, work().encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        return said.read()

def in_pool(work):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return set(pool.map_async(work, ["correlation"] * 4).get(HANGS))

def threads():
    return len(os.listdir("/proc/self/task"))
"""

THEIRS_FIRST = """
theirs()
imported_in_child = in_child(ours)
expected = ours()
print(imported_in_child == expected == in_child(ours), in_pool(ours) == {expected})
"""

OURS_FIRST = """
expected = ours()
print(len(in_child(theirs)) == 64, in_child(ours) == expected)
theirs()
print(in_child(ours) == expected == ours(), in_pool(ours) == {expected})
"""


@pytest.mark.long
@pytest.mark.parametrize("script", [THEIRS_FIRST, OURS_FIRST], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("package", THEIRS)
def test_beside(package, script, run_python):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: nox -s slim has it")
    environment = {"PYTHONWARNINGS": "ignore::DeprecationWarning", "OMP_NUM_THREADS": "2"}
    script = f"{SETUP}\ndef theirs():{THEIRS[package]}\n{script}"
    assert set(run_python(script, **environment).split()) == {"True"}


RUNTIMES = """
import re
def loaded():
    names = re.findall("/[^ \\n]*lib[a-z]*omp[^ \\n]*[.]so[^ \\n]*", open("/proc/self/maps").read())
    return {os.path.realpath(name) for name in names}
"""

FIRST = """
import sklearn.metrics
import lookalike
(theirs,) = {name for name in loaded() if "scikit_learn" in name}
before = loaded()
ours()
print(os.path.realpath(lookalike.cpu_info()["openmp"]) == theirs, loaded() == before)
"""

LATER = """
import lookalike
assert not loaded()  # it is chosen when it is needed
import sklearn.metrics
ours()
print("scikit_learn" in lookalike.cpu_info()["openmp"], len(loaded()) == 1)
"""

ALONE = """
import lookalike
ours()
print({os.path.realpath(lookalike.cpu_info()["openmp"])} == loaded(), len(loaded()) == 1)
"""


@pytest.mark.skipif(LINKED, reason="the runtime is linked")
@pytest.mark.parametrize("script", [FIRST, LATER, ALONE], ids=["first", "later", "alone"])
def test_a_runtime_that_is_loaded_is_taken(script, run_python):
    assert run_python(SETUP + RUNTIMES + script).split() == ["True", "True"]


AMID = """
import lookalike
forks = []

def fork_once(done, total):
    if 0 < done < total and not forks:
        forks.append(os.fork())

failed = None
rows = 2000
while not forks and not failed:  # until a call is long enough for its progress to be asked for
    rows *= 2
    Y = googlenet_like(rows, 400)
    try:
        found = lookalike.knn(Y, k=10, metric="canberra", threads=3, progress=fork_once)
    except RuntimeError as error:
        failed = str(error)
if forks == [0]:
    signal.alarm(int(HANGS))
    again = lookalike.knn(Y[:500], k=10, metric="canberra", threads=3)
    os._exit(0 if failed and "forked" in failed and len(again.indices) == 500 else 3)
same = np.array_equal(found.indices, lookalike.knn(Y, k=10, metric="canberra").indices)
print(os.waitstatus_to_exitcode(os.waitpid(forks[0], 0)[1]), failed, same)
"""


def test_a_child_forked_by_its_own_call_is_told_so(run_python):
    # The threads that had taken part of the work are the parent's: the child cannot finish it.
    environment = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
    assert run_python(SETUP + AMID, **environment).split() == ["0", "None", "True"]


KEPT = """
import lookalike
lookalike.knn(X, k=10, threads=1)
before = threads()

def calls():
    for _ in range(30):
        lookalike.knn(X, k=10, threads=3)

callers = [threading.Thread(target=calls) for _ in range(4)]
for caller in callers:
    caller.start()
for caller in callers:
    caller.join()
print(threads() - before)
"""


def test_threads_are_kept_for_the_next_call(run_python):
    # Callers that have been joined may still be there for a moment.
    assert 2 <= int(run_python(SETUP + KEPT)) <= 4 * 2 + 4


FEW = """
import lookalike
D = np.random.default_rng(0).random((3000, 300))
expected = lookalike.topk(D, 5, threads=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, resource.RLIM_INFINITY))
found = lookalike.topk(D, 5, threads=3000)  # of 8 MB of stack each
print(np.array_equal(found.indices, expected.indices), threads() < 1000)
"""


def test_fewer_threads_than_asked_for_do_the_work(run_python):
    assert run_python(SETUP + FEW).split() == ["True", "True"]


NUMBER = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import lookalike
print(lookalike.cpu_info()["threads"])
"""


@pytest.mark.parametrize(
    ("asked_for", "threads"), [("3", 3), ("3,2", 3), ("0", 1), ("-2", 1), ("many", 1), ("", 1)]
)
def test_number_of_threads(asked_for, threads, run_python):
    if LINKED and not asked_for:
        pytest.skip("the runtime that is linked ends a process with this setting")
    assert int(run_python(NUMBER, OMP_NUM_THREADS=asked_for)) == threads


def test_by_default_all_cores(run_python):
    script = """
import os
os.environ.pop("OMP_NUM_THREADS", None)
import lookalike
print(lookalike.cpu_info()["threads"])
"""
    assert int(run_python(script)) == len(os.sched_getaffinity(0))
