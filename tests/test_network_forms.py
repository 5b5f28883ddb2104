"""Networks that take or give other arrays than GoogLeNet: layouts, types, tokens, fixed batches."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lookalike.embedding.embedder import Embedder
from lookalike.embedding.preprocessing import BVLC, CLIP, IMAGENET, TORCHVISION, Preprocessing
from lookalike.embedding.weights import ModelError
from tiny_networks import SIDE, means, model_of, node, patches

pytestmark = pytest.mark.usefixtures("own_cache")
PLAIN = Preprocessing(size=SIDE, crop=SIDE)
NORMALISED = Preprocessing(size=SIDE, crop=SIDE, mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 8.0))
RGB = np.array([50.0, 100.0, 200.0])


def photos(count=7):
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8))


def embedder(model, preprocessing=PLAIN, **options):
    return Embedder(model.SerializeToString(), preprocessing, output="features", **options)


# --- what a network takes ------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8])
@pytest.mark.parametrize("batch", ["N", 1])
def test_layouts_and_types(layout, kind, batch):
    network = embedder(means(kind=kind, layout=layout, batch=batch), threads=2)
    images = photos()
    expected = [image.reshape(-1, 3).mean(axis=0) for image in images]
    made = network.embed(images)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=1e-3 if kind == TensorProto.FLOAT16 else 1e-6)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_normalisation_comes_before_the_layout(layout, kind):
    image = np.broadcast_to(RGB.astype(np.uint8), (SIDE, SIDE, 3))
    for preprocessing, colours in (
        (NORMALISED, RGB),
        (Preprocessing(**{**vars(NORMALISED), "channels": "BGR"}), RGB[::-1]),
    ):
        made = embedder(means(kind=kind, layout=layout), preprocessing).embed([image])
        expected = (colours - preprocessing.mean) / preprocessing.std
        np.testing.assert_allclose(made[0], expected, rtol=2e-3)


def test_uint8_pixels_arrive_as_they_are():
    copied = model_of([node("Cast", "pixels", to=TensorProto.FLOAT)], kind=TensorProto.UINT8)
    (image,) = photos(1)
    (row,) = embedder(copied).embed([image])
    np.testing.assert_array_equal(row.reshape(3, SIDE, SIDE), image.transpose(2, 0, 1))


def test_uint8_and_a_normalisation_that_would_be_lost():
    with pytest.raises(ModelError, match=r"takes uint8 .* mean \(10.0, .* std \(2.0, .*be lost"):
        embedder(means(kind=TensorProto.UINT8), NORMALISED)


def test_other_types_are_named():
    with pytest.raises(ModelError, match=r"'pixels' is of type double; float32, float16 and uint8"):
        embedder(means(kind=TensorProto.DOUBLE))


@pytest.mark.parametrize(
    ("shape", "taken"),
    [
        ((1, SIDE, SIDE), r"\[1, 8, 8\]"),
        ((3, 9, SIDE), r"\[3, 9, 8\]"),
        ((4, 4, 4), r"\[4, 4, 4\]"),
    ],
)
def test_images_of_another_shape_are_named(shape, taken):
    model = model_of([node("Flatten", "pixels")], shape=("N", *shape))
    with pytest.raises(ModelError, match=rf"takes {taken}, the preprocessing gives \[3, 8, 8\]"):
        embedder(model)


def test_a_network_of_huge_images_is_refused_before_it_is_tried():
    huge = means(sides=(200_000, 200_000))
    with pytest.raises(ModelError, match=r"takes \[3, 200000, 200000\], .* gives \[3, 8, 8\]"):
        embedder(huge)


def test_what_is_no_preprocessing_is_named():
    with pytest.raises(TypeError, match="preprocessing must be a Preprocessing, got 'clip'"):
        embedder(means(), "clip")


def test_size_of_an_nhwc_network_is_named():
    with pytest.raises(
        ModelError, match=r"takes \[3, 9, 9\] \(height, width, .* gives \[3, 8, 8\]"
    ):
        embedder(means(layout="NHWC", sides=(9, 9)))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_dynamic_sides(layout):
    model = means(layout=layout, sides=("H", "W"))
    for side in (4, 12):
        image = photos(1)[0]
        network = embedder(model, Preprocessing(size=side, crop=side))
        expected = image.reshape(-1, 3).mean(axis=0)
        np.testing.assert_allclose(network.embed([image])[0], expected, atol=8)


def test_width_of_a_network_of_any_size_is_that_at_the_size_of_the_preprocessing(tmp_path):
    model = model_of([node("Identity", "pixels")], shape=("N", 3, "H", "W"))
    onnx.save(model, tmp_path / "any.onnx")
    for side in (4, 6):  # both from one file, whose prepared form is kept
        preprocessing = Preprocessing(size=side, crop=side)
        network = Embedder(tmp_path / "any.onnx", preprocessing, output="features")
        assert network.width == 3 * side * side == network.embed(photos(1)).shape[1]


def test_all_dynamic_is_taken_for_channels_first():
    model = model_of(
        [node("ReduceMean", "pixels", axes=[2, 3], keepdims=0)], shape=("N", "C", "H", "W")
    )
    assert embedder(model).width == 3


# --- what a network gives ------------------------------------------------------------------------


@pytest.mark.parametrize("batch", ["N", 1])
def test_tokens(batch):
    image = photos(1)[0]
    network = patches(batch=batch)
    parts = image.transpose(2, 0, 1).reshape(3, 4, -1).mean(axis=2).T
    tokens = np.vstack([np.ones((1, 3)), parts])
    for tokens_of, expected in (("first", tokens[0]), ("mean", tokens.mean(axis=0))):
        made = embedder(network, Preprocessing(size=SIDE, crop=SIDE, tokens=tokens_of))
        assert made.width == 3
        np.testing.assert_allclose(made.embed([image, image]), [expected] * 2, rtol=1e-5)


def test_tokens_that_are_not_chosen_are_named():
    with pytest.raises(ModelError, match=r"gives 5 tokens of 3 .*, the preprocessing .*'first' or"):
        embedder(patches())


def test_tokens_of_a_network_that_gives_none():
    with pytest.raises(ModelError, match=r"gives \[3\] an image, .* tokens must be left out"):
        embedder(means(), Preprocessing(size=SIDE, crop=SIDE, tokens="mean"))


def test_one_token_is_no_choice():
    model = model_of([node("ReduceMean", "pixels", axes=[2], keepdims=0)])  # (N, 3, 8)
    single = model_of([node("Reshape", "pixels to")], weights=[("to", np.array([0, 1, -1]))])
    assert embedder(single).width == 3 * SIDE * SIDE
    with pytest.raises(ModelError, match="3 tokens of 8"):
        embedder(model)


def test_maps_are_flattened():
    model = model_of([node("AveragePool", "pixels", kernel_shape=[4, 4], strides=[4, 4])])
    assert embedder(model).width == 3 * 2 * 2


def test_the_space_knows_the_tokens_and_the_interpolation():
    spaces = {
        embedder(patches(), Preprocessing(size=SIDE, crop=SIDE, tokens=tokens, **more)).space
        for tokens in ("first", "mean")
        for more in ({}, {"interpolation": "bicubic"}, {"interpolation": "lanczos"})
    }
    assert len(spaces) == 6


def test_the_space_knows_what_a_network_takes():
    forms = [(kind, layout) for kind in (1, 10, 2) for layout in ("NCHW", "NHWC")]
    spaces = {embedder(means(kind=kind, layout=layout)).space for kind, layout in forms}
    assert len(spaces) == len(forms)


# --- batches -------------------------------------------------------------------------------------


def test_a_batch_that_cannot_be_freed_is_run_one_at_a_time(capfd):
    network = embedder(patches(batch=1), Preprocessing(size=SIDE, crop=SIDE, tokens="mean"))
    images = photos()
    together = network.embed(images)
    alone = np.concatenate([network.embed([image]) for image in images])
    np.testing.assert_array_equal(together, alone)
    assert len({row.tobytes() for row in together}) == len(images)
    assert capfd.readouterr().err == ""  # of the attempt that failed


def test_an_image_does_not_depend_on_those_beside_it():
    # The largest value of the whole batch, as quantisation on the fly takes it.
    mixing = model_of(
        [
            node("ReduceMax", "pixels", "most", keepdims=1),
            node("ReduceMean", "pixels", "mean", axes=[2, 3], keepdims=1),
            node("Div", "mean most"),
        ]
    )
    network = embedder(mixing)
    dark, bright = np.full((SIDE, SIDE, 3), 10, np.uint8), np.full((SIDE, SIDE, 3), 250, np.uint8)
    np.testing.assert_array_equal(network.embed([dark, bright]), np.ones((2, 3)))


def test_a_network_for_a_batch_of_eight_is_refused():
    model = patches(batch=8)
    with pytest.raises(ModelError, match="cannot be run on images of 3×8×8"):
        embedder(model, Preprocessing(size=SIDE, crop=SIDE, tokens="mean"))


def test_a_network_that_gives_one_row_for_all_is_refused():
    model = model_of([node("ReduceMean", "pixels", axes=[0], keepdims=0)])
    with pytest.raises(ModelError, match=r"gives an array of shape \(3, 8, 8\) for one image"):
        embedder(model)


# --- weights elsewhere, inner graphs --------------------------------------------------------------


def shifted(weight=2.0, *, captured=False):
    """The pixels times a weight; captured: which only a graph inside the graph reads."""
    weights = [("w", np.array(weight, np.float32)), ("yes", np.array(True))]
    if not captured:
        return model_of([node("Mul", "pixels w")], weights=weights[:1])
    branches = {
        name: helper.make_graph(
            [helper.make_node(operation, ["before", "w"], [f"of_{name}"])],
            name,
            [],
            [helper.make_tensor_value_info(f"of_{name}", TensorProto.FLOAT, None)],
        )
        for name, operation in (("then_branch", "Mul"), ("else_branch", "Add"))
    }
    return model_of(
        [node("Relu", "pixels", "before"), node("If", "yes", **branches)], weights=weights
    )


def test_what_an_inner_graph_reads_is_kept_and_counts():
    image = photos(1)[0]
    plain, inner = embedder(shifted()), embedder(shifted(captured=True))
    np.testing.assert_array_equal(inner.embed([image]), plain.embed([image]))
    assert inner.space != embedder(shifted(3.0, captured=True)).space


def test_operations_of_its_own_are_written_out():
    def with_function(factor):
        value = numpy_helper.from_array(np.array(factor, np.float32))
        body = [
            helper.make_node("Constant", [], ["c"], value=value),
            helper.make_node("Mul", ["x", "c"], ["y"]),
        ]
        opsets = [helper.make_opsetid("", 13)]
        model = model_of([helper.make_node("Scale", ["pixels"], ["features"], domain="own")])
        model.functions.append(helper.make_function("own", "Scale", ["x"], ["y"], body, opsets))
        model.opset_import.append(helper.make_opsetid("own", 1))
        return embedder(model)

    image = photos(1)[0]
    assert with_function(2.0).space != with_function(3.0).space
    np.testing.assert_array_equal(
        with_function(2.0).embed([image])[0], 2.0 * image.transpose(2, 0, 1).ravel()
    )


@pytest.mark.parametrize("where", ["initializer", "constant"])
def test_weights_in_other_files_are_refused(tmp_path, where):
    weight = numpy_helper.from_array(np.full(1024, 2.0, np.float32)[:1], "w")
    if where == "initializer":
        model = model_of([node("Mul", "pixels w")])
        model.graph.initializer.append(weight)
        stored = model.graph.initializer[0]
    else:
        constant = helper.make_node("Constant", [], ["w"], value=weight)
        model = model_of([constant, node("Mul", "pixels w")])
        stored = model.graph.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(stored, "weights.bin")
    stored.ClearField("raw_data")
    stored.ClearField("float_data")
    (tmp_path / "weights.bin").write_bytes(np.float32(2.0).tobytes())
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(
        ModelError, match=r"net\.onnx keeps its weights in other files; make it one"
    ):
        Embedder(tmp_path / "net.onnx", PLAIN, output="features")


# --- preprocessing -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("keep_aspect", [True, False])
def test_interpolation(name, keep_aspect):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8))
    made = Preprocessing(size=16, crop=16, keep_aspect=keep_aspect, interpolation=name)(image)
    filters = {"bilinear": 2, "bicubic": 3, "lanczos": 1}  # Pillow's numbers
    width = 24 if keep_aspect else 16
    whole = np.asarray(image.resize((width, 16), filters[name]), np.float32)
    first = (width - 16) // 2
    expected = whole[:, first : first + 16].transpose(2, 0, 1)
    assert np.abs(made - expected).max() <= 1  # one grey level of rounding


def test_presets():
    assert IMAGENET is TORCHVISION
    assert (CLIP.size, CLIP.crop, CLIP.interpolation, CLIP.keep_aspect) == (
        224,
        224,
        "bicubic",
        True,
    )
    np.testing.assert_allclose(np.divide(CLIP.mean, 255), [0.48145466, 0.4578275, 0.40821073])
    np.testing.assert_allclose(np.divide(CLIP.std, 255), [0.26862954, 0.26130258, 0.27577711])


def test_what_spaces_are_made_of_is_stable():
    assert repr(BVLC) == (
        "Preprocessing(size=256, keep_aspect=False, crop=224, channels='BGR', "
        "mean=(104.0, 117.0, 123.0), std=(1.0, 1.0, 1.0))"
    )
    assert repr(Preprocessing(mean=[1, np.float32(2), 3])) == repr(
        Preprocessing(mean=(1.0, 2.0, 3.0))
    )
    assert repr(Preprocessing(interpolation="lanczos", tokens="first")).endswith(
        "interpolation='lanczos', tokens='first')"
    )


@pytest.mark.parametrize("preprocessing", [BVLC, CLIP, IMAGENET, NORMALISED])
def test_json_keeps_all(preprocessing):
    read = Preprocessing.from_json(preprocessing.to_json())
    assert read == preprocessing
    assert repr(read) == repr(preprocessing)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ("[1]", "must be an object"),
        ('{"croop": 224}', "no such key: 'croop'; there are size, "),
        ('{"size": 1, "size": 2}', "a key stands twice"),
        ('{"size": "256"}', "size must be an integer, got '256'"),
        ('{"size": true}', "size must be an integer, got True"),
        ('{"crop": 300}', "crop must be from 1 to size = 256, got 300"),
        ('{"crop": 0}', "crop must be from 1 to 16,384, got 0"),
        ('{"keep_aspect": 1}', "keep_aspect must be true or false, got 1"),
        ('{"channels": "GRB"}', "channels must be 'RGB' or 'BGR', got 'GRB'"),
        ('{"interpolation": "nearest"}', "interpolation must be 'bilinear' or .*, got 'nearest'"),
        ('{"tokens": "last"}', "tokens must be 'first' or 'mean', got 'last'"),
        ('{"mean": [1, 2]}', r"mean must be three numbers, got \[1, 2\]"),
        ('{"mean": [1, 2, NaN]}', r"mean must be three numbers, got \[1, 2, nan\]"),
        ('{"std": [1, 0, 1]}', "std must not be 0"),
        ('{"std": [0.229, 0.224, 0.225]}', "std must be in grey levels of 0–255"),
    ],
)
def test_json_that_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_json(text)
