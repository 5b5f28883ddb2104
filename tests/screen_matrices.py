"""Rows made against screens: what a basis from a sample does not see, and what is just beyond."""

import numpy as np

from matrices import googlenet_like


def _beside_the_sample(rng, n, d):
    # The rows that a basis is taken from span half the features, all others the other half.
    X = np.zeros((n, d))
    half = d // 2 + 1
    X[:, :half] = rng.standard_normal((n, half))
    X[3::7] = 0
    X[3::7, half:] = rng.standard_normal((len(X[3::7]), d - half))
    return X


def _only_the_rest(rng, n, d):
    # A direction far above all others, equal in all rows; what tells them apart is what it leaves.
    X = 1e-3 * rng.standard_normal((n, d))
    X[:, 0] = 50
    return X


def _equal_rests(rng, n, d):
    X = rng.standard_normal((n, d))
    X[:, d // 2 :] *= 3 / np.linalg.norm(X[:, d // 2 :], axis=1, keepdims=True)
    return X * np.array([10] * (d // 2) + [1] * (d - d // 2))


def _rotated_noise(rng, n, d):
    turned = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (rng.standard_normal((n, d)) * np.geomspace(1, 1e-4, d)) @ turned


def _an_ulp_from_the_kth(rng, n, d):
    # Around each centre rows at one distance in as many directions, moved by ulps.
    centres = 4 * rng.standard_normal((n // 20 + 1, d))
    X = centres[np.arange(n) // 20]
    X[np.arange(n), rng.integers(0, d, n)] += rng.choice([-1, 1], n)
    return X * (1 + rng.integers(-2, 3, (n, d)) * 2.0**-52)


AGAINST_SCREENS = {
    "beside the sample": _beside_the_sample,
    "only the rest": _only_the_rest,
    "equal rests": _equal_rests,
    "rotated noise": _rotated_noise,
    "an ulp from the k-th": _an_ulp_from_the_kth,
    "clusters": lambda rng, n, d: googlenet_like(n, d, 9),
}
