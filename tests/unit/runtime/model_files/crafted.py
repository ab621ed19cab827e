"""Small real models, built with onnx."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.grid import Grid
from models.outputs import Heatmaps, PartLabels, PartProbabilities, PersonProbability, SharedFeatures
from models.spec import METADATA_KEY, FactorCard, ModelSpec, StageSpec
from runtime.engine.sessions import sha256
from runtime.frames import Frame

OPSET = 17
CLASSES = 32
CHANNELS = 8


def spec(stage: str, gives: str = "person", grid: Grid = Grid.CENTRE, **changes: object) -> ModelSpec:
    """Of a stage of the tiny factored model, or of a network that gives `person` or `parts`."""
    person = PersonProbability(grid=grid)
    parts = PartProbabilities(parts="S31", grid=grid), PartLabels(parts="S31", grid=grid)
    factored = (
        StageSpec("trunk", ("image",), (SharedFeatures(count=CHANNELS),)),
        StageSpec("factor", ("features",), (person,)),
        StageSpec("head", ("features", "person"), parts),
    )
    single = (StageSpec("network", ("image",), parts if gives == "parts" else (person,)),)
    made = ModelSpec(
        name="tiny",
        stages=single if stage == "network" else factored,
        stage=stage,
        input_size=(64, 96),
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


def random(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def front(out: str, grid: object = Grid.CENTRE) -> list[onnx.NodeProto]:
    last = 7 if grid is Grid.CORNER else 0  # of 8·n + 1 pixels the last one begins a cell, too
    return [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "Conv", ["t", "w"], [out], strides=[8, 8], kernel_shape=[8, 8], pads=[0, 0, last, last]
        ),
    ]


def trunk(seed: int = 0, description: ModelSpec | str | None = None) -> bytes:
    weights = {"w": random(seed, CHANNELS, 3, 8, 8, scale=0.0005)}
    return model(front("features"), IMAGE, FEATURES, weights, description or spec("trunk"))


def factor(trunk_data: bytes, seed: int = 1, *, bias: float = 0.0, **changes: object) -> bytes:
    nodes = [
        helper.make_node("Conv", ["features", "w", "b"], ["z"], kernel_shape=[1, 1]),
        helper.make_node("Sigmoid", ["z"], ["person"]),
    ]
    weights = {"w": random(seed, 1, CHANNELS, 1, 1), "b": np.array([bias], np.float32)}
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
    weights = {"w": random(seed, CLASSES, CHANNELS + 1, 1, 1)}
    made = spec("head", siblings={"trunk": sha256(trunk_data)}, **changes)
    return model(nodes, {**FEATURES, **PERSON}, {**PARTS, **LABELS}, weights, made)


def network(output: str = "parts", seed: int = 3, **changes: object) -> bytes:
    classes = CLASSES if output == "parts" else 1
    last = (
        helper.make_node("Softmax", ["z"], ["parts"], axis=1)
        if output == "parts"
        else helper.make_node("Sigmoid", ["z"], ["person"])
    )
    weights = {"w": random(seed, classes, 3, 8, 8, scale=0.0005)}
    outputs = PARTS if output == "parts" else PERSON
    return model(
        [*front("z", changes.get("grid")), last], IMAGE, outputs, weights, spec("network", output, **changes)
    )


def joints(seed: int = 3) -> bytes:
    """A network with joints and nothing else: LSP's 14, each somewhere."""
    nodes = [*front("z"), helper.make_node("Sigmoid", ["z"], ["heatmaps"])]
    outputs = {"heatmaps": (TensorProto.FLOAT, ["b", 14, "gh", "gw"])}
    stages = (StageSpec("network", ("image",), (Heatmaps(joints="LSP-14"),)),)
    weights = {"w": random(seed, 14, 3, 8, 8, scale=0.0005)}
    return model(nodes, IMAGE, outputs, weights, spec("network", stages=stages))


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


def sigmoid(name: str) -> onnx.NodeProto:
    return helper.make_node("Sigmoid", [name], ["person"])


def front_weights(value: float | None = None) -> dict[str, np.ndarray]:
    weights = random(3, 1, 3, 8, 8, scale=0.005)
    return {"w": weights if value is None else np.full_like(weights, value)}
