"""Holds the distances of added_distances.py, built into the package, against the brute force."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from added_distances import ADDED

from lookalike import _core
from reference import ALL_METRICS, assert_float32, first_k, pairwise

NAMES = [name.lower() for name in ADDED]
SPECIFICATIONS = {name: (name, {"c": 2.5} if name == "multiple" else {}) for name in NAMES}


def kinds(rng: np.random.Generator):
    """Rows without negative values: names, and queries with the rows they ask about or None."""
    for d in (1, 3, 64, 130):
        X = np.maximum(rng.normal(size=(12, d)) + 0.3, 0)[rng.integers(0, 12, 300)]
        near = X * (1 + 0.1 * rng.random((300, d)))
        yield f"near copies, d = {d}", near, None
        yield f"near copies in float32, d = {d}", near.astype(np.float32), None
        yield f"queries, d = {d}", near[:40].astype(np.float32), near[40:].astype(np.float32)
        yield f"few queries, d = {d}", near[:3], near[3:]
        # All from one row, some features one ulp away, in either type.
        for dtype in (np.float32, np.float64):
            row = np.maximum(rng.normal(size=d) + 0.3, 0).astype(dtype)
            up, down = np.nextafter(row, dtype(9)), np.nextafter(row, dtype(0))
            ulps = np.choose(rng.integers(0, 3, (250, d)), [row, up, down])
            yield f"an ulp apart in {np.dtype(dtype)}, d = {d}", ulps, None
        yield f"tiny, d = {d}", (near * 1e-30).astype(np.float32), None
        yield f"denormal, d = {d}", (near * 1e-42).astype(np.float32), None
        yield f"far apart, d = {d}", near * 10.0 ** rng.integers(-20, 20, (300, 1)), None
        yield f"huge, d = {d}", near * 1e60, None
        yield f"many equal rows, d = {d}", np.repeat(near[:4], 100, axis=0), None


def check(name: str, X: np.ndarray, Y: np.ndarray | None, rng: np.random.Generator) -> None:
    """Compare one metric on one pair of matrices with the brute force, to the bit."""
    metric = SPECIFICATIONS[name]
    rows = X if Y is None else Y
    D = np.empty((len(X), len(rows)))
    _core.distances(X, Y, metric, D, False, 0)
    np.testing.assert_array_equal(D, pairwise(name, X, rows, np.float64))
    D32 = np.empty(D.shape, np.float32)
    _core.distances(X, Y, metric, D32, False, 0)
    if np.isfinite(D32).all():
        assert_float32(D32, D)
    for k in (1, 10):
        expected = first_k(D, k, without_self=Y is None)
        found = _core.knn(X, Y, metric, k, False, None, 0, None)
        np.testing.assert_array_equal(found[1], expected[1])
        np.testing.assert_array_equal(found[0], expected[0])
    index = _core.Index(rows, metric, 0)
    found = index.knn(X, 10, False, None, None, 0, None)
    np.testing.assert_array_equal(found[1], first_k(D, 10)[1])
    radius = float(rng.choice(D.ravel()))
    indptr, _, distances, _ = _core.radius_neighbors(X, Y, metric, radius, True, 0, None)
    np.testing.assert_array_equal(np.diff(indptr), (radius >= D).sum(axis=1))
    assert (distances <= radius).all()


def refuse_negative_values(rng: np.random.Generator) -> None:
    """See that a domain is kept."""
    X = rng.random((5, 4))
    X[3, 2] = -1e-300
    for name in ("squaredroots", "squaredrootsofrows", "plainchisquare"):
        try:
            _core.knn(X, None, SPECIFICATIONS[name], 1, False, None, 0, None)
        except ArithmeticError as error:
            if error.args == (0, 3, "negative"):
                continue
            raise
        raise AssertionError(f"{name} took a negative value")


def main() -> None:
    """Check all of them, and that filters serve just whom they should."""
    rng = np.random.default_rng(7)
    assert set(NAMES) < set(ALL_METRICS) == set(_core.METRICS)
    for kind, X, Y in kinds(rng):
        for name in NAMES:
            try:
                check(name, X, Y, rng)
            except AssertionError as error:
                raise AssertionError(f"{name}, {kind}: {error}") from None
    refuse_negative_values(rng)
    rows = np.maximum(rng.normal(size=(2000, 64)), 0).astype(np.float32)
    coded = _core.cpu_info()["simd"] != "baseline"
    for name in NAMES:
        (stage,) = _core.knn(rows, None, SPECIFICATIONS[name], 5, False, None, 0, None)[2]["stages"]
        expected = {
            "halfmanhattan": "8-bit differences" if coded else "float32",
            "squaredrootsofrows": "products",
            "thirds": "float32",
            "multiple": "float32",
        }.get(name, "float64")
        assert stage == expected or (expected == "products" and stage.endswith("products")), (
            name,
            stage,
        )
    print(f"{len(NAMES)} added distances are the brute force at {_core.cpu_info()['simd']}")


if __name__ == "__main__":
    main()
