"""How long the searches for counter-examples are that are marked slow."""

import os

from hypothesis import HealthCheck, settings

SHARE = float(os.environ.get("LOOKALIKE_SEARCH", "1"))
"""Of all their examples: `nox -s fuzz` searches shortly, again and again until its time is over."""


def examples(count: int) -> settings:
    """Settings of a search of new examples in every run."""
    return settings(
        max_examples=max(1, round(SHARE * count)),
        derandomize=False,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
