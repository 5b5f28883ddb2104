"""One image, from wherever it comes, as 8-bit RGB.

Files are opened here and not by Pillow, for three reasons: a pipe or a device must be recognised
before a read hangs on it, whoever stores a content hash needs the very bytes that were decoded, and
no file stays open behind a lazily loaded image.

Everything that can be wrong with an image is one exception, :class:`ImageError`, with the name of
the image and the reason, so that a batch can go on and report it.
"""

from __future__ import annotations

import io
import os
import stat
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

from lookalike.system import open_to_read

__all__ = [
    "ImageError",
    "ImageSource",
    "decode",
    "image_name",
    "image_size",
    "open_image",
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
MAX_BYTES = 1 << 30
"""No photograph is larger; a disk image given by mistake must not fill the memory."""

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


class ImageError(ValueError):
    """An image that cannot be used.

    Attributes
    ----------
    name : str
        The path as given, or what stands for it (``<bytes>``, ``<array>``).
    reason : str
        Why it cannot be used, in one line.
    """

    def __init__(self, name: str, reason: str) -> None:
        # A file name need not be UTF-8; the message has to be printable all the same.
        printable = name.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(f"{printable}: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return type(self), (self.name, self.reason)  # exceptions cross process borders by pickle


def image_name(source: object) -> str:
    """Return what to call an image in a message: its path, or its kind.

    >>> image_name("photos/cat.jpg"), image_name(b"...")
    ('photos/cat.jpg', '<bytes>')
    """
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    if isinstance(source, bytes):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    own = getattr(source, "filename", None) or getattr(source, "name", None)
    return own if isinstance(own, str) else f"<{type(source).__name__}>"


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


def read_image(source: str | os.PathLike[str] | os.PathLike[bytes] | bytes | BinaryIO) -> bytes:
    """Return the content of an image file, read once; :func:`decode` takes it from there.

    Parameters
    ----------
    source : path, bytes or binary file object
        Bytes are returned as they are.

    Raises
    ------
    ImageError
        The file is missing, unreadable, not a regular file or larger than 1 GiB.

    Examples
    --------
    >>> read_image("/")
    Traceback (most recent call last):
    lookalike.embedding.images.ImageError: /: is a directory
    """
    name = image_name(source)
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _read_file(source, name)
    if not hasattr(source, "read"):
        raise ImageError(
            name,
            "an image must be a path, bytes, a binary file object, a PIL image or a uint8 array, "
            f"got {type(source).__name__}",
        )
    try:
        content = source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the file is closed
        raise ImageError(name, _one_line(error)) from error
    if not isinstance(content, bytes):
        raise ImageError(
            name, f"must be opened in binary mode, read() gave {type(content).__name__}"
        )
    return _within_limit(content, name)


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
    lookalike.embedding.images.ImageError: <bytes>: not an image in a known format
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
        raise ImageError(name, f"damaged image: {_one_line(error)}") from error


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
        raise ImageError(name, f"damaged image: {_one_line(error)}") from error


def _read_file(path: str | os.PathLike[str] | os.PathLike[bytes], name: str) -> bytes:
    try:
        descriptor = open_to_read(path)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
                raise ImageError(name, f"is {kind}")
            with open(descriptor, "rb", closefd=False) as file:
                return _within_limit(file.read(MAX_BYTES + 1), name)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, ImageError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise ImageError(name, reason or _one_line(error)) from error


def _within_limit(content: bytes, name: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise ImageError(name, f"file larger than {MAX_BYTES >> 20} MiB")
    return content


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
        raise ImageError(name, f"damaged image: {_one_line(error)}") from error
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
