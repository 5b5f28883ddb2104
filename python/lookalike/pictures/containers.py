"""Which format a file has, and what it says beside its pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field

# Each import registers its format. Pillow's own discovery would import some forty plugins, among
# them one that starts another program (Ghostscript) on hostile input.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from lookalike.pictures.avif import without_exif
from lookalike.pictures.depth import Stated
from lookalike.pictures.formats import NO_HEIF_DECODER
from lookalike.pictures.ifd import TagFile
from lookalike.pictures.jpeg import JpegParts, jpeg_parts, open_jpeg
from lookalike.pictures.metadata import NOTHING, Facts, exif_facts, facts_of
from lookalike.pictures.png_chunks import png_parts
from lookalike.pictures.raw_preview import largest_preview, raw_format
from lookalike.pictures.reading import ImageError, check_size
from lookalike.pictures.tiff import (
    SEVERAL,
    beyond_of,
    check_planes,
    open_tiff,
    pixels_alone,
    profile_of,
    stated_of,
)

__all__ = ["FORMATS", "Container", "container"]

FILM = re.compile(rb"\xff\xd9.{0,64}?ftyp", re.DOTALL)
"""How the film begins that phones write behind the picture of a motion photo."""

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
FULL_RANGE = {"PPM", "JPEG2000"}
"""Formats that state what white is; Pillow has scaled it to 65,535."""


@dataclass
class Container:
    """An image file whose pixels are not decoded yet.

    Attributes
    ----------
    format : str
        Pillow's name of the format, or which raw photo it is.
    name : str
        What messages call it.
    reopen : callable
        Returns a Pillow image, its pixels not loaded; a new one each time if `wide`.
    jpeg : JpegParts or None
        What there is to be decoded, if it is a JPEG.
    facts : Facts
        From EXIF.
    profile, gamma
        Of its colours, as :func:`to_srgb` takes them.
    stated : Stated
        Of its pixels' values.
    wide : bool
        Whether its samples may have 16 bits and more than one be a pixel.
    beyond : str
        As a `Picture` has it, but for transparency: that the pixels tell.
    """

    format: str
    name: str
    reopen: Callable[[], Image.Image]
    jpeg: JpegParts | None = None
    facts: Facts = NOTHING
    profile: bytes | None = None
    gamma: float | None = None
    stated: Stated = field(default_factory=Stated)
    wide: bool = False
    beyond: str = ""

    def load(self, least: int | None) -> tuple[Image.Image, tuple[int, int], tuple[float, float]]:
        """Return the decoded picture, the size it has in full, and the size it covers of this one.

        With `least`, a JPEG is decoded at a smaller scale.
        """
        if self.jpeg is not None:
            image, covered = open_jpeg(self.jpeg, self.name, least)
            return image, self.jpeg.size, covered
        image = self.reopen()
        check_size(image.size, self.name)
        image.load()
        return image, image.size, image.size


def container(content: bytes, name: str) -> Container:
    """Recognise the format of an image file, and read what it says beside its pixels.

    Raises
    ------
    ImageError
        It is none of a known format.
    """
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS and not _is_avif(content):
        return _heif(content, name)
    for file_format in FORMATS:
        _, accepts = Image.OPEN[file_format]
        if accepts is None or accepts(content[:16]) is True:
            return OPENERS.get(file_format, _other)(content, name, file_format)
    raise ImageError(name, "not an image in a known format")


def _jpeg(content: bytes, name: str, file_format: str) -> Container:
    parts = jpeg_parts(content)
    if not parts.scan:
        raise ImageError(name, "damaged image: no picture follows its header")
    found = _of_jpeg(parts, name, file_format, exif_facts(parts.exif))
    if FILM.search(parts.content, parts.scan):
        found.beyond = "holds a film"
    return found


def _of_jpeg(parts: JpegParts, name: str, file_format: str, facts: Facts) -> Container:
    def reopen() -> Image.Image:
        return JpegImagePlugin.JpegImageFile(io.BytesIO(parts.content), name)

    return Container(file_format, name, reopen, parts, facts, parts.profile)


def _png(content: bytes, name: str, file_format: str) -> Container:
    parts = png_parts(content)

    def reopen() -> Image.Image:
        return PngImagePlugin.PngImageFile(io.BytesIO(parts.content), name)

    return Container(
        file_format,
        name,
        reopen,
        facts=exif_facts(parts.exif),
        profile=parts.profile,
        gamma=parts.gamma,
        stated=Stated(bits=parts.bits),
        wide=parts.depth == 16,
        beyond=SEVERAL if parts.several else "",
    )


def _tiff(content: bytes, name: str, file_format: str) -> Container:
    file = TagFile(content)
    first = file.directory(file.first)
    facts = facts_of(file, first)
    if (raw := raw_format(file)) is not None:
        preview = largest_preview(file)
        if preview is None:
            raise ImageError(name, "a raw photo without a JPEG preview, which is what is read")
        found = _of_jpeg(preview, name, raw, facts)
        found.beyond = "is a raw photo"
        return found
    check_planes(file, first, name)
    stated = stated_of(file, first)
    cleaned = pixels_alone(file, first)
    return Container(
        file_format,
        name,
        lambda: open_tiff(cleaned, name),
        facts=facts,
        profile=profile_of(file, first),
        stated=stated,
        wide=True,
        beyond=beyond_of(file),
    )


def _other(content: bytes, name: str, file_format: str) -> Container:
    factory, _ = Image.OPEN[file_format]
    image = factory(io.BytesIO(content), name)
    exif = image.info.get("exif")
    full = file_format in FULL_RANGE and image.mode != "F"
    return Container(
        file_format,
        name,
        lambda: image,
        facts=exif_facts(exif if isinstance(exif, bytes) else None),
        profile=image.info.get("icc_profile"),
        stated=Stated(white=65535.0) if full else Stated(),
    )


def _of_frames(content: bytes, name: str, file_format: str) -> Container:
    found = _other(content, name, file_format)
    frames = getattr(found.reopen(), "n_frames", 1)
    found.beyond = SEVERAL if frames > 1 else ""
    return found


def _gif(content: bytes, name: str, file_format: str) -> Container:
    found = _other(content, name, file_format)
    found.beyond = SEVERAL if _is_animated(content, name) else ""
    return found


def _is_animated(content: bytes, name: str) -> bool:
    # Of its own image, which goes on to the second frame; to count all of them is not needed.
    with GifImagePlugin.GifImageFile(io.BytesIO(content), name) as image:
        try:
            return image.is_animated
        except Exception:  # a second frame that is damaged is one nevertheless
            return True


def _avif(content: bytes, name: str, file_format: str) -> Container:
    content, exif = without_exif(content)
    found = _of_frames(content, name, file_format)
    found.facts = exif_facts(exif)._replace(orientation=found.facts.orientation)
    return found


OPENERS: dict[str, Callable[[bytes, str, str], Container]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "TIFF": _tiff,
    "GIF": _gif,
    "WEBP": _of_frames,
    "AVIF": _avif,
}


def _is_avif(content: bytes) -> bool:
    # mif1 may be the major brand of either; the list of compatible brands decides.
    box = content[: int.from_bytes(content[:4], "big")]
    return b"avif" in box or b"avis" in box


def _heif(content: bytes, name: str) -> Container:
    try:
        from pillow_heif import open_heif
    except ImportError:
        raise ImageError(name, NO_HEIF_DECODER) from None
    # Not registered with Pillow: that would change what Image.open accepts in all the process.
    heif = open_heif(io.BytesIO(content))
    check_size(heif.size, name)
    exif = heif.info.get("exif")
    facts = exif_facts(exif if isinstance(exif, bytes) else None)
    return Container(
        "HEIF",
        name,
        heif.to_pillow,
        facts=facts._replace(orientation=1),  # libheif turns the pixels
        profile=heif.info.get("icc_profile"),
        beyond=SEVERAL if len(heif) > 1 else "",
    )
