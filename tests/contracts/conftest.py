"""A network of every row of the zoo: trained for a step, exported, once each."""

from __future__ import annotations

import contextlib
import functools
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.__main__ import main
from models.checkpoint import load_network
from models.codecs.personlab import AnnotatedPerson
from models.families import ZOO, ZooRow
from models.labels import JOINT_SETS
from models.network import Network, build
from models.outputs import AffinityFields, CentreOffsets, Heatmaps, JointDisks
from models.spec import METADATA_KEY, ModelSpec, sides_of
from runtime.system.paths import models_dir
from tests.networks import LIGHT, seasoned
from training.crowd_batches import affinity_targets, crowd_targets
from training.crowds import Crowd
from training.loop import LAST, TrainConfig, new_state, train
from training.step import StepConfig
from training.stream import Batch

CPU = torch.device("cpu")


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


SHIPPED = tuple(sorted(p.parent.name for p in models_dir().glob("*/SHA256SUMS")))
#: the first row of each family that is small enough to be exported
FAMILY_ROWS = tuple({ZOO[name].family: name for name in reversed(LIGHT)}.values())


@pytest.fixture(scope="session", params=LIGHT)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Trained for a step and exported by command."""
    return export(request.param, tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session", params=[*SHIPPED, *(f"row {name}" for name in FAMILY_ROWS)])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every model that is shipped, and one of every family that is exported here."""
    name: str = request.param
    row = name.removeprefix("row ")
    return models_dir() / name if name == row else export(row, tmp_path_factory.getbasetemp()).folder


@functools.cache
def export(name: str, base: Path) -> Exported:
    """A row's network, trained for a step and exported by command, once each: tracing takes seconds."""
    checkpoint, folder = base / "checkpoints" / name / LAST, base / "bundles of" / name / name
    for made in (checkpoint, folder):
        made.parent.mkdir(parents=True)
    row = ZOO[name]
    config = TrainConfig(steps=1, decay_steps=1, optimiser="adamw", step=StepConfig(bf16=False))
    state = new_state(config, row, seasoned(build(row)), CPU)
    train(state, config, [batch(row)], checkpoint.parent, {}, CPU)
    height, width = box(row)
    arguments = ["--licence", "CC0-1.0", "--data", "mine=CC-BY-4.0", "--size", f"{width}x{height}"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main([str(checkpoint), "--out", str(folder), *arguments]) == 0
    return Exported(name, load_network(checkpoint)[0], folder, said.getvalue())


def box(row: ZooRow, height: int = 288, width: int = 512) -> tuple[int, int]:
    """The (height, width) that a network of the row takes next to these."""
    up = sides_of(row.stages).up
    return up(height), up(width)


def batch(row: ZooRow) -> Batch:
    """Two pictures with a target for every output that is taught."""
    rng = np.random.default_rng(0)
    (side, _) = box(row, 64, 64)
    joints = len(JOINT_SETS[row.joints].names) if row.joints else 0
    targets = {
        "codes": rng.integers(0, 32, (2, 16, 16)).astype(np.uint8),
        "known": np.ones((2, joints), np.float32),
    }
    for maps in (o for s in row.stages for o in s.outputs if isinstance(o, Heatmaps)):
        cells = side // maps.stride
        targets["heatmaps"] = rng.random((2, maps.channels, cells, cells)).astype(np.float32)
    for disks in (o for s in row.stages for o in s.outputs if isinstance(o, JointDisks)):
        people = [AnnotatedPerson(rng.uniform(0, 64, (joints, 2)).astype(np.float32), np.ones(joints, bool))]
        empty = np.zeros((side, side), bool)
        crowd = Crowd(
            np.zeros((side, side, 3), np.uint8), np.ones((side, side), np.uint8), tuple(people),
            np.zeros((joints, side, side), bool), empty,
        )  # fmt: skip
        given = crowd_targets(crowd, disks, disks.stride)
        targets |= {name: np.stack([value, value]) for name, value in given.items()}
    for centres in (o for s in row.stages for o in s.outputs if isinstance(o, CentreOffsets)):
        targets["heatmaps_known"] = np.ones_like(targets["heatmaps"])
        shape = targets["heatmaps"].shape[2:]
        targets["centres"] = rng.normal(0, 30, (2, centres.channels, *shape)).astype(np.float32)
        targets["centres_known"] = np.ones((2, joints, *shape), np.float32)
    for fields in (o for s in row.stages for o in s.outputs if isinstance(o, AffinityFields)):
        nobody = np.zeros((side, side), np.uint8)
        person = AnnotatedPerson(rng.uniform(0, side, (joints, 2)).astype(np.float32), np.ones(joints, bool))
        unknown = np.zeros((joints, side, side), bool)
        scene = Crowd(np.dstack([nobody] * 3), nobody, (person,), unknown, unknown[0])
        given = affinity_targets(scene, JointDisks(joints=row.joints), fields.stride)
        targets |= {name: np.stack([value, value]) for name, value in given.items() if name != "codes"}
    return Batch(rng.integers(0, 256, (2, side, side, 3), np.uint8), targets)
