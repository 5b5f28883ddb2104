"""Which distance tells duplicates from look-alikes, and where to draw the line.

    LOOKALIKE_DATA=... python bench/calibrate_threshold.py

Plants duplicates: every 8th photo of ``six/`` re-encoded, resized, turned by EXIF and cropped, as
photos are on their way through cameras, chats and web sites. Then, for each metric: the share of
planted copies within a threshold (recall) against the number of pairs of different photos of
``six/`` within it (false pairs), and for one metric the recall of each treatment. ``--first 4``
plants other photos than those the threshold was chosen on.

``--nearest FILE.html`` writes the nearest pairs of photos as a page, to be looked at: SAME lists
those that are the same picture twice and so not false.
"""

import argparse
import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import lookalike as la
from lookalike.duplicates import METRIC, THRESHOLD
from lookalike.gallery.hits import Hits
from lookalike.pages.cards import write_search_page
from lookalike.pictures.images import image_size, open_image
from treatments import EDITS, OF_PHOTOS

Array = np.ndarray

TREATMENTS = {
    name: OF_PHOTOS[name] if name in OF_PHOTOS else EDITS[name]
    for name in (
        *(f"JPEG {quality}" for quality in (95, 90, 80, 70, 60, 50)),
        *(f"{percent} % size" for percent in (90, 80, 70, 60, 50)),
        *("EXIF 3", "EXIF 6", "EXIF 8", "PNG", "crop 1 %", "crop 2 %", "crop 3 %", "crop 5 %"),
    )
}
SLIGHT = [name for name in TREATMENTS if name not in ("crop 3 %", "crop 5 %")]
"""What the threshold has to find; the larger crops show where it ends."""


SAME = [
    ("Tree/tree_185", "Tree/tree_398"),
    ("Tree/tree_339", "Tree/tree_382"),
    ("Tree/tree_019", "Tree/tree_132"),
    ("Construction/construction_218", "Construction/construction_251"),
    ("Food/food_132", "Food/food_134"),
    ("Food/food_258", "Food/food_431"),
    ("Food/food_362", "Food/food_376"),
    ("Invertebrate/invertebrate_182", "Invertebrate/invertebrate_419"),
    ("Invertebrate/invertebrate_250", "Invertebrate/invertebrate_321"),
    ("Invertebrate/invertebrate_283", "Invertebrate/invertebrate_400"),
]
"""One picture twice, to the eye: resized, cropped, mirrored, recoloured, on other grounds."""

LARGE = 330
FALSE_PAIRS = (0, 1, 3, 10, 30, 100)


def planted(photos: list[Path]) -> Iterator[bytes]:
    for photo in photos:
        image = open_image(photo)
        for treatment in TREATMENTS.values():
            yield treatment(image)


def features(photos: list[Path], chosen: list[Path], model: Path) -> tuple[Array, Array]:
    """Features of all photos, (n, 1024), and of the planted, (photo, treatment, 1024)."""
    network = la.GoogLeNet(model)
    print(f"model {model.name}, space {network.space}", flush=True)
    originals = network.embed(photos, progress=True)
    copies = network.embed(planted(chosen))
    return originals, copies.reshape(len(chosen), len(TREATMENTS), -1)


def distances_of_copies(originals: Array, copies: Array, metric: str) -> Array:
    """Distance of each copy to its own original, (photo, treatment)."""
    return np.concatenate(
        [
            la.cdist(original[None], of_it, metric, dtype="float64")
            for original, of_it in zip(originals, copies, strict=True)
        ]
    )


def distances_of_others(names: list[str], originals: Array, metric: str) -> Array:
    """Sorted distances of all pairs of photos but those in SAME."""
    row = {name.removesuffix(".jpg"): i for i, name in enumerate(names)}
    matrix = la.cdist(originals, originals, metric, dtype="float64")
    for a, b in SAME:
        matrix[row[a], row[b]] = matrix[row[b], row[a]] = np.inf
    return np.sort(matrix[np.triu_indices(len(matrix), 1)])


def write_nearest(page: Path, photos: list[Path], originals: Array, metric: str, most: int) -> None:
    matrix = la.cdist(originals, originals, metric, dtype="float64")
    matrix[np.tril_indices(len(matrix))] = np.inf
    nearest = np.unravel_index(np.argsort(matrix, axis=None)[:most], matrix.shape)
    found = [
        (
            str(photos[i]),
            Hits([str(photos[j])], matrix[i, j][None], np.array([j]), [photos[j].parent.name]),
        )
        for i, j in zip(*nearest, strict=True)
    ]
    write_search_page(str(page), found, metric, None, absolute=False)


def report(
    names: list[str],
    originals: Array,
    every: slice,
    copies: Array,
    short_sides: Array,
    metric: str,
) -> None:
    slight = [i for i, name in enumerate(TREATMENTS) if name in SLIGHT]
    pairs = len(originals) * (len(originals) - 1) // 2
    print(f"\n{len(copies)} photos × {len(slight)} slight treatments, {pairs:,} pairs of photos")
    print("recall (threshold) of the slight treatments where this many pairs are false:")
    print("  " + "metric".ljust(12) + "".join(f"{count:>18}" for count in FALSE_PAIRS))
    for each in la.METRICS:
        near = distances_of_copies(originals[every], copies, each)
        others = distances_of_others(names, originals, each)
        cells = [
            f"{np.mean(near[:, slight] < others[n]):.4f} ({others[n]:.4g})" for n in FALSE_PAIRS
        ]
        print("  " + each.ljust(12) + "".join(f"{cell:>18}" for cell in cells))
    near = distances_of_copies(originals[every], copies, metric)
    others = distances_of_others(names, originals, metric)
    around = THRESHOLD * np.array([0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5])
    thresholds = around if metric == METRIC else others[list(FALSE_PAIRS)]
    print(f"\n{metric}, by threshold:")
    print("  " + "".ljust(12) + "".join(f"{threshold:>9.4g}" for threshold in thresholds))
    for i, name in enumerate(TREATMENTS):
        recalls = "".join(f"{np.mean(near[:, i] <= t):>9.3f}" for t in thresholds)
        print(f"  {name:12}{recalls}")
    recalls = "".join(f"{np.mean(near[:, slight] <= t):>9.4f}" for t in thresholds)
    false = "".join(f"{np.count_nonzero(others <= t):>9}" for t in thresholds)
    rates = "".join(f"{np.mean(others <= t) * 1e6:>9.2f}" for t in thresholds)
    large = near[short_sides >= LARGE]
    of_large = "".join(f"{np.mean(large[:, slight] <= t):>9.4f}" for t in thresholds)
    halved = list(TREATMENTS).index("50 % size")
    of_halved = "".join(f"{np.mean(large[:, halved] <= t):>9.4f}" for t in thresholds)
    print(
        f"  {'slight':12}{recalls}\n{len(large)} photos with a short side of at least {LARGE} px:"
    )
    print(f"  {'slight':12}{of_large}\n  {'50 % size':12}{of_halved}\nall pairs of photos:")
    print(f"  {'false pairs':12}{false}\n  {'per million':12}{rates}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="number of the first photo planted")
    parser.add_argument("--every", type=int, default=8, help="plant every n-th photo")
    parser.add_argument("--cache", type=Path, help="keep the features in this .npz")
    parser.add_argument("--metric", default=METRIC, help="whose thresholds to list")
    parser.add_argument("--nearest", type=Path, help="write the 60 nearest pairs as a page")
    options = parser.parse_args()
    data = Path(os.environ["LOOKALIKE_DATA"])
    with open(data / "six_rows.csv", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    photos = [data / "six" / name for name in names]
    every = slice(options.first, None, options.every)
    if options.cache and options.cache.exists():
        with np.load(options.cache) as kept:
            originals, copies = kept["originals"], kept["copies"]
    else:
        originals, copies = features(photos, photos[every], data / "googlenet.onnx")
        if options.cache:
            np.savez(options.cache, originals=originals, copies=copies)
    if options.nearest:
        write_nearest(options.nearest, photos, originals, options.metric, 60)
    short_sides = np.array([min(image_size(photo)) for photo in photos[every]])
    report(names, originals, every, copies, short_sides, options.metric)


if __name__ == "__main__":
    main()
