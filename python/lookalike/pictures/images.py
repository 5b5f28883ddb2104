"""One image, from wherever it comes, as 8-bit RGB.

Everything that can be wrong with an image is one exception, :class:`ImageError`, with the name of
the image and the reason, so that a batch can go on and report it.
"""

from __future__ import annotations

import io
import os
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

# Each import registers its format. Pillow's own discovery would import some forty plugins, among
# them one that starts another program (Ghostscript) on hostile input.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from lookalike.pictures.picture import Noted, Picture
from lookalike.pictures.reading import ImageError, image_name, one_line, read_image

__all__ = [
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

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        GifImagePlugin.GifImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
        Jpeg2KImagePlugin.Jpeg2KImageFile,
        PpmImagePlugin.PpmImageFile,
    )
)
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_picture(source: ImageSource, least: int | None = None) -> Picture:
    """Return any accepted image as upright 8-bit RGB pixels, with the facts of its file.

    Parameters
    ----------
    source
        As for :func:`open_image`.
    least : int, optional
        Side in pixels that the caller needs: a larger picture may be given reduced, none of its
        sides below this one. Without it the picture has all its pixels.

    Raises
    ------
    ImageError
        As for :func:`open_image`.

    Examples
    --------
    >>> import numpy as np
    >>> picture = open_picture(np.zeros((2, 3), np.uint8))
    >>> picture.width, picture.height, picture.format
    (3, 2, None)
    """
    image = open_image(bytes(source) if isinstance(source, Noted) else source)
    picture = Picture(image, image.width, image.height)
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
        Mode RGB. EXIF orientation is applied, alpha composited on white, 16-bit scaled by 1/257;
        of several frames the first is taken.

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
    name = image_name(source)
    if isinstance(source, np.ndarray):
        return _to_rgb(_from_array(source, name), name)
    if isinstance(source, Image.Image):
        return _to_rgb(source, name)
    return decode(read_image(source), name)


def decode(content: bytes, name: str = "<bytes>") -> Image.Image:
    """Return the image in the content of a file as upright 8-bit RGB.

    Parameters
    ----------
    content : bytes
        A whole JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP, JPEG 2000 or PNM file, or a HEIC file where
        pillow-heif is installed.
    name : str
        What messages call the image.

    Raises
    ------
    ImageError
        The content is no image, a damaged one, or one with more pixels than twice
        ``PIL.Image.MAX_IMAGE_PIXELS`` (Pillow's own limit against decompression bombs).

    Examples
    --------
    >>> decode(b"hello")
    Traceback (most recent call last):
    lookalike.pictures.reading.ImageError: <bytes>: not an image in a known format
    """
    if not content:
        raise ImageError(name, "empty file")
    try:
        with _identify(content, name) as image:
            _check_size(image.size, name)
            image.load()
            return _to_rgb(image, name)
    except ImageError:
        raise
    # Decoders meet hostile bytes with whatever exception their code runs into (struct.error,
    # KeyError, zlib.error, SyntaxError, MemoryError ...); all of them mean the same here.
    except Exception as error:
        raise ImageError(name, f"damaged image: {one_line(error)}") from error


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
        with _identify(content, name) as image:
            return image.size
    except ImageError:
        raise
    except Exception as error:  # see decode()
        raise ImageError(name, f"damaged image: {one_line(error)}") from error


def _identify(content: bytes, name: str) -> Image.Image:
    """Find the decoder as ``Image.open`` does, without its warning about large images.

    A warning cannot be silenced in one thread alone, and with "error" filters it would turn every
    large panorama into a failure; :func:`_check_size` keeps the limit.
    """
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS and not _is_avif(content):
        return _open_heif(content, name)
    for file_format in FORMATS:
        factory, accepts = Image.OPEN[file_format]
        if accepts is None or accepts(content[:16]) is True:
            return factory(io.BytesIO(content), name)
    raise ImageError(name, "not an image in a known format")


def _is_avif(content: bytes) -> bool:
    # mif1 may be the major brand of either; the list of compatible brands decides.
    box = content[: int.from_bytes(content[:4], "big")]
    return b"avif" in box or b"avis" in box


def _open_heif(content: bytes, name: str) -> Image.Image:
    try:
        from pillow_heif import open_heif
    except ImportError:
        raise ImageError(
            name, "HEIC needs a decoder of its own: pip install 'lookalike[heif]'"
        ) from None
    # Not registered with Pillow: that would change what Image.open accepts in all the process.
    image: Image.Image = open_heif(io.BytesIO(content)).to_pillow()
    image.getexif().pop(EXIF_ORIENTATION, None)  # libheif has turned the pixels already
    return image


def _check_size(size: tuple[int, int], name: str) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and size[0] * size[1] > 2 * limit:
        raise ImageError(
            name, f"{size[0]}×{size[1]} pixels, more than the {2 * limit:,} that are decoded"
        )


def _from_array(array: npt.NDArray[np.uint8], name: str) -> Image.Image:
    if array.dtype != np.uint8:
        raise ImageError(name, f"an array must be uint8, got {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(name, f"an array must be H×W, H×W×3 or H×W×4, got shape {array.shape}")
    if array.size == 0:
        raise ImageError(name, f"an array must hold pixels, got shape {array.shape}")
    return Image.fromarray(array)


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    """Return an upright 8-bit RGB copy of any Pillow image."""
    if 0 in image.size:
        raise ImageError(name, f"no pixels: {image.size[0]}×{image.size[1]}")
    try:
        image.load()
        # After load: TIFF turns itself upright while loading, PNG may hold EXIF behind the pixels.
        turn = UPRIGHT.get(_orientation(image))
        rgb = _flatten(image)
    except ImageError:
        raise
    except Exception as error:  # a lazily opened image decodes here; see decode()
        raise ImageError(name, f"damaged image: {one_line(error)}") from error
    return rgb if turn is None else rgb.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata does not make the pixels wrong
        return 1
    return value if isinstance(value, int) else 1


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow's conversion cuts off at 255 instead of scaling. Mode I is what its decoders give
        # for 16-bit PNM and signed TIFF.
        wide = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(lab, srgb, "LAB", "RGB").apply(image)
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode in ("RGBA", "RGBa", "LA", "PA") or image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
