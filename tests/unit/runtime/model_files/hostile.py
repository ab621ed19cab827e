"""Hostile model files: each begins like a person model, and only its structure or its trial tells."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.spec import METADATA_KEY
from tests.unit.runtime.model_files.crafted import (
    IMAGE,
    OPSET,
    PERSON,
    factor,
    front,
    front_weights,
    model,
    network,
    random,
    sigmoid,
    spec,
)


def function_chain(depth: int = 3000) -> bytes:
    """A function that calls a function that calls …: the runtime's inliner overflows its stack."""
    functions = []
    for i in range(depth):
        inner = (
            helper.make_node("Identity", ["x"], ["y"])
            if i == depth - 1
            else helper.make_node(f"f{i + 1}", ["x"], ["y"], domain="own")
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("own", 1)]
        functions.append(helper.make_function("own", f"f{i}", ["x"], ["y"], [inner], opsets))
    nodes = [*front("z"), helper.make_node("f0", ["z"], ["s"], domain="own"), sigmoid("s")]
    made = onnx.load_from_string(model(nodes, IMAGE, PERSON, front_weights(), spec("network")))
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("own", 1))
    return made.SerializeToString()


def constant_bomb(gigabytes: float = 4.0) -> bytes:
    """A few bytes that unfold to gigabytes when constants are folded."""
    side = np.array([int(gigabytes * 2**30 / 4)], np.int64)
    nodes = [
        *front("z"),
        helper.make_node("ConstantOfShape", ["side"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["z", "sum"], ["s"]),
        sigmoid("s"),
    ]
    return model(nodes, IMAGE, PERSON, {**front_weights(), "side": side}, spec("network"))


def tile_bomb() -> bytes:
    repeats = np.array([1, 1, 1 << 15, 1 << 15], np.int64)
    nodes = [*front("z"), helper.make_node("Tile", ["z", "repeats"], ["s"]), sigmoid("s")]
    return model(nodes, IMAGE, PERSON, {**front_weights(), "repeats": repeats}, spec("network"))


def _loop() -> onnx.NodeProto:
    """`z` handed on as `s`, `n` times."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["v"], ["w2"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w2", TensorProto.FLOAT, None),
        ],
    )
    return helper.make_node("Loop", ["n", "yes", "z"], ["s"], body=body)


def endless_loop(times: int = 1 << 62) -> bytes:
    weights = {**front_weights(), "n": np.array(times, np.int64), "yes": np.array(True)}
    return model([*front("z"), _loop(), sigmoid("s")], IMAGE, PERSON, weights, spec("network"))


def long_factor(trunk_data: bytes, times: int) -> bytes:
    """A factor that needs so many rounds for a picture, a second for some hundred thousand."""
    made = onnx.load_from_string(factor(trunk_data))
    convolution = made.graph.node[0]
    del made.graph.node[:]
    made.graph.node.extend([convolution, _loop(), sigmoid("s")])
    for name, value in {"n": np.array(times, np.int64), "yes": np.array(True)}.items():
        made.graph.initializer.append(numpy_helper.from_array(value, name))
    return made.SerializeToString()


def with_metadata(entry: bytes) -> bytes:
    """A network with one more entry of metadata, byte by byte."""
    return network("person") + _span(14, entry)


def counted(trunk_data: bytes, *nodes: onnx.NodeProto) -> bytes:
    """A factor with more operators, from its `features` to `extra`, which is added to what it says."""
    made = onnx.load_from_string(factor(trunk_data))
    last = helper.make_node("Add", ["z", "extra"], ["s"])
    kept = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend([*kept[:-1], *nodes, last, sigmoid("s")])
    for name, value in {"column": [-1, 1], "row": [1, -1], "shift": 0.0}.items():
        kind = np.float32 if name == "shift" else np.int64
        made.graph.initializer.append(numpy_helper.from_array(np.array(value, kind), name))
    return made.SerializeToString()


def grows_by_shape(trunk_data: bytes) -> bytes:
    return counted(
        trunk_data,
        helper.make_node("Shape", ["features"], ["sizes"]),
        helper.make_node("ConstantOfShape", ["sizes"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["extra"], keepdims=0),
    )


def grows_by_value(trunk_data: bytes) -> bytes:
    """Sizes made of what is in the picture."""
    return counted(
        trunk_data,
        helper.make_node("Reshape", ["features", "row"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["sizes"], to=TensorProto.INT64),
        helper.make_node("Expand", ["shift", "sizes"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["extra"], keepdims=0),
    )


def grows_with_the_square(trunk_data: bytes) -> bytes:
    """Every feature beside every other: 9 MB at 96x128 px, 46 GB at 928x928 px."""
    return counted(
        trunk_data,
        helper.make_node("Reshape", ["features", "row"], ["flat"]),
        helper.make_node("Reshape", ["features", "column"], ["up"]),
        helper.make_node("Mul", ["up", "flat"], ["big"]),
        helper.make_node("ReduceMax", ["big"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "shift"], ["extra"]),
    )


GROWING = {
    "by its size": (grows_by_shape, "operator Shape"),
    "by what it shows": (grows_by_value, "Expand takes sizes that the graph computes"),
    "by its square": (grows_with_the_square, "failed on a test picture|memory"),
}


def nested_graphs(depth: int = 1000) -> bytes:
    """Graphs in graphs in …, written byte by byte: the protobuf library itself refuses to nest so deep."""
    out = [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)]
    leaf = helper.make_graph([helper.make_node("Identity", ["z"], ["o"])], "b", [], out).SerializeToString()
    graph = leaf
    for _ in range(depth):
        graph = _span(1, _if_node(graph, leaf, "o")) + _span(2, b"b") + _span(12, out[0].SerializeToString())
    made = onnx.load_from_string(
        model([*front("z"), sigmoid("s")], IMAGE, PERSON, {**front_weights(), "yes": np.array(True)})
    )
    helper.set_model_props(made, {METADATA_KEY: spec("network").to_json()})
    whole = _span(1, _if_node(graph, leaf, "s")) + made.graph.SerializeToString()
    made.ClearField("graph")
    return made.SerializeToString() + _span(7, whole)


def _if_node(then_branch: bytes, else_branch: bytes, output: str) -> bytes:
    branches = b""
    for name, graph in ((b"then_branch", then_branch), (b"else_branch", else_branch)):
        branches += _span(5, _span(1, name) + _span(6, graph) + b"\xa0\x01\x05")
    return _span(1, b"yes") + _span(2, output.encode()) + _span(4, b"If") + branches


def _span(number: int, payload: bytes) -> bytes:
    length, rest = b"", len(payload)
    while rest >= 0x80:
        length += bytes((rest & 0x7F | 0x80,))
        rest >>= 7
    return bytes((number << 3 | 2,)) + length + bytes((rest,)) + payload


def cyclic() -> bytes:
    nodes = [
        *front("z"),
        helper.make_node("Add", ["z", "b"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        sigmoid("b"),
    ]
    return model(nodes, IMAGE, PERSON, front_weights(), spec("network"))


def edited(change: Callable[[onnx.ModelProto], None], base: bytes | None = None) -> bytes:
    made = onnx.load_from_string(base or network("person"))
    change(made)
    return made.SerializeToString()


def external(location: str, offset: int = 0) -> bytes:
    def change(made: onnx.ModelProto) -> None:
        weight = made.graph.initializer[0]
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", str(offset)), ("length", "768")):
            entry = weight.external_data.add()
            entry.key, entry.value = key, value

    return edited(change)


def newer(number: str) -> bytes:
    def change(made: onnx.ModelProto) -> None:
        if number == "opset":
            made.opset_import[0].version = 99
        else:
            made.ir_version = 99

    return edited(change)


def huge_dims() -> bytes:
    return edited(lambda m: m.graph.initializer[0].dims.__setitem__(0, 1 << 40))


def negative_dims() -> bytes:
    return edited(lambda m: m.graph.initializer[0].dims.__setitem__(0, -4))


def foreign_op() -> bytes:
    nodes = [*front("z"), helper.make_node("PyOp", ["z"], ["s"], domain="ai.onnx.contrib"), sigmoid("s")]
    return model(nodes, IMAGE, PERSON, front_weights(), spec("network"))


def unknown_op() -> bytes:
    nodes = [*front("z"), helper.make_node("Teleport", ["z"], ["s"]), sigmoid("s")]
    return model(nodes, IMAGE, PERSON, front_weights(), spec("network"))


def wrong_weights(value: float) -> bytes:
    return model([*front("z"), sigmoid("z")], IMAGE, PERSON, front_weights(value), spec("network"))


def wrong_interface(case: str) -> bytes:  # noqa: PLR0911 - one case each
    """A network that gives a person map, but not as expected."""
    if case == "NCHW":
        nodes = [
            helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["f", "w"], ["z"], strides=[8, 8], kernel_shape=[8, 8]),
            sigmoid("z"),
        ]
        inputs = {"image": (TensorProto.UINT8, ["b", 3, "h", "w"])}
        return model(nodes, inputs, PERSON, front_weights(), spec("network"))
    if case == "float image":
        return model(
            [*front("z")[1:], sigmoid("z")],
            {"f": (TensorProto.FLOAT, ["b", "h", "w", 3])},
            PERSON,
            front_weights(),
            spec("network"),
        )
    if case == "fixed size":
        inputs = {"image": (TensorProto.UINT8, [1, 64, 96, 3])}
        return model([*front("z"), sigmoid("z")], inputs, PERSON, front_weights(), spec("network"))
    if case == "rank 3":
        nodes = [*front("z"), helper.make_node("Squeeze", ["z", "one"], ["q"]), sigmoid("q")]
        weights = {**front_weights(), "one": np.array([1], np.int64)}
        outputs = {"person": (TensorProto.FLOAT, ["b", "gh", "gw"])}
        return model(nodes, IMAGE, outputs, weights, spec("network"))
    if case == "half precision":
        nodes = [*front("z"), helper.make_node("Sigmoid", ["z"], ["p"])]
        nodes.append(helper.make_node("Cast", ["p"], ["person"], to=TensorProto.FLOAT16))
        outputs = {"person": (TensorProto.FLOAT16, ["b", 1, "gh", "gw"])}
        return model(nodes, IMAGE, outputs, front_weights(), spec("network"))
    if case == "other name":
        nodes = [*front("z"), helper.make_node("Sigmoid", ["z"], ["mask"])]
        outputs = {"mask": (TensorProto.FLOAT, ["b", 1, "gh", "gw"])}
        return model(nodes, IMAGE, outputs, front_weights(), spec("network"))
    if case == "logits":
        nodes = [*front("z"), helper.make_node("Identity", ["z"], ["person"])]
        return model(nodes, IMAGE, PERSON, front_weights(), spec("network"))
    raise AssertionError(case)


WRONG_INTERFACES = ("NCHW", "float image", "fixed size", "rank 3", "half precision", "other name", "logits")


def truncated_spec() -> bytes:
    broken = json.loads(spec("network").to_json())
    del broken["activation"]
    return network_with(json.dumps(broken))


def network_with(description: str | None) -> bytes:
    return model([*front("z"), sigmoid("z")], IMAGE, PERSON, front_weights(), description)


def described(text: str, base: bytes) -> bytes:
    """A model with another description."""
    return edited(lambda m: helper.set_model_props(m, {METADATA_KEY: text}), base)


def fewer_classes() -> bytes:
    """A part network that says S31 and gives seven classes."""
    weights = numpy_helper.from_array(random(0, 7, 3, 8, 8), "w")
    return edited(lambda m: m.graph.initializer[0].CopyFrom(weights), network("parts"))
