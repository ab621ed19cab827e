"""Bad input, for every model that is shipped and every family of the zoo: handled, or refused in words.

A refusal names the object, the reason and the remedy (reliability §2, rows A16, E01, E06-E08, E14, G09).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.checkpoint import CheckpointError, load_network, save_network
from models.families import ZOO
from models.network import build
from models.results import Result
from models.spec import METADATA_KEY, ModelSpec
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.sessions import NoResultError
from runtime.frames import Frame
from runtime.library.models import SUMS, find_model, load_bundle
from runtime.model_files import admission
from runtime.model_files.trial import reason_against
from runtime.system.errors import Refusal
from runtime.system.paths import models_dir
from tests.contracts.conftest import FAMILY_ROWS

pytestmark = [pytest.mark.onnx, pytest.mark.timeout(900)]  # tracing is slow on a busy machine
NOISE = np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)
#: (height, width) of pictures that few cameras give
SHAPES = ((1, 1), (2, 2), (1, 900), (900, 1), (7, 400), (31, 33))


@pytest.fixture(scope="module")
def engine(bundle: Path) -> Engine:
    return load_engine(bundle, device="cpu", size=NetworkSize(64))


def frame(image: np.ndarray[Any, np.dtype[np.uint8]]) -> Frame:
    return Frame(image, 0, 0.0, 0.0)


def hold(result: Result, size: tuple[int, int]) -> None:
    """What must be true of every result, whatever the picture."""
    if result.parsing is not None:
        assert result.parsing.size == size
        assert int(result.parsing.labels.max()) < result.parsing.part_set.classes
    for pose in (p.pose for p in result.people if p.pose is not None):
        assert np.isfinite(pose.points).all()
        assert np.isfinite(pose.scores).all()


def test_pictures_of_any_shape_and_of_one_colour_are_parsed(engine: Engine) -> None:
    flat = [np.full((48, 80, 3), value, np.uint8) for value in (0, 255)]
    for picture in (*(np.resize(NOISE, (*shape, 3)) for shape in SHAPES), *flat):
        hold(engine.parse(frame(picture)), (picture.shape[1], picture.shape[0]))


def test_no_pictures_give_no_results(engine: Engine) -> None:
    assert engine.parse_many([]) == []


@pytest.mark.parametrize(
    "picture",
    [NOISE[..., :1], np.dstack([NOISE, NOISE[..., :1]]), NOISE[..., 0], NOISE / 255, NOISE * np.nan],
    ids=["grey", "with alpha", "no channels", "float", "NaN"],
)  # fmt: skip
def test_what_is_no_picture_is_named_with_its_shape(picture: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\) uint8, got"):
        frame(picture)


@pytest.mark.parametrize("shape", [(0, 0), (0, 8), (8, 0)])
def test_a_picture_without_pixels_is_named_with_its_sides(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"without pixels, {shape[1]}x{shape[0]}"):
        frame(np.zeros((*shape, 3), np.uint8))


def test_outputs_full_of_nan_are_no_result_and_the_next_picture_is_parsed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = engine.sessions[-1]
    run = session.run

    def damaged(*given: Any) -> list[Any]:
        return [np.full_like(v, np.nan) if v.dtype == np.float32 else v for v in run(*given)]

    monkeypatch.setattr(session, "run", damaged)
    with pytest.raises(NoResultError):
        engine.parse(frame(NOISE))
    monkeypatch.undo()
    hold(engine.parse(frame(NOISE)), (80, 48))


def refusal(folder: Path) -> Refusal:
    """What a user reads of a bundle, whose files stay as they are."""
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(Refusal) as caught:
        load_bundle(find_model(folder))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert all((caught.value.what, caught.value.reason, caught.value.remedy))
    return caught.value


@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_cut_off_files_are_refused_by_name(bundle: Path, tmp_path: Path, kept: float) -> None:
    for stage in sorted(bundle.glob("*.onnx")):
        folder = tmp_path / bundle.name
        shutil.copytree(bundle, folder)
        (folder / SUMS).unlink()
        (folder / stage.name).write_bytes(stage.read_bytes()[: int(kept * stage.stat().st_size)])
        assert stage.name in str(refusal(folder))
        shutil.rmtree(folder)


def test_a_changed_byte_is_refused_with_both_hashes(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / bundle.name
    shutil.copytree(bundle, folder)
    stage = max(folder.glob("*.onnx"))
    data = bytearray(stage.read_bytes())
    data[len(data) // 2] ^= 1
    stage.write_bytes(data)
    said = str(refusal(folder))
    assert stage.name in said
    assert hashlib.sha256(data).hexdigest()[:12] in said


def _renamed(model: onnx.ModelProto) -> None:
    name = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = ["another" if o == name else o for o in node.output]
        node.input[:] = ["another" if i == name else i for i in node.input]
    model.graph.output[0].name = "another"


def _without_an_output(model: onnx.ModelProto) -> None:
    del model.graph.output[0]


def _more_outputs(model: onnx.ModelProto) -> None:
    extra = model.graph.output.add()
    extra.CopyFrom(model.graph.output[0])
    extra.name = "more"
    model.graph.node.add(op_type="Identity", input=[model.graph.output[0].name], output=["more"])


def _nan_weights(model: onnx.ModelProto) -> None:
    weights = [w for w in model.graph.initializer if len(w.dims) == 4]
    for weight in weights:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32:
            weight.CopyFrom(numpy_helper.from_array(np.full_like(values, np.nan), weight.name))
    if all(w.data_type != onnx.TensorProto.FLOAT for w in weights):  # quantised: its scales
        for weight in model.graph.initializer:
            if weight.data_type == onnx.TensorProto.FLOAT:
                values = numpy_helper.to_array(weight)
                weight.CopyFrom(numpy_helper.from_array(np.full_like(values, np.nan), weight.name))


def _described(change: Callable[[dict[str, Any]], None]) -> Callable[[onnx.ModelProto], None]:
    def edit(model: onnx.ModelProto) -> None:
        prop = next(p for p in model.metadata_props if p.key == METADATA_KEY)
        raw = json.loads(ModelSpec.from_json(prop.value).to_json())  # an older format, too
        change(raw)
        prop.value = json.dumps(raw)

    return edit


def _first_output(raw: dict[str, Any], **changes: object) -> None:
    raw["stages"][0]["outputs"][0].update(changes)


DAMAGE: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "output of another name": (_renamed, "expected output"),
    "missing output": (_without_an_output, "expected output|cannot load"),
    "one output more": (_more_outputs, "unexpected output"),
    "weights that are NaN": (_nan_weights, "finite|not a probability|everywhere|failed on a test picture"),
    "kind of output that is not known": (_described(lambda r: _first_output(r, kind="aura")), "aura|kind"),
    "no stages": (_described(lambda r: r.update(stages=[])), "stage"),
    "input without pixels": (_described(lambda r: r.update(input_size=[0, 0])), "input"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_models_fail_their_trial_in_words(bundle: Path, damage: str) -> None:
    edit, words = DAMAGE[damage]
    files = find_model(bundle).files
    stages = {stage: path.read_bytes() for stage, path in files.items()}
    first = next(iter(stages))
    model = onnx.load_from_string(stages[first])
    edit(model)
    assert re.search(words, reason_against({**stages, first: model.SerializeToString()}))


def _other_sets(raw: dict[str, Any]) -> None:
    for output in (o for stage in raw["stages"] for o in stage["outputs"]):
        output.update({kind: f"{kind} of Mars" for kind in ("parts", "joints") if kind in output})


def test_sets_of_parts_and_joints_that_are_not_known_are_named(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the trial, which lets them through: the model may still serve as a silhouette."""
    monkeypatch.setattr(admission, "try_in_child", lambda *_: "")
    folder = tmp_path / bundle.name
    folder.mkdir()
    for stage, path in find_model(bundle).files.items():
        model = onnx.load(path)
        _described(lambda raw: raw.update(siblings={}) or _other_sets(raw))(model)
        (folder / f"{stage}.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(Refusal, match="of Mars"):
        load_engine(folder, device="cpu")


def test_a_stage_of_another_family_is_refused(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / bundle.name
    shutil.copytree(bundle, folder)
    (folder / SUMS).unlink()
    other = models_dir() / (
        "pil-small/network.onnx" if (folder / "trunk.onnx").exists() else "factored-s31/trunk.onnx"
    )
    first = next(iter(find_model(bundle).files.values())).name
    (folder / first).write_bytes(other.read_bytes())
    assert re.search("describes itself|stage is missing", str(refusal(folder)))


@pytest.mark.parametrize("name", FAMILY_ROWS)
def test_a_checkpoint_of_another_family_is_refused_with_its_path(name: str, tmp_path: Path) -> None:
    other = FAMILY_ROWS[FAMILY_ROWS.index(name) - 1]
    path = tmp_path / "claimed.safetensors"
    save_network(path, ZOO[name], build(ZOO[other]), {})
    with pytest.raises(CheckpointError, match=r"claimed\.safetensors"):
        load_network(path)
