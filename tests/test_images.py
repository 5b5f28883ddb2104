"""Every way in gives the same upright RGB; what cannot is an ImageError with name and reason."""

import io
import os
import pickle
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lookalike.images import FORMATS, ImageError, decode, open_image, read_image

# A smooth picture without symmetry: lossy formats keep it nearly, no orientation maps it to itself.
ROWS, COLUMNS = np.mgrid[:48, :64]
PICTURE = np.stack([4 * COLUMNS, 5 * ROWS, 2 * (ROWS + COLUMNS)], axis=2).clip(0, 255).astype("u1")

WRITERS = {
    "JPEG": ({"quality": 98, "subsampling": 0}, 8),
    "PNG": ({}, 0),
    "WEBP": ({"lossless": True}, 0),
    "AVIF": ({"quality": 95, "subsampling": "4:4:4"}, 8),
    "GIF": ({}, 60),
    "TIFF": ({}, 0),
    "BMP": ({}, 0),
    "JPEG2000": ({}, 2),
    "PPM": ({}, 0),
}


def encoded(file_format, image=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(PICTURE) if image is None else image
    image.save(stream, file_format, **{**WRITERS[file_format][0], **options})
    return stream.getvalue()


def pixels(source):
    image = open_image(source)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def reason(source):
    with pytest.raises(ImageError) as caught:
        open_image(source)
    assert "\n" not in caught.value.reason
    return caught.value.reason


def test_every_format_is_covered():
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize("file_format", WRITERS)
def test_formats(file_format):
    difference = np.abs(pixels(encoded(file_format)) - PICTURE)
    assert difference.max() <= WRITERS[file_format][1]


def test_every_way_in_gives_the_same(tmp_path):
    content = encoded("PNG")
    path = tmp_path / "a.png"
    path.write_bytes(content)
    alpha = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    with open(path, "rb") as file, Image.open(path) as image:
        for source in (path, str(path), content, file, image, PICTURE, alpha):
            np.testing.assert_array_equal(pixels(source), PICTURE)
        assert not file.closed
        assert image.mode == "RGB"
    gray = PICTURE[:, :, 0]
    np.testing.assert_array_equal(pixels(gray), np.dstack([gray] * 3))
    np.testing.assert_array_equal(pixels(PICTURE[::-1, ::2]), PICTURE[::-1, ::2])


MODES = "1 L P RGB RGBA CMYK YCbCr LAB HSV I F LA PA La RGBa RGBX I;16 I;16B I;16L I;16N"


@pytest.mark.parametrize("mode", MODES.split())
def test_modes(mode):
    image = Image.new(mode, (5, 4))
    assert pixels(image).shape == (4, 5, 3)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV"])
def test_colour_survives_the_mode(mode):
    np.testing.assert_allclose(pixels(Image.fromarray(PICTURE).convert(mode)), PICTURE, atol=10)


def test_lab_is_converted_by_its_meaning():
    # sRGB red is L* = 54, a* = 81, b* = 70 under D50; L* is stored × 2.55, the others + 128.
    lab = Image.merge("LAB", [Image.new("L", (1, 1), v) for v in (138, 209, 198)])
    np.testing.assert_allclose(pixels(lab)[0, 0], [255, 0, 0], atol=6)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_is_scaled_not_cut_off(file_format):
    values = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    image = Image.fromarray(values)
    expected = np.round(values / 257).astype(int)
    np.testing.assert_array_equal(pixels(encoded(file_format, image))[:, :, 0], expected)
    np.testing.assert_array_equal(pixels(image)[:, :, 0], expected)


def test_16_bit_pnm_is_scaled():
    content = b"P5 2 1 65535\n" + struct.pack(">HH", 257, 65535)
    np.testing.assert_array_equal(pixels(content)[0, :, 0], [1, 255])


def test_alpha_is_composited_on_white():
    half = Image.new("RGBA", (2, 2), (0, 0, 0, 127))
    assert set(pixels(half).ravel()) == {128}
    assert set(pixels(encoded("PNG", Image.new("LA", (2, 2), (0, 0)))).ravel()) == {255}
    palette = Image.new("P", (2, 2))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 1)
    content = encoded("PNG", palette, transparency=0)
    assert pixels(content)[0].tolist() == [[40, 50, 60], [255, 255, 255]]
    keyed = encoded("PNG", Image.new("RGB", (2, 2), (1, 2, 3)), transparency=(1, 2, 3))
    assert set(pixels(keyed).ravel()) == {255}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(file_format, orientation):
    # Found by trial, so that the test does not repeat the table it checks.
    exif = Image.Exif()
    exif[0x0112] = orientation
    for turn in [None, *Image.Transpose]:
        stored = Image.fromarray(PICTURE)
        stored = stored if turn is None else stored.transpose(turn)
        content = encoded(file_format, stored, exif=exif)
        upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
        if upright.shape == PICTURE.shape and np.abs(upright.astype(int) - PICTURE).max() <= 8:
            break
    else:
        pytest.fail("no stored form found")
    np.testing.assert_allclose(pixels(content), PICTURE, atol=8)


def test_orientation_of_a_pillow_image_and_damaged_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(encoded("PNG", exif=exif))) as image:
        assert pixels(image).shape == (64, 48, 3)
    damaged = encoded("JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert pixels(damaged).shape == PICTURE.shape


def test_first_frame():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for file_format in ("GIF", "TIFF", "WEBP"):
        content = encoded(file_format, frames[0], save_all=True, append_images=frames[1:])
        assert pixels(content)[0, 0].tolist() == [255, 0, 0]


def png(width, height, data=b""):
    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_decompression_bomb_and_panorama():
    assert "60000×60000 pixels" in reason(png(60_000, 60_000))
    # 30,000×3,000 is above the size at which Pillow warns: no warning may come out of it.
    panorama = png(30_000, 3_000, zlib.compress(bytes(30_001 * 3_000), 1))
    assert open_image(panorama).size == (30_000, 3_000)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty file"),
        (b"\0" * 1000, "not an image in a known format"),
        (b"a shopping list, renamed to .jpg", "not an image in a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image in a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image in a known format"),
        (b"\xff\xd8\xff", "damaged image"),
        (b"\x89PNG\r\n\x1a\n", "damaged image"),
        (png(0, 0), ""),
        (png(100, 100), "damaged image"),
    ],
)
def test_not_an_image(content, expected):
    assert expected in reason(content)


@pytest.mark.parametrize("file_format", WRITERS)
def test_truncated_and_flipped_bytes_never_escape(file_format):
    content = encoded(file_format)
    random = np.random.default_rng(0)
    truncated = [content[:length] for length in range(0, len(content), max(1, len(content) // 40))]
    flipped = []
    for _ in range(60):
        copy = bytearray(content)
        for place in random.integers(0, min(len(copy), 400), 3):
            copy[place] = random.integers(256)
        flipped.append(bytes(copy))
    refused = 0
    for hostile in truncated + flipped:
        try:
            assert open_image(hostile).mode == "RGB"
        except ImageError:
            refused += 1
    assert refused > len(truncated) / 2


def test_files_that_are_no_images(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == "is not a regular file"
    assert reason(tmp_path) == "is a directory"
    assert reason("/dev/zero") == "is not a regular file"
    assert reason(tmp_path / "missing.jpg") == "No such file or directory"
    assert "null" in reason("a\0b.jpg")
    (tmp_path / "loop").symlink_to("loop")
    assert "symbolic links" in reason(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_unreadable_file(tmp_path):
    path = tmp_path / "locked.png"
    path.write_bytes(encoded("PNG"))
    path.chmod(0)
    assert reason(path) == "Permission denied"


def test_file_name_that_is_not_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(path)).write_bytes(encoded("PNG"))
    assert pixels(os.fsdecode(path)).shape == PICTURE.shape
    Path(os.fsdecode(path)).write_bytes(b"text")
    with pytest.raises(ImageError) as caught:
        open_image(os.fsdecode(path))
    assert os.fsencode(caught.value.name) == path
    str(caught.value).encode("utf-8")  # can be printed


def test_bytes_are_never_a_path(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    assert reason(os.fsencode(path)) == "not an image in a known format"


def test_file_objects():
    stream = io.BytesIO(b"skipped" + encoded("PNG"))
    stream.seek(7)
    assert pixels(stream).shape == PICTURE.shape
    assert not stream.closed
    assert "binary mode" in reason(io.StringIO("text"))
    stream.close()
    assert "closed" in reason(stream)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (np.zeros((4, 4)), "must be uint8, got float64"),
        (np.zeros((4, 4, 2), np.uint8), r"got shape (4, 4, 2)"),
        (np.zeros(4, np.uint8), r"got shape (4,)"),
        (np.zeros((0, 4), np.uint8), r"got shape (0, 4)"),
        (None, "got NoneType"),
        (3, "got int"),
    ],
)
def test_sources_of_the_wrong_kind(source, expected):
    assert expected in reason(source)


def test_no_file_stays_open(tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(encoded("PNG"))
    bad.write_bytes(encoded("PNG")[:60])
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        open_image(good)
        for path in (bad, tmp_path, tmp_path / "missing"):
            assert reason(path)
    assert os.listdir("/proc/self/fd") == before


def test_read_once_for_hash_and_pixels(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    content = read_image(path)
    assert content == path.read_bytes()
    np.testing.assert_array_equal(np.asarray(decode(content, str(path))), PICTURE)


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(ImageError("a.jpg", "empty file")))
    assert (error.name, error.reason, str(error)) == ("a.jpg", "empty file", "a.jpg: empty file")


def test_heic_without_its_decoder_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "pip install 'lookalike[heif]'" in reason(b"\0\0\0\x18ftypheic" + bytes(100))


def test_heic():
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    image = heif.from_pillow(Image.fromarray(PICTURE))
    image.save(stream, quality=95, chroma=444, exif=exif.tobytes())
    turned = np.rot90(PICTURE, -1)
    np.testing.assert_allclose(pixels(stream.getvalue()), turned, atol=12)
    assert re.match("damaged image", reason(stream.getvalue()[:400]))
