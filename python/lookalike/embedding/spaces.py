"""Names of feature spaces, and what an untrained one means."""

from __future__ import annotations

__all__ = ["UNTRAINED", "is_untrained", "untrained_remark"]

UNTRAINED = "untrained-"
"""How the space of a network with random weights begins."""


def is_untrained(space: str | None) -> bool:
    """Tell whether a space is that of a network with random weights.

    Examples
    --------
    >>> is_untrained("untrained-0123"), is_untrained("0123"), is_untrained(None)
    (True, False, False)
    """
    return space is not None and space.startswith(UNTRAINED)


def untrained_remark(space: str | None) -> str:
    """Return what people should know who see distances in such a space; empty for any other."""
    if not is_untrained(space):
        return ""
    return "The network is untrained: its features are for a try, and distances mean little."
