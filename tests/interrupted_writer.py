"""Press Ctrl-C at any moment and go on with the same gallery; run as a script.

Arguments: an empty folder, the number of interrupts, a seed.
"""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import lookalike as la
from lookalike.gallery.storage import writer
from processes import HANGS
from tiny_embedder import WIDTH, TinyEmbedder, assert_matches_disk, write_image

IMAGES = 150
BATCH = 8


def main(folder, interrupts, seed):
    writer.MAX_UNCOMMITTED = BATCH
    rng = random.Random(seed)
    photos = folder / "photos"
    for i in range(IMAGES):
        write_image(photos / f"{i}.png", i)
    gallery = la.Gallery.create(folder / "gallery", dim=WIDTH)
    for number in range(interrupts):
        for path in rng.sample(sorted(photos.iterdir()), 30):
            write_image(path, rng.getrandbits(32))
        embedder = TinyEmbedder(seconds=0.001)
        timer = threading.Timer(rng.uniform(0, 0.15), os.kill, (os.getpid(), signal.SIGINT))
        report = None
        try:
            timer.start()
            report = gallery.add(photos, embedder=embedder)
            time.sleep(HANGS)
        except KeyboardInterrupt:
            pass
        timer.join()
        if report is None:
            # What the model gave is kept, but for the one on its way when Ctrl-C came.
            again = TinyEmbedder()
            rest = gallery.add(photos, embedder=again)
            assert rest.added + rest.updated == again.embedded
            assert embedder.embedded + again.embedded <= (IMAGES if number == 0 else 30) + 1
        assert_matches_disk(gallery)
        assert len(gallery) == IMAGES
    assert gallery.check().ok
    gallery.close()
    print("ok")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
