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
from export.parity import CASES, check, measure, pictures, session
from export.stages import ExportError, FactorStage, NetworkStage, plain_stages
from export.write import _replace_directory, export_bundle, export_factor, stage_bytes
from models.factored import Factor, FactoredConvNet, enet
from models.grid import Grid
from models.spec import METADATA_KEY, FactorCard, ModelSpec
from tests.networks import seasoned

pytestmark = pytest.mark.timeout(600)  # tracing is slow on a busy machine
TRUNK = "a" * 64
CARD = FactorCard(TRUNK, "b" * 64, "2026-11-20", 301, {"iou": 0.5}, {"iou": 0.7}, accepted=True)
BASE = ModelSpec(
    name="base", kind="factored", stage="factor", part_set="S31", joint_set=None, input_size=(288, 512),
    stride=8, grid=Grid.CENTRE, preprocessing="p", activation="relu", parameters=1, licence="CC0-1.0",
    siblings={"trunk": TRUNK},
)  # fmt: skip


def export(network: FactoredConvNet, out: Path) -> None:
    export_bundle(network, out, name="n", licence="CC0-1.0", training_data=(), card_md="# n\n")


@pytest.fixture(scope="module")
def factor() -> Factor:
    return seasoned(FactoredConvNet()).factor


@pytest.fixture(scope="module")
def factor_file(factor: Factor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("factors") / "deep" / "anna.factor.onnx"
    export_factor(factor, path, BASE, CARD)
    return path


@pytest.mark.onnx
def test_a_factor_file_carries_its_card(factor_file: Path) -> None:
    metadata = session(factor_file.read_bytes()).get_modelmeta().custom_metadata_map
    spec = ModelSpec.from_json(metadata[METADATA_KEY])
    assert (spec.name, spec.stage, spec.card, spec.siblings) == ("anna", "factor", CARD, {"trunk": TRUNK})
    assert [p.name for p in factor_file.parent.iterdir()] == [factor_file.name], "a temporary file was left"


@pytest.mark.onnx
def test_parity_notices_another_networks_weights(factor_file: Path, factor: Factor) -> None:
    models = {"factor": factor_file.read_bytes()}
    (alone, composed) = measure(models, {"factor": FactorStage(factor).eval()})
    assert alone.passed
    assert composed.passed
    other = FactorStage(seasoned(FactoredConvNet(), seed=1).factor).eval()
    with pytest.raises(ExportError, match="factor: the exported graph differs"):
        check(models, {"factor": other})


@pytest.mark.onnx
def test_parity_notices_one_changed_weight(factor_file: Path, factor: Factor) -> None:
    model = onnx.load_from_string(factor_file.read_bytes())
    weight = next(i for i in model.graph.initializer if i.name == "classify.weight")
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0, 0] += 1e-3
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(ExportError, match="differs"):
        check({"factor": model.SerializeToString()}, {"factor": FactorStage(factor).eval()})


@pytest.mark.onnx
def test_parity_refuses_a_result_that_is_no_number(factor_file: Path, factor: Factor) -> None:
    model = onnx.load_from_string(factor_file.read_bytes())
    weight = next(i for i in model.graph.initializer if i.name == "classify.weight")
    values = onnx.numpy_helper.to_array(weight) * np.float32("nan")
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(ExportError, match="nan"):
        check({"factor": model.SerializeToString()}, {"factor": FactorStage(factor).eval()})


def test_a_factor_for_another_trunk_or_by_another_name_is_refused(factor: Factor, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="another trunk"):
        export_factor(factor, tmp_path / "x.factor.onnx", replace(BASE, siblings={"trunk": "c" * 64}), CARD)
    with pytest.raises(ExportError, match="ends in"):
        export_factor(factor, tmp_path / "x.onnx", BASE, CARD)
    assert not list(tmp_path.iterdir())


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


def test_a_number_of_classes_without_part_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="7 classes"):
        export(FactoredConvNet(classes=7).eval(), tmp_path / "out")


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
    out = tmp_path / "deep" / "bundle"
    _replace_directory(out, {"a": b"1", "b": b"2"})
    _replace_directory(out, {"a": b"3"})
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"a": b"3"}
    with pytest.raises(FileNotFoundError):
        _replace_directory(out, {"a": b"4", "no/such/folder": b"5"})
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
        to_onnx(Noisy(), "factor")


def test_a_network_without_a_rewrite_is_refused() -> None:
    with pytest.raises(ExportError, match="no exact rewrite"):
        stage_bytes(NetworkStage(nn.Conv2d(3, 32, 1)), BASE)


def test_stages_of_the_two_kinds() -> None:
    assert list(plain_stages(FactoredConvNet())) == ["trunk", "factor", "head"]
    assert list(plain_stages(enet())) == ["network"]


def test_parity_pictures_are_the_same_each_time_and_of_several_kinds() -> None:
    a = pictures(4, 32, 64, seed=5)
    assert (a == pictures(4, 32, 64, seed=5)).all()
    assert {int(p.std() == 0) for p in a} == {0, 1}
    assert any(b > 1 for b, *_ in CASES)


def test_the_command_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.safetensors"), "--out", str(tmp_path / "o")]) == 1
    assert "no such file" in capsys.readouterr().err
    for wrong in (
        ["--size", "500x300"],
        ["--size", "big"],
        ["--size", "0x0"],
        ["--data", "mine"],
        ["--card"],
    ):
        with pytest.raises(SystemExit) as stop:
            main(["x", "--out", "o", *wrong])
        assert stop.value.code == 2
    assert not (tmp_path / "o").exists()
