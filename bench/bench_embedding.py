"""Images per second from JPEG files, beside ONNX Runtime alone on tensors that are ready.

    LOOKALIKE_DATA=... pytest bench/bench_embedding.py --benchmark-columns=median,rounds

Without LOOKALIKE_DATA the network is untrained (the same arithmetic) and the photos are noise saved
as JPEG, 500×375 pixels, which cost more to decode than real ones. Both sides use all cores.
``extra_info`` holds images per second and, for the pipeline, the largest difference of its features
from ONNX Runtime's on the published graph, relative to the largest feature.
"""

import csv
import os
import platform
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
    run = runtime_alone(GoogLeNet(model)._model.content, tensors, "features")
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    report(benchmark)


def test_pipeline_from_files(benchmark, model, photos, tensors):
    network = GoogLeNet(model)
    features = benchmark.pedantic(network.embed, (photos,), rounds=3, warmup_rounds=1)
    expected = runtime_alone(model, tensors, first_output(model))()
    error = np.abs(features - expected).max() / np.abs(expected).max()
    report(benchmark, largest_relative_error=float(error), network=repr(network))
