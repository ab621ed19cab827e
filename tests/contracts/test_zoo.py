"""What must be true of every network in the zoo: a row there runs all of this."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.__main__ import main
from export.parity import pictures, session
from export.write import BUNDLE_FILES
from models.checkpoint import save_network
from models.factored import FactoredConvNet, normalise, person_probability
from models.families import ZOO
from models.network import Network, build
from models.outputs import Output, PartLabels, PartProbabilities
from models.spec import METADATA_KEY, ModelSpec, TrainingSet
from tests.networks import seasoned

pytestmark = pytest.mark.timeout(900)  # tracing is slow on a busy machine


@dataclass(frozen=True)
class Exported:
    name: str
    network: Network
    folder: Path
    said: str  #: what the command printed

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(s.name for s in ZOO[self.name].stages)

    def data(self, stage: str) -> bytes:
        return (self.folder / f"{stage}.onnx").read_bytes()

    def spec(self, stage: str) -> ModelSpec:
        props = {p.key: p.value for p in onnx.load_from_string(self.data(stage)).metadata_props}
        return ModelSpec.from_json(props[METADATA_KEY])


def decoded(name: str) -> Output:
    """The last output of a network that a codec reads."""
    return next(o for o in reversed(ZOO[name].stages[-1].outputs) if not isinstance(o, PartLabels))


@pytest.fixture(scope="module", params=ZOO)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Checkpoint and export by command, once each: tracing takes seconds."""
    name: str = request.param
    network = seasoned(build(ZOO[name]))
    checkpoint = tmp_path_factory.mktemp("checkpoints") / "net.safetensors"
    save_network(checkpoint, ZOO[name], network, {"step": 3})
    folder = tmp_path_factory.mktemp("bundles") / name
    arguments = [
        "--out",
        str(folder),
        "--licence",
        "CC0-1.0",
        "--data",
        "mine=CC-BY-4.0",
        "--size",
        "512x288",
    ]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main([str(checkpoint), *arguments]) == 0
    return Exported(name, network, folder, said.getvalue())


@pytest.mark.parametrize("name", ZOO)
def test_forward_shapes_and_parameters(name: str) -> None:
    entry = ZOO[name]
    network = build(entry)
    assert sum(p.numel() for p in network.parameters()) == entry.parameters
    with torch.no_grad():
        y = network.eval()(torch.zeros(2, 3, 64, 96))
    last = y[-1] if isinstance(y, tuple) else y
    assert last.shape == (2, decoded(name).channels, 8, 12)


@pytest.mark.parametrize("name", ZOO)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(ZOO[name]).train()
    y = network(torch.randn(2, 3, 64, 64))
    outputs = y if isinstance(y, tuple) else (y,)
    labels = torch.randint(0, 2, (2, 8, 8))
    torch.stack([torch.nn.functional.cross_entropy(o, labels) for o in outputs]).sum().backward()
    trained = [(n, p.grad) for n, p in network.named_parameters() if p.requires_grad]
    assert trained
    assert not [n for n, gradient in trained if gradient is None or not torch.isfinite(gradient).all()]


@pytest.mark.parametrize("name", ZOO)
def test_strict_reload(name: str) -> None:
    a, b = build(ZOO[name]), build(ZOO[name])
    b.load_state_dict(a.state_dict(), strict=True)
    x = torch.randn(1, 3, 32, 64)
    with torch.no_grad():
        ya, yb = a.eval()(x), b.eval()(x)
    for va, vb in zip(
        ya if isinstance(ya, tuple) else (ya,), yb if isinstance(yb, tuple) else (yb,), strict=True
    ):
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
    assert '"step": 3' in (exported.folder / "CARD.md").read_text()


@pytest.mark.onnx
def test_the_description_survives_the_file(exported: Exported) -> None:
    entry = ZOO[exported.name]
    hashes: dict[str, str] = {}
    for stage in exported.stages:
        spec = exported.spec(stage)
        assert (spec.name, spec.stage, spec.part_set) == (exported.name, stage, entry.parts or None)
        assert (spec.activation, spec.parameters) == (entry.activation, entry.parameters)
        assert (spec.input_size, spec.stride, spec.size_multiple) == ((288, 512), 8, 32)
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
    if ZOO[exported.name].joints:
        agreed = {"network": ({"image": image}, {"heatmaps": heatmaps})}
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
    image = pictures(batch, height, width, seed=11)
    x = normalise(torch.from_numpy(image).permute(0, 3, 1, 2).float())
    values: dict[str, np.ndarray] = {"image": image}
    for stage in exported.stages:
        s = session(exported.data(stage))
        outputs = s.run(None, {i.name: values[i.name] for i in s.get_inputs()})
        values |= dict(zip((o.name for o in s.get_outputs()), outputs, strict=True))
    with torch.no_grad():
        y = exported.network(x)
    logits = y[-1] if isinstance(y, tuple) else y
    output = decoded(exported.name)
    expected = logits.softmax(1) if isinstance(output, PartProbabilities) else logits.sigmoid()
    np.testing.assert_allclose(values[output.name], expected.numpy(), atol=output.tolerance)
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
    names = {"batch", "height", "width", "rows", "columns", "height/2", "width/2", "height/4", "width/4"}
    for stage in exported.stages:
        graph = onnx.load_from_string(exported.data(stage)).graph
        axes = {
            v.name: [d.dim_param for d in v.type.tensor_type.shape.dim if d.dim_param]
            for v in graph.value_info
        }
        sums = [i for n in graph.node if n.op_type == "Add" for i in n.input]
        assert sums
        assert all(len(axes[s]) == 3 for s in sums)
        assert {a for axis in axes.values() for a in axis} <= names


@pytest.mark.onnx
def test_nothing_of_training_or_of_the_machine_is_in_the_files(exported: Exported) -> None:
    arithmetic = {"Add", "Sub", "Div", "Exp", "ReduceMax", "ReduceSum", "Sigmoid"}
    allowed = {"Conv", "MaxPool", "Relu", "ArgMax", "Cast", "Transpose"} | arithmetic
    for stage in exported.stages:
        model = onnx.load_from_string(exported.data(stage))
        assert {n.op_type for n in model.graph.node} <= allowed
        assert {o.domain for o in model.opset_import} == {""}
        assert not any(n.metadata_props or n.doc_string for n in model.graph.node)
        assert b".py" not in exported.data(stage)
        assert str(Path.cwd()).encode() not in exported.data(stage)
