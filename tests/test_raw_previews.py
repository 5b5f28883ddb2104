"""Of raw photos the camera's own JPEG is seen; what no decoder here reads is counted."""

import contextlib
import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest

from lookalike.gallery import Gallery
from lookalike.pictures import raw_preview
from lookalike.pictures.formats import IMAGE_SUFFIXES, UNREAD_SUFFIXES, unread_remarks
from lookalike.pictures.ifd import TagFile
from lookalike.pictures.images import ImageError, image_size, open_image, open_picture
from lookalike.pictures.jpeg import JpegParts
from picture_files import drawn, encoded
from tiny_embedder import WIDTH, TinyEmbedder

LARGE, SMALL = encoded(drawn(320, 200), "JPEG"), encoded(drawn(80, 50), "JPEG")
CODES = {"H": 3, "I": 4, "s": 2}


def raw_photo(*directories, order="<", mark=b"", chain=()):
    """A TIFF file of directories {tag: (code, values)}; those in `chain` follow the first.

    A value of bytes stands for the place and ("size", bytes) for the length of what is put there.
    """
    out = bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4) + mark.ljust(8, b"\0")
    places = {}

    def place(data):
        if data not in places:
            places[data] = len(out)
            out.extend(data + b"\0" * (len(data) % 2))
        return places[data]

    def write(entries, following=0):
        packed = []
        for tag, (code, values) in sorted(entries.items()):
            if code == "s":
                data, count = values + b"\0", len(values) + 1
            else:
                numbers = [place(v) if isinstance(v, bytes) else v for v in values]
                data, count = struct.pack(f"{order}{len(numbers)}{code}", *numbers), len(numbers)
            if len(data) > 4:
                data = struct.pack(order + "I", place(data))
            packed.append(
                struct.pack(order + "HHI", tag, CODES[code], count) + data.ljust(4, b"\0")
            )
        at = len(out)
        out.extend(struct.pack(order + "H", len(packed)) + b"".join(packed))
        out.extend(struct.pack(order + "I", following))
        return at

    first, *others = directories
    subs = [write(each) for each in others]
    following = 0
    for each in reversed(chain):
        following = write(each, following)
    if subs:
        first = {**first, 330: ("I", subs)}
    out[4:8] = struct.pack(order + "I", write(first, following))
    return bytes(out)


def jpeg_at(content, new=True):
    if new:
        return {513: ("I", [content]), 514: ("I", [len(content)])}
    return {273: ("I", [content]), 279: ("I", [len(content)]), 259: ("H", [6])}


SENSOR = {256: ("I", [4000]), 257: ("I", [3000]), 262: ("H", [32803]), 259: ("H", [34713])}
TINY = {256: ("I", [8]), 257: ("I", [6]), 262: ("H", [2]), 254: ("I", [1])}
NIKON = {271: ("s", b"NIKON CORPORATION"), 272: ("s", b"NIKON D90"), 274: ("H", [8])}
LOSSLESS = b"\xff\xd8\xff\xc3\0\x0b\x0e\x10\0\x10\0\1\1\x11\0\xff\xda\0\x08\1\1\0\1\0\0\xff\xd9"

PHOTOS = {
    "NEF": raw_photo({**TINY, **NIKON}, jpeg_at(LARGE), SENSOR, order=">"),
    "ARW": raw_photo({**jpeg_at(LARGE), 271: ("s", b"SONY"), 274: ("H", [8])}, SENSOR),
    "DNG": raw_photo(
        {**TINY, 50706: ("I", [0x00000401]), 274: ("H", [8])},
        SENSOR,
        {**jpeg_at(SMALL, new=False)},
        {**jpeg_at(LARGE, new=False)},
    ),
    "CR2": raw_photo(
        {**jpeg_at(LARGE, new=False), 271: ("s", b"Canon"), 274: ("H", [8])},
        mark=b"CR\2\0",
        chain=[jpeg_at(SMALL), jpeg_at(LOSSLESS, new=False)],
    ),
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_preview_of(kind):
    picture = open_picture(PHOTOS[kind])
    assert picture.format == kind
    assert (picture.width, picture.height) == (200, 320)  # turned as the raw photo says
    np.testing.assert_array_equal(
        np.asarray(picture.image), np.rot90(np.asarray(open_image(LARGE)))
    )
    assert image_size(PHOTOS[kind]) == (320, 200)
    assert open_picture(PHOTOS[kind], 20).image.size == (25, 40)


def test_camera_of_a_raw_photo():
    assert open_picture(PHOTOS["NEF"]).camera == "NIKON D90"


@pytest.mark.parametrize(
    "content",
    [
        raw_photo({**TINY, **NIKON}, SENSOR),
        raw_photo({**TINY, **NIKON}, SENSOR, jpeg_at(b"\xff\xd8\xff\xe0 no picture")),
        raw_photo({**TINY, **NIKON}, SENSOR, jpeg_at(LOSSLESS)),
        raw_photo({**TINY, **NIKON}, SENSOR, {513: ("I", [2**32 - 1]), 514: ("I", [9])}),
    ],
)
def test_raw_photo_without_preview(content):
    with pytest.raises(ImageError, match="a raw photo without a JPEG preview"):
        open_image(content)


def test_damaged_raw_photos_are_refused_or_seen():
    random = np.random.default_rng(0)
    for content in PHOTOS.values():
        for _ in range(60):
            damaged = bytearray(content)
            for place in (
                *random.integers(0, 24, 2),
                *random.integers(len(content) - 300, len(content), 3),
            ):
                damaged[place] = random.integers(256)
            with contextlib.suppress(ImageError):
                assert open_picture(bytes(damaged), 20).image.mode == "RGB"


def test_directories_that_lead_in_circles():
    content = bytearray(PHOTOS["NEF"])
    first = int.from_bytes(content[4:8], "big")
    content[-4:] = struct.pack(">I", first)  # the first is written last, and follows itself
    assert open_picture(bytes(content)).width == 200


def test_directories_that_name_each_other_again_and_again():
    count, most = 8, 1 << 16
    places = [8 + 18 * number for number in range(count)]
    array = 8 + 18 * count
    named = struct.pack("<HHHII", 1, 330, 4, most, array) + bytes(4)
    content = b"II*\0" + struct.pack("<I", 8) + named * count
    file = TagFile(content + struct.pack(f"<{most}I", *places * (most // count)))
    before = time.process_time()
    assert len(list(file.directories())) == count
    assert time.process_time() - before < 3  # not a step for each name of each
    chain = raw_photo({305: ("s", b"first")}, chain=[{305: ("s", b"next")}] * 99)
    assert len(list(TagFile(chain).directories())) == 64
    for first in (0, 2**32 - 1):
        assert len(list(TagFile(b"II*\0" + struct.pack("<I", first)).directories())) == 1


def test_memory_does_not_grow_with_the_number_of_previews(monkeypatch):
    large = LARGE + bytes(1 << 20)
    content = raw_photo(
        NIKON, SENSOR, *[jpeg_at(large, new) for new in (True, False) for _ in "12"]
    )
    looked = []
    monkeypatch.setattr(raw_preview, "jpeg_parts", lambda each: looked.append(1) or JpegParts(each))
    assert raw_preview.largest_preview(TagFile(content)) is None
    assert len(looked) == 1  # four directories name one place
    monkeypatch.undo()
    at = 16
    ends = [{513: ("I", [at]), 514: ("I", [len(large) - number])} for number in range(40)]
    content = raw_photo(NIKON, {**SENSOR, **jpeg_at(large)}, *ends)
    assert content.index(large) == at
    tracemalloc.start()
    assert raw_preview.largest_preview(TagFile(content)).size == (320, 200)
    assert tracemalloc.get_traced_memory()[1] < 5 * len(large)
    tracemalloc.stop()


def test_index_says_in_a_line_what_it_does_not_read(tmp_path):
    (tmp_path / "photos" / "films").mkdir(parents=True)
    for name in ("a.JXL", "b.psd", "films/c.mov", "films/d.MOV", "notes.txt", ".e.mov"):
        (tmp_path / "photos" / name).write_bytes(b"...")
    (tmp_path / "photos" / "a.nef").write_bytes(PHOTOS["NEF"])
    with Gallery.create(tmp_path / "gallery", dim=WIDTH) as gallery:
        for _ in range(2):
            report = gallery.add(tmp_path / "photos", embedder=TinyEmbedder())
            expected = "4 files of kinds that are not read: 2 .mov, 1 .jxl, 1 .psd"
            assert report.notes == [expected]
        assert len(gallery) == 1


def test_kinds_that_are_not_read(monkeypatch):
    assert not IMAGE_SUFFIXES & UNREAD_SUFFIXES
    counts = {b".psd": 2, b".mov": 1200, b".heic": 3, b".txt": 7, b".jpg": 9}
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert unread_remarks(counts) == [
        "1,202 files of kinds that are not read: 1,200 .mov, 2 .psd",
        "3 files of HEIC need a decoder: pip install 'lookalike[heif]'",
    ]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert len(unread_remarks(counts)) == 1
    assert unread_remarks({}) == []
