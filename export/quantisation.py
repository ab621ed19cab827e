"""8-bit integer stages for CPUs: static post-training quantisation, calibrated on pictures.

Weights get 7 bits and a scale per output channel (the eighth overflows in the sums of CPUs without VNNI),
values between layers 8 bits over the range seen in calibration. The factor stays in float: personalising
learns its very weights, and a factor is exchanged between two frames. So do offsets in pixels.
"""

from __future__ import annotations

import itertools
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from export import parity
from export.fast_blocks import FastInitial
from export.graphs import to_onnx
from export.rewrite import FastTrunk
from export.stages import ExportError
from models.outputs import JointOutput, PartProbabilities, SharedFeatures
from models.spec import IMAGE, ModelSpec, StageSpec
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.media.images import list_images, read_image

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
from onnxruntime import quantization

PICTURES = 32  # of a folder, spread evenly; with 16 to 64 the scores are the same
LONG_SIDE = 320  # px, at which they are calibrated
MIDDLE = 128  # the pixel value that the integer 0 of the first convolution stands for
LEAST_AGREEMENT = 0.9  # of the cells of people, in the label
Pictures = Sequence[NDArray[np.uint8]]


class PackedTrunk(nn.Module):
    """Image → features; pixels of 2x2 blocks and their maximum are 16 channels of one 2x2 convolution.

    Integers are convolved quickly where channels are many: three of them take as long as five layers after.
    Outside the picture it sees grey 128, not 127.5: all else is the same function.
    """

    def __init__(self, trunk: FastTrunk) -> None:
        super().__init__()
        initial, *blocks = trunk.blocks
        assert isinstance(initial, FastInitial)
        kernel = initial.conv.weight.double()
        packed = torch.zeros(len(kernel), 16, 2, 2, dtype=torch.float64)
        for row, column in itertools.product(
            range(3), repeat=2
        ):  # the first of each lies in the block before
            inside = slice(6 * ((row + 1) % 2) + 3 * ((column + 1) % 2), None)
            packed[:, inside, (row + 1) // 2, (column + 1) // 2][:, :3] = kernel[:, :, row, column]
        packed[:, 12:15, 1, 1] = initial.from_pool.weight[:, :, 0, 0].double()
        assert initial.conv.bias is not None
        centre = (MIDDLE - 127.5) * packed.sum((1, 2, 3))
        self.conv = nn.Conv2d(16, len(packed), 2)
        self.conv.load_state_dict({"weight": packed, "bias": initial.conv.bias.double() + centre})
        self.blocks = nn.Sequential(initial.act, *blocks)

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 → (b, 128, h/8, w/8)."""
        corners = [image[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        upper, lower = torch.maximum(*corners[:2]), torch.maximum(*corners[2:])
        packed = torch.cat((*corners, torch.maximum(upper, lower), corners[0][..., :1]), dim=3)
        centred = packed.permute(0, 3, 1, 2).float() - MIDDLE
        features: Tensor = self.blocks(self.conv(functional.pad(centred, (1, 0, 1, 0))))
        return features


def calibration_pictures(folder: Path, spec: ModelSpec) -> Pictures:
    """Pictures (1, h, w, 3) RGB of a folder as the network sees them.

    Raises:
        ExportError: there are none, or it is no folder.
        Refusal: one cannot be read.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder}: not a folder. Name a folder of photos of people to calibrate on")
    files = list_images(folder)
    if not files:
        raise ExportError(f"{folder}: no pictures to calibrate on. Name a folder of photos of people")
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, PICTURES).astype(int))]
    found = []
    for file in chosen:
        image = read_image(file)
        place = Letterbox.of_model((image.shape[1], image.shape[0]), NetworkSize(LONG_SIDE), spec)
        found.append(place.apply(image))
    return found


def quantised(
    modules: Mapping[str, nn.Module],
    graphs: Mapping[str, onnx.ModelProto],
    stages: Sequence[StageSpec],
    pictures: Pictures,
) -> dict[str, onnx.ModelProto]:
    """The stages that give features or parts with integer convolutions; the others as they are.

    Args:
        modules: the rewritten stages in torch, by name.
        graphs: the same in float, exported.
        stages: of the whole model.
        pictures: to calibrate on, as `calibration_pictures` gives them.

    Raises:
        ExportError: no stage gives such, one gives joints beside parts, or people's labels are not those
            of the float stages.
    """
    parts = [o.name for s in stages for o in s.outputs if isinstance(o, PartProbabilities)]
    if not parts:
        raise ExportError("int8: the network gives no body parts, for which alone integers were measured")
    of_parts = next(s for s in stages if any(o.name == parts[0] for o in s.outputs))
    if any(isinstance(o, JointOutput) for o in of_parts.outputs):
        raise ExportError("int8: one stage gives parts and joints; joints stay in float. Leave out --int8")
    extremes = (np.full((1, LONG_SIDE, LONG_SIDE, 3), value, np.uint8) for value in (0, 255))
    seen = _values(graphs, stages, (*extremes, *pictures))
    found = dict(graphs)
    for stage in stages:
        if not any(isinstance(o, SharedFeatures | PartProbabilities) for o in stage.outputs):
            continue
        graph, module = graphs[stage.name], modules[stage.name]
        if isinstance(module, FastTrunk):
            graph = to_onnx(PackedTrunk(module).eval(), stages, stage.name)
        feeds = [{name: values[name] for name in stage.inputs} for values in seen]
        found[stage.name] = _from_pixels(_static(graph, feeds))
    own, wanted = (
        np.concatenate([v[parts[0]].argmax(1).ravel() for v in values])
        for values in (_values(found, stages, pictures), seen[2:])
    )
    same = float((own == wanted)[wanted > 0].mean()) if wanted.any() else 0.0
    if same < LEAST_AGREEMENT:
        raise ExportError(
            f"int8: {same:.0%} of people's cells have the label that they have in float, fewer than "
            f"{LEAST_AGREEMENT:.0%}. Keep it in float, or calibrate on other photos of people"
        )
    return found


def _values(
    graphs: Mapping[str, onnx.ModelProto], stages: Sequence[StageSpec], pictures: Pictures
) -> list[parity.Values]:
    """Every value on the way of each picture through the stages."""
    runs = {s: parity.session_run(parity.session(g.SerializeToString())) for s, g in graphs.items()}
    return [parity.walk(stages, runs, {IMAGE: picture}) for picture in pictures]


class CalibrationFeeds(quantization.CalibrationDataReader):
    """Inputs of a stage, one after the other."""

    def __init__(self, feeds: Sequence[parity.Values]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> parity.Values | None:
        """The next, None after the last."""
        return next(self._feeds, None)


def _static(graph: onnx.ModelProto, feeds: Sequence[parity.Values]) -> onnx.ModelProto:
    """Convolutions, sums and pools between quantisation and its inverse, which ONNX Runtime joins to one."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(graph, source)
        logging.disable(logging.WARNING)  # advice to prepare what is prepared
        try:
            quantization.quantize_static(
                source,
                out,
                CalibrationFeeds(feeds),
                op_types_to_quantize=["Conv", "Add", "MaxPool", "Relu"],
                per_channel=True,
                reduce_range=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(out)


def _from_pixels(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without the way from pixels to float and back to the same integers, where there is one."""
    graph = model.graph
    readers = {name: node for node in graph.node for name in node.input[:1]}
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for cast in [n for n in graph.node if n.op_type == "Cast"]:
        way = [cast]
        while (reader := readers.get(way[-1].output[0])) is not None and len(way) < 4:
            way.append(reader)
        if [n.op_type for n in way[1:]] != ["Sub", "QuantizeLinear", "DequantizeLinear"]:
            continue
        scale, zero = (float(constants[name]) for name in way[2].input[1:])
        if (scale, zero, float(constants[way[1].input[1]])) == (1, MIDDLE, MIDDLE):
            way[3].input[0] = cast.input[0]
            for node in way[:3]:
                graph.node.remove(node)
    return model
