from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.metric_names import CanonicalName

_Metric: TypeAlias = str | tuple[str, dict[str, float | NDArray[np.float64]]]
_Guard: TypeAlias = tuple[int, NDArray[np.uint64]]

__version__: str
METRICS: tuple[CanonicalName, ...]

def cpu_info() -> dict[str, Any]: ...
def statements(metric: str) -> dict[str, Any]: ...
def no_stats() -> dict[str, Any]: ...
def distances(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: _Metric,
    out: NDArray[Any],
    condensed: bool,
    threads: int,
) -> None: ...
def knn(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: _Metric,
    k: int,
    include_self: bool,
    exclude: NDArray[np.int64] | None,
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, Any]]: ...
def radius_neighbors(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: _Metric,
    radius: float,
    include_self: bool,
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], dict[str, Any]]: ...
def few_pairs(
    x: NDArray[Any],
    metric: _Metric,
    radius: float,
    most: int,
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], dict[str, Any]] | None: ...
def topk(
    matrix: NDArray[Any], k: int, threads: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
def knn_across(
    x: NDArray[Any],
    split: int,
    metric: _Metric,
    k: int,
    kept: NDArray[np.float64],
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, Any]]: ...
def merge(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]],
    k: int,
    short_lists: bool,
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
def checksums(array: NDArray[np.uint8], chunk: int) -> NDArray[np.uint64]: ...

class DamagedError(ValueError): ...

class Index:
    @overload
    def __init__(self, rows: NDArray[Any], metric: _Metric, threads: int) -> None: ...
    @overload
    def __init__(
        self,
        rows: NDArray[Any],
        metric: _Metric,
        parts: dict[str, NDArray[np.uint8]],
        guards: dict[str, _Guard],
    ) -> None: ...
    def parts(self) -> dict[str, NDArray[np.uint8]]: ...
    def verify(self) -> None: ...
    def knn(
        self,
        x: NDArray[Any] | None,
        k: int,
        include_self: bool,
        exclude: NDArray[np.int64] | None,
        left_out: NDArray[np.uint8] | None,
        threads: int,
        progress: Callable[[float], object] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, Any]]: ...
    def radius_neighbors(
        self,
        x: NDArray[Any] | None,
        radius: float,
        include_self: bool,
        exclude: NDArray[np.int64] | None,
        left_out: NDArray[np.uint8] | None,
        threads: int,
        progress: Callable[[float], object] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], dict[str, Any]]: ...
    def stage(self) -> str: ...
