"""Frames, which a type checker takes for rows as well."""

from typing import assert_type

import pandas as pd
import polars as pl
from scipy.sparse import csr_array

import lookalike as la

frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}, index=["x", "y"])
near = la.knn(frame, k=1)
assert_type(near, la.Neighbors)
la.knn(pl.DataFrame({"a": [1.0, 2.0]}), frame[["a"]], k=1)
la.radius_neighbors(pl.Series([[1.0, 2.0], [3.0, 4.0]]), radius=1)
la.Index(frame, metric="l1").knn(pl.DataFrame({"a": [1.0], "b": [2.0]}), k=1)
graph: csr_array = near.to_csr(symmetric="mutual")
print(graph.shape, near.to_frame(["x", "y"]), near.to_dict())
