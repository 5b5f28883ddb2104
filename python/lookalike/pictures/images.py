"""One image, from wherever it comes, as upright 8-bit sRGB.

Everything that can be wrong with an image is one exception, :class:`ImageError`, with the name of
the image and the reason, so that a batch can go on and report it.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.pictures.colour import to_srgb
from lookalike.pictures.containers import FORMATS, FULL_RANGE, Container, container
from lookalike.pictures.depth import Stated, deep_colour, is_deep, tones_of
from lookalike.pictures.metadata import exif_facts
from lookalike.pictures.picture import Noted, Picture
from lookalike.pictures.reading import ImageError, check_size, image_name, one_line, read_image
from lookalike.pictures.reduction import factor_for, reduced
from lookalike.pictures.upright import turned

__all__ = [
    "EXIF_ORIENTATION",
    "FORMATS",
    "ImageError",
    "ImageSource",
    "decode",
    "image_name",
    "image_size",
    "open_image",
    "open_picture",
    "read_image",
]

ImageSource: TypeAlias = (
    "str | os.PathLike[str] | os.PathLike[bytes] | bytes | BinaryIO | Image.Image"
    " | npt.NDArray[np.uint8]"
)

EXIF_ORIENTATION = 0x0112


def open_picture(source: ImageSource, least: int | None = None) -> Picture:
    """Return any accepted image as upright 8-bit sRGB pixels, with the facts of its file.

    Parameters
    ----------
    source
        As for :func:`open_image`.
    least : int, optional
        Side in pixels that the caller needs: a larger picture is given reduced by a whole factor,
        none of its sides below this one. Without it the picture has all its pixels.

    Raises
    ------
    ImageError
        As for :func:`open_image`.

    Examples
    --------
    >>> import numpy as np
    >>> picture = open_picture(np.zeros((70, 90), np.uint8), least=20)
    >>> picture.width, picture.height, picture.image.size, picture.box
    (90, 70, (45, 35), (0.0, 0.0, 45.0, 35.0))
    """
    name = image_name(source)
    if isinstance(source, np.ndarray):
        return _picture_of_image(_from_array(source, name), name, least)
    if isinstance(source, Image.Image):
        return _picture_of_image(source, name, least)
    picture = _decoded(read_image(source), name, least)
    if isinstance(source, Noted):
        source.note(picture)
    return picture


def open_image(source: ImageSource) -> Image.Image:
    """Return any accepted image as an upright 8-bit RGB Pillow image.

    Parameters
    ----------
    source : path, bytes, file object, PIL image or array
        A path (str or path-like); the *content* of an image file as bytes; a binary file object,
        read from where it stands and left open; a Pillow image, left as it is; or a uint8 array
        H×W (gray), H×W×3 (RGB, never BGR) or H×W×4 (RGB and alpha).

        Bytes are never taken for a path: a service that searches by an uploaded photo would
        otherwise open any file its visitors name. A path in bytes is ``os.fsdecode(path)``.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, in sRGB. EXIF orientation is applied, alpha composited on white, more than 8 bits
        scaled to 8; of several frames the first is taken, of a raw photo its preview. All of it:
        docs/embedding.md.

    Raises
    ------
    ImageError
        The image cannot be read or decoded.

    Examples
    --------
    >>> import numpy as np
    >>> open_image(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    """
    return open_picture(source).image


def decode(content: bytes, name: str = "<bytes>") -> Image.Image:
    """Return the image in the content of a file as upright 8-bit RGB.

    Parameters
    ----------
    content : bytes
        A whole JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP, JPEG 2000 or PNM file, a raw photo with a
        preview, or a HEIC file where pillow-heif is installed.
    name : str
        What messages call the image.

    Raises
    ------
    ImageError
        The content is no image, a damaged one, or one of more than 268 megapixels.

    Examples
    --------
    >>> decode(b"hello")
    Traceback (most recent call last):
    lookalike.pictures.reading.ImageError: <bytes>: not an image in a known format
    """
    return _decoded(content, name, None).image


def image_size(
    source: str | os.PathLike[str] | os.PathLike[bytes] | bytes | BinaryIO,
) -> tuple[int, int]:
    """Return the width and height that an image file states; nothing is decoded or turned.

    Parameters
    ----------
    source : path, bytes or binary file object
        As for :func:`read_image`.

    Raises
    ------
    ImageError
        The file cannot be read or is no image.

    Examples
    --------
    >>> image_size(b"P5 3 2 255 ......")
    (3, 2)
    """
    name = image_name(source)
    content = read_image(source)
    try:
        with container(content, name).reopen() as image:
            return image.size
    except Exception as error:
        raise _damaged(error, name) from error


def _damaged(error: Exception, name: str) -> ImageError:
    """Return what a decoder's exception means.

    Decoders meet hostile bytes with whatever exception their code runs into (struct.error,
    KeyError, zlib.error, SyntaxError, MemoryError ...); all of them mean the same here.
    """
    if isinstance(error, ImageError):
        return error
    reason = one_line(error)
    if reason == "unknown pixel mode":  # Pillow's words for TIFF
        return ImageError(name, "its kind of pixels (bits, samples or colours) is not decoded")
    return ImageError(name, f"damaged image: {reason}")


def _decoded(content: bytes, name: str, least: int | None) -> Picture:
    if not content:
        raise ImageError(name, "empty file")
    try:
        found = container(content, name)
        image, size, covered = found.load(least)
        with image:
            if found.wide:
                image = deep_colour(image, found.reopen, found.stated)
            return _picture(image, found, size, covered, least)
    except Exception as error:
        raise _damaged(error, name) from error


def _picture_of_image(image: Image.Image, name: str, least: int | None) -> Picture:
    """Return a picture of a Pillow image, which is not changed but loaded."""
    check_size(image.size, name)
    try:
        image.load()
        exif = image.info.get("exif")
        facts = exif_facts(exif if isinstance(exif, bytes) else None)
        found = Container(
            image.format or "",
            name,
            image.copy,
            # After load: TIFF turns itself upright while loading, PNG may hold EXIF behind pixels.
            facts=facts._replace(orientation=_orientation(image)),
            profile=image.info.get("icc_profile"),
            gamma=None if "srgb" in image.info else image.info.get("gamma"),
            stated=_stated(image),
        )
        return _picture(image, found, image.size, image.size, least)
    except Exception as error:  # a lazily opened image decodes here
        raise _damaged(error, name) from error


def _stated(image: Image.Image) -> Stated:
    """Return what is known of the values of a Pillow image, that of a TIFF file from its tags."""
    tags: Any = getattr(image, "tag_v2", {})
    if image.format in FULL_RANGE and image.mode != "F":
        return Stated(white=65535.0)
    return Stated(inverted=is_deep(image.mode) and tags.get(262) == 0)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata does not make the pixels wrong
        return 1
    return value if isinstance(value, int) else 1


def _from_array(array: npt.NDArray[np.uint8], name: str) -> Image.Image:
    if array.dtype != np.uint8:
        raise ImageError(name, f"an array must be uint8, got {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(name, f"an array must be H×W, H×W×3 or H×W×4, got shape {array.shape}")
    if array.size == 0:
        raise ImageError(name, f"an array must hold pixels, got shape {array.shape}")
    return Image.fromarray(array)


def _picture(
    image: Image.Image,
    found: Container,
    size: tuple[int, int],
    covered: tuple[float, float],
    least: int | None,
) -> Picture:
    """Reduce, bring to sRGB and turn a loaded picture."""
    factor = factor_for(image.size, least)
    reduced_image, transparent = _reduced(image, found, factor)
    small = to_srgb(reduced_image, found.profile, found.gamma)
    covers = (covered[0] / factor, covered[1] / factor)
    upright, box, swapped = turned(small, covers, found.facts.orientation)
    width, height = size[::-1] if swapped else size
    facts = found.facts
    return Picture(
        upright,
        width,
        height,
        found.format or None,
        facts.taken,
        facts.camera,
        box,
        found.beyond or ("is transparent" if transparent else ""),
    )


def _reduced(image: Image.Image, found: Container, factor: int) -> tuple[Image.Image, bool]:
    """Return an image of mode L, RGB, CMYK or LAB, smaller by a factor; tell if one saw through."""
    if is_deep(image.mode):
        stated = found.stated
        transparent = image.info.get("transparency")
        if isinstance(transparent, int):
            stated = Stated(**{**vars(stated), "transparent": transparent})
        tones = tones_of(image, stated, found.name)
        return reduced(image, factor, tones), transparent is not None
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or image.has_transparency_data:
        # The one colour that a file of 16 bits calls transparent may be none of 8 bits.
        on_white = _OnWhite(transparent=found.wide and "transparency" in image.info)
        return reduced(image, factor, on_white), on_white.transparent
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        return reduced(image, factor), False
    return reduced(image, factor, partial(Image.Image.convert, mode="RGB")), False


class _OnWhite:
    """Lays strips of a picture on white, and notes whether white shows anywhere."""

    def __init__(self, transparent: bool) -> None:
        self.transparent = transparent

    def __call__(self, strip: Image.Image) -> Image.Image:
        # Before reducing: the colour of what cannot be seen must not enter a mean.
        if strip.mode == "La":
            strip = strip.convert("LA")
        rgba = strip.convert("RGBA")
        least: Any = rgba.getchannel("A").getextrema()[0]
        self.transparent = self.transparent or least < 255
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
