"""What the journal has to keep, so that nothing is lost whenever the process is killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

__all__ = ["Entry", "Intent", "Journal", "State"]

State: TypeAlias = Literal["intended", "done", "undone", "failed"]


class Intent(NamedTuple):
    """A file that is about to be moved to the trash.

    Attributes
    ----------
    path : str
        Where it lies, absolute.
    sha256, keeper : bytes
        SHA-256 of its content, and of the file that stays in its place.
    detail : mapping
        What helps to find it again: ``trash``, ``device``, ``inode``, ``bytes``, and ``beside``,
        the photo that a side-car belongs to.
    """

    path: str
    sha256: bytes
    keeper: bytes
    detail: Mapping[str, Any]


class Entry(NamedTuple):
    """An intent as the journal has it; once done, ``detail["place"]`` is where the file lies."""

    number: int
    batch: int
    state: State
    path: str
    sha256: bytes
    detail: Mapping[str, Any]


class Journal(Protocol):
    """A journal whose methods return when what they wrote will survive a power cut."""

    def intend(self, intents: Sequence[Intent]) -> list[int]:
        """Note files that belong together and are about to be moved; return their numbers."""

    def settle(self, number: int, state: State, detail: Mapping[str, Any]) -> None:
        """Note what became of an intent."""

    def entries(self, state: State) -> list[Entry]:
        """Return the entries in a state, by number."""
