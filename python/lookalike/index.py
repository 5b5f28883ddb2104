"""A prepared database: see :mod:`lookalike.distance.index`."""

from lookalike.distance.index import Index, IndexFileError

__all__ = ["Index", "IndexFileError"]
