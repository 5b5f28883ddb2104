"""Features: against the reference, in order, bounded, and the same however they are computed."""

import csv
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from lookalike import evaluate
from lookalike.duplicates.find import CALIBRATED_SPACE
from lookalike.embedding.embedder import Embedder
from lookalike.embedding.googlenet import GoogLeNet
from lookalike.embedding.preprocessing import BVLC, TORCHVISION, Preprocessing
from lookalike.embedding.session import open_session
from lookalike.embedding.untrained import untrained_googlenet
from lookalike.pictures.images import ImageError
from picture_files import without_profile
from processes import HANGS, cpu_seconds

UNTRAINED = untrained_googlenet(0)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def network():
    return GoogLeNet(UNTRAINED)


def pictures(count, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, 40, 50, 3), np.uint8))


def embedding_threads():
    return [t for t in threading.enumerate() if t.name.startswith("lookalike-embed")]


# --- against the reference -----------------------------------------------------------------------


def test_caffe_probabilities(data):
    # Caffe was given raw BGR pixels without a mean.
    raw = Preprocessing(size=224, channels="BGR")
    photos = [data / "caffe_reference" / f"googlenet_{i}.jpg" for i in range(2)]
    probabilities = Embedder(data / "googlenet.onnx", raw, output="prob_1").embed(photos)
    expected = np.load(data / "caffe_reference" / "googlenet_prob.npy")
    assert np.abs(probabilities - expected).max() < 2e-6


def test_the_space_is_what_galleries_hold(data):
    network = GoogLeNet(data / "googlenet.onnx")
    assert network.space == CALIBRATED_SPACE == "f3063a17a95e94ec5453963f104e152d"
    assert "d8a87ef3d0e073946ac039c15d451a1f" in network.earlier_spaces  # 0.1.0's


@pytest.mark.long
@pytest.mark.parametrize("step", [15, pytest.param(1, marks=pytest.mark.slow)])
def test_six_agrees_with_the_reference(data, step):
    with open(data / "six_rows.csv", newline="") as file:
        photos = [data / "six" / row["file"] for row in csv.DictReader(file)][::step]
    expected = np.load(data / "six_pool5.npy")[::step]
    # The reference was made without a look at profiles.
    contents = [without_profile(photo.read_bytes()) for photo in photos]
    features = GoogLeNet(data / "googlenet.onnx").embed(contents)
    assert features.shape == expected.shape
    norms = np.linalg.norm(features, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((features * expected).sum(axis=1) / norms).min() > 0.99999
    assert np.abs(features - expected).max() < 1e-4
    if step == 1:
        labels = [photo.parent.name for photo in photos]
        found = evaluate(features, labels, k=100).mean_precision
        for metric, precision in evaluate(expected, labels, k=100).mean_precision.items():
            assert abs(found[metric] - precision) < 0.001, metric


# --- preprocessing -------------------------------------------------------------------------------


def test_bvlc_preprocessing_is_the_documented_one():
    picture = Image.fromarray(pictures(1)[0])
    cropped = np.asarray(picture.resize((256, 256), Image.Resampling.BILINEAR))[16:240, 16:240]
    expected = (cropped[:, :, ::-1].astype(np.float32) - [104, 117, 123]).transpose(2, 0, 1)
    np.testing.assert_array_equal(BVLC(picture), expected.astype(np.float32))


@pytest.mark.parametrize("size", [(500, 375), (300, 900), (256, 256), (4000, 30), (1, 1)])
def test_torchvision_preprocessing_is_resize_crop_normalise(size):
    picture = Image.fromarray(pictures(1)[0]).resize(size)
    short = min(size)
    width, height = (256 * side // short for side in size)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    cropped = np.asarray(resized.crop((left, top, left + 224, top + 224))) / 255
    expected = (cropped - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    one_level = 1 / 255 / 0.224
    np.testing.assert_allclose(
        TORCHVISION(picture), expected.transpose(2, 0, 1), atol=1.01 * one_level
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop": 300}, "crop must be from 1 to size = 256, got 300"),
        ({"channels": "GBR"}, "got 'GBR'"),
        ({"std": (1.0, 0.0, 1.0)}, "std must not be 0"),
    ],
)
def test_preprocessing_rejects(values, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**values)


# --- the network ---------------------------------------------------------------------------------


def test_untrained_is_googlenet():
    model = onnx.load_from_string(UNTRAINED)
    kinds = [node.op_type for node in model.graph.node]
    assert (kinds.count("Conv"), kinds.count("LRN"), kinds.count("Concat")) == (57, 2, 9)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    shapes = {
        info.name: [d.dim_value for d in info.type.tensor_type.shape.dim[1:]]
        for info in inferred.graph.value_info
    }
    # Table 1 of the paper.
    assert shapes["pool1/3x3_s2"] == [64, 56, 56]
    assert shapes["inception_3b/output"] == [480, 28, 28]
    assert shapes["inception_4e/output"] == [832, 14, 14]
    assert shapes["inception_5b/output"] == [1024, 7, 7]
    weights = {w.name: list(w.dims) for w in model.graph.initializer}
    multiply_adds = sum(
        int(np.prod(weights[node.input[1]])) * int(np.prod(shapes[node.output[0]][1:]))
        for node in model.graph.node
        if node.op_type == "Conv"
    )
    assert multiply_adds == 1_581_647_872


def test_untrained_says_so_and_depends_on_its_seed(network):
    assert "untrained (seed 0)" in repr(network)
    assert network.space.startswith("untrained-")
    other = GoogLeNet.untrained(1)
    assert other.space != network.space
    features = network.embed(pictures(2))
    assert features.dtype == np.float32
    assert not np.allclose(features[0], features[1])
    assert not np.allclose(features, other.embed(pictures(2)))


def test_rewritten_normalisation_agrees_with_onnx_runtime():
    session = open_session(UNTRAINED)
    inputs = np.stack([BVLC(Image.fromarray(p)) for p in pictures(3)])
    expected = session.run(None, {"data_0": inputs})[0].reshape(3, 1024)
    features = GoogLeNet(UNTRAINED).embed(pictures(3))
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5 * expected.max())


@pytest.mark.long
def test_features_do_not_depend_on_batches_or_threads(network):
    images = pictures(13)
    expected = network.embed(images)
    for threads, batch_size in [(1, 1), (3, 7), (2, 100)]:
        other = GoogLeNet(UNTRAINED, threads=threads, batch_size=batch_size)
        np.testing.assert_array_equal(other.embed(images), expected)
    np.testing.assert_array_equal(network.embed(iter(images)), expected)


# --- batches of images ---------------------------------------------------------------------------


def mixed(count, bad):
    return [b"bad" if i in bad else image for i, image in enumerate(pictures(count))]


def test_failed_rows_are_reported_and_the_others_keep_their_order(network):
    bad = {0, 5, 6, 19}
    errors = []
    features = network.embed(mixed(20, bad), on_error="skip", errors=errors)
    good = [image for image in mixed(20, bad) if not isinstance(image, bytes)]
    np.testing.assert_array_equal(features, network.embed(good))
    reason = "not an image in a known format"
    assert errors == [(i, "<bytes>", reason) for i in sorted(bad)]
    for position, result in network.embed_iter(mixed(20, bad)):
        assert isinstance(result, ImageError) == (position in bad)


def test_first_failure_is_raised_and_threads_end(network):
    with pytest.raises(ImageError, match="<bytes>: not an image"):
        network.embed(mixed(50, {3}))
    assert not embedding_threads()


def test_skipping_without_a_list_warns(network):
    with pytest.warns(UserWarning, match="1 images were left out .* number 1, <bytes>: not an im"):
        assert network.embed(mixed(3, {1}), on_error="skip").shape == (2, 1024)


def test_nothing_to_do(network):
    assert network.embed([]).shape == (0, 1024)
    errors = []
    assert network.embed([b""], on_error="skip", errors=errors).shape == (0, 1024)
    assert len(errors) == 1


@pytest.mark.parametrize(
    "one", ["a.jpg", b"x", Path("a.jpg"), Image.new("L", (9, 9)), pictures(1)[0]]
)
def test_one_image_is_not_several(network, one):
    with pytest.raises(
        TypeError, match=r"images must be several images, got one .* put it in a list"
    ):
        network.embed(one)


def test_arguments_are_checked(network):
    with pytest.raises(ValueError, match="on_error must be 'raise' or 'skip', got 'ignore'"):
        network.embed([], on_error="ignore")
    with pytest.raises(TypeError, match="progress must be None, True or callable"):
        network.embed(pictures(1), progress=1)
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        GoogLeNet(UNTRAINED, threads=0)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got -3"):
        GoogLeNet(UNTRAINED, batch_size=-3)


def test_progress(network, capsys):
    calls = []
    network.embed(pictures(3), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    network.embed(iter(pictures(1)), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (1, None)
    network.embed(pictures(2), progress=True)
    captured = capsys.readouterr()
    assert "2/2" in captured.err
    assert not captured.out


def test_images_are_taken_only_as_needed():
    network = GoogLeNet(UNTRAINED, threads=2, batch_size=4)
    taken = 0

    def endless():
        nonlocal taken
        image = pictures(1)[0]
        while True:
            taken += 1
            yield image

    results = network.embed_iter(endless())
    for expected in range(10):
        position, _ = next(results)
        assert position == expected
        assert taken <= position + 4
    results.close()
    assert not embedding_threads()


def test_error_in_the_callers_iterator_passes_through(network):
    def failing():
        yield pictures(1)[0]
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        network.embed(failing())
    assert not embedding_threads()


def test_feature_that_is_not_finite_is_never_returned():
    model = onnx.load_from_string(UNTRAINED)
    for weight in model.graph.initializer:
        if weight.name == "inception_5b/1x1_b":
            weight.raw_data = np.full(384, np.inf, np.float32).tobytes()
    with pytest.raises(ImageError, match="not finite"):
        GoogLeNet(model.SerializeToString()).embed(pictures(1))


def test_hostile_folder(network, tmp_path):
    good = pictures(2)
    Image.fromarray(good[0]).save(tmp_path / "a-good.png")
    Image.fromarray(good[1]).save(tmp_path / "z-good.png")
    whole = (tmp_path / "a-good.png").read_bytes()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "noise.webp").write_bytes(b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(range(256)))
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.jpg")).write_bytes(b"\xff\xd8\xff\xe0")
    paths = sorted(tmp_path.glob("*.*"))
    assert len(paths) == 10
    errors = []
    features = network.embed(paths, on_error="skip", errors=errors)
    np.testing.assert_array_equal(features, network.embed(good))
    assert len(errors) == 8
    assert all(str(paths[position]) == name and reason for position, name, reason in errors)


# --- processes -----------------------------------------------------------------------------------


def start_python(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_interrupt_stops_promptly_without_threads_left():
    code = """if True:
        import itertools, threading, time
        import numpy as np
        from lookalike.embedding.googlenet import GoogLeNet
        network = GoogLeNet.untrained(0)
        def report(done, total):
            if done == 1:
                print("started", flush=True)
        try:
            network.embed(itertools.repeat(np.zeros((9, 9), np.uint8)), progress=report)
        except KeyboardInterrupt:
            print(threading.active_count(), time.process_time())
    """
    with start_python(code) as process:
        assert process.stdout.readline() == "started\n"
        before = cpu_seconds(process.pid)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=HANGS)
    threads, until = output.split()
    assert (threads, errors) == ("1", "")
    # Half a second is promised, in which every core works.
    assert float(until) - before < os.cpu_count()


@pytest.mark.long
def test_forked_child_embeds(network):
    code = """if True:
        import os, sys
        import numpy as np
        from lookalike.embedding.googlenet import GoogLeNet
        network = GoogLeNet.untrained(0)
        images = [np.full((9, 9), 99, np.uint8)] * 4
        expected = network.embed(images)
        running = network.embed_iter(images * 20)
        next(running)  # a call is under way in the parent's threads
        child = os.fork()
        if child == 0:
            same = np.array_equal(network.embed(images), expected)
            sys.exit(0 if same else 3)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    with start_python(code) as process:
        _, errors = process.communicate(timeout=HANGS)
    assert (process.returncode, errors) == (0, "")
