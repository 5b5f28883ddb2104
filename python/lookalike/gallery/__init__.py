"""Features on disk: photos come in once, are searched many times, and are kept up.

``gallery.py`` is what people call. ``intake/`` brings folders and arrays in, ``storage/`` holds
what is in, ``upkeep/`` checks, moves and exports it.
"""

from typing import TYPE_CHECKING

from lookalike.lazy_names import lazy_names

if TYPE_CHECKING:
    from lookalike.gallery.gallery import Gallery
    from lookalike.gallery.hits import Hits
    from lookalike.gallery.reader import GalleryReader
    from lookalike.gallery.storage.errors import GalleryError
    from lookalike.gallery.upkeep.check import CheckReport, check_gallery

__all__ = ["CheckReport", "Gallery", "GalleryError", "GalleryReader", "Hits", "check_gallery"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CheckReport": "upkeep.check",
        "Gallery": "gallery",
        "GalleryError": "storage.errors",
        "GalleryReader": "reader",
        "Hits": "hits",
        "check_gallery": "upkeep.check",
    },
)
