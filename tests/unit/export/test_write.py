from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from export.__main__ import main
from export.graphs import refuse_training_graph, to_onnx
from export.parity import CASES, check, measure, pictures
from export.stages import ExportError
from export.write import describe, export_bundle
from models.checkpoint import save_network
from models.factored import Factor, FactoredConvNet, FactorStage
from models.families import ZOO
from models.network import build
from runtime.system.files import write_folder
from tests.networks import seasoned, stage_bytes

pytestmark = pytest.mark.timeout(600)  # tracing is slow on a busy machine
ROW = ZOO["factored-s31"]
SPEC = describe(ROW, name="n", licence="CC0-1.0", training_data=())


def export(network: FactoredConvNet, out: Path) -> None:
    export_bundle(network, out, SPEC, "# n\n")


@pytest.fixture(scope="module")
def factor() -> Factor:
    return seasoned(FactoredConvNet()).factor


@pytest.fixture(scope="module")
def factor_file(factor: Factor) -> bytes:
    return stage_bytes(FactorStage(factor), replace(SPEC, stage="factor"))


@pytest.mark.onnx
def test_parity_notices_another_networks_weights(factor_file: bytes, factor: Factor) -> None:
    models = {"factor": factor_file}
    (alone, composed) = measure(models, {"factor": FactorStage(factor).eval()}, ROW.stages)
    assert alone.passed
    assert composed.passed
    other = FactorStage(seasoned(FactoredConvNet(), seed=1).factor).eval()
    with pytest.raises(ExportError, match="factor: person of the exported graph differs"):
        check(models, {"factor": other}, ROW.stages)


@pytest.mark.onnx
def test_parity_notices_one_changed_weight(factor_file: bytes, factor: Factor) -> None:
    model = onnx.load_from_string(factor_file)
    weight = next(i for i in model.graph.initializer if i.name == "classify.weight")
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0, 0] += 1e-3
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(ExportError, match="differs"):
        check({"factor": model.SerializeToString()}, {"factor": FactorStage(factor).eval()}, ROW.stages)


@pytest.mark.onnx
def test_parity_refuses_a_result_that_is_no_number(factor_file: bytes, factor: Factor) -> None:
    model = onnx.load_from_string(factor_file)
    weight = next(i for i in model.graph.initializer if i.name == "classify.weight")
    values = onnx.numpy_helper.to_array(weight) * np.float32("nan")
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(ExportError, match="nan"):
        check({"factor": model.SerializeToString()}, {"factor": FactorStage(factor).eval()}, ROW.stages)


def test_nan_weights_and_training_mode_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    net = FactoredConvNet().train()
    with pytest.raises(ExportError, match="training mode"):
        export(net, tmp_path / "out")
    net.eval().factor.stage[3].train()
    with pytest.raises(ExportError, match="training mode"):
        export(net, tmp_path / "out")
    net.eval()
    with torch.no_grad():
        net.head.concat[0].weight[0, 0] = torch.nan
    with pytest.raises(ExportError, match=r"head\.concat\.0\.weight holds NaN"):
        export(net, tmp_path / "out")
    net = FactoredConvNet().eval()
    net.trunk[0].norm.running_var[2] = torch.inf
    with pytest.raises(ExportError, match=r"running_var holds NaN or infinity"):
        export(net, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_directory_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_bytes(b"x")
    net = FactoredConvNet().eval()
    with pytest.raises(ExportError, match=r"holiday\.jpg"):
        export(net, out)
    with pytest.raises(ExportError, match="not a directory"):
        export(net, out / "holiday.jpg")
    (tmp_path / "link").symlink_to(out)
    with pytest.raises(ExportError, match="not a directory"):
        export(net, tmp_path / "link")
    assert [p.name for p in out.iterdir()] == ["holiday.jpg"]


def test_a_directory_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    write_folder(out, {"a": b"1", "b": b"2"})
    write_folder(out, {"a": b"3"})
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"a": b"3"}
    with pytest.raises(FileNotFoundError):
        write_folder(out, {"a": b"4", "no/such/folder": b"5"})
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"a": b"3"}
    assert [p.name for p in out.parent.iterdir()] == ["bundle"]
    assert out.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (helper.make_node("RandomUniformLike", ["x"], ["y"]), "RandomUniformLike"),
        (helper.make_node("Dropout", ["x"], ["y"]), "Dropout"),
        (helper.make_node("BatchNormalization", ["x"] * 5, ["y"], training_mode=1), "BatchNormalization"),
    ],
)
def test_training_left_in_a_graph_is_found_also_in_its_branches(node: onnx.NodeProto, words: str) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    inner = helper.make_graph([node], "inner", [], [value])
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    for nodes in ([node], [branch]):
        model = helper.make_model(helper.make_graph(nodes, "g", [value], [value]))
        with pytest.raises(ExportError, match=words):
            refuse_training_graph(model, "trunk")


def test_a_forgotten_eval_is_found_in_the_traced_graph() -> None:
    """The tracer says nothing of dropout that is left in: only the graph shows it."""

    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(128, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(self.conv(x), 0.5, training=True)

    with pytest.raises(ExportError, match="is left in the graph"):
        to_onnx(Noisy(), ROW.stages, "factor")


def test_parity_pictures_are_the_same_each_time_and_of_several_kinds() -> None:
    a = pictures(4, 32, 64, seed=5)
    assert (a == pictures(4, 32, 64, seed=5)).all()
    assert {int(p.std() == 0) for p in a} == {0, 1}
    assert any(b > 1 for b, *_ in CASES)


def test_the_card_of_a_checkpoint_is_a_table(tmp_path: Path) -> None:
    net = build(ZOO["enet-relu"])
    meta = {"step": 7, "config": {"lr": 0.001, "step": {"bf16": True}}, "history": ["Seven | steps."]}
    save_network(tmp_path / "net.safetensors", ZOO["enet-relu"], net, meta)
    assert main([str(tmp_path / "net.safetensors"), "--out", str(tmp_path / "o")]) == 0
    card = (tmp_path / "o" / "CARD.md").read_text()
    assert "| config: step: bf16 | True |" in card
    assert "## How it was trained\n\n- Seven | steps.\n" in card
    assert "{" not in card


def test_the_command_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.safetensors"), "--out", str(tmp_path / "o")]) == 2
    assert "no such file" in capsys.readouterr().err
    for wrong in (
        ["--size", "big"],
        ["--size", "0x0"],
        ["--data", "mine"],
        ["--card"],
    ):
        with pytest.raises(SystemExit) as stop:
            main(["x", "--out", "o", *wrong])
        assert stop.value.code == 2
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("enet-relu", ["--size", "500x300"], "500x300 px are not multiples of 32. Use --size 512x320"),
        ("enet-relu", ["--stride", "16"], "enet-relu has output stride 8; only ResNets have others"),
        ("personlab-resnet50", ["--size", "512x288"], "multiples of 16 and one more. Use --size 513x289"),
        ("personlab-resnet50", ["--stride", "64"], "strides (8, 16, 32)"),
    ],
)
def test_the_command_refuses_a_size_or_a_stride_that_the_network_has_not(
    name: str, options: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(tmp_path / "net.safetensors", ZOO[name], build(ZOO[name]), {})
    assert main([str(tmp_path / "net.safetensors"), "--out", str(tmp_path / "o"), *options]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
