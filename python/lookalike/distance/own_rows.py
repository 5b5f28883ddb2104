"""Whether a row is a neighbour of itself, and where it stands among its own."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.distance.results import Neighbors

__all__ = ["itself_first", "refuse_own_rows", "wants_itself_first"]


def wants_itself_first(include_self: bool | Literal["first"]) -> bool:
    """Tell whether `include_self` is "first", and refuse what is neither that nor a truth value."""
    if not isinstance(include_self, str):
        return False
    if include_self != "first":
        raise ValueError(f'include_self must be True, False or "first", got {include_self!r}')
    return True


def refuse_own_rows(excluded: NDArray[np.int64] | None) -> None:
    """Refuse to leave out of a row's list the row that is to come first there."""
    if excluded is None:
        return
    if len(own := np.flatnonzero(excluded == np.arange(len(excluded)))):
        raise ValueError(
            f'exclude must not name a row itself with include_self="first", got {own[0]} for row '
            f"{own[0]}"
        )


def itself_first(near: Neighbors) -> Neighbors:
    """Put every row in front of its other neighbours, at distance 0: of k, there are k + 1 then.

    `near` is of rows among themselves, each left out of its own list.
    """
    n = len(near.indices)
    return near._replace(
        distances=np.concatenate([np.zeros((n, 1)), near.distances], axis=1),
        indices=np.concatenate([np.arange(n)[:, None], near.indices], axis=1),
    )
