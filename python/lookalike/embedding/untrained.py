"""GoogLeNet as an ONNX graph, with random weights.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, table 1, as in Caffe's BVLC GoogLeNet,
from the input to ``pool5/7x7_s1``: 57 convolutions, 1.58 G multiply-adds an image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lookalike.embedding.prepared import UNTRAINED_KEY

__all__ = ["untrained_googlenet"]

# Output channels: 1×1, 3×3 reduction, 3×3, 5×5 reduction, 5×5, projection behind the pooling.
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED_AFTER = {"3b": "pool3", "4e": "pool4"}


def untrained_googlenet(seed: int) -> bytes:
    """Return an ONNX file of GoogLeNet with weights drawn from `seed` (He et al.'s initialisation).

    Its metadata say that it is untrained.
    """
    return _Builder(seed).googlenet()


class _Builder:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.channels = {"data_0": 3}

    def googlenet(self) -> bytes:
        x = self.convolution("conv1/7x7_s2", "data_0", 64, 7, stride=2)
        x = self.pooling("pool1/3x3_s2", x, stride=2)
        x = self.normalisation("pool1/norm1", x)
        x = self.convolution("conv2/3x3_reduce", x, 64, 1)
        x = self.convolution("conv2/3x3", x, 192, 3)
        x = self.normalisation("conv2/norm2", x)
        x = self.pooling("pool2/3x3_s2", x, stride=2)
        for module, widths in INCEPTION.items():
            x = self.inception(f"inception_{module}", x, widths)
            if module in POOLED_AFTER:
                x = self.pooling(f"{POOLED_AFTER[module]}/3x3_s2", x, stride=2)
        self.add("AveragePool", [x], "pool5/7x7_s1", 1024, kernel_shape=[7, 7])
        image = helper.make_tensor_value_info("data_0", TensorProto.FLOAT, ["N", 3, 224, 224])
        features = helper.make_tensor_value_info(
            "pool5/7x7_s1", TensorProto.FLOAT, ["N", 1024, 1, 1]
        )
        graph = helper.make_graph(
            self.nodes, "untrained GoogLeNet", [image], [features], self.weights
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, {UNTRAINED_KEY: f"seed {self.seed}"})
        content: bytes = model.SerializeToString()
        return content

    def add(self, kind: str, inputs: list[str], name: str, channels: int, **values: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **values))
        self.channels[name] = channels
        return name

    def convolution(self, name: str, x: str, channels: int, side: int, stride: int = 1) -> str:
        fan_in = self.channels[x] * side * side
        kernel = self.random.standard_normal((channels, self.channels[x], side, side), np.float32)
        kernel *= np.float32(np.sqrt(2 / fan_in))
        self.weights += [
            numpy_helper.from_array(kernel, f"{name}_w"),
            numpy_helper.from_array(np.zeros(channels, np.float32), f"{name}_b"),
        ]
        inputs = [x, f"{name}_w", f"{name}_b"]
        shape = {"kernel_shape": [side, side], "pads": [side // 2] * 4, "strides": [stride] * 2}
        linear = self.add("Conv", inputs, f"{name}/conv", channels, **shape)
        return self.add("Relu", [linear], name, channels)

    def pooling(self, name: str, x: str, stride: int) -> str:
        # Caffe rounds the size up where ONNX rounds down. Behind a ReLU, a row and a column of
        # padding at the end do the same.
        pads = [0, 0, 1, 1] if stride == 2 else [1, 1, 1, 1]
        shape = {"kernel_shape": [3, 3], "pads": pads, "strides": [stride] * 2}
        return self.add("MaxPool", [x], name, self.channels[x], **shape)

    def normalisation(self, name: str, x: str) -> str:
        return self.add("LRN", [x], name, self.channels[x], size=5, alpha=1e-4, beta=0.75, bias=1.0)

    def inception(self, name: str, x: str, widths: tuple[int, ...]) -> str:
        one, reduce3, three, reduce5, five, projection = widths
        branches = [
            self.convolution(f"{name}/1x1", x, one, 1),
            self.convolution(
                f"{name}/3x3", self.convolution(f"{name}/3x3_reduce", x, reduce3, 1), three, 3
            ),
            self.convolution(
                f"{name}/5x5", self.convolution(f"{name}/5x5_reduce", x, reduce5, 1), five, 5
            ),
            self.convolution(
                f"{name}/pool_proj", self.pooling(f"{name}/pool", x, stride=1), projection, 1
            ),
        ]
        total = one + three + five + projection
        return self.add("Concat", branches, f"{name}/output", total, axis=1)
