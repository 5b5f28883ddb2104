"""From a published ONNX classifier to a graph that gives features.

Published image models end in class probabilities and often have a batch of 1 written into their
shapes. :func:`prepare` cuts such a graph at its feature layer, frees the batch dimension and
rewrites what ONNX Runtime computes slowly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.inliner
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from lookalike.embedding.download import LFS_POINTER
from lookalike.embedding.network_input import feed_alike
from lookalike.embedding.prepared import UNTRAINED_KEY, PreparedModel
from lookalike.embedding.trial_run import try_out
from lookalike.embedding.weights import ModelError

__all__ = ["prepare"]

CONVERTER_SUFFIXES = ("", "_1", "_Y")
"""What the usual converters append to a Caffe layer's name to name its output tensor."""

FEATURES = "lookalike/features"
"""The output's name, which no tensor of a published network has."""

BEHIND_CLASSIFIER = {"Softmax", "LogSoftmax", "Identity", "Flatten", "Reshape", "Squeeze", "Add"}
BEFORE_CLASSIFIER = {"Identity", "Dropout"}


def prepare(content: bytes, *, output: str | None, crop: int, name: str) -> PreparedModel:
    """Return a model with one input (N, 3, H, W) and one output, the features, (N, …).

    Parameters
    ----------
    content : bytes
        An ONNX file with its weights inside.
    output : str, optional
        The tensor to cut at, or the Caffe layer that makes it. Without it: what the last
        fully connected layer reads.
    crop : int
        Side of the images that it will be given.
    name : str
        What messages call the model, which is its file.

    Raises
    ------
    ModelError
        The content is no model, has no such tensor, takes other images, or gives nothing for each
        image.
    """
    model = _parse(content, name)
    tensor = _classifier_input(model, name) if output is None else _find(model, output, name)
    _cut(model, tensor, name)
    published = model.SerializeToString() if _batch(model) == 1 else None
    _free_batch(model)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(f"{name} cannot be run: {str(error).strip().splitlines()[0]}") from error
    fingerprint = _fingerprint(model)
    input_shape, layout, pixels = _finish(model, name)
    if (layout, pixels) != ("NCHW", "float32"):  # the same operations on other values
        fingerprint = hashlib.sha256(f"{fingerprint} {layout} {pixels}".encode()).hexdigest()
    given = [3, crop, crop]
    if any(side not in (None, other) for side, other in zip(input_shape, given, strict=True)):
        behind = " (height, width, channels in the file)" * (layout == "NHWC")
        raise ModelError(f"{name} takes {input_shape}{behind}, the preprocessing gives {given}")

    def bound() -> ModelProto:
        as_published: ModelProto = ModelProto.FromString(published)
        _finish(as_published, name)
        return as_published

    result, output_shape, alone = try_out(
        model,
        bound if published is not None else None,
        given,
        pixels,
        name,
    )
    untrained = next((p.value for p in model.metadata_props if p.key == UNTRAINED_KEY), None)
    return PreparedModel(result, input_shape, output_shape, pixels, alone, fingerprint, untrained)


def _finish(model: ModelProto, name: str) -> tuple[list[int | None], str, str]:
    """Rewrite what is slow, and let the graph take and give float32, unflattened."""
    _rewrite_lrn(model)
    flatten = model.graph.node.pop()
    cast = helper.make_node("Cast", flatten.input, flatten.output, to=TensorProto.FLOAT)
    model.graph.node.append(cast)
    features = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, None)
    _replace(model.graph.output, [features])
    return feed_alike(model, name)


def _parse(content: bytes, name: str) -> ModelProto:
    if content.startswith(LFS_POINTER):
        raise ModelError(f"{name} is a git-lfs pointer, not the model it stands for")
    try:
        model: ModelProto = ModelProto.FromString(content)
    except DecodeError:
        raise ModelError(f"{name} is not an ONNX model") from None
    if not model.graph.node:
        raise ModelError(f"{name} is not an ONNX model: it holds no operations")
    if model.functions:  # the operations of some exporters, written out
        model = onnx.inliner.inline_local_functions(model)
    if any(t.data_location == TensorProto.EXTERNAL for t in _tensors(model.graph)):
        raise ModelError(
            f"{name} keeps its weights in other files; make it one file with "
            f"onnx.save(onnx.load('model.onnx'), 'single.onnx')"
        )
    return model


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Yield all weights and constants, those of inner graphs too."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _reads(node: NodeProto) -> list[str]:
    """Return what an operation reads: its inputs, and what the graphs inside it take from here."""
    names = list(node.input)
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            made = {tensor for each in inner.node for tensor in each.output}
            made.update(each.name for each in (*inner.input, *inner.initializer))
            read = [tensor for each in inner.node for tensor in _reads(each)]
            read += [each.name for each in inner.output]
            names += [tensor for tensor in read if tensor not in made]
    return names


def _find(model: ModelProto, output: str, name: str) -> str:
    tensors = {tensor for node in model.graph.node for tensor in node.output}
    for suffix in CONVERTER_SUFFIXES:
        if output + suffix in tensors:
            return output + suffix
    ends = ", ".join(tensor.name for tensor in model.graph.output)
    raise ModelError(f"{name} has no tensor {output!r} to cut at; it ends in {ends}")


def _classifier_input(model: ModelProto, name: str) -> str:
    """Return the tensor that the last fully connected layer reads."""
    makers = {tensor: node for node in model.graph.node for tensor in node.output}
    tensor = model.graph.output[0].name
    classifier = makers.get(tensor)
    while classifier is not None and classifier.op_type in BEHIND_CLASSIFIER:
        # Of an Add (the bias of a MatMul) one side is a weight and has no maker.
        tensor = next((t for t in classifier.input if t in makers), "")
        classifier = makers.get(tensor)
    if classifier is None or classifier.op_type not in ("Gemm", "MatMul"):
        ends = ", ".join(tensor.name for tensor in model.graph.output)
        raise ModelError(
            f"{name} does not end in a classifier; name the output to take, such as one of: {ends}"
        )
    tensor = classifier.input[0]
    while tensor in makers and makers[tensor].op_type in BEFORE_CLASSIFIER:
        tensor = makers[tensor].input[0]
    return str(tensor)


def _cut(model: ModelProto, tensor: str, name: str) -> None:
    """Keep what `tensor` is computed from, and make it, flattened, the only output."""
    graph = model.graph
    needed, nodes = {tensor}, []
    for node in reversed(graph.node):  # ONNX demands topological order
        if needed.intersection(node.output):
            needed.update(_reads(node))
            nodes.append(node)
    weights = [weight for weight in graph.initializer if weight.name in needed]
    names = {weight.name for weight in weights}
    # Up to IR version 3 the weights have to stand among the inputs as well, which from here on
    # they need not.
    model.ir_version = max(model.ir_version, 4)
    inputs = [i for i in graph.input if i.name in needed and i.name not in names]
    if len(inputs) != 1:
        raise ModelError(f"{name}: {tensor!r} must depend on one input, got {len(inputs)}")
    if len(inputs[0].type.tensor_type.shape.dim) != 4:
        raise ModelError(f"{name}: input {inputs[0].name!r} must be N×3×H×W or N×H×W×3")
    features = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["N", None])
    flatten = helper.make_node("Flatten", [tensor], [FEATURES], axis=1)
    _replace(graph.node, [*reversed(nodes), flatten])
    _replace(graph.initializer, weights)
    _replace(graph.input, inputs)
    _replace(graph.output, [features])
    del graph.value_info[:]  # shapes of the old batch size


def _batch(model: ModelProto) -> int:
    """Return the batch that is written into the input, 0 if it is free."""
    return int(model.graph.input[0].type.tensor_type.shape.dim[0].dim_value)


def _free_batch(model: ModelProto) -> None:
    """Let N be any number, where it was a fixed one in the input or in a Reshape."""
    graph = model.graph
    fixed = _batch(model)
    graph.input[0].type.tensor_type.shape.dim[
        0
    ].dim_param = "N"  # replaces dim_value, they are alternatives
    if not fixed:
        return
    weights = {weight.name: weight for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            weights[node.output[0]] = node.attribute[0].t
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] not in weights:
            continue
        shape = numpy_helper.to_array(weights[node.input[1]]).copy()
        if shape.size and shape[0] == fixed:
            shape[0] = 0  # "as in the input"
            node.input[1] = f"{node.output[0]}/free_shape"
            graph.initializer.append(numpy_helper.from_array(shape, node.input[1]))


def _rewrite_lrn(model: ModelProto) -> None:
    """Write local response normalisation as a 1×1 convolution and two square roots.

    ONNX Runtime calls ``pow`` for each element, which takes as long as all of GoogLeNet's
    convolutions together. With the exponent 0.75, x / s^0.75 = x / sqrt(s·sqrt(s)); the sum over
    neighbouring channels in s = bias + alpha/size · Σ x² is a banded matrix over the channels.
    """
    graph = model.graph
    channels = {
        info.name: info.type.tensor_type.shape.dim[1].dim_value
        for info in onnx.shape_inference.infer_shapes(model).graph.value_info
        if len(info.type.tensor_type.shape.dim) == 4
    }
    nodes: list[NodeProto] = []
    for node in graph.node:
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        count = channels.get(node.input[0], 0) if node.op_type == "LRN" else 0
        if not count or values.get("beta", 0.75) != 0.75 or values["size"] % 2 == 0:
            nodes.append(node)
            continue
        x, y = node.input[0], node.output[0]
        square, summed, root, product, power, band, bias = (
            f"{y}/{part}" for part in ("square", "sum", "root", "product", "power", "band", "bias")
        )
        channel = np.arange(count)
        near = np.abs(channel[:, None] - channel) <= values["size"] // 2
        matrix = np.float32(values.get("alpha", 1e-4) / values["size"]) * near.astype(np.float32)
        graph.initializer.extend(
            [
                numpy_helper.from_array(matrix[:, :, None, None], band),
                numpy_helper.from_array(np.full(count, values.get("bias", 1), np.float32), bias),
            ]
        )
        nodes += [
            helper.make_node("Mul", [x, x], [square]),
            helper.make_node("Conv", [square, band, bias], [summed], kernel_shape=[1, 1]),
            helper.make_node("Sqrt", [summed], [root]),
            helper.make_node("Mul", [summed, root], [product]),
            helper.make_node("Sqrt", [product], [power]),
            helper.make_node("Div", [x, power], [y]),
        ]
    _replace(graph.node, nodes)


def _fingerprint(model: ModelProto) -> str:
    """Return a hash of operations, connections and weights; names do not count."""
    digest = hashlib.sha256()
    number = {model.graph.input[0].name: "0"}
    for weight in model.graph.initializer:
        number[weight.name] = _array_digest(numpy_helper.to_array(weight))
    for sparse in model.graph.sparse_initializer:
        number[sparse.values.name] = hashlib.sha256(sparse.SerializeToString()).hexdigest()
    for node in model.graph.node:
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        attributes = {
            key: _array_digest(numpy_helper.to_array(value))
            if isinstance(value, TensorProto)
            else list(value)
            if isinstance(value, Iterable) and not isinstance(value, bytes)
            else value
            for key, value in sorted(values.items())
        }
        inputs = [number.get(tensor, "") for tensor in _reads(node)]
        digest.update(f"{node.domain} {node.op_type} {attributes} {inputs}\n".encode())
        for tensor in node.output:
            number[tensor] = str(len(number))
    return digest.hexdigest()


def _array_digest(array: npt.NDArray[Any]) -> str:
    return f"{array.dtype}{array.shape}{hashlib.sha256(array.tobytes()).hexdigest()}"


def _replace(field: Any, values: Sequence[object]) -> None:
    """Assign to a repeated protobuf field, which has no assignment of its own."""
    del field[:]
    field.extend(values)
