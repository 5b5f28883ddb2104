"""scikit-learn's estimators of nearest neighbours, searched by this package.

Each class is a subclass of the one of the same name in :mod:`sklearn.neighbors`, with its
parameters, methods, fitted attributes and errors. What is searched is exact, whatever `algorithm`
says, and ties go to the lower row; whatever is made of the neighbours is scikit-learn's own work.

    >>> from lookalike.sklearn import KNeighborsClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> KNeighborsClassifier(n_neighbors=3).fit(X, y).predict([[1.1]])
    array(['low'], dtype='<U4')

It needs ``pip install "lookalike[sklearn]"``.
"""

try:
    import sklearn  # noqa: F401 (not this file, which is lookalike.sklearn)
except ModuleNotFoundError as error:
    raise ImportError(
        f'lookalike.sklearn needs scikit-learn: pip install "lookalike[sklearn]" ({error})'
    ) from error

from lookalike.sklearn.neighbors import NearestNeighbors
from lookalike.sklearn.prediction import KNeighborsClassifier, KNeighborsRegressor
from lookalike.sklearn.transformers import KNeighborsTransformer, RadiusNeighborsTransformer

__all__ = [
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "KNeighborsTransformer",
    "NearestNeighbors",
    "RadiusNeighborsTransformer",
]
