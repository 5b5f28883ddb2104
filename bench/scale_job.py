"""One version of lookalike, asked line by line: `scale_job.py ROWS QUERIES [PATH]`.

PATH is where another version is installed. A request is a JSON object with `metric`, `n`, `k` and
`queries` (0: a self-join); the answer is a JSON list of the seconds of each search.
"""

import json
import sys
import time
from pathlib import Path

rows_file, queries_file, *other = sys.argv[1:]
if other:
    # An editable install hooks into imports before the path is looked at.
    sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in type(each).__module__]
    sys.path.insert(0, other[0])

import numpy as np  # noqa: E402

import lookalike as la  # noqa: E402

if other and not Path(la.__file__).is_relative_to(other[0]):
    sys.exit(f"{la.__file__} was imported, which is not in {other[0]}")
all_rows = np.load(rows_file, mmap_mode="r")
new = np.load(queries_file)
REPEATS = {1: 64, 32: 5}  # different queries each time
kept: dict[tuple[str, int], la.Index] = {}  # the last index


def timed(search, *arguments, **named):
    start = time.perf_counter()
    search(*arguments, **named)
    return time.perf_counter() - start


def answer(metric: str, n: int, k: int, queries: int) -> list[float]:
    rows = np.asarray(all_rows[:n])
    if queries == 0:
        return [timed(la.knn, rows, k=k, metric=metric)]
    if (metric, n) not in kept:
        kept.clear()
        kept[metric, n] = la.Index(rows, metric)
        kept[metric, n].knn(new[:queries], k)
    index = kept[metric, n]
    parts = [new[at * queries % len(new) :][:queries] for at in range(REPEATS.get(queries, 1))]
    return [timed(index.knn, part, k) for part in parts]


la.knn(np.asarray(all_rows[:1000]), k=10)  # threads
print(la.__version__, flush=True)
for line in sys.stdin:
    print(json.dumps(answer(**json.loads(line))), flush=True)
