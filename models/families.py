"""FAMILIES and ZOO: every kind of network, and every network that is trained or shipped, each by its name.

A row of ZOO is all that training, checkpoints, export and engine need; one more row runs all contract tests.
This half imports no torch: `build` is the dotted name of a function in the family's own module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from models.labels import PART_SETS, S31, PartSet
from models.outputs import (
    Heatmaps,
    JointDisks,
    Offsets,
    Output,
    PartLabels,
    PartProbabilities,
    PersonProbability,
    SharedFeatures,
)
from models.spec import IMAGE, StageSpec

Activation = Literal["prelu", "relu"]


@dataclass(frozen=True)
class ZooRow:
    """A network: its family and configuration."""

    name: str
    family: str  #: a key of FAMILIES
    activation: Activation
    parameters: int  #: number of weights, with norms
    parts: str = S31.name  #: a key of `models.labels.PART_SETS`, for families that have parts
    joints: str = ""  #: a key of `models.labels.JOINT_SETS`, for families that have joints

    @property
    def part_set(self) -> PartSet:
        """The body parts."""
        return PART_SETS[self.parts]

    @property
    def stages(self) -> tuple[StageSpec, ...]:
        """The ONNX files it becomes, in the order of the data."""
        return FAMILIES[self.family].stages(self)


@dataclass(frozen=True)
class Family:
    """Networks of one architecture."""

    build: str  #: `module:function` that takes a row and gives the network
    stages: Callable[[ZooRow], tuple[StageSpec, ...]]


def factored_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """Trunk → factor → head; the head is shown P(person)."""
    return (
        StageSpec("trunk", (IMAGE,), (SharedFeatures(),)),
        StageSpec("factor", ("features",), (PersonProbability(),)),
        StageSpec("head", ("features", "person"), part_outputs(row.parts)),
    )


def parsing_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to parts."""
    return (StageSpec("network", (IMAGE,), part_outputs(row.parts)),)


def part_outputs(parts: str) -> tuple[Output, ...]:
    """Probabilities of a set's parts, and the most probable."""
    return PartProbabilities(parts=parts), PartLabels(parts=parts)


def joint_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to heat maps."""
    return (StageSpec("network", (IMAGE,), (Heatmaps(joints=row.joints),)),)


#: of the disks of small networks at 300 to 600 px; 32 px are the paper's, whose pictures have 1 401 px
SMALL_RADIUS_PX = 16.0


def people_outputs(joints: str) -> tuple[Output, ...]:
    """PersonLab's maps of everybody's joints, in the order that its decoder and its losses know by name."""
    return (
        JointDisks(joints=joints, radius_px=SMALL_RADIUS_PX),
        Offsets(name="short", joints=joints),
        Offsets(name="mid", joints=joints, over="bones"),
        Offsets(name="long", joints=joints),
    )


def personlab_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to everybody's joints and the silhouette of all."""
    return (StageSpec("network", (IMAGE,), (*people_outputs(row.joints), PersonProbability())),)


def people_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """The Factored ConvNet's stages, and everybody's joints from its features and parts."""
    people = StageSpec("people", ("features", "parts"), people_outputs(row.joints))
    return (*factored_stages(row), people)


FAMILIES: dict[str, Family] = {
    "factored": Family("models.factored:build_factored", factored_stages),
    "baseline": Family("models.factored:build_baseline", parsing_stages),
    "enet": Family("models.factored:build_enet", parsing_stages),
    "joints": Family("models.joints:build_joints", joint_stages),
    "personlab": Family("models.personlab:build_personlab", personlab_stages),
    "people": Family("models.personlab:build_people", people_stages),
}
_ROWS = (
    ZooRow("factored-s31", "factored", "relu", 500_318),
    ZooRow("factored-s31-paper", "factored", "prelu", 505_742),
    ZooRow("baseline", "baseline", "prelu", 488_460),
    ZooRow("baseline-relu", "baseline", "relu", 483_164),
    ZooRow("enet", "enet", "prelu", 342_284),
    ZooRow("enet-relu", "enet", "relu", 338_524),
    ZooRow("joints-s31", "joints", "relu", 353_229, parts="", joints="COCO-17"),
    ZooRow("personlab-small", "personlab", "relu", 370_386, parts="", joints="COCO-17"),
    ZooRow("people-s31", "people", "relu", 685_044, joints="COCO-17"),
)
ZOO: dict[str, ZooRow] = {row.name: row for row in _ROWS}


def find_row(family: str, activation: str) -> ZooRow | None:
    """The first row of a family with this activation: what checkpoints from before rows had names meant."""
    return next((r for r in ZOO.values() if (r.family, r.activation) == (family, activation)), None)
