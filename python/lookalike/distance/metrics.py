"""The metrics: their names, their aliases, their parameters, and how people write them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.distance.arguments import check_same_width, checked_matrix
from lookalike.distance.metric_names import CanonicalName, MetricName
from lookalike.distance.parameters import checked_parameters, fitted_parameter, require_width

__all__ = [
    "ALIASES",
    "ALL_METRICS",
    "METRICS",
    "TITLES",
    "AnyMetric",
    "Metric",
    "Parameters",
    "Specification",
    "as_metric",
    "complete",
    "metric_label",
    "metric_name",
    "metric_title",
    "parameters_of",
    "specification",
]

ALL_METRICS: tuple[CanonicalName, ...] = _core.METRICS
"""The canonical names of all metrics."""

METRICS = ALL_METRICS[:7]
"""The canonical names of the paper's seven, in its order."""

ALIASES = {
    "cityblock": "manhattan",
    "l1": "manhattan",
    "l2": "euclidean",
    "linf": "chebyshev",
    # What scipy knows besides.
    **dict.fromkeys(("cblock", "cb", "c"), "manhattan"),
    **dict.fromkeys(("euclid", "eu", "e"), "euclidean"),
    "cos": "cosine",
    **dict.fromkeys(("chebychev", "cheby", "cheb", "ch"), "chebyshev"),
    "co": "correlation",
    **dict.fromkeys(("sqeuclid", "sqe"), "sqeuclidean"),
    **dict.fromkeys(("se", "s"), "seuclidean"),
    **dict.fromkeys(("mi", "m", "pnorm"), "minkowski"),
    **dict.fromkeys(("mahal", "mah"), "mahalanobis"),
    "js": "jensenshannon",
    **dict.fromkeys(("matching", "hamm", "ha", "h"), "hamming"),
}

TITLES = {
    "braycurtis": "Bray-Curtis",
    "sqeuclidean": "Squared Euclidean",
    "seuclidean": "Standardised Euclidean",
    "jensenshannon": "Jensen-Shannon",
    "chisquare": "Chi-square",
}
"""The metrics' names as people write them, where that is more than a capital."""

KNOWN = ", ".join((*ALL_METRICS, "cityblock", "l1", "l2", "linf"))
"""What an error lists: most of scipy's short names would only be in the way."""

ORDER = ("p", "w", "V", "VI")
"""In which parameters are written."""

SHOWN = 8
"""Numbers of an array that are shown."""


class Specification(NamedTuple):
    """What the core is asked for: a metric's canonical name, and its parameters by their names."""

    name: str
    parameters: dict[str, Any]


class Metric:
    """A metric and its parameters in one value, to be given wherever ``metric=`` is taken.

    It never changes, can be a key of a dict, and is equal to another that means the same.

    Parameters
    ----------
    name : str
        One of `ALL_METRICS` or an alias.
    p : float
        Of ``"minkowski"``: from 1/16 to 256, or infinity; by default 2.
    V : (d,) array_like
        Of ``"seuclidean"``: the variance of each feature, above 0.
    VI : (d, d) array_like
        Of ``"mahalanobis"``: the inverse of the covariance matrix, symmetric and without a negative
        eigenvalue. An asymmetry of rounding errors is evened out.
    w : (d,) array_like
        Of the metrics for which scipy has it: the weight of each feature, at least 0.

    Attributes
    ----------
    name : str
        The canonical name.
    parameters : mapping
        What was given, arrays as read-only float64; ``p`` also if it was not.

    Raises
    ------
    ValueError
        The metric is unknown, or a parameter has a value or a shape that it cannot have.
    TypeError
        The metric has no such parameter, or it is not of numbers.

    Notes
    -----
    Without `V` or `VI` the metric takes it from the rows of the call: `fitted` says which.

    Examples
    --------
    >>> import lookalike as la
    >>> la.Metric("minkowski", p=3)
    Metric("minkowski", p=3)
    >>> la.cdist([[0.0, 0.0]], [[1.0, 2.0]], la.Metric("cityblock", w=[1, 0.25]))
    array([[1.5]])
    """

    __slots__ = ("_digest", "_name", "_parameters")
    _name: CanonicalName
    _parameters: Mapping[str, Any]
    _digest: tuple[Any, ...]

    def __init__(self, name: str, **parameters: Any) -> None:
        canonical = metric_name(name)
        given = {key: value for key, value in parameters.items() if value is not None}
        _require_known(canonical, given)
        if "p" in parameters_of(canonical):
            given.setdefault("p", 2)
        ordered = {key: given.pop(key) for key in ORDER if key in given} | given
        checked = checked_parameters(ordered)
        object.__setattr__(self, "_name", canonical)
        object.__setattr__(self, "_parameters", MappingProxyType(checked))
        digest = (canonical, *((key, _digest(value)) for key, value in checked.items()))
        object.__setattr__(self, "_digest", digest)

    @property
    def name(self) -> CanonicalName:  # noqa: D102 - described above, as is the next
        return self._name

    @property
    def parameters(self) -> Mapping[str, Any]:  # noqa: D102
        return self._parameters

    @property
    def missing(self) -> str | None:
        """The parameter that is taken from rows, as it was not given: V, VI or None."""
        wanted = {"V", "VI"} & parameters_of(self._name) - set(self._parameters)
        return next(iter(wanted), None)

    def fitted(self, *rows: ArrayLike) -> Metric:
        """Return the metric with what it lacks taken from the rows of one or several matrices.

        Parameters
        ----------
        *rows : (n, d) array_like
            Their variances (with n − 1) become V, the inverse of their covariance VI, as scipy has
            them. The metric itself is returned if it lacks nothing.

        Raises
        ------
        ValueError
            A feature has one value only, or there are too few rows, or features that depend on
            others: V or VI does not exist.

        Examples
        --------
        >>> import lookalike as la
        >>> la.Metric("seuclidean").fitted([[0.0, 1.0], [2.0, 5.0]])
        Metric("seuclidean", V=[2, 8])
        """
        if self.missing is None:
            return self
        if not rows:
            raise TypeError(f"fitted takes rows, from which {self.missing} comes, got none")
        names = ["rows"] if len(rows) == 1 else [f"rows[{i}]" for i in range(len(rows))]
        matrices = {
            name: checked_matrix(matrix, name) for name, matrix in zip(names, rows, strict=True)
        }
        for name, matrix in matrices.items():
            check_same_width(matrices[names[0]], names[0], matrix, name)
        return complete(self, matrices)

    def specification(self, columns: int | None = None) -> Specification:
        """Return what the core is asked for, to compare rows of so many columns.

        Minkowski's distances with p = 1, 2 and ∞ are those that have a name of their own.
        """
        if columns is not None:
            require_width(self._parameters, columns)
        parameters = dict(self._parameters)
        own = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}
        if self._name == "minkowski" and (name := own.get(parameters["p"])):
            del parameters["p"]
            return Specification(name, parameters)
        return Specification(self._name, parameters)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Metric cannot be changed: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Metric cannot be changed: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._digest == other._digest if isinstance(other, Metric) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._name, dict(self._parameters))

    def __copy__(self) -> Metric:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Metric:
        return self

    def __repr__(self) -> str:
        shown = "".join(f", {key}={_shown(value)}" for key, value in self._parameters.items())
        return f'Metric("{self._name}"{shown})'


AnyMetric: TypeAlias = MetricName | Metric
"""What ``metric=`` takes: a name, an alias, or a metric with its parameters."""


def metric_name(metric: str | Metric) -> CanonicalName:
    """Return the canonical name of a metric."""
    if isinstance(metric, Metric):
        return metric.name
    if not isinstance(metric, str):
        raise TypeError(f"metric must be one of {KNOWN}, or a Metric, got {metric!r}")
    name = ALIASES.get(metric.lower(), metric.lower())
    for known in ALL_METRICS:
        if name == known:
            return known
    raise ValueError(f"metric must be one of {KNOWN}, got {metric!r}")


def parameters_of(name: str) -> set[str]:
    """Return which parameters a metric takes."""
    taken: set[str] = _core.statements(name)["parameters"]
    return taken


class Parameters(TypedDict, total=False):
    """The parameters of metrics as keywords; None is as good as none."""

    p: float | None
    w: ArrayLike | None
    V: ArrayLike | None
    VI: ArrayLike | None


def as_metric(metric: str | Metric, **given: Unpack[Parameters]) -> Metric:
    """Return the metric that a caller's ``metric=`` and keywords stand for."""
    if not isinstance(metric, Metric):
        return Metric(metric, **given)
    for key, value in given.items():
        if value is not None:
            raise TypeError(
                f"{key} must be left out where metric is a Metric, which has its own, got {key}="
                f"{_shown(value)} beside {metric!r}"
            )
    return metric


def specification(
    metric: AnyMetric,
    *,
    columns: int | None = None,
    rows: Mapping[str, NDArray[Any]] | None = None,
    **given: Unpack[Parameters],
) -> Specification:
    """Return what the core is asked for.

    Parameters
    ----------
    metric, **given
        What the caller gave: the metric, and perhaps p, w, V or VI.
    columns : int, optional
        How many columns the rows have; parameters of another length are refused.
    rows : dict of arrays, optional
        Where a `V` or `VI` that was not given comes from, by the arguments' names; without any it
        must be given.
    """
    return complete(as_metric(metric, **given), rows).specification(columns)


def complete(metric: Metric, rows: Mapping[str, NDArray[Any]] | None) -> Metric:
    """Return a metric that lacks nothing: what it lacks comes from `rows`, if there are any."""
    if (name := metric.missing) is None:
        return metric
    if not rows:
        raise ValueError(
            f"{name} must be given for {metric.name} where there are two matrices, or blocks, so "
            "that no answer depends on which rows come together, got none: "
            f'Metric("{metric.name}").fitted(rows) takes it from rows'
        )
    fitted = {name: fitted_parameter(name, rows)}
    return Metric(metric.name, **metric.parameters, **fitted)


def metric_title(metric: AnyMetric) -> str:
    """Return a metric as people write it: ``Minkowski p=3``, ``Weighted Manhattan``."""
    name = metric_name(metric)
    title = TITLES.get(name, name.capitalize())
    if not isinstance(metric, Metric):
        return title
    title += f" p={_shown(metric.parameters['p'])}" if "p" in metric.parameters else ""
    return f"Weighted {title}" if "w" in metric.parameters else title


def metric_label(metric: AnyMetric) -> str:
    """Return a metric as one word, as the command line takes it; arrays by their content."""
    if isinstance(metric, str):
        return metric
    shown = [
        f"{key}={_shown(value) if isinstance(value, float) else '#' + _digest(value)[:8]}"
        for key, value in metric.parameters.items()
    ]
    return metric.name + (":" + ",".join(shown) if shown else "")


def _require_known(name: str, given: Mapping[str, Any]) -> None:
    taken = parameters_of(name)
    for key, value in given.items():
        if key not in taken:
            others = [other for other in ALL_METRICS if key in parameters_of(other)]
            whose = f", but of {', '.join(others)}" if others else ""
            raise TypeError(f"{key} is no parameter of {name}{whose}, got {key}={_shown(value)}")


def _restored(name: str, parameters: dict[str, Any]) -> Metric:
    return Metric(name, **parameters)


def _digest(value: Any) -> Any:
    """Return what stands for a parameter where it is compared: a number, an array's content."""
    if isinstance(value, float):
        return value
    from hashlib import blake2b

    return blake2b(f"{value.shape}".encode() + value.tobytes(), digest_size=16).hexdigest()


def _shown(value: Any) -> str:
    """Return a parameter as text that stays short."""
    if isinstance(value, (int, float)):
        return repr(value).removesuffix(".0")
    if not isinstance(value, np.ndarray):
        return repr(value) if len(repr(value)) < 80 else f"a {type(value).__name__}"
    if value.size > SHOWN:
        return f"<{' × '.join(map(str, value.shape))} numbers>"
    if value.ndim > 1:
        return "[" + ", ".join(map(_shown, value)) + "]"
    return "[" + ", ".join(map(_shown, value.tolist())) + "]"
