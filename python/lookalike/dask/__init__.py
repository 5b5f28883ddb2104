"""Exact neighbours of Dask arrays: on the threads of one machine, or on the workers of a cluster.

>>> import dask.array as da, lookalike.dask
>>> x = da.random.default_rng(0).random((3000, 32), chunks=(1000, 32))
>>> distances, indices = lookalike.dask.knn(x, k=10, metric="euclidean")
>>> indices.shape, indices.chunks[0]
((3000, 10), (1000, 1000, 1000))

The arrays are lazy, and what they hold is to the bit what ``lookalike.knn`` of all rows returns.
Each task has the threads that its scheduler gives it: one on a pool of threads, and on a worker of
a cluster ``OMP_NUM_THREADS``, which Dask sets to 1, over the tasks that it runs at a time.

`docs/scale.md <https://github.com/lookalike/lookalike/blob/main/docs/scale.md>`__ says which way of
comparing blocks costs what.
"""

try:
    import dask.array  # noqa: F401
except ImportError as error:
    raise ImportError("lookalike.dask needs Dask: pip install 'lookalike[dask]'") from error

from lookalike.dask.nearest import knn
from lookalike.dask.radius import radius_neighbors

__all__ = ["knn", "radius_neighbors"]
