"""The names that types know are those that calls take."""

from typing import get_args

from lookalike.distance.metric_names import Alias, CanonicalName, MetricName
from lookalike.distance.metrics import ALIASES, ALL_METRICS


def test_types_know_all_names_and_no_other():
    known = get_args(CanonicalName)
    assert known == ALL_METRICS
    assert set(get_args(Alias)) == set(ALIASES)
    assert set(ALIASES.values()) <= set(known)
    assert {name for each in get_args(MetricName) for name in get_args(each)} == {
        *get_args(CanonicalName),
        *get_args(Alias),
    }
