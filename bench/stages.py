"""Where every millisecond of a search goes: `python bench/stages.py --n 20000 --metrics cosine`.

From what lookalike says of itself (`return_stats=True`): the seconds of each phase are those of all
threads together, so divided by the threads they add up to the clock's, but for what no phase
counts: the call, threads that wait, and the ends of uneven work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

from alternate import PAUSE
from brute_force import Array
from features import KINDS
from jobs import NEW_ROWS, rows_and_queries
from machine import description, simd_level
from peer import CORES, METRICS
from roofline import fraction


class Said(NamedTuple):
    """What searches took and said: medians."""

    seconds: float
    phases: dict[str, float]  # seconds of all threads, divided by the threads
    stats: dict[str, Any]

    @property
    def other(self) -> float:
        return self.seconds - sum(self.phases.values())


def ask(
    rows: Array, queries: Array | None, k: int, metric: str, threads: int = CORES, rounds: int = 1
) -> Said:
    """Search all rows for each of them, or an index for queries, after one to warm up."""
    import lookalike as la

    search: Callable[[], Any]
    if queries is None:
        search = lambda: la.knn(  # noqa: E731
            rows, k=k, metric=metric, include_self=True, threads=threads, return_stats=True
        )
    else:
        index = la.Index(rows, metric)
        search = lambda: index.knn(queries, k, threads=threads, return_stats=True)  # noqa: E731
    said = []
    time.sleep(PAUSE)
    for _ in range(rounds + 1):
        start = time.perf_counter()
        _, stats = search()
        said.append((time.perf_counter() - start, stats))
    del said[0]
    phases = {
        name: median(stats["seconds"][name] for _, stats in said) / threads
        for name in said[0][1]["seconds"]
    }
    return Said(median(seconds for seconds, _ in said), phases, said[-1][1])


def in_words(said: Said, asked: int, k: int, cols: int, with_limit: bool) -> list[str]:
    """Give the stages, their work, and each phase's milliseconds.

    The filter's rate is that of its own seconds, as if all cores did nothing else.
    """
    stats = said.stats
    work = " + ".join(f"{name} {1e3 * s:.3g}" for name, s in said.phases.items())
    words = [
        " → ".join(stats["stages"]),
        f"{stats['candidates'] / (k * asked):.2f} candidates and "
        f"{stats['refined'] / (k * asked):.2f} refined per neighbour",
        f"{work} + other {1e3 * said.other:.3g} of {1e3 * said.seconds:.4g} ms",
    ]
    if with_limit and said.phases["filtering"] > 0:
        rate = (stats["pairs"] - stats["screened"]) * cols / said.phases["filtering"]
        for name, part in fraction(stats["stages"][-1], rate, simd_level()).items():
            words.append(f"filter at {part:.2f} of {name.replace('_', ' ')}")
    return words


def main() -> None:
    """Print a line for each metric, job and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20000)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=METRICS)
    parser.add_argument("--data", choices=KINDS, default="photos")
    parser.add_argument(
        "--queries", type=int, nargs="+", default=[], help="ask an index; without, a self-join"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[CORES])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows, new = rows_and_queries(arguments.n, "float32", arguments.data)
    print("\n".join(description()))
    print(f"data: {arguments.n:,} × {rows.shape[1]:,}, {KINDS[arguments.data].words}\n")
    for metric in arguments.metrics:
        for count in arguments.queries or [0]:
            for threads in arguments.threads:
                queries = new[: min(count, NEW_ROWS)] if count else None
                said = ask(rows, queries, arguments.k, metric, threads, arguments.rounds)
                job = f"{count:,} queries" if count else "self-join"
                words = in_words(said, count or arguments.n, arguments.k, rows.shape[1], False)
                of = f"{metric}, {job}, {threads} thread{'s' * (threads > 1)}"
                print("; ".join([of, *words]), flush=True)


if __name__ == "__main__":
    main()
