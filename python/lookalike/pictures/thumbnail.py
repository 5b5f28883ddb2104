"""A small picture to be shown for a large one."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["SIDE", "thumbnail"]

SIDE = 256
QUALITY, METHOD = 75, 0
"""11 KB a photo. Method 2 saves a sixth of that, for a fifth more of the time."""


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
    scale = min(1.0, SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Means of whole pixels come first: half the time, and at this size nobody sees a difference.
    small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=METHOD)
    return out.getvalue()
