"""Kill a gallery's writer over and over, and look at what it leaves; run as a script.

Arguments: an empty folder, the number of kills, a seed. Prints a line of JSON.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

import lookalike as la
from lookalike.gallery.storage import writer
from tiny_embedder import WIDTH, TinyEmbedder, assert_matches_disk, features_of, write_image

IMAGES = 200
BATCH = 8  # commits as often as can be: most moments are in one
SECONDS = 0.001  # an image


def killed(work, seconds):
    """Run `work` in a child and kill it after so many seconds; False if it was done before."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return os.WIFSIGNALED(status)


def check(gallery_path, known):
    """What was committed before is there and right, whatever happened since."""
    with la.Gallery.open(gallery_path, mode="r") as gallery:
        rows = dict(zip(gallery.paths, gallery.features, strict=True))
    assert la.check_gallery(gallery_path).ok
    for path, row in rows.items():
        if path in known:
            assert any(np.array_equal(row, expected) for expected in known[path]), path
    return rows


def contents(gallery):
    return sorted(zip(gallery.paths, gallery.labels, gallery.features.tolist(), strict=True))


def main(folder, kills, seed):
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads about
    writer.MAX_UNCOMMITTED = BATCH
    rng = random.Random(seed)
    photos, target = folder / "photos", folder / "gallery"
    for i in range(IMAGES):
        write_image(photos / f"{i % 7}" / f"{i}.png", i)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    la.Gallery.create(target, dim=WIDTH).close()

    def add():
        with la.Gallery.open(target, mode="r+") as gallery:
            gallery.add(photos, labels="folder", embedder=TinyEmbedder(seconds=SECONDS, log=log))

    # While it grows: nothing that was committed is ever missing or other than it was.
    done = growing = 0
    seen = {}
    while growing < kills // 2:
        if not killed(add, rng.uniform(0.0, 0.12)):
            target_rows = check(target, seen)
            assert len(target_rows) == IMAGES
            shutil.rmtree(target)  # again from the start
            la.Gallery.create(target, dim=WIDTH).close()
            seen = {}
            done += 1
            continue
        growing += 1
        rows = check(target, seen)
        assert set(seen) <= set(rows)
        seen = {path: [row] for path, row in rows.items()}
    add()
    embedded = os.stat(folder / "log").st_size
    runs = done + 1
    assert embedded <= runs * IMAGES + growing * (BATCH + 1), (embedded, runs, growing)

    # While it changes: every image has its old or its new features, and the rest of its rows.
    changing = 0
    while changing < kills - growing:
        old = {os.fspath(path): [features_of(path)] for path in photos.rglob("*.png")}
        for path in rng.sample(sorted(photos.rglob("*.png")), 12):
            write_image(path, rng.getrandbits(32))
            old[os.fspath(path)].append(features_of(path))
        for path in rng.sample(sorted(photos.rglob("*.png")), 3):
            path.rename(path.with_name(f"{rng.getrandbits(64)}.png"))
        write_image(photos / "new" / f"{rng.getrandbits(64)}.png", rng.getrandbits(32))
        patience = 0.12
        while killed(add, rng.uniform(0.0, patience)):
            patience *= 1.1  # on a busy machine it would never get to its end
            changing += 1
            check(target, old)
    with la.Gallery.open(target, mode="r+") as gallery:
        gallery.add(photos, labels="folder", embedder=TinyEmbedder())
        assert_matches_disk(gallery)
        assert len(gallery) == sum(1 for _ in photos.rglob("*.png"))
        generations = gallery.info()["generation"]
        disturbed = dict(
            zip(
                gallery.paths,
                zip(gallery.labels, gallery.features.tolist(), strict=True),
                strict=True,
            )
        )
    with la.Gallery.create(folder / "undisturbed", dim=WIDTH) as gallery:
        gallery.add(photos, labels="folder", embedder=TinyEmbedder())
        assert disturbed == dict(
            zip(
                gallery.paths,
                zip(gallery.labels, gallery.features.tolist(), strict=True),
                strict=True,
            )
        )
    assert sorted(os.listdir(target)) == sorted(
        [
            "catalogue.sqlite",
            f"features-{generations}.f32",
            "thumbnails.sqlite",
            "writer.lock",
        ]
    )
    print(json.dumps({"growing": growing, "changing": changing, "generations": generations}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
