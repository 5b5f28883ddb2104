"""One measurement of photos, in a process of its own: `embedding_job.py WHAT FOLDER MODEL [PATH]`.

WHAT is `embed`, `index` or `stages`, PATH where another version of the package is installed. Prints
what was found as JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

what, folder, model, *other = sys.argv[1:]
if other:
    # An editable install hooks into imports before the path is looked at.
    sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in type(each).__module__]
    sys.path.insert(0, other[0])

import numpy as np  # noqa: E402

import lookalike as la  # noqa: E402

if other and not Path(la.__file__).is_relative_to(other[0]):
    sys.exit(f"{la.__file__} was imported, which is not in {other[0]}")
photos = sorted(Path(folder).glob("*.jpg"))
network = la.GoogLeNet(model)
network.embed(photos[:2])  # opens the session, prepares the model


def peak_mebibytes() -> int:
    """Return the most memory this process has had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10


def embed() -> dict[str, float]:
    started = time.perf_counter(), time.process_time()
    network.embed(photos)
    return passed(started)


def index() -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as place,
        la.Gallery.create(Path(place) / "gallery", dim=network.width) as gallery,
    ):
        started = time.perf_counter(), time.process_time()
        gallery.add(folder, embedder=network)
        found = passed(started)
        assert len(gallery) == len(photos)
    return found


def passed(started: tuple[float, float]) -> dict[str, float]:
    return {
        "images_per_second": len(photos) / (time.perf_counter() - started[0]),
        "core_seconds": (time.process_time() - started[1]) / len(photos),
        "peak_mebibytes": peak_mebibytes(),
    }


def stages() -> dict[str, float]:
    """Return the seconds of one core that each stage takes of an image, one after the other."""
    session = network._open_session()
    name = session.get_inputs()[0].name
    spent: dict[str, float] = {}

    def timed(stage, function, *arguments, **named):
        started = time.process_time()
        result = function(*arguments, **named)
        spent[stage] = spent.get(stage, 0.0) + (time.process_time() - started) / len(photos)
        return result

    for photo in photos:
        if other:
            from lookalike.images import decode, read_image

            content = timed("read", read_image, photo)
            pixels = timed("resize", network.preprocessing, timed("decode", decode, content))
        else:
            from lookalike.pictures.images import open_picture, read_image
            from lookalike.pictures.perceptual_hash import perceptual_hash
            from lookalike.pictures.thumbnail import thumbnail

            content = timed("read", read_image, photo)
            least = network.preprocessing.least_side
            picture = timed("decode", open_picture, content, least)
            pixels = timed("resize", network.preprocessing, picture.image, box=picture.box)
            timed("hash", perceptual_hash, picture.image)
            timed("thumbnail", thumbnail, picture.image)
        timed("network", session.run, None, {name: np.asarray(pixels)[None]})
    return spent


print(json.dumps({"embed": embed, "index": index, "stages": stages}[what]()))
