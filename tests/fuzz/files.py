"""Feeds damaged files to what reads files, guided by coverage: `files.py TARGET [FLAGS]`.

Targets: `index` and `catalogue` (files as they are), `signed-index` (an index whose checksums are
made right again, so that its contents are reached), `image` and `reduced` (an image in full, and at
the scale that a network needs). Every answer is right but a crash, a
hang or an error of another kind than the one that is promised. The seeds are made here, small and
valid. FLAGS are libFuzzer's, `-max_total_time=600` for one. The package must be installed, not
editable: what is instrumented is what is imported in the ordinary way.
"""

import contextlib
import io
import json
import sys
import tempfile
import warnings
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["lookalike"]):
    import lookalike as la
    from lookalike import _core
    from lookalike.distance import index_file
    from lookalike.gallery import Gallery
    from lookalike.pictures import images
from PIL import Image, ImageCms

FOLDER = Path(tempfile.mkdtemp(prefix="lookalike-fuzz-"))
QUERIES = np.random.default_rng(0).random((9, 6), dtype=np.float32)


def open_index(data: bytes) -> None:
    """Open and search an index."""
    path = FOLDER / "a.index"
    path.write_bytes(data)
    with contextlib.suppress(la.IndexFileError):
        index = la.Index.open(path)
        if index.shape[1] == QUERIES.shape[1] and len(index) >= 3:
            index.knn(QUERIES, 3)
            index.knn(QUERIES[:1], 3)


def signed(data: bytes) -> bytes:
    """Return an index file with the checksums that belong to its contents, if it has a header."""
    try:
        first, _, text, body = data.split(b"\n", 3)
        header = json.loads(text)
        for name, place in header["parts"].items():
            at, length, checksum = place
            part = np.frombuffer(body[at : at + length], np.uint8)
            if checksum is not None:
                place[2] = index_file._checksum(part)
            elif len(part):
                sums = _core.checksums(part, int(header["chunks"][name])).tobytes()
                at, length, _ = header["parts"][f"checksums of {name}"]
                body = body[:at] + sums[:length].ljust(length, b"\0") + body[at + length :]
        renewed = json.dumps(header).encode().ljust(len(text)) + b"\n"
        checksum = index_file._checksum(np.frombuffer(renewed, np.uint8)).encode()
        return b"\n".join([first, checksum, renewed + body])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return data


def open_signed_index(data: bytes) -> None:
    """Open and search an index that somebody made on purpose."""
    # An answer may be wrong and a bound without a proof: it is to be noticed, not to crash.
    with contextlib.suppress(RuntimeError):
        open_index(signed(data))


def open_catalogue(data: bytes) -> None:
    """Read all of a gallery whose catalogue is this."""
    (FOLDER / "gallery" / "catalogue.sqlite").write_bytes(data)
    with (
        contextlib.suppress(la.GalleryError),
        Gallery.open(FOLDER / "gallery", mode="r") as gallery,
    ):
        gallery.paths, gallery.labels, gallery.features  # noqa: B018
        gallery.info()


def open_image(data: bytes) -> None:
    """Decode an image; a warning would reach people without the name of the file."""
    with contextlib.suppress(la.ImageError), warnings.catch_warnings():
        warnings.simplefilter("error")
        images.open_image(data)


def open_reduced(data: bytes) -> None:
    """Decode an image at the scale that is needed; no side may fall below."""
    with contextlib.suppress(la.ImageError), warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = images.open_picture(data, least=16)
        left, top, right, bottom = picture.box
        assert picture.image.mode == "RGB"
        assert min(picture.image.size) >= min(16, picture.width, picture.height)
        assert 0 <= left < right <= picture.image.width
        assert 0 <= top < bottom <= picture.image.height


def index_seeds():
    """Small indexes of every metric."""
    rows = np.random.default_rng(1).random((12, 6), dtype=np.float32)
    for metric in la.METRICS:
        path = FOLDER / "seed.index"
        la.Index(rows, metric).save(path)
        yield path.read_bytes()


def catalogue_seeds():
    """The catalogue of a gallery with labels, files and rows without one."""
    with Gallery.create(FOLDER / "gallery", dim=6) as gallery:
        gallery.add(QUERIES, paths=[f"photo {i}" for i in range(9)], labels=["a", None, "b"] * 3)
    yield (FOLDER / "gallery" / "catalogue.sqlite").read_bytes()


def image_seeds():
    """Some small images in many formats and modes."""
    pixels = np.random.default_rng(2).integers(0, 256, (9, 11, 4), np.uint8)
    for mode in ("RGB", "RGBA", "L", "P", "CMYK", "I;16", "1"):
        for kind in ("JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP"):
            file = io.BytesIO()
            with contextlib.suppress(OSError, ValueError):
                Image.fromarray(pixels).convert("RGB").convert(mode).save(file, kind)
                yield file.getvalue()


def reduced_seeds():
    """Images that are reduced, with metadata, profiles and pixels of all depths."""
    pixels = np.random.default_rng(3).integers(0, 256, (70, 90, 3), np.uint8)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:02:29 12:30:45"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind, options in (
        ("JPEG", {"quality": 20}),
        ("JPEG", {"quality": 20, "progressive": True}),
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_deflate", "exif": b""}),
        ("TIFF", {"big_tiff": True}),
        ("WEBP", {"quality": 20}),
    ):
        file = io.BytesIO()
        image.save(file, kind, **{"exif": exif.tobytes(), "icc_profile": profile, **options})
        yield file.getvalue()
    grey = np.linspace(0, 1, 6300).reshape(70, 90)
    for deep in (grey.astype("f4"), (grey * 4095).astype("u2"), (grey * 2**31 - 1).astype("i4")):
        file = io.BytesIO()
        Image.fromarray(deep).save(file, "TIFF")
        yield file.getvalue()
    yield from image_seeds()


TARGETS = {
    "index": (open_index, index_seeds),
    "signed-index": (open_signed_index, index_seeds),
    "catalogue": (open_catalogue, catalogue_seeds),
    "image": (open_image, image_seeds),
    "reduced": (open_reduced, reduced_seeds),
}


def main() -> None:
    """Make the seeds and hand over."""
    target, seeds = TARGETS[sys.argv[1]]
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / str(number)).write_bytes(seed)
        target(seed)  # a seed is to be read
    flags = [
        "-timeout=30",
        "-rss_limit_mb=4096",
        f"-artifact_prefix={FOLDER}/",
        "-max_len=65536",
        "-len_control=0",
    ]
    atheris.Setup([sys.argv[0], str(corpus), *flags, *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
