"""Metadata is read where it is sound, and never decides whether a picture is shown."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from lookalike.pictures.images import ImageError, open_image, open_picture
from lookalike.pictures.png_chunks import png_parts
from picture_files import chunk, drawn, encoded, tiff

PICTURE = drawn(80, 60)


def exif_of(taken="2024:02:29 12:30:45", sub="07", offset="+01:00", **more):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = more.get("make", "Canon"), more.get("model", "Canon EOS R5")
    inner = exif.get_ifd(0x8769)
    for tag, text in ((0x9003, taken), (0x9291, sub), (0x9011, offset)):
        if text is not None:
            inner[tag] = text
    return exif


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_facts(file_format):
    exif = exif_of()
    exif[0x0112] = 6
    picture = open_picture(encoded(PICTURE, file_format, exif=exif.tobytes()))
    assert picture.format == file_format
    assert (picture.width, picture.height) == (60, 80)
    assert picture.taken == "2024-02-29 12:30:45.07+01:00"
    assert picture.camera == "Canon EOS R5"


def test_pixels_alone_have_no_facts():
    for source in (encoded(PICTURE, "JPEG"), np.asarray(PICTURE), PICTURE):
        picture = open_picture(source)
        assert (picture.taken, picture.camera) == (None, None)
    assert picture.format is None


@pytest.mark.parametrize(
    ("facts", "taken", "camera"),
    [
        ({"sub": None, "offset": None}, "2024-02-29 12:30:45", "Canon EOS R5"),
        ({"taken": "0000:00:00 00:00:00"}, None, "Canon EOS R5"),
        ({"taken": "2023:02:29 12:30:45"}, None, "Canon EOS R5"),
        ({"taken": None}, None, "Canon EOS R5"),
        ({"sub": "half", "offset": "noon"}, "2024-02-29 12:30:45", "Canon EOS R5"),
        ({"make": "NIKON CORPORATION", "model": "NIKON D7000"}, ..., "NIKON D7000"),
        ({"make": "Apple", "model": "iPhone 13"}, ..., "Apple iPhone 13"),
        ({"make": " Sony\nInc ", "model": ""}, ..., "Sony Inc"),
    ],
)
def test_what_cameras_write(facts, taken, camera):
    picture = open_picture(encoded(PICTURE, "JPEG", exif=exif_of(**facts)))
    assert taken is ... or picture.taken == taken
    assert picture.camera == camera


def test_damaged_exif_is_none():
    # Any change of EXIF's bytes leaves the picture, and warns of nothing.
    exif = exif_of().tobytes()
    expected = np.asarray(open_image(encoded(PICTURE, "PNG")))
    random = np.random.default_rng(0)
    for length in range(6, len(exif), 7):
        damaged = bytearray(exif[:length])
        for place in random.integers(6, length, 2) if length > 6 else ():
            damaged[place] = random.integers(256)
        for file_format in ("PNG", "WEBP"):
            seen = open_image(encoded(PICTURE, file_format, exif=bytes(damaged)))
            assert sorted(seen.size) == [60, 80]
            if file_format == "PNG" and seen.size == (80, 60) and not damaged[6:]:
                np.testing.assert_array_equal(np.asarray(seen), expected)
        open_image(encoded(PICTURE, "JPEG", exif=b"Exif\0\0" + bytes(damaged[6:])))


def png_with(*chunks):
    content = encoded(PICTURE, "PNG")
    return content[:33] + b"".join(chunks) + content[33:]


LARGE = zlib.compress(bytes(3 << 20))


@pytest.mark.parametrize(
    "added",
    [
        chunk(b"zTXt", b"Comment\0\0" + LARGE),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE),
        chunk(b"iCCP", b"large\0\0" + zlib.compress(bytes(40 << 20))),
        chunk(b"iCCP", b"method\0\7" + LARGE),
        chunk(b"iCCP", b"no end"),
        chunk(b"tEXt", b"Comment\0words")[:-4] + b"\0\0\0\0",
        chunk(b"tRNS", b"\0\1\0\1\0\1")[:-1] + b"\0",
        chunk(b"gAMA", b"\0"),
        chunk(b"sRGB", b""),
        chunk(b"pHYs", b"\0\0"),
        chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        chunk(b"acTL", b"\0\0\0\0\0\0\0\0"),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + LARGE),
        chunk(b"tEXt", b"a\0" + bytes(1000)) * 70,
    ],
)
def test_png_chunks_never_decide(added):
    content = encoded(PICTURE, "PNG")
    for hostile in (png_with(added), content[:-12] + added + content[-12:]):
        np.testing.assert_array_equal(np.asarray(open_image(hostile)), np.asarray(PICTURE))


def test_damage_in_what_pixels_depend_on_still_refuses():
    content = bytearray(encoded(PICTURE, "PNG"))
    content[29] ^= 1  # the checksum of the header
    with pytest.raises(ImageError, match="damaged image"):
        open_image(bytes(content))


def test_damaged_exif_of_avif():
    exif = exif_of().tobytes().removeprefix(b"Exif\0\0")
    content = encoded(PICTURE, "AVIF", exif=exif)
    at = content.index(exif)
    damaged = content[: at + 4] + b"\xff" * 4 + content[at + 8 :]
    picture = open_picture(damaged)
    np.testing.assert_array_equal(np.asarray(picture.image), np.asarray(open_image(content)))
    assert picture.camera is None


def test_exif_that_imagemagick_keeps_in_a_text():
    exif = b"Exif\0\0" + exif_of().tobytes().removeprefix(b"Exif\0\0")
    text = b"\nexif\n%8d\n" % len(exif) + exif.hex().encode() + b"\n"
    kept = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    assert open_picture(png_with(kept)).camera == "Canon EOS R5"


def peak_of_parts(content):
    tracemalloc.start()
    parts = png_parts(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return parts, peak


@pytest.mark.parametrize("kind", [b"zTXt", b"tEXt"])
def test_large_texts_of_exif_take_little_memory(kind):
    words = b"exif 1 " + b"a " * (4 << 20)
    text = b"Raw profile type exif\0" + (b"\0" + zlib.compress(words) if kind == b"zTXt" else words)
    parts, peak = peak_of_parts(png_with(chunk(kind, text)))
    assert not parts.exif
    assert peak < 3 * len(text) + (3 << 20)


def test_many_chunks_take_little_memory():
    empty = chunk(b"IDAT", b"")
    for several in (empty, empty + chunk(b"aaaa", b"")):
        content = png_with(several * (200_000 // len(several)), chunk(b"aaaa", b""))
        parts, peak = peak_of_parts(content)
        assert parts.content == png_with(empty * parts.content.count(empty))
        assert peak < 3 * len(content)


def test_first_profile_and_exif_of_several_count():
    profiles = [chunk(b"iCCP", b"a\0\0" + zlib.compress(words)) for words in (b"one", b"two")]
    assert png_parts(png_with(*profiles)).profile == b"one"
    texts = [
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 2\n" + digits)
        for digits in (b"0 1", b"02")
    ]
    assert not png_parts(png_with(*texts)).exif
    assert png_parts(png_with(*texts[::-1])).exif == b"\2"
    assert png_parts(png_with(texts[1], chunk(b"eXIf", b"true"))).exif == b"true"


def jpeg_with(*segments):
    content = encoded(PICTURE, "JPEG")
    made = [struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments]
    return content[:2] + b"".join(made) + content[2:]


@pytest.mark.parametrize(
    "segment",
    [
        (0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        (0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\1\3\0\xff\xff\xff\xff" * 40),
        (0xE0, b"JFIF\0"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff"),
        (0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\0\0\0\0\0\1"),
        (0xEE, b"Adobe"),
        (0xFE, b""),
    ],
)
def test_jpeg_segments_never_decide(segment):
    expected = np.asarray(open_image(encoded(PICTURE, "JPEG")))
    np.testing.assert_array_equal(np.asarray(open_image(jpeg_with(segment))), expected)


@pytest.mark.parametrize(
    "tags",
    [
        {305: ("H", [1] * 9)},
        {270: ("I", [2**32 - 1] * 3)},
        {34665: ("I", [2**32 - 1])},
        {700: ("H", [3])},
        {282: ("H", [0, 0, 0]), 296: ("H", [2, 2])},
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_tiff_tags_never_decide(tags, compressed):
    pixels = np.asarray(PICTURE)
    content = tiff(pixels, photometric=2, tags=tags)
    place = content.index(struct.pack("<HH", min(tags), {"H": 3, "I": 4}[tags[min(tags)][0]]))
    hostile = bytearray(content)
    hostile[place + 4 : place + 8] = b"\xff\xff\xff\x7f"  # the number of values
    for each in (content, bytes(hostile)):
        np.testing.assert_array_equal(np.asarray(open_image(each)), pixels)
    if compressed:
        stream = io.BytesIO()
        PICTURE.save(stream, "TIFF", compression="tiff_deflate", tiffinfo={305: "x" * 90})
        cut = stream.getvalue().replace(b"x" * 90, b"\xff" * 90)
        np.testing.assert_array_equal(np.asarray(open_image(cut)), pixels)


def test_big_tiff():
    stream = io.BytesIO()
    PICTURE.save(stream, "TIFF", big_tiff=True, exif=exif_of())
    picture = open_picture(stream.getvalue())
    np.testing.assert_array_equal(np.asarray(picture.image), np.asarray(PICTURE))
    assert picture.camera == "Canon EOS R5"
