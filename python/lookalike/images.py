"""One image, from wherever it comes, as 8-bit RGB: see :mod:`lookalike.pictures.images`."""

from lookalike.pictures.images import (
    EXIF_ORIENTATION,
    FORMATS,
    ImageError,
    ImageSource,
    decode,
    image_name,
    image_size,
    open_image,
    read_image,
)

__all__ = [
    "EXIF_ORIENTATION",
    "FORMATS",
    "ImageError",
    "ImageSource",
    "decode",
    "image_name",
    "image_size",
    "open_image",
    "read_image",
]
