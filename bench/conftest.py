"""What the suites share: which cases there are, and how a job is timed and its errors kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from alternate import PAUSE
from features import KINDS
from jobs import can, job
from machine import cpu_name, pools, versions
from peers import PEERS, Peer

SIZES = (2640, 20000)
BUDGET = 3.0  # seconds of a peer's whole job, beyond which it is timed on a slice of its queries

Timing = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "large: n = 20,000 rows or more")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # the peers' own warnings are not this project's to mend
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    machine_info["cpu_name"] = cpu_name()
    machine_info["versions"] = versions()
    machine_info["threads"] = pools()
    machine_info["features"] = KINDS["photos"].words


def cases(what: str, metrics: Iterable[str], dtypes: Iterable[str] = ("float32",)) -> list[Any]:
    """Give every (metric, peer, n, dtype) there is for a job, to parametrise with."""
    return [
        pytest.param(
            metric,
            peer,
            n,
            dtype,
            id=f"{metric}-{peer.name}-{n}-{dtype}",
            marks=[pytest.mark.large] * (n == max(SIZES)),
        )
        for metric in metrics
        for n in SIZES
        for dtype in dtypes
        for peer in PEERS
        if can(peer, what, metric, dtype)
    ]


@pytest.fixture
def timing(benchmark: Any) -> Timing:
    """Give the function that times one peer at one job."""

    def run(peer: Peer, what: str, metric: str, n: int, rounds: int = 3, **options: Any) -> None:
        if not peer.installed:
            pytest.skip(f"{peer.name} is not installed")
        made = job(peer, what, metric, n, budget=BUDGET, **options)
        time.sleep(PAUSE)
        result = benchmark.pedantic(made.run, rounds=rounds, iterations=1, warmup_rounds=1)
        errors = made.check(result)
        benchmark.extra_info.update(
            library=peer.name,
            distance_error=errors.distance,
            wrong_ids=errors.wrong_ids,
            preparation_seconds=made.preparation,
            timed_share=1 / made.scale,
            note=made.note,
        )
        if benchmark.stats is not None:  # None with --benchmark-disable
            benchmark.extra_info["whole_job_seconds"] = benchmark.stats.stats.median * made.scale

    return run
