"""Working memory: within the promised bound at the peak, and given back after a thousand calls."""

import sys

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc"),
    pytest.mark.long,
]

PEAK = """
import ctypes, sys
import lookalike, numpy as np
from matrices import googlenet_like

def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

def peak_of(call):
    '''Bytes that a call needed at its peak beyond what there was, its results not counted.'''
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc's; musl gives memory back by itself
        libc.malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")  # the peak starts again from here
    before = status("VmRSS")
    results = call()
    return status("VmHWM") - before - sum(part.nbytes for part in results)

def features(n, d):
    '''Like googlenet_like, without its temporaries.'''
    X, some = np.empty((n, d), np.float32), googlenet_like(500, d)
    for start in range(0, n, 500):
        X[start : start + 500] = np.roll(some, start // 500, axis=1)[: n - start]
    return X

def bound(n, d, k, threads):
    '''One filter copy of the rows, the reservoirs, and 32 MiB for each thread.'''
    return 2 * n * d + 16 * (k + 32) * n + threads * 2**25
"""


def peak(run_python, script, **environment):
    used, allowed = map(int, run_python(PEAK + script, **environment).split())
    assert used <= allowed, f"{used / 2**20:.0f} MiB used, {allowed / 2**20:.0f} MiB allowed"


def test_a_large_self_join_stays_under_160_mib(run_python):
    script = """
X = features(24_000, 1024)
print(peak_of(lambda: lookalike.knn(X, k=10, metric="euclidean", threads=2)), 160 * 2**20)
"""
    peak(run_python, script)


def test_equal_rows_stay_in_the_same_bound(run_python):
    script = """
X = np.tile(googlenet_like(1, 1024), (12_000, 1))
print(peak_of(lambda: lookalike.knn(X, k=10, threads=2)), bound(12_000, 1024, 10, 2))
"""
    peak(run_python, script)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_bound_holds_for_any_number_of_threads_and_neighbours(threads, run_python):
    script = f"""
X = features(8000, 512)
print(
    peak_of(lambda: lookalike.knn(X, k=200, threads={threads})), bound(8000, 512, 200, {threads})
)
"""
    peak(run_python, script)


@pytest.mark.parametrize("rows", [20, 2400])
def test_pairs_within_a_radius_cost_little_more_than_they_take(rows, run_python):
    script = f"""
X, found = features(12_000, 16), []
def search():
    near = lookalike.radius_neighbors(X[:{rows}], X, radius=1e9, metric="euclidean", threads=2)
    found.append(sum(part.nbytes for part in near))
    return near
print(peak_of(search), int(0.3 * found[0]) + 2 * 2**20 * 32)
"""
    peak(run_python, script)


@pytest.mark.parametrize("layout", ["X[:, ::-1]", "np.asfortranarray(X)", "X.astype(np.float64)"])
def test_no_layout_or_type_costs_a_whole_copy(layout, run_python):
    script = f"""
X = features(20_000, 1024)
X = {layout}
Q = X[:64].copy()

def both():
    return [*lookalike.knn(Q, X, k=10, threads=2), lookalike.cdist(Q, X, "manhattan", threads=2)]

# The matrix and the 64 queries need no copy of the rows: 64 MiB for two threads.
used = peak_of(lambda: [lookalike.cdist(Q, X, "manhattan", threads=2)]), peak_of(both)
allowed = 2 * 2**25, bound(20_000, 1024, 10, 2)
print(max(u - a for u, a in zip(used, allowed)), 0)
"""
    peak(run_python, script)


def test_small_batches_need_no_copy_of_the_rows(run_python):
    script = """
X = features(40_000, 1024)
print(peak_of(lambda: lookalike.knn(X[:3], X, k=10, threads=2)), bound(0, 0, 0, 2))
"""
    peak(run_python, script)


def test_a_radius_search_of_equal_rows_stays_in_its_budget(run_python):
    script = """
X = np.ones((3000, 64), np.float32)

def search():
    near = lookalike.radius_neighbors(X, radius=0, metric="euclidean", threads=2)
    return near.indptr, near.indices, near.distances

# Its results are 144 MB; pairs may wait beside them before they are sorted into place.
print(peak_of(search), 3000 * 3000 * 16 + bound(3000, 64, 0, 2))
"""
    peak(run_python, script)


LEAKS = """
import gc, sys
X, Y = features(40, 64), features(30, 64)
bad = X.copy()
bad[3, 3] = np.nan

def calls():
    for metric in lookalike.METRICS:
        lookalike.cdist(X, Y, metric)
        lookalike.pdist(X, metric)
        lookalike.knn(X, k=5, metric=metric, return_stats=True)
        lookalike.knn(X[:2], Y, k=5, metric=metric, progress=lambda done, total: None)
        lookalike.radius_neighbors(X, radius=1e3, metric=metric)
        for wrong in (bad, X[0], X * 1j):
            try:
                lookalike.knn(wrong, k=5, metric=metric)
            except (TypeError, ValueError):
                pass
    lookalike.topk(X, 7)

def grown():
    before = status("VmRSS")
    for _ in range(30):
        calls()
    gc.collect()
    return status("VmRSS") - before

grown()
references = sys.getrefcount(X)
# Each time some 1,700 calls. Heaps grow by leaps, a leak grows every time: the least growth tells.
least = min(grown() for _ in range(4))
assert sys.getrefcount(X) == references
print(least, 1_700 * 50)
"""


def test_thousands_of_small_calls_leak_nothing(run_python):
    peak(run_python, LEAKS)
