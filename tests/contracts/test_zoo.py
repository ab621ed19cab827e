"""What must be true of every network in the zoo: a row there runs all of this."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from app.commands.parse import parse_all
from export.parity import pictures, session
from export.write import BUNDLE_FILES
from models.factored import FactoredConvNet, normalise, person_probability
from models.families import ZOO
from models.network import build
from models.outputs import Heatmaps, JointDisks, Output, PartLabels, PartProbabilities
from models.spec import TrainingSet, sides_of
from runtime.engine.augmentation import SIX
from runtime.engine.engine import load_engine
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.library.models import find_model, load_bundle
from runtime.silhouettes.other_network import load_network
from runtime.silhouettes.people import PeopleSilhouette, finds_people
from tests.contracts.conftest import Exported, box
from tests.drawn_media import picture
from tests.networks import LIGHT

pytestmark = pytest.mark.timeout(900)  # tracing is slow on a busy machine
#: operations of adaptive pools and of convolutions by predicted kernels
ADAPTIVE = {"EyeLike", "Reshape", "Resize", "Unsqueeze"}
VECTORS = {"disks": 17, "short": 34, "mid": 64, "long": 34}  # channels of PersonLab's maps


def decoded(name: str) -> Output:
    """The last output of a network that a codec reads."""
    return next(o for o in reversed(ZOO[name].stages[-1].outputs) if not isinstance(o, PartLabels))


def tensors(given: torch.Tensor | tuple[torch.Tensor, ...] | dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """What a network gives in training, whatever its kind."""
    if isinstance(given, torch.Tensor):
        return [given]
    return list(given.values() if isinstance(given, dict) else given)


@pytest.mark.parametrize("name", ZOO)
def test_forward_shapes_and_parameters(name: str) -> None:
    entry = ZOO[name]
    with torch.device("meta"):
        network = build(entry)
        assert sum(p.numel() for p in network.parameters()) == entry.parameters
        y = network.eval()(torch.zeros(2, 3, *box(entry, 64, 96)))
    output = decoded(name)
    last = y[output.name] if isinstance(y, dict) else tensors(y)[-1]
    rows, columns = (output.grid.cells(side, output.stride) for side in box(entry, 64, 96))
    assert last.shape == (2, output.channels, rows, columns)


@pytest.mark.parametrize("name", LIGHT)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(ZOO[name]).train()
    y = network(torch.randn(2, 3, *box(ZOO[name], 64, 64)))
    torch.stack([(o * torch.randn_like(o)).sum() for o in tensors(y)]).sum().backward()
    trained = [(n, p.grad) for n, p in network.named_parameters() if p.requires_grad]
    assert trained
    assert not [n for n, gradient in trained if gradient is None or not torch.isfinite(gradient).all()]


@pytest.mark.parametrize("name", LIGHT)
def test_strict_reload(name: str) -> None:
    a, b = build(ZOO[name]), build(ZOO[name])
    b.load_state_dict(a.state_dict(), strict=True)
    x = torch.randn(1, 3, *box(ZOO[name], 32, 64))
    with torch.no_grad():
        ya, yb = a.eval()(x), b.eval()(x)
    for va, vb in zip(tensors(ya), tensors(yb), strict=True):
        assert torch.equal(va, vb)


@pytest.mark.onnx
def test_the_bundle_holds_its_files_and_their_hashes(exported: Exported) -> None:
    names = {p.name for p in exported.folder.iterdir()}
    assert names == {f"{s}.onnx" for s in exported.stages} | {"SHA256SUMS", "CARD.md"}
    assert names <= BUNDLE_FILES
    listed = dict(
        line.split("  ")[::-1] for line in (exported.folder / "SHA256SUMS").read_text().splitlines()
    )
    assert listed == {
        n: hashlib.sha256((exported.folder / n).read_bytes()).hexdigest() for n in names - {"SHA256SUMS"}
    }
    assert {p.name for p in exported.folder.parent.iterdir()} == {exported.name}, "temporary files were left"
    assert "| step | 1 |" in (exported.folder / "CARD.md").read_text()


@pytest.mark.onnx
def test_the_description_survives_the_file(exported: Exported) -> None:
    entry = ZOO[exported.name]
    hashes: dict[str, str] = {}
    for stage in exported.stages:
        spec = exported.spec(stage)
        assert (spec.name, spec.stage, spec.part_set) == (exported.name, stage, entry.parts or None)
        assert (spec.activation, spec.parameters) == (entry.activation, entry.parameters)
        assert (spec.input_size, spec.stride, spec.sides) == (
            box(entry),
            entry.stride,
            sides_of(entry.stages),
        )
        assert spec.stages == entry.stages
        assert spec.training_data == (TrainingSet("mine", "CC-BY-4.0"),)
        assert spec.siblings == hashes, "a stage must name the files it was made with"
        hashes[stage] = hashlib.sha256(exported.data(stage)).hexdigest()


@pytest.mark.onnx
def test_the_interface_is_the_agreed_one(exported: Exported) -> None:
    image = ("tensor(uint8)", ["batch", "height", "width", 3])
    features, person, parts, heatmaps = (
        ("tensor(float)", ["batch", c, "rows", "columns"]) for c in (128, 1, 32, 17)
    )
    labels = ("tensor(uint8)", ["batch", "rows", "columns"])
    agreed = {
        "trunk": ({"image": image}, {"features": features}),
        "factor": ({"features": features}, {"person": person}),
        "head": ({"features": features, "person": person}, {"parts": parts, "labels": labels}),
        "network": ({"image": image}, {"parts": parts, "labels": labels}),
    }
    vectors = {n: ("tensor(float)", ["batch", c, "rows", "columns"]) for n, c in VECTORS.items()}
    row = ZOO[exported.name]
    if row.encoders or row.family.startswith("paf-fcn"):
        maps = {o.name: o.channels for s in row.stages for o in s.outputs}
        kinds = {n: ("tensor(float)", ["batch", c, "rows", "columns"]) for n, c in maps.items()}
        agreed = {"network": ({"image": image}, kinds | ({"labels": labels} if row.parts else {}))}
    elif row.family == "joints":
        agreed = {"network": ({"image": image}, {"heatmaps": heatmaps})}
    elif row.family.startswith("personlab"):
        agreed = {"network": ({"image": image}, {**vectors, "person": person})}
    elif row.family == "people":
        agreed["people"] = ({"features": features, "parts": parts}, vectors)
    for stage in exported.stages:
        s = session(exported.data(stage))
        got = [{v.name: (v.type, v.shape) for v in side} for side in (s.get_inputs(), s.get_outputs())]
        assert tuple(got) == agreed[stage]


@pytest.mark.onnx
def test_parity_was_reached_alone_and_composed(exported: Exported) -> None:
    errors = dict(re.findall(r"^(\w+) +differs from torch by at most (\S+)$", exported.said, re.MULTILINE))
    assert list(errors) == [*exported.stages, "composed"]
    assert all(float(e) <= PartProbabilities.tolerance for e in errors.values())


@pytest.mark.onnx
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 512, 288), (4, 32, 64)])
def test_the_files_alone_answer_like_the_network(
    exported: Exported, batch: int, height: int, width: int
) -> None:
    """Independent of the parity module: from the pictures to the labels, at sizes it does not try."""
    if ZOO[exported.name].parameters > 5_000_000:  # a hundred times the work of a small network
        height, width = height // 2, width // 2
    image = pictures(batch, *box(ZOO[exported.name], height, width), seed=11)
    x = normalise(torch.from_numpy(image).permute(0, 3, 1, 2).float())
    values: dict[str, np.ndarray] = {"image": image}
    for stage in exported.stages:
        s = session(exported.data(stage))
        outputs = s.run(None, {i.name: values[i.name] for i in s.get_inputs()})
        values |= dict(zip((o.name for o in s.get_outputs()), outputs, strict=True))
    with torch.no_grad():
        y = exported.network(x)
    output = decoded(exported.name)
    if isinstance(y, dict) and "disks" in y:  # vectors are refined in training, raw in the files
        output = next(o for s in ZOO[exported.name].stages for o in s.outputs if isinstance(o, JointDisks))
    logits = y[output.name] if isinstance(y, dict) else tensors(y)[-1]
    expected = logits.softmax(1) if isinstance(output, PartProbabilities) else logits.sigmoid()
    if isinstance(output, Heatmaps) and output.background:  # regressed, no logits
        expected = logits.clamp(0, 1)
    if not output.probability:
        expected = logits
    largest = 1 if output.probability else float(expected.abs().max())
    np.testing.assert_allclose(values[output.name], expected.numpy(), atol=largest * output.tolerance)
    if isinstance(output, PartProbabilities):
        np.testing.assert_allclose(values["parts"].sum(1), 1, atol=1e-5)
        assert (values["labels"] == logits.argmax(1).numpy()).mean() >= 0.999
        assert len(np.unique(values["labels"])) > 1, "one label everywhere shows no agreement"
    if isinstance(exported.network, FactoredConvNet):
        np.testing.assert_allclose(
            values["person"], person_probability(y[0]).numpy(), atol=PartProbabilities.tolerance
        )


@pytest.mark.onnx
def test_every_inner_size_is_known_by_name(exported: Exported) -> None:
    """Without the names the runtime leaves its fast layout at every sum of sizes unknown to it."""
    names = {"batch", "rows", "columns"} | {
        f"{side}{by}" for side in ("height", "width") for by in ("", "/2", "/4", "/8", "/32")
    }
    for stage in exported.stages:
        graph = onnx.load_from_string(exported.data(stage)).graph
        axes = {
            v.name: [d.dim_param for d in v.type.tensor_type.shape.dim if d.dim_param]
            for v in graph.value_info
        }
        sums = [i for n in graph.node if n.op_type == "Add" for i in n.input]
        assert sums or not exported.name.startswith("factored")
        assert all(len(axes[s]) == 3 for s in sums)
        assert {a for axis in axes.values() for a in axis} <= names


@pytest.mark.onnx
def test_nothing_of_training_or_of_the_machine_is_in_the_files(exported: Exported) -> None:
    arithmetic = {"Add", "Sub", "Mul", "Div", "Exp", "ReduceMax", "ReduceSum", "Sigmoid", "Softmax"}
    allowed = {"Conv", "MaxPool", "Relu", "ArgMax", "Cast", "Transpose"} | arithmetic
    if ZOO[exported.name].pose_stages:  # maps held to 0..1; what was found before beside the features
        allowed |= {"Clip", "Concat"}
    if ZOO[exported.name].family == "gpn":  # heat maps that are regressed
        allowed |= {"Clip"}
    if ZOO[exported.name].encoders:  # kernels that the picture gives, of whatever size it is
        allowed |= ADAPTIVE
    for stage in exported.stages:
        model = onnx.load_from_string(exported.data(stage))
        assert {n.op_type for n in model.graph.node} <= allowed
        assert {o.domain for o in model.opset_import} == {""}
        assert not any(n.metadata_props or n.doc_string for n in model.graph.node)
        model.graph.ClearField("initializer")  # random weights spell anything, ".py" once in a dozen networks
        assert b".py" not in model.SerializeToString()
        assert str(Path.cwd()).encode() not in exported.data(stage)


@pytest.mark.onnx
def test_a_row_is_admitted_loaded_parsed_and_written(exported: Exported, tmp_path: Path) -> None:
    """By its row alone: the trial in a child process, the engine, views, batches, and the command's files."""
    row = ZOO[exported.name]
    load_bundle(find_model(exported.folder))
    engine = load_engine(exported.folder, device="cpu")
    frame = Frame(picture(3, (96, 64)), 0, 0.0, 0.0)
    for shown in (engine, engine.with_views(SIX)) if engine.averages else (engine,):
        outcomes = replace(shown, batch=2).parse_many([frame, frame], Smoother())
        for result in (o.given() for o in outcomes):
            assert (result.parsing is not None) == bool(row.parts)
            assert all(p.pose is not None and p.pose.joint_set.name == row.joints for p in result.people)
    Image.fromarray(frame.image).save(tmp_path / "one.png")
    save = ("labels", "coco") if row.parts else ("coco",)
    options = {"size": "64", "device": "cpu", "model": str(exported.folder), "save": save}
    assert parse_all([str(tmp_path / "one.png")], tmp_path / "out", options, progress="none") == 0
    (category,) = json.loads((tmp_path / "out" / "coco.json").read_text())["categories"]
    assert ("keypoints" in category) == bool(row.joints)
    if row.parts:
        with Image.open(tmp_path / "out" / "labels" / "one.png") as labels:
            assert labels.size == (96, 64)
        network = load_network(exported.folder)
        assert engine.with_factor(network).parsing(frame).labels.shape == engine.parsing(frame).labels.shape
    if finds_people(engine):
        people = engine.with_factor(PeopleSilhouette(engine))
        assert people.sessions == engine.sessions[: len(people.sessions)]  # no second network
        shown, alone = engine.parse(frame), people.parse(frame)
        assert [p.box for p in alone.people] == [p.box for p in shown.people]  # everybody, from one run
        assert people.parsing(frame).labels.shape == engine.parsing(frame).labels.shape
