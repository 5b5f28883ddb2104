"""The one error that a gallery raises."""

from __future__ import annotations

__all__ = ["GalleryError"]


class GalleryError(ValueError):
    """A gallery that is missing, damaged, busy or not what was asked for; the message names it."""
