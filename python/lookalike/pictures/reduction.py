"""Pictures made smaller by whole factors, a strip at a time.

What only a strip at a time is converted to RGB never takes three bytes for each of all pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image

__all__ = ["factor_for", "reduced", "strips"]

STRIP_PIXELS = 1 << 19


def factor_for(size: tuple[int, int], least: int | None) -> int:
    """Return the largest factor by which no side falls below one and a half of `least`.

    A mean keeps less of what is fine than a JPEG decoder does at a smaller scale. With GoogLeNet,
    which asks for 512, the features of a picture reduced to 768 and more are within a cosine of
    .9997 of the whole picture's; to 512, within .9992.

    >>> factor_for((4000, 3000), 512), factor_for((300, 9000), 512), factor_for((4000, 3000), None)
    (3, 1, 1)
    """
    return 1 if least is None else max(1, 2 * min(size) // (3 * least))


def strips(image: Image.Image, factor: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture's strips with the row that each begins at, a multiple of the factor."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def reduced(
    image: Image.Image,
    factor: int,
    prepare: Callable[[Image.Image], Image.Image] | None = None,
) -> Image.Image:
    """Return a picture whose pixels are the means of factor × factor pixels of another.

    At the right and at the lower edge they are the means of what there is.

    Parameters
    ----------
    image : PIL.Image.Image
        Any picture; it is left as it is.
    factor : int
        From 1.
    prepare : callable, optional
        What makes pixels of which a mean makes sense of a strip of the picture.

    Examples
    --------
    >>> reduced(Image.new("P", (10, 7)), 3, lambda strip: strip.convert("RGB"))
    <PIL.Image.Image image mode=RGB size=4x3 at 0x...>
    """
    if prepare is None:
        return image.copy() if factor == 1 else image.reduce(factor)
    width, height = (-(-side // factor) for side in image.size)
    whole: Image.Image | None = None
    for top, strip in strips(image, factor):
        prepared = prepare(strip)
        small = prepared.reduce(factor) if factor > 1 else prepared
        if small.size == (width, height):
            return small
        if whole is None:
            whole = Image.new(small.mode, (width, height))
        whole.paste(small, (0, top // factor))
    assert whole is not None  # a picture has a row
    return whole
