"""Published networks: cut at the feature layer, their batch freed, named where they do not fit."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lookalike.embedding.embedder import Embedder
from lookalike.embedding.googlenet import GoogLeNet
from lookalike.embedding.preprocessing import BVLC, Preprocessing
from lookalike.embedding.weights import ModelError
from test_googlenet import UNTRAINED, pictures

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def network():
    return GoogLeNet(UNTRAINED)


# --- published models ----------------------------------------------------------------------------


def zoo_model(suffix="_1", batch=1, opset=9):
    """Dress the network like the model zoo's: fixed batch, Dropout, Reshape, classifier."""
    model = onnx.load_from_string(UNTRAINED)
    graph = model.graph
    layer = "pool5/7x7_s1"
    graph.node[-1].output[0] = layer + suffix
    model.opset_import[0].version = opset
    random = np.random.default_rng(0)
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([batch, 1024]), "shape"),
            numpy_helper.from_array(random.standard_normal((1000, 1024), np.float32) / 10_000, "w"),
            numpy_helper.from_array(np.zeros(1000, np.float32), "b"),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Dropout", [layer + suffix], ["dropped"], ratio=0.4),
            helper.make_node("Reshape", ["dropped", "shape"], ["flat"]),
            helper.make_node("Gemm", ["flat", "w", "b"], ["loss"], transB=1),
            helper.make_node("Softmax", ["loss"], ["prob_1"]),
        ]
    )
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    del graph.output[:]
    graph.output.append(
        helper.make_tensor_value_info("prob_1", onnx.TensorProto.FLOAT, [batch, 1000])
    )
    onnx.checker.check_model(model)
    return model


@pytest.mark.parametrize("suffix", ["", "_1", "_Y"])
def test_published_graph_is_cut_and_freed(network, tmp_path, suffix):
    path = tmp_path / "googlenet-9.onnx"
    onnx.save(zoo_model(suffix), path)
    cut = GoogLeNet(path)
    images = pictures(5)
    np.testing.assert_array_equal(cut.embed(images), network.embed(images))
    assert cut.space == network.space
    # Prepared once: the second time onnx is not needed.
    code = (
        "import sys; sys.modules['onnx'] = None; "
        "from lookalike import GoogLeNet; print(GoogLeNet(sys.argv[1]).space)"
    )
    again = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == cut.space


def test_published_before_weights_could_be_no_inputs(network):
    model = zoo_model(opset=8)
    model.ir_version = 3
    for weight in model.graph.initializer:
        given = helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims)
        model.graph.input.append(given)
    onnx.checker.check_model(model)
    old = GoogLeNet(model.SerializeToString())
    assert old.space == network.space
    np.testing.assert_array_equal(old.embed(pictures(2)), network.embed(pictures(2)))


def test_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    onnx.save(zoo_model(), tmp_path / "zoo.onnx")
    assert GoogLeNet(tmp_path / "zoo.onnx").width == 1024


def test_reshape_behind_the_cut_is_freed():
    # Cut at the probabilities: the Reshape to [1, 1024] lies inside.
    classifier = Embedder(zoo_model().SerializeToString(), BVLC, output="prob_1")
    probabilities = classifier.embed(pictures(3))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert not np.allclose(probabilities[0], probabilities[1])


def test_without_output_the_classifier_input_is_taken(network):
    automatic = Embedder(zoo_model().SerializeToString(), BVLC)
    images = pictures(2)
    np.testing.assert_array_equal(automatic.embed(images), network.embed(images))


def without_pool5(model):
    for node in model.graph.node:
        if node.op_type == "AveragePool":
            node.output[0] = "other"
        node.input[:] = ["other" if t == "pool5/7x7_s1_1" else t for t in node.input]
    return model


def narrower(model):
    model.graph.node[-5].input[0] = "inception_5a/output"
    return model


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an ONNX model"),
        (b"certainly not a model", "is not an ONNX model"),
        (UNTRAINED[: len(UNTRAINED) // 2], "is not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (without_pool5(zoo_model()).SerializeToString(), "no tensor 'pool5/7x7_s1' to cut at"),
        (narrower(zoo_model()).SerializeToString(), "has 832 channels, not 1024"),
    ],
)
def test_wrong_model_is_named(tmp_path, content, message):
    path = tmp_path / "some-model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        GoogLeNet(path)
    assert "some-model.onnx" in str(caught.value)


def test_model_for_another_image_size_is_refused():
    with pytest.raises(ModelError, match=r"takes \[3, 224, 224\], .* gives \[3, 96, 96\]"):
        Embedder(UNTRAINED, Preprocessing(size=96, crop=96), output="pool5/7x7_s1")


def test_space_is_model_and_preprocessing(tmp_path, network):
    onnx.save(zoo_model(), tmp_path / "another-name.onnx")
    same = Embedder(tmp_path / "another-name.onnx", BVLC, output="pool5/7x7_s1", threads=1)
    assert same.space == network.space
    rgb = Embedder(UNTRAINED, Preprocessing(), output="pool5/7x7_s1")
    elsewhere = Embedder(UNTRAINED, BVLC, output="inception_3a/pool_proj")
    changed = onnx.load_from_string(UNTRAINED)
    weights = numpy_helper.to_array(changed.graph.initializer[0]).copy()
    weights[0, 0, 0, 0] += 1e-6
    changed.graph.initializer[0].raw_data = weights.tobytes()
    other = GoogLeNet(changed.SerializeToString())
    assert len({network.space, rgb.space, elsewhere.space, other.space}) == 4
