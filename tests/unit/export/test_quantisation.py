from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from export import parity
from export.quantisation import LONG_SIDE, PackedTrunk, calibration_pictures, quantised
from export.rewrite import PIXEL_CENTRE, FastTrunk, rewrite
from export.stages import ExportError
from export.write import describe
from models.checkpoint import load_network
from models.factored import FactoredConvNet, TrunkStage
from models.families import ZOO
from models.spec import ModelSpec
from runtime.media.images import read_image
from runtime.model_files.graph import check_structure
from runtime.model_files.metadata import describe_file
from runtime.system import paths
from tests.networks import seasoned

MODEL = paths.models_dir() / "factored-s31"
SHIPPED_IN_INTEGERS = paths.models_dir() / "factored-s31-int8"
ROW = ZOO["factored-s31"]
SPEC = describe(ROW, name="n", licence="CC0-1.0", training_data=())
pytestmark = pytest.mark.timeout(600)  # tracing is slow on a busy machine


@pytest.fixture(scope="module")
def people() -> NDArray[np.uint8]:
    return read_image(paths.models_dir().parent / "regression" / "people.jpg")


@pytest.fixture(scope="module")
def graphs() -> dict[str, onnx.ModelProto]:
    return {s.name: onnx.load(MODEL / f"{s.name}.onnx") for s in ROW.stages}


@pytest.fixture(scope="module")
def modules() -> dict[str, nn.Module]:
    network, _ = load_network(MODEL.parents[1] / "checkpoints" / "factored-s31.safetensors")
    return {name: rewrite(stage) for name, stage in network.eval().stages().items()}


@torch.no_grad()
def test_the_packed_trunk_differs_at_the_border_alone() -> None:
    fast = rewrite(TrunkStage(seasoned(FactoredConvNet()).trunk).eval())
    assert isinstance(fast, FastTrunk)
    image = torch.randint(0, 256, (2, 32, 48, 3), dtype=torch.uint8)
    first = fast.blocks[0]
    expected = first(image.permute(0, 3, 1, 2).float() - PIXEL_CENTRE)
    packed = PackedTrunk(fast)
    seen: list[torch.Tensor] = []
    packed.blocks[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert packed(image).shape == fast(image).shape
    torch.testing.assert_close(seen[0][..., 1:, 1:], expected[..., 1:, 1:], atol=1e-4, rtol=0)
    border = 0.5 * float(first.conv.weight.abs().sum((1, 2, 3)).max())
    assert float((seen[0] - expected).abs().max()) <= border + 1e-4


@pytest.mark.onnx
def test_trunk_and_head_run_in_integers_and_the_factor_is_untouched(
    graphs: dict[str, onnx.ModelProto],
    modules: dict[str, nn.Module],
    people: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    halves = [np.ascontiguousarray(people[None, :320, x : x + 320]) for x in (0, people.shape[1] - 320)]
    found = quantised(modules, graphs, ROW.stages, halves)
    assert found["factor"] is graphs["factor"]
    for stage in ("trunk", "head"):
        check_structure(found[stage].SerializeToString())
        operators = [n.op_type for n in found[stage].graph.node]
        assert operators.count("QuantizeLinear") >= operators.count("Conv") - 3
    assert "Sub" not in [n.op_type for n in found["trunk"].graph.node], "pixels go in as they are"
    runs = {
        kind: {n: parity.session_run(parity.session(g.SerializeToString())) for n, g in given.items()}
        for kind, given in (("float", graphs), ("int8", found))
    }
    values = {kind: parity.walk(ROW.stages, run, {"image": halves[0]}) for kind, run in runs.items()}
    difference = np.abs(values["float"]["person"] - values["int8"]["person"])
    assert 0 < float(difference.mean()) < 0.02
    assert float(np.abs(values["float"]["parts"] - values["int8"]["parts"]).mean()) < 0.01


@pytest.mark.onnx
def test_another_networks_integers_are_refused(
    graphs: dict[str, onnx.ModelProto], modules: dict[str, nn.Module], people: NDArray[np.uint8]
) -> None:
    other = rewrite(TrunkStage(seasoned(FactoredConvNet()).trunk).eval())
    with pytest.raises(ExportError, match="of people's cells have the label that they have in float"):
        quantised({**modules, "trunk": other}, graphs, ROW.stages, [people[None, :320, :320].copy()])


def test_without_parts_or_pictures_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="gives no body parts"):
        quantised({}, {}, ZOO["joints-s31"].stages, ())
    with pytest.raises(ExportError, match="no pictures to calibrate on"):
        calibration_pictures(tmp_path, SPEC)
    for missing in (tmp_path / "missing", Path(__file__)):
        with pytest.raises(ExportError, match=r"not a folder\. Name a folder of photos"):
            calibration_pictures(missing, SPEC)


@pytest.mark.parametrize("row", ["pil-small", "mula-small", "paf-fcn-small"])
def test_joints_from_the_stage_of_the_parts_are_refused(row: str) -> None:
    with pytest.raises(ExportError, match="joints stay in float"):
        quantised({}, {}, ZOO[row].stages, ())


def test_pictures_are_seen_as_the_network_sees_them() -> None:
    (picture,) = calibration_pictures(paths.models_dir().parent / "regression", SPEC)[:1]
    assert picture.dtype == np.uint8
    assert max(picture.shape[1:3]) == LONG_SIDE
    assert picture.shape[1] % 32 == picture.shape[2] % 32 == 0


def test_the_shipped_model_in_integers_is_of_the_shipped_weights() -> None:
    def factor(folder: Path) -> tuple[dict[str, bytes], ModelSpec]:
        weights = {i.name: i.raw_data for i in onnx.load(folder / "factor.onnx").graph.initializer}
        return weights, replace(describe_file(folder / "factor.onnx"), name="", siblings={})

    assert factor(MODEL) == factor(SHIPPED_IN_INTEGERS), "export factored-s31-int8 anew: docs/training.md"
