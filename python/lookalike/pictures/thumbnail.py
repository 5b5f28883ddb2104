"""A small picture to be shown for a large one."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["SIDE", "thumbnail"]

SIDE = 256
QUALITY = 75


def thumbnail(image: Image.Image) -> bytes:
    """Return a picture's thumbnail: a WebP file whose long side is at most 256 pixels.

    Parameters
    ----------
    image : PIL.Image.Image
        An upright RGB image.

    Examples
    --------
    >>> Image.open(io.BytesIO(thumbnail(Image.new("RGB", (400, 100), "red")))).size
    (256, 64)
    """
    small = image.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=0)
    return out.getvalue()
