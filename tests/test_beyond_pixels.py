"""A file that holds more than its pixels show says so, and no other one does."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from lookalike.pictures.images import open_picture
from picture_files import chunk, drawn, encoded, tiff
from test_depth import png
from test_raw_previews import jpeg_at, raw_photo

PICTURE, OTHER = drawn(40, 30), drawn(40, 30, seed=1)


def beyond(source, least=None):
    return open_picture(source, least).beyond


def of_frames(file_format, *images):
    return encoded(images[0], file_format, save_all=True, append_images=images[1:])


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_several_pictures(file_format):
    seen = open_picture(of_frames(file_format, PICTURE, OTHER))
    assert seen.beyond == "holds several pictures"
    assert open_picture(of_frames(file_format, PICTURE)).beyond == ""
    first = open_picture(encoded(PICTURE, file_format))
    difference = np.asarray(seen.image).astype(int) - np.asarray(first.image)
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize("file_format", ["JPEG", "BMP", "PPM", "JPEG2000"])
def test_one_picture(file_format):
    assert beyond(encoded(PICTURE, file_format)) == ""


def test_gif_whose_second_frame_is_damaged():
    content = of_frames("GIF", PICTURE, OTHER)
    second = content.rindex(b"\x2c" + bytes(4))
    assert beyond(content[: second + 12]) == "holds several pictures"
    assert beyond(content[: second + 3]) == "holds several pictures"
    assert beyond(content[:second]) == ""


def page(image=PICTURE, **tags):
    pixels = image.tobytes()
    numbers = {256: 40, 257: 30, 259: 1, 262: 2, 277: 3, 278: 30, 279: len(pixels)}
    numbers |= {int(tag[1:]): value for tag, value in tags.items()}
    directory = {tag: ("I", [value]) for tag, value in numbers.items()}
    return {**directory, 258: ("H", [8, 8, 8]), 273: ("I", [pixels])}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (raw_photo(page()), ""),
        (raw_photo(page(), chain=[page(OTHER)]), "holds several pictures"),
        (raw_photo(page(), page(OTHER)), "holds several pictures"),
        (raw_photo(page(), chain=[page(_254=1), page(_255=2)]), ""),
        (raw_photo(page(), page(_254=1)), ""),
        (raw_photo(page(), chain=[page(_254=1), page(OTHER)]), "holds several pictures"),
        (raw_photo(page(_254=1), chain=[page(OTHER)]), "holds several pictures"),
        (raw_photo(page(), chain=[{305: ("s", b"no picture")}]), ""),
        (raw_photo({**page(), 37724: ("s", b"Adobe Photoshop")}), "holds layers"),
    ],
)
def test_directories_of_tiff(content, expected):
    seen = open_picture(content)
    assert seen.beyond == expected
    np.testing.assert_array_equal(np.asarray(seen.image), np.asarray(PICTURE))


def test_channels_of_tiff():
    four = np.dstack([np.asarray(PICTURE), np.full((30, 40), 9, np.uint8)])
    seen = tiff(four, photometric=2, tags={338: ("H", [0])})
    assert beyond(seen) == "holds a channel that is not shown"
    assert beyond(tiff(four, photometric=2, tags={338: ("H", [2])})) == "is transparent"
    four[..., 3] = 255
    assert beyond(tiff(four, photometric=2, tags={338: ("H", [2])})) == ""


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
@pytest.mark.parametrize("least", [None, 8])
def test_transparency(mode, least):
    image = PICTURE.convert("P" if mode == "PA" else mode).convert(mode)
    assert beyond(image, least) == ""
    mask = Image.new("L", image.size, 255)
    mask.putpixel((3, 29), 254)
    image.putalpha(mask)
    assert beyond(image, least) == "is transparent"
    if mode != "PA":
        for file_format in ("PNG", "TIFF"):
            assert beyond(encoded(image, file_format), least) == "is transparent"


def test_colours_that_are_called_transparent():
    few = PICTURE.quantize(8)
    assert beyond(encoded(few, "PNG")) == beyond(encoded(few, "GIF")) == ""
    assert beyond(encoded(few, "PNG", transparency=0)) == "is transparent"
    assert beyond(encoded(few, "GIF", transparency=0)) == "is transparent"
    unused = encoded(few, "PNG", transparency=bytes([255] * 8))
    assert beyond(unused) == ""
    values = np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50
    grey = png(values, chunk(b"tRNS", struct.pack(">H", 50)))
    colour = png(np.dstack([values] * 3), chunk(b"tRNS", struct.pack(">3H", 50, 50, 50)))
    assert beyond(grey) == beyond(colour) == "is transparent"


def test_raw_photo():
    content = raw_photo(
        {271: ("s", b"NIKON CORPORATION"), 262: ("H", [32803])}, jpeg_at(encoded(PICTURE, "JPEG"))
    )
    assert beyond(content) == "is a raw photo"


def test_pixels_alone_hold_no_more():
    assert beyond(np.asarray(PICTURE)) == beyond(PICTURE) == ""


def test_the_film_of_a_motion_photo():
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    film = b"\0\0\0\x18ftypmp42" + bytes(1000)
    assert beyond(out.getvalue()) == ""
    assert beyond(out.getvalue() + film) == "holds a film"
    assert beyond(out.getvalue() + b"MotionPhoto_Data" + film) == "holds a film"
    assert beyond(b"".join([out.getvalue(), film]), least=16) == "holds a film"
