"""Pixels of more than 8 bits: black is black and white is white, whatever type holds them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from lookalike.pictures.images import ImageError, decode, open_image, open_picture
from picture_files import chunk, drawn, tiff

RAMP = np.linspace(0, 1, 256)[None].repeat(4, axis=0)
SHORTS, LONGS, SIGNED, FLOAT = 1, 1, 2, 3


def grey(content):
    pixels = np.asarray(open_image(content)).astype(int)
    assert (pixels == pixels[:, :, :1]).all()
    return pixels[:, :, 0]


def assert_ramp(content, within=1):
    np.testing.assert_allclose(grey(content), RAMP * 255, atol=within)
    small = open_picture(content, 2).image
    assert np.asarray(small)[0, 0, 0] < 4
    assert np.asarray(small)[0, -1, 0] > 251


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("white", "dtype"),
    [
        (1.0, np.float32),
        (255, np.float32),
        (65535, np.float32),
        (1 / 64, np.float32),
        (255, np.uint16),
        (1023, np.uint16),
        (4095, np.uint16),
        (65535, np.uint16),
        (1023, np.int16),
        (2**31 - 1, np.int32),
        (4095, np.int32),
    ],
)
def test_values_tell_what_white_is(white, dtype, order):
    assert_ramp(tiff((RAMP * white).astype(dtype), order=order))


def test_full_range_of_signed_and_unsigned_integers():
    signed = (RAMP * (2**32 - 1) - 2**31).astype(np.int32)
    assert_ramp(tiff(signed))
    assert_ramp(tiff((RAMP * 65535 - 32768).astype(np.int16)))
    assert_ramp(tiff((RAMP * (2**32 - 1)).astype(np.uint32)))


def test_dark_picture_of_16_bits_stays_dark():
    # From 4,096 on, values may well be those of a dark picture.
    np.testing.assert_allclose(grey(tiff((RAMP * 8000).astype(np.uint16))), RAMP * 31.1, atol=1)
    np.testing.assert_allclose(grey(tiff((RAMP * 0.2).astype(np.float32))), RAMP * 51, atol=1)


def test_stated_range():
    stated = {340: ("H", [1000]), 341: ("H", [21_000])}
    assert_ramp(tiff((RAMP * 20_000 + 1000).astype(np.uint16), tags=stated))
    stated = {340: ("f", [-2.0]), 341: ("f", [6.0])}
    assert_ramp(tiff((RAMP * 8 - 2).astype(np.float32), tags=stated))
    # Black where it says that white is below black.
    senseless = {340: ("H", [9]), 341: ("H", [3])}
    assert_ramp(tiff((RAMP * 65535).astype(np.uint16), tags=senseless))


def test_float_of_unknown_range_is_refused():
    for values, words in (
        (RAMP * 2 - 1, "float pixels from -1 to 1, and no range is stated"),
        (np.where(RAMP > 0.5, np.nan, RAMP), "some of its pixels are not finite numbers"),
        (np.where(RAMP > 0.5, np.inf, RAMP), "some of its pixels are not finite numbers"),
    ):
        with pytest.raises(ImageError, match=words):
            open_image(tiff(values.astype(np.float32)))
    # What sharpening leaves below black and above white is black and white.
    assert_ramp(tiff((RAMP * 1.02 - 0.01).astype(np.float32)), within=4)


@pytest.mark.parametrize("tags", [{}, {340: ("f", [0.0]), 341: ("f", [1.0])}])
@pytest.mark.parametrize("place", [0, 600, 1199])
def test_one_pixel_that_is_no_number(place, tags):
    values = np.linspace(0, 1, 1_200_000, dtype=np.float32).reshape(1200, 1000)  # several strips
    open_image(tiff(values, tags=tags))
    for wrong in (np.nan, np.inf, -np.inf):
        values[place, 10] = wrong
        with pytest.raises(ImageError, match="some of its pixels are not finite numbers"):
            open_image(tiff(values, tags=tags))


@pytest.mark.parametrize("white", [4095, 65535])
def test_white_is_zero(white):
    ramp = tiff((white - RAMP * white).astype(np.uint16), photometric=0)
    assert_ramp(ramp)
    with Image.open(io.BytesIO(ramp)) as image:
        np.testing.assert_allclose(np.asarray(open_image(image))[:, :, 0], RAMP * 255, atol=1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_colours_of_10_12_and_16_bits(white, order):
    colours = np.stack([RAMP, RAMP[:, ::-1], RAMP * 0.5], axis=-1)
    content = tiff((colours * white).astype(np.uint16), photometric=2, order=order)
    for least in (None, 2):
        pixels = np.asarray(open_picture(content, least).image).astype(int)
        assert pixels[0, 0, 1] > 250 > 4 > pixels[0, 0, 0]
        assert 120 < pixels[0, -1, 2] < 130
    np.testing.assert_allclose(open_image(content), colours * 255, atol=1)


def test_compressed_colours_of_12_bits():
    # Through libtiff, which gives samples in the order of this machine.
    colours = (np.stack([RAMP] * 3, axis=-1) * 4095).astype(np.uint16)
    plain = tiff(colours, photometric=2, order=">")
    packed = zlib.compress(colours.astype(">u2").tobytes())
    content = tiff(
        colours,
        photometric=2,
        order=">",
        tags={259: ("H", [8]), 273: ("I", [len(plain)]), 279: ("I", [len(packed)])},
    )
    content = content.ljust(len(plain), b"\0") + packed
    assert_ramp(content)


def png(samples, *chunks):
    samples = np.ascontiguousarray(samples)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[1 if samples.ndim == 2 else samples.shape[2]]
    bits = samples.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], bits, colour, 0, 0, 0)
    rows = b"".join(
        b"\0" + row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_png_of_fewer_bits_than_it_stores():
    values = (RAMP * 16383).astype(np.uint16)
    assert grey(png(values)).max() == 64  # nothing stated, and 14 bits may be a dark picture
    assert_ramp(png(values, chunk(b"sBIT", b"\x0e")))
    # As the standard has it, samples are scaled to the full depth, and sBIT says how they were.
    full = (RAMP * 65535).astype(np.uint16)
    assert_ramp(png(full, chunk(b"sBIT", b"\x0e")))
    colours = np.stack([values] * 3, axis=-1)
    assert_ramp(png(colours, chunk(b"sBIT", b"\x0e" * 3)))
    assert_ramp(png(np.stack([(RAMP * 4095).astype(np.uint16)] * 3, axis=-1)))
    alpha = np.dstack([colours // 4, np.full_like(values, 65535)])
    assert_ramp(png(alpha))


def test_transparency_of_16_bit_grey():
    values = (RAMP * 65535).astype(np.uint16)
    seen = grey(png(values, chunk(b"tRNS", struct.pack(">H", values[0, 100]))))
    assert (seen[:, 100] == 255).all()
    np.testing.assert_allclose(np.delete(seen, 100, 1), np.delete(RAMP, 100, 1) * 255, atol=1)


def test_12_bits_packed():
    values = (RAMP * 2000).astype(np.uint16)  # BitsPerSample says that white is 4,095
    high, low = values[:, ::2].astype(int), values[:, 1::2].astype(int)
    packed = np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], -1).astype(np.uint8)
    content = tiff(
        packed.reshape(4, -1),
        bits=12,
        tags={256: ("I", [256])},
    )
    np.testing.assert_allclose(grey(content), RAMP * 2000 / 4095 * 255, atol=1)


def test_pixels_of_a_kind_that_is_not_decoded():
    colours = np.stack([RAMP] * 3, axis=-1).astype(np.float32)
    with pytest.raises(ImageError, match=r"its kind of pixels \(bits, samples or colours\)"):
        open_image(tiff(colours, photometric=2))


def test_pillow_images_of_deep_modes():
    for array in (
        RAMP.astype(np.float32),
        (RAMP * 4095).astype(np.uint16),
        (RAMP * (2**31 - 1)).astype(np.int32),
    ):
        seen = np.asarray(open_image(Image.fromarray(array)))[:, :, 0]
        np.testing.assert_allclose(seen, RAMP * 255, atol=1)
    stream = io.BytesIO()
    Image.fromarray((RAMP * 65535).astype(np.uint16)).save(stream, "JPEG2000")
    assert_ramp(stream.getvalue(), within=3)
    assert TiffImagePlugin.READ_LIBTIFF is False  # the settings of the process are its own


def in_planes(values, extra=()):
    """A TIFF file that holds the samples of each colour in a strip of their own."""
    planes = np.moveaxis(values, 2, 0)
    strips = {
        273: ("I", [8 + planes[0].nbytes * each for each in range(len(planes))]),
        279: ("I", [planes[0].nbytes] * len(planes)),
    }
    return tiff(
        np.ascontiguousarray(planes).reshape(values.shape),
        photometric=2,
        tags={284: ("H", [2]), **strips, **dict(extra)},
    )


def test_colours_in_planes():
    colours = np.asarray(drawn(40, 30))
    np.testing.assert_array_equal(np.asarray(decode(in_planes(colours))), colours)
    grey_alone = tiff(colours[:, :, 0], tags={284: ("H", [2])})
    np.testing.assert_array_equal(grey(grey_alone), colours[:, :, 0])
    with pytest.raises(ImageError, match="only if of 8 bits each"):
        decode(in_planes(colours.astype(np.uint16) * 257))
    for kind in (0, 1, 2):
        four = np.dstack([colours, np.full((30, 40), 255, np.uint8)])
        with pytest.raises(ImageError, match="only without further samples"):
            decode(in_planes(four, {338: ("H", [kind])}))
