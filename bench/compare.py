"""Compare lookalike with its peers: `python bench/compare.py --what knn --n 20000 --markdown`.

Each peer takes turns with lookalike in this process; medians, and the error beside the speed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from accuracy import Errors
from alternate import alternate
from features import KINDS
from jobs import WHAT, Job, can, job, rows_and_queries
from machine import description, simd_level
from peers import METRICS, PEERS, Peer
from roofline import fraction, read_fraction
from stages import ask, in_words


@dataclass(frozen=True)
class Line:
    """One peer at one job, beside lookalike's turns in the same minutes."""

    kind: str  # of rows
    metric: str
    library: str
    seconds: float  # of the whole job, preparation included where it is part of one
    preparation: float
    errors: Errors
    ours: float | None  # lookalike's seconds; None when this is lookalike itself or it is absent
    note: str

    @property
    def ratio(self) -> float | None:
        return None if self.ours is None else self.seconds / self.ours


def main() -> None:
    """Parse, compare, print."""
    arguments = parsed()
    print("\n".join(description()))
    print(f"job: {title(arguments)}; {arguments.rounds} rounds, medians")
    metrics = ["euclidean"] if arguments.what == "topk" else arguments.metrics
    lines: list[Line] = []
    for kind in arguments.data:
        cols = KINDS[kind].cols
        print(f"{kind}: {arguments.n:,} × {cols:,} {arguments.dtype}, {KINDS[kind].words}")
        for metric in metrics:
            for line in compared(kind, metric, arguments):
                lines.append(line)
                if not arguments.markdown:
                    print(as_text(line), flush=True)
    if arguments.markdown:
        print("\n" + as_markdown(lines))


def parsed() -> argparse.Namespace:
    names = [peer.name for peer in PEERS[1:]]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--what", choices=WHAT, default="knn")
    parser.add_argument("--n", type=int, default=20000)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--queries", type=int, default=32, help="of a batch, up to 1,000")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=METRICS)
    parser.add_argument("--peers", nargs="+", choices=names, default=names)
    parser.add_argument("--data", nargs="+", choices=KINDS, default=["photos"])
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--budget", type=float, default=10, help="seconds a peer may take before it is sliced"
    )
    parser.add_argument("--alone", action="store_true", help="time the peers without lookalike")
    parser.add_argument("--no-roofline", action="store_true", help="do not measure the limits")
    parser.add_argument("--markdown", action="store_true", help="print one table, at the end")
    return parser.parse_args()


def title(arguments: argparse.Namespace) -> str:
    return {
        "knn": f"self-join, {arguments.k} nearest, the row itself among them",
        "matrix": "all pairs, the square matrix",
        "batch": f"{arguments.queries} queries, {arguments.k} nearest",
        "topk": f"the {arguments.k} smallest of each row of a matrix that is there",
    }[arguments.what]


def made(peer: Peer, kind: str, metric: str, arguments: argparse.Namespace) -> Job:
    return job(
        peer,
        arguments.what,
        metric,
        arguments.n,
        k=arguments.k,
        queries=arguments.queries,
        dtype=arguments.dtype,
        budget=arguments.budget,
        kind=kind,
    )


def compared(kind: str, metric: str, arguments: argparse.Namespace) -> Iterator[Line]:
    """Give a line for each peer, then lookalike's own: its median over all its turns' medians."""
    lookalike, *others = (peer for peer in PEERS if peer.installed or peer is PEERS[0])
    taking_part = lookalike.installed and not arguments.alone
    ours = made(lookalike, kind, metric, arguments) if taking_part else None
    turns: list[float] = []
    errors = None
    for peer in others:
        if peer.name not in arguments.peers:
            continue
        if not can(peer, arguments.what, metric, arguments.dtype):
            continue
        theirs = made(peer, kind, metric, arguments)
        sides = [theirs.run] if ours is None else [theirs.run, ours.run]
        timed = alternate(sides, arguments.rounds)
        if ours is not None:
            turns.append(timed[1].seconds)
            errors = errors or ours.check(timed[1].result)
        once = 0.0 if arguments.what == "batch" else theirs.preparation
        yield Line(
            kind,
            metric,
            peer.name,
            timed[0].seconds * theirs.scale + once,
            theirs.preparation,
            theirs.check(timed[0].result),
            turns[-1] if turns else None,
            theirs.note,
        )
    if ours is not None and errors is not None:
        seconds = sorted(turns)[len(turns) // 2]
        yield Line(
            kind,
            metric,
            "lookalike",
            seconds,
            ours.preparation if arguments.what == "batch" else 0.0,
            errors,
            None,
            own_note(ours, seconds, kind, metric, arguments),
        )


def own_note(
    ours: Job, seconds: float, kind: str, metric: str, arguments: argparse.Namespace
) -> str:
    """Say the rate and its fraction of the machine's; a self-join computes each pair once."""
    if arguments.what == "topk":
        return ""
    pairs = ours.pairs / (1 if arguments.what == "batch" else 2)
    rate = pairs / seconds
    said = [f"{rate / 1e9:.1f} G pair features/s"]
    if not arguments.no_roofline:
        reached = fraction(metric, rate, simd_level())
        if arguments.what == "batch" and arguments.queries < 8:  # then memory is what limits
            reached = read_fraction(arguments.n * KINDS[kind].cols / seconds)
        said += [f"{part:.2f} of {name.replace('_', ' ')}" for name, part in reached.items()]
    if arguments.what in ("knn", "batch"):
        rows, new = rows_and_queries(arguments.n, arguments.dtype, kind)
        queries = new[: arguments.queries] if arguments.what == "batch" else None
        asked = len(rows) if queries is None else len(queries)
        said += in_words(
            ask(rows, queries, arguments.k, metric),
            asked,
            arguments.k,
            rows.shape[1],
            not arguments.no_roofline and queries is None,
        )
    return "; ".join(said)


def times(ratio: float | None) -> str:
    """Give a ratio two digits at least, whichever side is faster."""
    return "" if ratio is None else f"{ratio:.2g}×" if ratio < 10 else f"{ratio:.0f}×"


def duration(seconds: float) -> str:
    """Give three digits and a unit."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def as_text(line: Line) -> str:
    return (
        f"{line.metric:<12} {line.library:<18} {duration(line.seconds):>9} {times(line.ratio):>8}  "
        f"error {line.errors}  (prepared in {duration(line.preparation)})  {line.note}"
    )


def as_markdown(lines: list[Line]) -> str:
    """Give the README's table: a row per library and metric, lookalike first."""
    rows = [
        "| data | metric | library | time | over lookalike's | prepared in | distance error "
        "| wrong ids | note |",
        "|---|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for kind, metric in dict.fromkeys((line.kind, line.metric) for line in lines):
        mine = [line for line in lines if (line.kind, line.metric) == (kind, metric)]
        for line in sorted(mine, key=lambda line: (line.library != "lookalike", line.seconds)):
            wrong = line.errors.wrong_ids
            ids = "" if wrong is None else f"{100 * wrong:.2g} %"
            rows.append(
                f"| {kind} | {metric} | {line.library} | {duration(line.seconds)} "
                f"| {times(line.ratio)} | {duration(line.preparation)} "
                f"| {line.errors.distance:.0e} | {ids} | {line.note} |"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
