"""The chunks of a PNG file: which reach the decoder, and what is read here.

A viewer shows a picture whatever its texts are like. Pillow refuses texts and profiles that are
large when decompressed, and any chunk with a wrong checksum; so it is given those that pixels
depend on.
"""

from __future__ import annotations

import binascii
import io
import struct
import zlib
from dataclasses import dataclass

__all__ = ["PngParts", "png_parts"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
READ_HERE = {b"sBIT", b"gAMA", b"sRGB", b"iCCP", b"eXIf", b"zTXt", b"tEXt", b"iTXt"}
MOST_PROFILE = 16 << 20
"""Bytes of a profile; more are none."""
MOST_TEXT = 1 << 20
"""Bytes of a text that EXIF is in; cameras' EXIF has 64 KiB, which are twice as many digits."""


@dataclass
class PngParts:
    """A PNG file taken apart.

    Attributes
    ----------
    content : bytes
        The file, with those chunks alone that the pixels depend on.
    depth : int
        Bits of a sample.
    bits : int or None
        Bits of a sample that mean something, if the file states them (sBIT).
    gamma : float or None
        Exponent of the samples, if the file states one and is not said to be sRGB.
    profile, exif : bytes or None
        Its colour profile and its EXIF; empty if damaged.
    several : bool
        Whether there are pixels of further pictures: it is animated.
    """

    content: bytes
    depth: int = 8
    bits: int | None = None
    gamma: float | None = None
    profile: bytes | None = None
    exif: bytes | None = None
    several: bool = False


def png_parts(content: bytes) -> PngParts:
    """Take a PNG file apart; from damage on, the rest is left to the decoder as it is."""
    parts = PngParts(content)
    view = memoryview(content)
    kept = io.BytesIO()  # a list would hold millions of a hostile file's chunks
    at, begun, known_srgb = 8, 0, False  # begun: where the chunks that are kept last begin
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content) or not kind.isalpha():
            break
        body = view[at + 8 : end - 4]
        if kind == b"IHDR" and length >= 13:
            parts.depth = body[8]
        if kind not in CRITICAL and not (kind == b"tRNS" and _is_sound(view[at:end])):
            if begun < at:
                kept.write(view[begun:at])
            begun = end
            parts.several |= kind == b"fdAT"
            if kind in READ_HERE and length <= MOST_PROFILE and _is_sound(view[at:end]):
                known_srgb |= kind == b"sRGB"
                _read(parts, kind, bytes(body))
        at = end
        if kind == b"IEND":
            break
    if begun:
        kept.write(view[begun:])
        parts.content = kept.getvalue()
    if known_srgb:
        parts.gamma = None
    return parts


def _is_sound(chunk: memoryview) -> bool:
    return binascii.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def _read(parts: PngParts, kind: bytes, body: bytes) -> None:
    if kind == b"sBIT" and body:
        parts.bits = max(body)
    elif kind == b"gAMA" and len(body) == 4:
        parts.gamma = int.from_bytes(body) / 100_000
    elif kind == b"eXIf":
        parts.exif = body
    elif kind == b"iCCP" and parts.profile is None:
        _, _, packed = body.partition(b"\0")
        profile = _unpacked(packed[1:], MOST_PROFILE) if packed[:1] == b"\0" else None
        parts.profile = profile or b""  # no second one is looked at
    elif parts.exif is None:  # ImageMagick keeps EXIF in a text
        key, _, text = body.partition(b"\0")
        if key in (b"Raw profile type exif", b"Raw profile type APP1"):
            parts.exif = _raw_profile(kind, text) or b""


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """Return what zlib packed, None if that is damaged or of more bytes than `most`."""
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(packed, most)
    except zlib.error:
        return None
    return data if unpack.eof else None


def _raw_profile(kind: bytes, text: bytes) -> bytes | None:
    """Return the data of a text that ImageMagick wrote: a name, a length, hexadecimal digits."""
    if kind == b"zTXt":
        text = _unpacked(text[1:], MOST_TEXT) or b""
    elif kind == b"iTXt" or len(text) > MOST_TEXT:
        return None
    try:
        return bytes.fromhex(b"".join(text.split(None, 2)[2:]).decode("ascii"))
    except ValueError:
        return None
