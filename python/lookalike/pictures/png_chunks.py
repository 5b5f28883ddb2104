"""The chunks of a PNG file: which reach the decoder, and what is read here.

A viewer shows a picture whatever its texts are like. Pillow refuses texts and profiles that are
large when decompressed, and any chunk with a wrong checksum; so it is given those that pixels
depend on.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from dataclasses import dataclass

__all__ = ["PngParts", "png_parts"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
READ_HERE = {b"sBIT", b"gAMA", b"sRGB", b"iCCP", b"eXIf", b"zTXt", b"tEXt", b"iTXt"}
MOST_PROFILE = 16 << 20
"""Bytes of a profile or of EXIF in a text; more are none."""


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
        Its colour profile and its EXIF.
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
    kept: list[memoryview | bytes] = [view[:8]]
    at, known_srgb, dropped = 8, False, False
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content) or not kind.isalpha():
            break
        body = view[at + 8 : end - 4]
        if kind == b"IHDR" and length >= 13:
            parts.depth = body[8]
        if kind in CRITICAL or (kind == b"tRNS" and _is_sound(view[at:end])):
            kept.append(view[at:end])
        else:
            dropped = True
            parts.several |= kind == b"fdAT"
            if kind in READ_HERE and length <= MOST_PROFILE and _is_sound(view[at:end]):
                known_srgb |= kind == b"sRGB"
                _read(parts, kind, bytes(body))
        at = end
        if kind == b"IEND":
            break
    if dropped:
        parts.content = b"".join([*kept, view[at:]])
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
    elif kind == b"iCCP":
        _, _, packed = body.partition(b"\0")
        parts.profile = _unpacked(packed[1:]) if packed[:1] == b"\0" else None
    elif parts.exif is None:  # ImageMagick keeps EXIF in a text
        key, _, text = body.partition(b"\0")
        if key in (b"Raw profile type exif", b"Raw profile type APP1"):
            parts.exif = _raw_profile(kind, text)


def _unpacked(packed: bytes) -> bytes | None:
    """Return what zlib packed, None if that is damaged or more than MOST_PROFILE."""
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(packed, MOST_PROFILE)
    except zlib.error:
        return None
    return data if unpack.eof else None


def _raw_profile(kind: bytes, text: bytes) -> bytes | None:
    """Return the data of a text that ImageMagick wrote: a name, a length, hexadecimal digits."""
    if kind == b"zTXt":
        text = _unpacked(text[1:]) or b""
    elif kind == b"iTXt":
        return None
    try:
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii")) or None
    except ValueError:
        return None
