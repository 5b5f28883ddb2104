"""At a smaller scale a picture is what it is in full; what is large is decoded all the same."""

import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.embedding.preprocessing import BVLC
from lookalike.pictures.images import ImageError, image_size, open_image, open_picture
from lookalike.pictures.picture import Noted
from picture_files import SAVED, drawn, encoded

LEAST = 64
SMALL = BVLC.__class__(size=LEAST // 2, crop=LEAST // 2)
SIZES = [(300, 260), (301, 523), (1031, 517), (67, 2000)]


def network_input(content, least, preprocessing=SMALL):
    picture = open_picture(content, least)
    return preprocessing(picture.image, box=picture.box)


@pytest.mark.parametrize("file_format", SAVED)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "{}x{}".format(*size))
def test_scaled_is_near_full(file_format, size):
    content = encoded(drawn(*size), file_format)
    picture = open_picture(content, LEAST)
    assert min(picture.image.size) >= min(LEAST, *size)
    assert (picture.width, picture.height) == size
    full, scaled = network_input(content, None), network_input(content, LEAST)
    assert np.abs(full - scaled).mean() < 1.2
    assert np.abs(full - scaled).max() < 14
    if min(size) >= 3 * LEAST:
        assert picture.image.width < size[0]  # it was reduced


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_box_follows_the_turn(file_format, orientation):
    # 1,031 is 7 more than a multiple of 8: without the box the picture would be shifted.
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(drawn(1031, 517), file_format, exif=exif)
    full, scaled = open_picture(content), open_picture(content, LEAST)
    assert (full.width, full.height) == full.image.size == (scaled.width, scaled.height)
    assert (full.width > full.height) == (orientation < 5)
    for preprocessing in (SMALL, SMALL.__class__(size=32, crop=28, keep_aspect=True)):
        expected = preprocessing(full.image)
        assert np.abs(expected - preprocessing(scaled.image, box=scaled.box)).mean() < 1.2
    width, height = scaled.image.size
    left, top, right, bottom = scaled.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (right - left) / (bottom - top) == pytest.approx(full.width / full.height)


def test_ramp_is_not_shifted():
    # Each pixel says where it lies. Of 521 pixels the last eighth stands for one: taken for a whole
    # one it would shift what is beside it by three levels.
    across = np.tile(np.linspace(0, 255, 521), (521, 1)).round().astype(np.uint8)
    for file_format in ("JPEG", "PNG"):
        content = encoded(Image.fromarray(across).convert("RGB"), file_format)
        difference = network_input(content, LEAST) - network_input(content, None)
        assert abs(difference.mean()) < 0.3
        assert np.abs(difference[:, :, :-1]).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_modes_are_reduced_as_what_they_show(mode):
    picture = drawn(620, 500)
    if mode in ("RGBA", "LA"):
        picture.putalpha(drawn(620, 500, 1).convert("L"))
    if mode in ("I;16", "I", "F"):
        grey = np.asarray(picture.convert("L"))
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        picture = Image.fromarray(grey.astype(kind) * kind(257 if mode != "F" else 1))
    else:
        picture = picture.convert(mode)
    assert picture.mode == mode
    content = encoded(picture, "TIFF" if mode != "LA" else "PNG")
    full, scaled = network_input(content, None), network_input(content, LEAST)
    assert np.abs(full - scaled).mean() < 1.5
    reduced = open_picture(content, LEAST).image
    assert reduced.mode == "RGB"
    assert reduced.width < 620


def test_hidden_colours_do_not_enter_a_mean():
    pixels = np.zeros((512, 512, 4), np.uint8)
    pixels[:, :, 0] = 255
    pixels[:, ::2] = [0, 255, 0, 0]  # green, but nowhere to be seen
    nothing = encoded(Image.fromarray(pixels), "PNG")
    assert set(np.asarray(open_picture(nothing, LEAST).image).ravel()) == {255}
    pixels[:, 1::2, 3] = 255
    seen = np.asarray(open_picture(encoded(Image.fromarray(pixels), "PNG"), LEAST).image)
    assert seen[0, 0].tolist() in ([255, 153, 153], [255, 152, 152])  # 2 of 5


def test_a_result_depends_on_the_picture_alone():
    contents = [encoded(drawn(700 + i, 520, i), "JPEG", progressive=i % 2) for i in range(8)]
    alone = [network_input(content, LEAST) for content in contents]
    results = {}

    def work(number):
        for turn in range(8):
            at = (number + turn) % 8
            results[number, at] = network_input(contents[at], LEAST)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 32
    for (_, at), result in results.items():
        np.testing.assert_array_equal(result, alone[at])


def jpeg_header(width, height, marker=0xC0, scan_components=3):
    """The header of a JPEG with chroma halved both ways, up to its first scan."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0])
    scan = bytes([scan_components, *(1, 0, 2, 0, 3, 0)[: 2 * scan_components], 0, 63, 0])
    segments = [(marker, frame), (0xDA, scan)]
    return b"\xff\xd8" + b"".join(
        struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments
    )


def reason(content):
    with pytest.raises(ImageError) as caught:
        open_picture(content, 512)
    return caught.value.reason


def test_coefficients_of_several_scans_have_a_budget():
    # 14,000×14,000 pixels: 6 bytes for 4 of them. Refused before anything is decoded.
    size = (14_000, 14_000)
    refused = "14000×14000 pixels in several scans: decoding takes 560 MiB beside the pixels, "
    assert reason(jpeg_header(*size, 0xC2)).startswith(refused + "more than the 400 that are used")
    assert reason(jpeg_header(*size, 0xC0, 1)).startswith(refused)
    assert "several scans" not in reason(jpeg_header(*size))  # no picture follows, but no budget
    assert "several scans" not in reason(jpeg_header(4000, 4000, 0xC2))


def test_most_pixels():
    assert "20000×20000 pixels, more than the 268,435,456" in reason(
        jpeg_header(20_000, 20_000) + b"\xff\xd9"
    )


PEAK = """
import sys
from lookalike.pictures.images import open_picture
def kept(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key))
open_picture(b"P5 3 2 255 ......", 2)
before = kept("VmRSS:")
picture = open_picture(sys.argv[1], 512)
print((kept("VmHWM:") - before) // 1024, picture.width, *picture.image.size)
"""


def peak(path):
    run = subprocess.run(
        [sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True
    )
    return [int(word) for word in run.stdout.split()]


def flat_jpeg(width, height, **options):
    """A large JPEG that takes little to write."""
    return encoded(Image.new("L", (width, height), 99), "JPEG", **options)


@pytest.mark.long
def test_peak_memory_of_large_photos(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (8160, 6120), "teal").save(path)
    mebibytes, *sizes = peak(path)
    assert sizes == [8160, 1020, 765]
    assert mebibytes < 100
    path.write_bytes(flat_jpeg(16_320, 12_240))  # 200 megapixels
    mebibytes, *sizes = peak(path)
    assert sizes == [16_320, 2040, 1530]
    assert mebibytes < 100


def test_large_pictures_warn_of_nothing():
    # Pillow warns above 89 megapixels, and here a warning is an error.
    content = encoded(Image.new("1", (30_000, 3_100)), "TIFF", compression="group4")
    picture = open_picture(content, 512)
    assert (picture.width, picture.height) == (30_000, 3_100)
    assert picture.image.size == (7500, 775)


def test_who_looks_at_contents_sees_the_reduced_picture():
    content = Noted(encoded(drawn(700, 520), "JPEG")).looked_at_by(lambda seen: seen)
    picture = open_picture(content, LEAST)
    assert content.seen is picture
    assert picture.format == "JPEG"


def cut(content, count):
    assert content.endswith(b"\xff\xd9")
    return content[: len(content) - count]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("least", [None, LEAST])
def test_jpeg_without_its_end_marker(progressive, least):
    content = encoded(drawn(400, 300), "JPEG", progressive=progressive)
    whole = np.asarray(open_picture(content, least).image)
    for missing in (1, 2):
        seen = open_picture(cut(content, missing), least).image
        np.testing.assert_array_equal(np.asarray(seen), whole)
    for missing in (40, len(content) // 2):
        with pytest.raises(ImageError, match="a part of the picture is missing"):
            open_picture(cut(content, missing), least)


def test_progressive_jpeg_whose_last_scans_are_missing():
    content = encoded(drawn(200, 150), "JPEG", progressive=True)
    scans = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xda"]
    tables = content.rindex(b"\xff\xc4", 0, scans[-1])
    with pytest.raises(ImageError, match="a part of the picture is missing"):
        open_image(content[:tables])


def test_jpeg_without_its_end_marker_that_begins_scans_a_million_times():
    content = cut(encoded(drawn(64, 48), "JPEG"), 22)
    before = time.process_time()
    for repeated in (b"\xff\xda", b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\xff\0"):
        assert "damaged" in reason(content + repeated * ((2 << 20) // len(repeated)))
    assert time.process_time() - before < 5  # not a copy of the rest for each


@pytest.mark.skipif("LOOKALIKE_DATA" not in os.environ, reason="LOOKALIKE_DATA is not set")
@pytest.mark.long
def test_features_of_photos_drawn_large():
    from lookalike import GoogLeNet
    from lookalike.distance import cdist

    folder = Path(os.environ["LOOKALIKE_DATA"])
    network = GoogLeNet(folder / "googlenet.onnx")
    photos = sorted((folder / "six").rglob("*.jpg"))[::440]  # one of each category
    scaled, full = [], []
    for number, photo in enumerate(photos):
        image = open_image(photo)
        size = [side * (4 + number % 5) + number % 8 for side in image.size]
        large = encoded(
            image.resize(size, Image.Resampling.LANCZOS), ("JPEG", "PNG")[number % 2], quality=90
        )
        scaled.append(large)
        full.append(np.asarray(open_image(large)))
    scaled = network.embed(scaled)
    inputs = np.stack([network.preprocessing(Image.fromarray(pixels)) for pixels in full])
    session = network._open_session()
    full = session.run(None, {session.get_inputs()[0].name: inputs})[0]
    pairs = {
        metric: np.diag(cdist(scaled, full, metric, dtype="float64"))
        for metric in ("cosine", "braycurtis")
    }
    assert pairs["cosine"].max() <= 3e-4
    assert pairs["braycurtis"].max() <= 0.014


def test_size_without_decoding():
    assert image_size(encoded(drawn(301, 260), "JPEG")) == (301, 260)
    assert image_size(encoded(drawn(301, 260), "TIFF")) == (301, 260)
    header = struct.pack(">IIBBBBB", 40_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    assert image_size(content) == (40_000, 30_000)
