"""JPEG files: what the decoder is given of them, at which scale, and with how much memory."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, field

from PIL import Image, JpegImagePlugin

from lookalike.pictures.reading import ImageError, check_size

__all__ = ["MOST_COEFFICIENTS", "JpegParts", "jpeg_parts", "open_jpeg"]

MOST_COEFFICIENTS = 400 << 20
"""Bytes for the coefficients of a JPEG of several scans, which the decoder keeps until the last:
2 a sample, 3 a pixel with chroma halved both ways, so 140 megapixels. Of one scan it keeps none."""

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
STAND_ALONE = {0x01, *range(0xD0, 0xD9)}
END, SCAN = b"\xff\xd9", re.compile(b"\xff\xda")


@dataclass
class JpegParts:
    """A JPEG file taken apart.

    Attributes
    ----------
    content : bytes
        The file without the segments that say nothing of its pixels.
    scan : int
        Where the first scan begins in it; 0 if none was found.
    frame : bytes
        What the frame's header states.
    progressive, lossless : bool
        Whether it says that coefficients come in several scans, that there are none.
    exif, profile : bytes or None
        Its EXIF and its colour profile.
    """

    content: bytes
    scan: int = 0
    frame: bytes = b""
    progressive: bool = False
    lossless: bool = False
    exif: bytes | None = None
    profile: bytes | None = None
    profile_parts: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the frame states them."""
        return int.from_bytes(self.frame[3:5]), int.from_bytes(self.frame[1:3])

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.size[0] * self.size[1]


def jpeg_parts(content: bytes) -> JpegParts:
    """Take a JPEG file apart; one with a damaged header is left to the decoder as it is."""
    parts = JpegParts(content)
    kept, at = [content[:2]], 2
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if marker in STAND_ALONE or marker in (0x00, 0xFF):
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            parts.scan = sum(map(len, kept))
            parts.content = b"".join([*kept, memoryview(content)[at:]])
            break
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if marker < 0xC0 or end < at + 4 or end > len(content):
            break
        if _decides(marker, content[at + 4 : end], parts):
            kept.append(content[at:end])
        at = end
    parts.profile = _joined(parts.profile_parts)
    return parts


def _decides(marker: int, body: bytes, parts: JpegParts) -> bool:
    """Tell whether the pixels depend on a segment; note what else it says."""
    if marker in FRAMES:
        parts.frame = body
        parts.progressive, parts.lossless = marker in PROGRESSIVE, marker in LOSSLESS
    if marker == 0xE1 and body.startswith(b"Exif\0\0"):
        # EXIF beyond 64 KiB goes on in the next segment.
        parts.exif = body if parts.exif is None else parts.exif + body[6:]
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        parts.profile_parts.append(body[12:])
    if marker == 0xE0:  # these two say what the three or four components are
        return body.startswith(b"JFIF\0") and len(body) >= 12
    if marker == 0xEE:
        return body.startswith(b"Adobe") and len(body) >= 12
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _joined(parts: list[bytes]) -> bytes | None:
    """Return a profile from its numbered parts, None if one is missing."""
    parts = sorted(parts, key=lambda part: part[0])
    if [part[0] for part in parts] != list(range(1, len(parts) + 1)):
        return None
    return b"".join(part[2:] for part in parts) or None


def open_jpeg(
    parts: JpegParts, name: str, least: int | None
) -> tuple[Image.Image, tuple[float, float]]:
    """Return the picture in a JPEG file, decoded, and the size that it covers of those pixels.

    Parameters
    ----------
    parts : JpegParts
        The file.
    name : str
        What messages call it.
    least : int or None
        With it, the decoder leaves out what is finer than a half, a quarter or an eighth, as long
        as no side falls below this.
    """
    if parts.frame:
        check_size(parts.size, name)
    _check_memory(parts, name)
    if parts.scan and parts.content.rfind(END, parts.scan) < 0:
        parts.content = _ended(parts, name)
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(parts.content), name)
    check_size(image.size, name)
    covered: tuple[float, float] = image.size
    if least is not None and (drafted := image.draft(None, (least, least))) is not None:
        # Of a picture whose sides are no multiples, the last pixels are there in part.
        covered = drafted[1][2:]
    image.load()
    return image, covered


def _check_memory(parts: JpegParts, name: str) -> None:
    frame = parts.frame
    if len(frame) < 9 or not parts.scan:
        return  # the decoder says what is wrong
    width, height = parts.size
    factors = [(byte >> 4, byte & 15) for byte in frame[7::3]]
    across, down = max(h for h, _ in factors), max(v for _, v in factors)
    if parts.content[parts.scan + 4] == len(factors) and not parts.progressive:
        return  # all in one scan
    if across == 0 or down == 0:
        return
    columns, rows = -(-width // (8 * across)), -(-height // (8 * down))
    size = 128 * columns * rows * sum(h * v for h, v in factors)
    if size > MOST_COEFFICIENTS:
        raise ImageError(
            name,
            f"{width}×{height} pixels in several scans: decoding takes {size >> 20} MiB beside "
            f"the pixels, more than the {MOST_COEFFICIENTS >> 20} that are used",
        )


def _ended(parts: JpegParts, name: str) -> bytes:
    """Return a file without end marker with one, if nothing else is missing."""
    if _has_every_scan(parts):
        content = parts.content.rstrip(b"\xff")
        # Where bits are missing, the decoder takes what follows: zeros at the end marker. So
        # nothing is missing if other bits make the same picture.
        seen = {_fingerprint(content + tail + END, name) for tail in (b"", b"\xfe" * 1024)}
        if len(seen) == 1:
            return content + END
    raise ImageError(name, "damaged image: the file is cut off, a part of the picture is missing")


def _fingerprint(content: bytes, name: str) -> int:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content), name)
    image.load()
    found = 0
    for top in range(0, image.height, 64):
        strip = image.crop((0, top, image.width, min(top + 64, image.height)))
        found = zlib.crc32(strip.tobytes(), found)
    return found


def _has_every_scan(parts: JpegParts) -> bool:
    """Tell whether the headers of scans that are there cover all coefficients to the last bit."""
    missing = dict.fromkeys(parts.frame[6::3], (1 << 64) - 1)  # a bit for each coefficient
    for found in SCAN.finditer(parts.content, parts.scan):
        header = parts.content[found.start() + 4 : found.start() + 16]
        if len(header) < 1 or len(header) < 4 + 2 * header[0] or not 1 <= header[0] <= 4:
            continue
        first, last, bits = header[1 + 2 * header[0] :][:3]
        if bits & 15 == 0 and first <= last:
            for component in header[1 : 1 + 2 * header[0] : 2]:
                if component in missing:
                    missing[component] &= ~((2 << last) - (1 << first))
    return not any(missing.values())
