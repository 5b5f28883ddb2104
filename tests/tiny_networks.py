"""Tiny ONNX networks in all the forms that published ones have, built here."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 8


def model_of(nodes, *, shape=("N", 3, SIDE, SIDE), kind=TensorProto.FLOAT, weights=(), opset=13):
    """A model from `pixels` to `features`."""
    given = helper.make_tensor_value_info("pixels", kind, shape)
    real = TensorProto.FLOAT if kind == TensorProto.UINT8 else kind
    last = helper.make_tensor_value_info("features", real, None)
    arrays = [numpy_helper.from_array(array, name) for name, array in weights]
    graph = helper.make_graph(list(nodes), "tiny", [given], [last], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(operation, inputs, output="features", **values):
    return helper.make_node(operation, inputs.split(), [output], **values)


def means(*, kind=TensorProto.FLOAT, layout="NCHW", batch="N", sides=(SIDE, SIDE)):
    """The mean of each channel, computed in float32, then in the type of the pixels."""
    shape = (batch, 3, *sides) if layout == "NCHW" else (batch, *sides, 3)
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    real = TensorProto.FLOAT if kind == TensorProto.UINT8 else kind
    return model_of(
        [
            node("Cast", "pixels", "real", to=TensorProto.FLOAT),
            node("ReduceMean", "real", "mean", axes=axes, keepdims=0),
            node("Cast", "mean", to=real),
        ],
        shape=shape,
        kind=kind,
    )


def patches(tokens=4, *, batch="N"):
    """Tokens as a transformer gives them: a class token of ones, then parts of each channel."""
    shape = np.array([0 if batch == "N" else batch, 3, tokens, -1])
    ones = np.ones((1 if batch == "N" else batch, 1, 3), np.float32)
    nodes = [
        node("Reshape", "pixels shape", "parts"),
        node("ReduceMean", "parts", "some", axes=[3], keepdims=0),
        node("Transpose", "some", "tokens", perm=[0, 2, 1]),
    ]
    weights = [("shape", shape), ("class", ones)]
    if batch == "N":  # as many class tokens as there are images
        nodes += [
            node("ReduceMean", "tokens", "one", axes=[1], keepdims=1),
            node("Mul", "one zero", "none"),
            node("Add", "none class", "classes"),
            node("Concat", "classes tokens", axis=1),
        ]
        weights.append(("zero", np.zeros(1, np.float32)))
    else:
        nodes.append(node("Concat", "class tokens", axis=1))
    return model_of(nodes, shape=(batch, 3, SIDE, SIDE), weights=weights)


def saved(model, path):
    onnx.save(model, path)
    return path
