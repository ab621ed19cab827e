"""Small real models and hostile ones, built with onnx."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.engine.sessions import sha256
from app.pipeline.frames import Frame
from models.grid import Grid
from models.spec import METADATA_KEY, FactorCard, ModelSpec

OPSET = 17
CLASSES = 32
CHANNELS = 8


def spec(stage: str, **changes: object) -> ModelSpec:
    made = ModelSpec(
        name="tiny",
        kind="network" if stage == "network" else "factored",
        stage=stage,  # type: ignore[arg-type]
        part_set="S31",
        joint_set=None,
        input_size=(64, 96),
        stride=8,
        grid=Grid.CENTRE,
        preprocessing="inside",
        activation="relu",
        parameters=1000,
        licence="GPL-3.0-or-later",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def model(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[object]]],
    outputs: dict[str, tuple[int, list[object]]],
    weights: dict[str, np.ndarray] | None = None,
    description: ModelSpec | str | None = None,
    **extra: object,
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, *t) for n, t in inputs.items()],
        [helper.make_tensor_value_info(n, *t) for n, t in outputs.items()],
        [numpy_helper.from_array(w, n) for n, w in (weights or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, **extra)
    if description is not None:
        text = description if isinstance(description, str) else description.to_json()
        helper.set_model_props(made, {METADATA_KEY: text})
    return made.SerializeToString()


IMAGE = {"image": (TensorProto.UINT8, ["b", "h", "w", 3])}
FEATURES = {"features": (TensorProto.FLOAT, ["b", CHANNELS, "gh", "gw"])}
PERSON = {"person": (TensorProto.FLOAT, ["b", 1, "gh", "gw"])}
PARTS = {"parts": (TensorProto.FLOAT, ["b", CLASSES, "gh", "gw"])}
LABELS = {"labels": (TensorProto.UINT8, ["b", "gh", "gw"])}


def _random(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def _front(out: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], [out], strides=[8, 8], kernel_shape=[8, 8]),
    ]


def trunk(seed: int = 0, description: ModelSpec | str | None = None) -> bytes:
    weights = {"w": _random(seed, CHANNELS, 3, 8, 8, scale=0.0005)}
    return model(_front("features"), IMAGE, FEATURES, weights, description or spec("trunk"))


def factor(trunk_data: bytes, seed: int = 1, *, bias: float = 0.0, **changes: object) -> bytes:
    nodes = [
        helper.make_node("Conv", ["features", "w", "b"], ["z"], kernel_shape=[1, 1]),
        helper.make_node("Sigmoid", ["z"], ["person"]),
    ]
    weights = {"w": _random(seed, 1, CHANNELS, 1, 1), "b": np.array([bias], np.float32)}
    made = spec("factor", siblings={"trunk": sha256(trunk_data)}, **changes)
    return model(nodes, FEATURES, PERSON, weights, made)


def personalised(trunk_data: bytes, seed: int = 5, *, bias: float = 0.0) -> bytes:
    card = FactorCard(
        sha256(trunk_data), "0" * 64, "2026-11-20", 12, {"iou": 0.8}, {"iou": 0.9}, accepted=True
    )
    return factor(trunk_data, seed, bias=bias, card=card)


def head(trunk_data: bytes, seed: int = 2, **changes: object) -> bytes:
    nodes = [
        helper.make_node("Concat", ["features", "person"], ["c"], axis=1),
        helper.make_node("Conv", ["c", "w"], ["z"], kernel_shape=[1, 1]),
        helper.make_node("Softmax", ["z"], ["parts"], axis=1),
        helper.make_node("ArgMax", ["z"], ["i"], axis=1, keepdims=0),
        helper.make_node("Cast", ["i"], ["labels"], to=TensorProto.UINT8),
    ]
    weights = {"w": _random(seed, CLASSES, CHANNELS + 1, 1, 1)}
    made = spec("head", siblings={"trunk": sha256(trunk_data)}, **changes)
    return model(nodes, {**FEATURES, **PERSON}, {**PARTS, **LABELS}, weights, made)


def network(output: str = "parts", seed: int = 3, **changes: object) -> bytes:
    classes = CLASSES if output == "parts" else 1
    last = (
        helper.make_node("Softmax", ["z"], ["parts"], axis=1)
        if output == "parts"
        else helper.make_node("Sigmoid", ["z"], ["person"])
    )
    weights = {"w": _random(seed, classes, 3, 8, 8, scale=0.0005)}
    outputs = PARTS if output == "parts" else PERSON
    return model([*_front("z"), last], IMAGE, outputs, weights, spec("network", **changes))


def bundle(folder: Path, seed: int = 0) -> Path:
    """A factored model that runs; not in the trusted list."""
    folder.mkdir(parents=True)
    trunk_data = trunk(seed)
    (folder / "trunk.onnx").write_bytes(trunk_data)
    (folder / "factor.onnx").write_bytes(factor(trunk_data, seed + 1))
    (folder / "head.onnx").write_bytes(head(trunk_data, seed + 2))
    write_sums(folder)
    return folder


def write_sums(folder: Path) -> None:
    lines = [f"{sha256(p.read_bytes())}  {p.name}\n" for p in sorted(folder.glob("*.onnx"))]
    (folder / "SHA256SUMS").write_text("".join(lines))


def frame(
    width: int = 96, height: int = 64, index: int = 0, seed: int = 0, pts_s: float | None = None
) -> Frame:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(image, index, index / 25 if pts_s is None else pts_s, 0.0)


def picture(image: np.ndarray, index: int = 0) -> Frame:
    return Frame(np.ascontiguousarray(image, np.uint8), index, index / 25, 0.0)


# Hostile files. Each returns bytes that begin like a person model, so that only its trial finds it out.


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
    nodes = [*_front("z"), helper.make_node("f0", ["z"], ["s"], domain="own"), _sigmoid("s")]
    made = onnx.load_from_string(model(nodes, IMAGE, PERSON, _front_weights(), spec("network")))
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("own", 1))
    return made.SerializeToString()


def constant_bomb(gigabytes: float = 4.0) -> bytes:
    """A few bytes that unfold to gigabytes when constants are folded."""
    side = np.array([int(gigabytes * 2**30 / 4)], np.int64)
    nodes = [
        *_front("z"),
        helper.make_node("ConstantOfShape", ["side"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["z", "sum"], ["s"]),
        _sigmoid("s"),
    ]
    return model(nodes, IMAGE, PERSON, {**_front_weights(), "side": side}, spec("network"))


def tile_bomb() -> bytes:
    repeats = np.array([1, 1, 1 << 15, 1 << 15], np.int64)
    nodes = [*_front("z"), helper.make_node("Tile", ["z", "repeats"], ["s"]), _sigmoid("s")]
    return model(nodes, IMAGE, PERSON, {**_front_weights(), "repeats": repeats}, spec("network"))


def endless_loop() -> bytes:
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
    nodes = [*_front("z"), helper.make_node("Loop", ["n", "yes", "z"], ["s"], body=body), _sigmoid("s")]
    weights = {**_front_weights(), "n": np.array(1 << 62, np.int64), "yes": np.array(True)}
    return model(nodes, IMAGE, PERSON, weights, spec("network"))


def nested_graphs(depth: int = 1000) -> bytes:
    """Graphs in graphs in …, written byte by byte: the protobuf library itself refuses to nest so deep."""
    out = [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)]
    leaf = helper.make_graph([helper.make_node("Identity", ["z"], ["o"])], "b", [], out).SerializeToString()
    graph = leaf
    for _ in range(depth):
        graph = _span(1, _if_node(graph, leaf, "o")) + _span(2, b"b") + _span(12, out[0].SerializeToString())
    made = onnx.load_from_string(
        model([*_front("z"), _sigmoid("s")], IMAGE, PERSON, {**_front_weights(), "yes": np.array(True)})
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
        *_front("z"),
        helper.make_node("Add", ["z", "b"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        _sigmoid("b"),
    ]
    return model(nodes, IMAGE, PERSON, _front_weights(), spec("network"))


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


def huge_dims() -> bytes:
    return edited(lambda m: m.graph.initializer[0].dims.__setitem__(0, 1 << 40))


def negative_dims() -> bytes:
    return edited(lambda m: m.graph.initializer[0].dims.__setitem__(0, -4))


def foreign_op() -> bytes:
    nodes = [*_front("z"), helper.make_node("PyOp", ["z"], ["s"], domain="ai.onnx.contrib"), _sigmoid("s")]
    return model(nodes, IMAGE, PERSON, _front_weights(), spec("network"))


def unknown_op() -> bytes:
    nodes = [*_front("z"), helper.make_node("Teleport", ["z"], ["s"]), _sigmoid("s")]
    return model(nodes, IMAGE, PERSON, _front_weights(), spec("network"))


def wrong_weights(value: float) -> bytes:
    return model([*_front("z"), _sigmoid("z")], IMAGE, PERSON, _front_weights(value), spec("network"))


def wrong_interface(case: str) -> bytes:  # noqa: PLR0911 - one case each
    """A network that gives a person map, but not as expected."""
    if case == "NCHW":
        nodes = [
            helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["f", "w"], ["z"], strides=[8, 8], kernel_shape=[8, 8]),
            _sigmoid("z"),
        ]
        inputs = {"image": (TensorProto.UINT8, ["b", 3, "h", "w"])}
        return model(nodes, inputs, PERSON, _front_weights(), spec("network"))
    if case == "float image":
        return model(
            [*_front("z")[1:], _sigmoid("z")],
            {"f": (TensorProto.FLOAT, ["b", "h", "w", 3])},
            PERSON,
            _front_weights(),
            spec("network"),
        )
    if case == "fixed size":
        inputs = {"image": (TensorProto.UINT8, [1, 64, 96, 3])}
        return model([*_front("z"), _sigmoid("z")], inputs, PERSON, _front_weights(), spec("network"))
    if case == "rank 3":
        nodes = [*_front("z"), helper.make_node("Squeeze", ["z", "one"], ["q"]), _sigmoid("q")]
        weights = {**_front_weights(), "one": np.array([1], np.int64)}
        outputs = {"person": (TensorProto.FLOAT, ["b", "gh", "gw"])}
        return model(nodes, IMAGE, outputs, weights, spec("network"))
    if case == "half precision":
        nodes = [*_front("z"), helper.make_node("Sigmoid", ["z"], ["p"])]
        nodes.append(helper.make_node("Cast", ["p"], ["person"], to=TensorProto.FLOAT16))
        outputs = {"person": (TensorProto.FLOAT16, ["b", 1, "gh", "gw"])}
        return model(nodes, IMAGE, outputs, _front_weights(), spec("network"))
    if case == "other name":
        nodes = [*_front("z"), helper.make_node("Sigmoid", ["z"], ["mask"])]
        outputs = {"mask": (TensorProto.FLOAT, ["b", 1, "gh", "gw"])}
        return model(nodes, IMAGE, outputs, _front_weights(), spec("network"))
    if case == "logits":
        nodes = [*_front("z"), helper.make_node("Identity", ["z"], ["person"])]
        return model(nodes, IMAGE, PERSON, _front_weights(), spec("network"))
    raise AssertionError(case)


WRONG_INTERFACES = ("NCHW", "float image", "fixed size", "rank 3", "half precision", "other name", "logits")


def truncated_spec() -> bytes:
    broken = json.loads(spec("network").to_json())
    del broken["stride"]
    return network_with(json.dumps(broken))


def network_with(description: str | None) -> bytes:
    return model([*_front("z"), _sigmoid("z")], IMAGE, PERSON, _front_weights(), description)


def _sigmoid(name: str) -> onnx.NodeProto:
    return helper.make_node("Sigmoid", [name], ["person"])


def _front_weights(value: float | None = None) -> dict[str, np.ndarray]:
    weights = _random(3, 1, 3, 8, 8, scale=0.005)
    return {"w": weights if value is None else np.full_like(weights, value)}
