from collections.abc import Callable
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

__version__: str
METRICS: tuple[str, ...]

def cpu_info() -> dict[str, Any]: ...
def no_stats() -> dict[str, Any]: ...
def distances(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: str,
    out: NDArray[Any],
    condensed: bool,
    threads: int,
) -> None: ...
def knn(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: str,
    k: int,
    include_self: bool,
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, Any]]: ...
def radius_neighbors(
    x: NDArray[Any],
    y: NDArray[Any] | None,
    metric: str,
    radius: float,
    include_self: bool,
    threads: int,
    progress: Callable[[float], object] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], dict[str, Any]]: ...
def topk(
    matrix: NDArray[Any], k: int, threads: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...

class Index:
    @overload
    def __init__(self, rows: NDArray[Any], metric: str, threads: int) -> None: ...
    @overload
    def __init__(
        self, rows: NDArray[Any], metric: str, parts: dict[str, NDArray[np.uint8]]
    ) -> None: ...
    def parts(self) -> dict[str, NDArray[np.uint8]]: ...
    def knn(
        self,
        x: NDArray[Any],
        k: int,
        threads: int,
        progress: Callable[[float], object] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, Any]]: ...
    def stage(self) -> str: ...
