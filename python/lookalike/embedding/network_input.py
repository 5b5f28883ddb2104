"""Networks that take their pixels otherwise: N×H×W×3, float16, uint8.

The graph itself is given what turns float32 of N×3×H×W into that, so that all are fed alike.
"""

from __future__ import annotations

from onnx import ModelProto, TensorProto, helper

from lookalike.embedding.weights import ModelError

__all__ = ["feed_alike"]

PIXELS = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16", TensorProto.UINT8: "uint8"}


def feed_alike(model: ModelProto, name: str) -> tuple[list[int | None], str, str]:
    """Let a graph take float32 of N×3×H×W, whatever it took, and give float32.

    Returns
    -------
    list, str, str
        Channels, height and width of an image, None where any will do; the layout and the type of
        the pixels that the graph took, "NCHW" or "NHWC" and "float32", "float16" or "uint8".

    Raises
    ------
    ModelError
        It takes pixels of another type.
    """
    graph = model.graph
    taken = graph.input[0]
    kind = taken.type.tensor_type.elem_type
    if kind not in PIXELS:
        found = TensorProto.DataType.Name(kind).lower()
        raise ModelError(
            f"{name}: input {taken.name!r} is of type {found}; float32, float16 and uint8 are taken"
        )
    sides = [
        dim.dim_value if dim.dim_value > 0 else None for dim in taken.type.tensor_type.shape.dim[1:]
    ]
    layout = "NHWC" if sides[0] != 3 and sides[2] == 3 else "NCHW"
    if layout == "NHWC":
        sides = [3, sides[0], sides[1]]
    steps = []
    if kind != TensorProto.FLOAT:
        steps.append(("Cast", {"to": kind}))
    if layout == "NHWC":
        steps.append(("Transpose", {"perm": [0, 2, 3, 1]}))
    if steps:
        first = f"{taken.name}/given"
        made = first
        for place, (operation, values) in enumerate(steps):
            last = place == len(steps) - 1
            result = taken.name if last else f"{taken.name}/{operation}"
            graph.node.insert(place, helper.make_node(operation, [made], [result], **values))
            made = result
        shape = ["N", *(side or f"side{axis}" for axis, side in enumerate(sides))]
        graph.input[0].CopyFrom(helper.make_tensor_value_info(first, TensorProto.FLOAT, shape))
    return sides, layout, PIXELS[kind]
