"""Colours come out as a viewer shows them; a profile that says nothing new changes nothing."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from lookalike.pictures.colour import to_srgb
from lookalike.pictures.images import open_image, open_picture
from picture_files import PROPHOTO, chunk, drawn, encoded, icc


def in_space(image, profile):
    """The pixels of an sRGB picture in another space, whose file would carry the profile."""
    other = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), other, outputMode="RGB")


PICTURE = drawn(160, 120)
LINEAR, WIDE = icc(1.0), icc(1.8, PROPHOTO)


@pytest.mark.parametrize("profile", [LINEAR, WIDE], ids=["linear light", "ProPhoto"])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_copy_in_other_colours_is_seen_as_the_picture(file_format, profile):
    other = in_space(PICTURE, profile)
    expected = np.asarray(PICTURE).astype(int)
    assert np.abs(np.asarray(other) - expected).mean() > 15  # without the profile it is another
    content = encoded(other, file_format, icc_profile=profile)
    seen = np.asarray(open_image(content)).astype(int)
    assert np.abs(seen - expected).mean() < 5
    small = open_picture(content, 32)
    assert np.abs(np.asarray(small.image).mean((0, 1)) - expected.mean((0, 1))).max() < 6
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(open_image(image)), seen)


@pytest.mark.parametrize("profile", ["own", "lcms"])
def test_srgb_changes_nothing(profile):
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(PICTURE, "PNG", icc_profile=made if profile == "lcms" else None)
    np.testing.assert_array_equal(np.asarray(open_image(content)), np.asarray(PICTURE))


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile",
        LINEAR[:200],
        LINEAR[:128] + bytes(len(LINEAR) - 128),
        icc(1.0, space=b"GRAY"),  # for other pixels than these
        LINEAR[:16] + b"CMYK" + LINEAR[20:],
        bytes(5 << 20),
    ],
)
def test_damaged_or_unfit_profile_is_ignored(profile):
    content = encoded(PICTURE, "PNG", icc_profile=profile)
    np.testing.assert_array_equal(np.asarray(open_image(content)), np.asarray(PICTURE))


def test_profile_in_parts_of_a_jpeg():
    content = encoded(in_space(PICTURE, LINEAR), "JPEG", icc_profile=LINEAR)
    at = content.index(b"\xff\xe2")
    end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
    halves = [
        struct.pack(">BBH12sBB", 0xFF, 0xE2, 16 + len(half), b"ICC_PROFILE\0", number, 2) + half
        for number, half in ((2, LINEAR[200:]), (1, LINEAR[:200]))
    ]
    whole = np.asarray(open_image(content))
    split = content[:at] + b"".join(halves) + content[end:]
    np.testing.assert_array_equal(np.asarray(open_image(split)), whole)
    without = np.asarray(open_image(content[:at] + halves[0] + content[end:]))
    assert np.abs(without.astype(int) - whole).mean() > 20


def test_grey():
    grey = PICTURE.convert("L")
    light = grey.point([round(((v / 255) ** 2.2) * 255) for v in range(256)])
    for profile in (icc(1.0, space=b"GRAY"), LINEAR):  # the second fits colours alone
        seen = open_image(encoded(light, "PNG", icc_profile=profile))
        difference = np.abs(np.asarray(seen)[:, :, 0].astype(int) - np.asarray(grey))
        assert difference.mean() < 6


def test_palette_and_alpha_with_profile():
    other = in_space(PICTURE, LINEAR)
    alpha = other.copy()
    alpha.putalpha(255)
    expected = np.asarray(PICTURE).astype(int)
    for image, within in ((other.quantize(256), 12), (alpha, 5)):
        seen = np.asarray(open_image(encoded(image, "PNG", icc_profile=LINEAR))).astype(int)
        assert np.abs(seen - expected).mean() < within


def test_gamma_of_png():
    light = (np.asarray(PICTURE) / 255) ** 2.2
    content = encoded(Image.fromarray((light * 255).round().astype(np.uint8)), "PNG")

    def with_chunks(*chunks):
        seen = np.asarray(open_image(content[:33] + b"".join(chunks) + content[33:])).astype(int)
        return np.abs(seen - np.asarray(PICTURE)).mean()

    linear = chunk(b"gAMA", struct.pack(">I", 100_000))
    assert with_chunks(linear) < 6
    assert with_chunks(linear, chunk(b"sRGB", b"\0")) > 20
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert with_chunks(linear, chunk(b"iCCP", b"a\0\0" + zlib.compress(profile))) > 20
    assert with_chunks(chunk(b"gAMA", struct.pack(">I", 45_455))) > 20
    assert with_chunks(chunk(b"gAMA", struct.pack(">I", 0))) > 20


def test_cmyk_without_profile_is_as_before():
    inks = PICTURE.convert("CMYK")
    np.testing.assert_array_equal(
        np.asarray(open_image(encoded(inks, "TIFF"))), np.asarray(inks.convert("RGB"))
    )
    assert to_srgb(inks, LINEAR).tobytes() == inks.convert("RGB").tobytes()
