"""What searches cost as n grows, against another version of lookalike and against faiss.

    python bench/scale.py rows --n 200000           # made once, kept in --folder
    python bench/scale.py build --n 100000          # the graph of faiss's HNSW, timed and kept
    python bench/scale.py time --old FOLDER         # what is not timed yet, for some --seconds
    python bench/scale.py table                     # Markdown
    python bench/scale.py draw docs/scale.svg

`time` takes the searches one by one, the versions in turn in a process each, and keeps every time
as it has it: run it until nothing is left. A search that would take --longest seconds is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from alternate import PAUSE
from brute_force import Array
from faiss_peers import Faiss, FaissHnsw, FaissPanorama
from features import features
from jobs import NEW_ROWS, affordable
from peer import CORES, METRICS, Peer
from scale_figure import draw

VERSIONS = ("lookalike", "old")
PEERS: dict[str, Peer] = {peer.name: peer for peer in (Faiss(), FaissPanorama(), FaissHnsw())}
ROUNDS = 3
LEAST = 4096  # rows of a self-join that a peer is timed on
METRIC = "correlation"  # of the peers and of the figure
SIZES = (2640, 5000, 20000, 50000, 100000, 200000, 300000, 1000000)


class Point(NamedTuple):
    """A search; `queries` of an index, or 0 for all rows among themselves."""

    metric: str
    n: int
    k: int
    queries: int

    def __str__(self) -> str:
        asked = f"{self.queries:,} of an index" if self.queries else "all rows"
        return f"{self.metric}, n = {self.n:,}, k = {self.k}, {asked}"


def points() -> Iterator[Point]:
    """Give what is timed, the quickest first."""
    found = [Point(metric, n, 100, 0) for metric, n in product(METRICS, (2640, 20000))]
    found += [Point(METRIC, n, 100, 0) for n in (5000, 50000, 100000, 300000)]
    found += [Point(METRIC, 20000, 10, 0), Point(METRIC, 100000, 10, 0)]
    found += [Point("chebyshev", 100000, 100, 0), Point("euclidean", 100000, 10, 0)]
    found += [Point(METRIC, n, 10, 1) for n in SIZES]
    found += [Point("chebyshev", n, 10, 1) for n in (100000, 200000)]
    found += [
        Point(METRIC, n, 100, queries) for n in (200000, 1000000) for queries in (1, 32, 1000)
    ]
    return iter(sorted(found, key=lambda p: p.n * (p.queries or p.n)))


class Store:
    """The folder of rows and graphs, and of every time so far: {point: {side: {...}}}."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rows, self.queries = folder / "rows.npy", folder / "queries.npy"
        self._times = folder / "times.json"
        self.times: dict[str, dict[str, Any]] = (
            json.loads(self._times.read_text()) if self._times.exists() else {}
        )

    def keep(self, name: str, side: str, said: Any) -> None:
        self.times.setdefault(name, {})[side] = said
        self._times.write_text(json.dumps(self.times, indent=1))

    def graph(self, n: int) -> Path:
        return self.folder / f"hnsw-{n}.faiss"

    def make_rows(self, n: int) -> None:
        np.save(self.rows, features(n, seed=2))
        np.save(self.queries, features(NEW_ROWS, seed=1))

    def prepared(self, peer: Peer, n: int) -> Array:
        return peer.prepare(np.asarray(np.load(self.rows, mmap_mode="r")[:n]), METRIC)

    def build(self, n: int) -> None:
        import faiss

        peer = FaissHnsw()
        rows = self.prepared(peer, n)
        start = time.perf_counter()
        index = peer.index(rows, METRIC)
        self.keep("build", str(n), time.perf_counter() - start)
        faiss.write_index(index, str(self.graph(n)))


class Version:
    """A process with one version of lookalike."""

    def __init__(self, store: Store, *path: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("scale_job.py"))]
        command += [str(store.rows), str(store.queries), *path]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self.name = self._read().strip()

    def _read(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"a process of lookalike ended with {self._process.wait()}")
        return line

    def seconds(self, point: Point) -> float:
        assert self._process.stdin
        time.sleep(PAUSE)
        self._process.stdin.write(json.dumps(point._asdict()) + "\n")
        return median(json.loads(self._read()))


def time_versions(store: Store, versions: dict[str, Version], point: Point) -> None:
    """Take turns; a search of seconds is not repeated."""
    times: dict[str, list[float]] = {name: [] for name in versions}
    for _ in range(ROUNDS):
        for name, version in versions.items():
            times[name].append(version.seconds(point))
        if sum(map(sum, times.values())) > 6 and not point.queries:
            break
    for name, found in times.items():
        store.keep(str(point), name, {"seconds": found, "version": versions[name].name})


def time_peer(store: Store, peer: Peer, point: Point) -> None:
    """Time a peer on some queries and scale: its cost is linear in these. Keep its recall too."""
    import lookalike as la

    rows = store.prepared(peer, point.n)
    if isinstance(peer, FaissHnsw):
        import faiss

        index = faiss.read_index(str(store.graph(point.n)))
    else:
        index = peer.index(rows, METRIC)
    asked = rows if point.queries == 0 else peer.prepare(np.load(store.queries), METRIC)
    one = point.queries == 1
    peer.search(index, asked[: 4 * CORES], point.k, METRIC)

    def on(count: int) -> Any:
        return peer.search(index, asked[:count], point.k, METRIC)

    count = 1 if one else affordable(on, point.queries or point.n, 2.0)
    if point.queries == 0:  # few queries take faiss more time each
        count = max(count, min(LEAST, point.n))
    seconds = []
    time.sleep(PAUSE)
    for at in range(64 if one else 1):
        start = time.perf_counter()
        found = peer.search(index, asked[at : at + count], point.k, METRIC)
        seconds.append((time.perf_counter() - start) * (point.queries or point.n) / count)
    sample = asked[:64]
    _, found = peer.search(index, sample, point.k, METRIC)
    truth = la.knn(sample, rows, k=point.k, metric="euclidean").indices
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found, truth, strict=True)]
    said = {"seconds": [median(seconds)], "recall": sum(shared) / truth.size, "timed": count}
    store.keep(str(point), peer.name, said)


def expected(store: Store, side: str, point: Point) -> float:
    """Give the seconds that the same search took with fewer rows, at their growth; else 0."""
    known = [
        (other.n, median(store.times[str(other)][side]["seconds"]))
        for other in points()
        if other._replace(n=point.n) == point and side in store.times.get(str(other), {})
    ]
    if not known:
        return 0
    n, seconds = max(known)
    return seconds * (point.n / n) ** (1 if point.queries else 2)


def time_all(store: Store, arguments: argparse.Namespace) -> None:
    end = time.perf_counter() + arguments.seconds
    there = len(np.load(store.rows, mmap_mode="r"))
    versions: dict[str, Version] = {}
    for point in points():
        done = store.times.get(str(point), {})
        wanted = [side for side in arguments.sides if side not in done]
        if point.n > there or arguments.only not in str(point):
            continue
        wanted = [s for s in wanted if expected(store, s, point) < arguments.longest]
        ours = {s for s in VERSIONS if s in wanted and (s != "old" or arguments.old)}
        if ours:
            for side in VERSIONS:  # in turn, so both again
                if side not in versions and (side != "old" or arguments.old):
                    versions[side] = Version(store, *([arguments.old] if side == "old" else []))
            turns = {s: v for s, v in versions.items() if s in arguments.sides}
            turns = {s: v for s, v in turns.items() if s in wanted or s in done}
            time_versions(store, turns, point)
            print(f"{point}: {', '.join(turns)}", flush=True)
        for side in wanted:
            if side not in PEERS or point.metric != METRIC or time.perf_counter() > end:
                continue
            if side == FaissHnsw.name and not store.graph(point.n).exists():
                continue
            time_peer(store, PEERS[side], point)
            print(f"{point}: {side}", flush=True)
        if time.perf_counter() > end:
            print("more is left")
            return


def table(store: Store) -> Iterator[str]:
    yield (
        "| search | lookalike | before | before ÷ now | faiss flat | Panorama | HNSW | its recall |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for point in points():
        if not (found := store.times.get(str(point))):
            continue
        cells = [
            in_unit(median(found[side]["seconds"])) if side in found else ""
            for side in (*VERSIONS, *PEERS)
        ]
        now, old = (found.get(side, {"seconds": []})["seconds"] for side in VERSIONS)
        ratios = [b / a for a, b in zip(now, old, strict=False)]
        between = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else ""
        cells.insert(2, between)
        recall = found.get(FaissHnsw.name, {}).get("recall")
        cells.append("" if recall is None else f"{recall:.3f}")
        yield f"| {point} | {' | '.join(cells)} |"
    for n, seconds in store.times.get("build", {}).items():
        yield f"\nfaiss's HNSW of {int(n):,} rows was built in {seconds:.1f} s."


def in_unit(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def figure(store: Store, path: Path) -> None:
    """Draw the searches of all rows, with what a graph costs to build, and those of one query."""
    panels: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for title, k, queries in (
        ("the 100 nearest of every row, all that is built included", 100, 0),
        ("the 10 nearest of one query of an index", 10, 1),
    ):
        sides = panels.setdefault(title, {})
        for n in SIZES:
            for side, said in store.times.get(str(Point(METRIC, n, k, queries)), {}).items():
                built = side == FaissHnsw.name and queries == 0
                more = store.times["build"][str(n)] if built else 0.0
                seconds = [s + more for s in said["seconds"]]
                sides.setdefault(side, []).append({**said, "n": n, "seconds": seconds})
    draw(path, panels)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("rows", "build", "time", "table", "draw"))
    parser.add_argument("path", nargs="?", type=Path, help="of the figure")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lookalike-scale",
    )
    parser.add_argument("--n", type=int, default=200000)
    parser.add_argument("--old", help="folder where another version is installed")
    parser.add_argument("--sides", nargs="+", default=[*VERSIONS, *PEERS])
    parser.add_argument("--only", default="", help="points whose name has this in it")
    parser.add_argument("--seconds", type=float, default=50, help="after these nothing new begins")
    parser.add_argument("--longest", type=float, default=25, help="seconds of one search")
    arguments = parser.parse_args()
    store = Store(arguments.folder)
    if arguments.step == "rows":
        store.make_rows(arguments.n)
    elif arguments.step == "build":
        store.build(arguments.n)
    elif arguments.step == "time":
        time_all(store, arguments)
    elif arguments.step == "table":
        print("\n".join(table(store)))
    else:
        figure(store, arguments.path)


if __name__ == "__main__":
    main()
