"""What blocks cost: a cluster of one-thread workers on this machine beside one process.

`python bench/dask_blocks.py` compares, for the 100 nearest rows of every row, two workers of one
thread with one process of two. The rows lie in the workers' memory when the clock starts, the
answer there when it stops.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

WORKERS = 2


def main() -> None:
    """Time what the options ask for and print a line for each way."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20000)
    options.add_argument("--file", help="a .npy file of rows instead of those of features.py")
    options.add_argument("--metric", default="correlation")
    options.add_argument("--blocks", type=int, nargs="*", default=[4, 8])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--made", action="store_true", help="time the index made by a task, too")
    arguments = options.parse_args()

    import dask.array as da
    from dask.distributed import Client, LocalCluster, wait

    import lookalike as la
    import lookalike.dask as ld

    if arguments.file:
        rows = np.load(arguments.file)[: arguments.rows]
    else:
        from features import features

        rows = features(arguments.rows).rows
    k, metric = 100, arguments.metric
    single = {"k": k, "metric": metric, "threads": WORKERS}
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "rows.index")
    la.Index(rows, metric).save(path)
    expected = la.knn(rows, **single)

    def finished(client: Client, found: tuple[da.Array, ...]) -> list[Any]:
        kept = client.persist(list(found))
        wait(kept)
        return kept

    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, local_directory=folder
    )
    with cluster, Client(cluster) as client:
        ways: dict[str, Callable[[], Any]] = {
            "one process, self-join": lambda: la.knn(rows, **single),
            "one process, knn(X, X)": lambda: la.knn(rows, rows, **single),
        }
        for count in arguments.blocks:
            x = client.persist(da.from_array(rows, chunks=(-(-len(rows) // count), -1)))
            wait(x)
            ways[f"row blocks, {count}, saved index"] = lambda x=x: finished(
                client, ld.knn(x, k=k, metric=metric, index=path)
            )
            if arguments.made:
                ways[f"row blocks, {count}, index made"] = lambda x=x: finished(
                    client, ld.knn(x, k=k, metric=metric, index=True)
                )
            ways[f"triangle, {count}"] = lambda x=x: finished(client, ld.knn(x, k=k, metric=metric))
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(arguments.rounds + 1):  # the first warms up
            for name, way in ways.items():
                start = time.perf_counter()
                found = way()
                if turn:
                    times[name].append(time.perf_counter() - start)
                elif "blocks" in name or "triangle" in name:
                    got = found[1].compute()
                    assert np.array_equal(got, expected.indices), name
                del found
    print(f"{len(rows)} × {rows.shape[1]}, k = {k}, {metric}, {la.cpu_info()['simd']}")
    for name, each in times.items():
        print(f"{name:32} {median(each):8.3f} s   {min(each):.3f} to {max(each):.3f}")


if __name__ == "__main__":
    main()
