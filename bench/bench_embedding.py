"""Images per second from JPEG files, beside ONNX Runtime alone on tensors that are ready.

    LOOKALIKE_DATA=... pytest bench/bench_embedding.py --benchmark-columns=median,rounds

As a script it measures photos of 0.2 to 50 megapixels, drawn here, in all stages, beside another
version of the package where one is installed: `pip install --target FOLDER …`, then

    LOOKALIKE_DATA=... python bench/bench_embedding.py --old FOLDER

Without LOOKALIKE_DATA the network is untrained (the same arithmetic) and the photos are noise saved
as JPEG, 500×375 pixels, which cost more to decode than real ones. Both sides use all cores.
``extra_info`` holds images per second and, for the pipeline, the largest difference of its features
from ONNX Runtime's on the published graph, relative to the largest feature.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
onnxruntime = pytest.importorskip("onnxruntime")

from lookalike.embedding.googlenet import GoogLeNet  # noqa: E402
from lookalike.embedding.preprocessing import BVLC  # noqa: E402
from lookalike.embedding.untrained import untrained_googlenet  # noqa: E402
from lookalike.pictures.images import open_image  # noqa: E402

COUNT = 64
BATCH = 32

pytestmark = pytest.mark.benchmark(group="embedding")


@pytest.fixture(scope="module")
def model():
    folder = os.environ.get("LOOKALIKE_DATA")
    return (Path(folder) / "googlenet.onnx").read_bytes() if folder else untrained_googlenet(0)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    if folder := os.environ.get("LOOKALIKE_DATA"):
        with open(Path(folder) / "six_rows.csv", newline="") as file:
            files = [Path(folder) / "six" / row["file"] for row in csv.DictReader(file)]
        return files[:: len(files) // COUNT][:COUNT]
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(COUNT):
        noise = random.integers(0, 256, (375, 500, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.jpg")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def tensors(photos):
    return np.stack([BVLC(open_image(photo)) for photo in photos])


def runtime_alone(content, tensors, output):
    """Run the model on batches with ONNX Runtime's own threads and settings."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: np.concatenate(
        [
            session.run([output], {name: tensors[start : start + BATCH]})[0].reshape(-1, 1024)
            for start in range(0, len(tensors), BATCH)
        ]
    )


def report(benchmark, **facts):
    benchmark.extra_info.update(
        facts,
        images_per_second=round(COUNT / benchmark.stats.stats.median, 1),
        onnxruntime=onnxruntime.__version__,
        cores=len(os.sched_getaffinity(0)),
        machine=platform.processor() or platform.machine(),
    )


def first_output(content):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.get_outputs()[0].name


def test_runtime_alone_on_the_published_graph(benchmark, model, tensors):
    run = runtime_alone(model, tensors, first_output(model))
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    report(benchmark)


def test_runtime_alone_on_the_rewritten_graph(benchmark, model, tensors):
    content = GoogLeNet(model)._model.content
    run = runtime_alone(content, tensors, first_output(content))
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    report(benchmark)


def test_pipeline_from_files(benchmark, model, photos, tensors):
    network = GoogLeNet(model)
    features = benchmark.pedantic(network.embed, (photos,), rounds=3, warmup_rounds=1)
    expected = runtime_alone(model, tensors, first_output(model))()
    error = np.abs(features - expected).max() / np.abs(expected).max()
    report(benchmark, largest_relative_error=float(error), network=repr(network))


SIZES = {"0.2": (512, 384), "2": (1632, 1224), "12": (4032, 3024), "50": (8160, 6120)}
COUNTS = {"0.2": 64, "2": 32, "12": 16, "50": 8}
STAGES = ("read", "decode", "resize", "hash", "thumbnail", "network")


def draw_photos(folder, megapixels, count):
    """Save as JPEG pictures with edges, gradients and grain: a third of a byte a pixel."""
    width, height = SIZES[megapixels]
    for number in range(count):
        random = np.random.default_rng(number)
        whole = np.zeros((height, width, 3), np.int16)
        for side in (3, 12, 50, 200):
            coarse = Image.fromarray(random.integers(0, 256, (side, side + 1, 3), np.uint8))
            whole += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) // 4
        grain = random.integers(-8, 9, (height // 4, width, 3), np.int16)
        whole += np.resize(grain, whole.shape)
        Image.fromarray(whole.clip(0, 255).astype(np.uint8)).save(
            folder / f"{number}.jpg", quality=90
        )


def job(what, folder, model, old):
    """Measure in a process of its own, so that its memory is its own too."""
    command = [sys.executable, str(Path(__file__).with_name("embedding_job.py"))]
    command += [what, str(folder), str(model), *([old] if old else [])]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def medians(results):
    return {key: statistics.median(each[key] for each in results) for key in results[0]}


def main():
    """Print images a second, core-seconds of each stage and peak memory for photos of all sizes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--old", help="folder where another version of the package is installed")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the photos, for a try")
    arguments = parser.parse_args()
    versions = {"now": None, **({"old": arguments.old} if arguments.old else {})}
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "googlenet.onnx"
        data = os.environ.get("LOOKALIKE_DATA")
        model.write_bytes(
            (Path(data) / "googlenet.onnx").read_bytes() if data else untrained_googlenet(0)
        )
        print("| megapixels | version | embed /s | index /s | peak MiB, embed | peak MiB, index |")
        print("|--:|---|--:|--:|--:|--:|")
        stages = []
        for size in arguments.sizes:
            folder = Path(place) / size
            folder.mkdir()
            draw_photos(folder, size, max(2, int(COUNTS[size] * arguments.share)))
            found = {name: {"embed": [], "index": [], "stages": []} for name in versions}
            for _ in range(arguments.rounds):  # in turns, so that both see the same machine
                for name, path in versions.items():
                    for what in ("embed", "index", "stages"):
                        found[name][what].append(job(what, folder, model, path))
            for name, results in found.items():
                embed, index, stage = (medians(results[what]) for what in results)
                print(
                    f"| {size} | {name} | {embed['images_per_second']:.1f} "
                    f"| {index['images_per_second']:.1f} | {embed['peak_mebibytes']:.0f} "
                    f"| {index['peak_mebibytes']:.0f} |",
                    flush=True,
                )
                stages.append((size, name, stage))
            if "old" in found:
                ratios = [
                    medians(found["now"][what])["images_per_second"]
                    / medians(found["old"][what])["images_per_second"]
                    for what in ("embed", "index")
                ]
                print(f"| {size} | now ÷ old | {ratios[0]:.2f} | {ratios[1]:.2f} | | |", flush=True)
        print("\nms of a core for each image\n")
        print("| megapixels | version | " + " | ".join(STAGES) + " |")
        print("|--:|---|" + "--:|" * len(STAGES))
        for size, name, stage in stages:
            cells = [f"{1000 * stage[each]:.1f}" if each in stage else "" for each in STAGES]
            print(f"| {size} | {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
