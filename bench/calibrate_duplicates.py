"""What the witnesses of duplicates say of different pictures, and of copies.

    LOOKALIKE_DATA=... python bench/calibrate_duplicates.py

Draws documents (`document_kinds.py`), makes dark, blurred, noisy and burst photos of ``six/``, and
treats photos and documents as copies are treated (`treatments.py`). Prints for each kind how many
pairs of different pictures are linked and how many would be listed as *remove*, and for each
treatment how many copies are linked and how many could be removed; then the pairs of ``six/`` that
are linked. ``--only`` chooses among the tables.
"""

import argparse
import csv
import itertools
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

import lookalike as la
from document_kinds import KINDS
from lookalike.duplicates import METRIC, THRESHOLD
from lookalike.pictures.images import image_size, open_image
from lookalike.pictures.local_comparison import compare_locally
from lookalike.pictures.perceptual_hash import HIGH_BITS, LOW_BITS, bits_apart, perceptual_hash
from small_changes import CHANGES
from treatments import EDITS, OF_DOCUMENTS, OF_PHOTOS, saved

LARGE = 330
TABLES = ("photos", "copies", "bursts", "kinds", "fields", "small", "documents")


class Known(NamedTuple):
    """What is known of a picture: the file's content, its hash and its features."""

    content: bytes
    hash: bytes
    features: np.ndarray


class Witnesses:
    def __init__(self, model: Path) -> None:
        self.network = la.GoogLeNet(model)

    def know(self, contents: Sequence[bytes]) -> list[Known]:
        features = self.network.embed(list(contents))
        hashes = [perceptual_hash(open_image(each)) for each in contents]
        return [Known(*each) for each in zip(contents, hashes, features, strict=True)]


def linked(one: Known, other: Known) -> bool:
    bits = bits_apart(one.hash, other.hash)
    if bits <= LOW_BITS or one.content == other.content:
        return True
    if bits > HIGH_BITS:
        return False
    pair = one.features[None], other.features[None]
    return float(la.cdist(*pair, METRIC, dtype="float64")[0, 0]) <= THRESHOLD


def same(one: Known, other: Known) -> bool:
    if one.content == other.content:
        return True
    return compare_locally(open_image(one.content), open_image(other.content)).same


def row(name: str, *cells: object) -> None:
    print(f"| {name} | " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def table(title: str, *columns: str) -> None:
    print(f"\n{title}\n\n| | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))


def count(pairs: Sequence[tuple[Known, Known]]) -> tuple[int, int]:
    """Return how many pairs are linked, and how many of these could be removed."""
    links = [pair for pair in pairs if linked(*pair)]
    return len(links), sum(same(*pair) for pair in links)


def photo_kinds(photos: Sequence[Image.Image]) -> dict[str, list[bytes]]:
    random = np.random.default_rng(0)

    def dark(image: Image.Image) -> bytes:
        values = np.asarray(image) * 0.1 + random.normal(0, 2, (image.height, image.width, 1))
        return saved(Image.fromarray(values.clip(0, 255).astype(np.uint8)), quality=85)

    def noise(coarse: int) -> bytes:
        field = Image.fromarray(
            random.integers(0, 256, (480 // coarse, 640 // coarse, 3), np.uint8)
        )
        return saved(field.resize((640, 480), Image.Resampling.BICUBIC), quality=85)

    return {
        "dark photos": [dark(each) for each in photos],
        "blurred photos": [
            saved(each.filter(ImageFilter.GaussianBlur(min(each.size) / 25)), quality=85)
            for each in photos
        ],
        "noise": [noise(1 + i % 4 * 10) for i in range(len(photos))],
    }


def frames(image: Image.Image, seed: int, noise: float, shift: int, moved: bool) -> list[bytes]:
    """Two frames of one scene."""
    random, scene = np.random.default_rng(seed), np.asarray(image, np.float32)
    height, width = scene.shape[:2]
    side, out = max(6, min(height, width) // 12), []
    for frame in range(2):
        values = np.roll(scene, (frame * shift, frame * shift), (0, 1)).copy()
        if moved:
            y, x = height // 3, width // 3 + frame * side // 2
            values[y : y + side, x : x + side] = scene[-side - 1 : -1, -side - 1 : -1]
        values += random.normal(0, noise, scene.shape)
        out.append(saved(Image.fromarray(values.clip(0, 255).round().astype(np.uint8)), quality=90))
    return out


BURSTS: dict[str, tuple[float, int, bool]] = {
    "noise of 8 levels": (8, 0, False),
    "noise of 4 levels": (4, 0, False),
    "noise of 2 levels": (2, 0, False),
    "shifted by 2 pixels": (1, 2, False),
    "a small object moved": (1, 0, True),
}


def report_kinds(witnesses: Witnesses, photos: list[Image.Image], each: int) -> None:
    table("Different pictures of one kind, all pairs", "pairs", "linked", "remove")
    drawn: dict[str, Callable[[], list[bytes]]] = {
        kind: lambda draw=draw: [saved(draw(seed), "PNG", compress_level=1) for seed in range(each)]
        for kind, draw in KINDS.items()
    }
    of_photos = photo_kinds(photos[:each])
    for kind in [*drawn, *of_photos]:
        known = witnesses.know(drawn[kind]() if kind in drawn else of_photos[kind])
        pairs = list(itertools.combinations(known, 2))
        row(kind, len(pairs), *count(pairs))


def report_fields(each: int) -> None:
    """One field changed; the other picture as it is, re-encoded, and at 70 %."""
    table("Documents with one field changed: *remove* if they were linked", "pairs", *OF_DOCUMENTS)
    for kind, draw in KINDS.items():
        removed = Counter[str]()
        for seed in range(each):
            one, other = draw(seed), draw(seed, changed=True)
            assert one.tobytes() != other.tobytes(), (kind, seed)
            for name, treat in OF_DOCUMENTS.items():
                removed[name] += compare_locally(one, open_image(treat(other))).same
        row(kind, each, *(removed[name] for name in OF_DOCUMENTS))


def report_small(each: int) -> None:
    names = [*OF_DOCUMENTS, "JPEG 50", "50 %, JPEG 75"]
    table("Small changes that were not seen: *remove* if they were linked", "pairs", *names)
    for change, draw in CHANGES.items():
        removed = Counter[str]()
        for seed in range(each):
            one, other = draw(seed)
            for name in names:
                treat = OF_DOCUMENTS.get(name) or OF_PHOTOS[name]
                removed[name] += compare_locally(one, open_image(treat(other))).same
        row(change, each, *(removed[name] for name in names))


def report_bursts(photos: list[Image.Image], each: int) -> None:
    table("Two frames of one scene: *remove* if they were linked", "pairs", "remove")
    for name, how in BURSTS.items():
        pairs = [frames(photo, seed, *how) for seed, photo in enumerate(photos[:each])]
        row(name, len(pairs), sum(compare_locally(*map(open_image, pair)).same for pair in pairs))


def report_copies(witnesses: Witnesses, photos: list[Image.Image], small: bool) -> None:
    side = f"below {LARGE}" if small else f"of at least {LARGE}"
    table(f"Copies of {len(photos)} photos {side} pixels", "linked", "removable")
    originals = witnesses.know([saved(each, "PNG", compress_level=1) for each in photos])
    names = ("50 % size", "50 %, JPEG 75") if small else (*OF_PHOTOS, *EDITS)
    for name in names:
        treat = OF_PHOTOS.get(name) or EDITS[name]
        copies = witnesses.know([treat(photo) for photo in photos])
        links, removable = count(list(zip(originals, copies, strict=True)))
        row(name, f"{links / len(photos):.1%}", f"{removable / len(photos):.1%}")


def report_documents(each: int) -> None:
    table("Copies of documents that could be removed", "copies", *OF_DOCUMENTS)
    for kind, draw in KINDS.items():
        good = Counter[str]()
        for seed in range(each):
            one = draw(seed)
            for name, treat in OF_DOCUMENTS.items():
                good[name] += compare_locally(one, open_image(treat(one))).same
        row(kind, each, *(good[name] for name in OF_DOCUMENTS))


def report_photos(data: Path, names: list[str]) -> None:
    features = np.load(data / "six_pool5.npy")
    hashes = [perceptual_hash(open_image(data / "six" / name)) for name in names]
    words = np.frombuffer(b"".join(hashes), np.uint64).reshape(len(names), -1)
    bits = np.zeros((len(names), len(names)), np.uint16)
    for word in words.T:
        bits += np.bitwise_count(word[:, None] ^ word[None, :])
    near = la.cdist(features, features, METRIC, dtype="float64") <= THRESHOLD
    found = (bits <= LOW_BITS) | (near & (bits <= HIGH_BITS))
    table(f"Linked among {len(names):,} photos", "bits", "locally", "difference")
    for i, j in np.argwhere(np.triu(found, 1)):
        told = compare_locally(*(open_image(data / "six" / names[k]) for k in (i, j)))
        row(f"{names[i]}, {names[j]}", bits[i, j], told.reason or "same", f"{told.excess:.1f}")
    nearest = np.argsort(np.where(np.tri(len(names), dtype=bool), 999, bits), axis=None)[:400]
    alike = [
        (names[i], names[j])
        for i, j in (divmod(int(k), len(names)) for k in nearest)
        if compare_locally(*(open_image(data / "six" / names[k]) for k in (i, j))).same
    ]
    print(f"\nthe same locally, among the 400 pairs of nearest hashes: {alike}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--each", type=int, default=24, help="pictures of each kind")
    parser.add_argument("--photos", type=int, default=60, help="photos copied")
    options = parser.parse_args()
    data = Path(os.environ["LOOKALIKE_DATA"])
    with open(data / "six_rows.csv", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    sides = np.array([min(image_size(data / "six" / name)) for name in names])
    large, small = np.flatnonzero(sides >= LARGE), np.flatnonzero(sides < LARGE)

    def some(rows: np.ndarray) -> list[Image.Image]:
        spread = rows[np.linspace(0, len(rows) - 1, options.photos).astype(int)]
        return [open_image(data / "six" / names[k]) for k in spread]

    photos = some(large)
    witnesses = Witnesses(data / "googlenet.onnx")
    reports: dict[str, Callable[[], None]] = {
        "photos": lambda: report_photos(data, names),
        "copies": lambda: [
            report_copies(witnesses, photos, False),
            report_copies(witnesses, some(small), True),
        ][0],
        "bursts": lambda: report_bursts(photos, options.each),
        "kinds": lambda: report_kinds(witnesses, photos, options.each),
        "fields": lambda: report_fields(options.each),
        "small": lambda: report_small(options.each),
        "documents": lambda: report_documents(options.each),
    }
    for name in options.only:
        reports[name]()


if __name__ == "__main__":
    main()
