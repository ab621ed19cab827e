"""FAMILIES and ZOO: every kind of network, and every network that is trained or shipped, each by its name.

A row of ZOO is all that training, checkpoints, export and engine need; one more row runs all contract tests.
This half imports no torch: `build` is the dotted name of a function in the family's own module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from models.grid import Grid
from models.labels import PART_SETS, S31, PartSet
from models.outputs import (
    AffinityFields,
    CentreOffsets,
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
#: features and P(person) joined by a convolution, or by the first bottleneck of the head (methods §1.2)
Concat = Literal["block", "plain"]
#: pose features joined with parsing features (PIL §4.2); `base` not at all, `mtl` by one encoder
Fusion = Literal["base", "add", "multi", "concat", "mtl", "self", "pil"]


#: whose features are adapted by kernels from the other task's
Direction = Literal["both", "parsing-to-pose", "pose-to-parsing", "none"]


@dataclass(frozen=True)
class MutualLearning:
    """Configuration of MuLA."""

    stages: int = 1
    direction: Direction = "both"
    #: the next stage is shown refined features, or features as they were encoded and the stage's input
    form: Literal["paper", "release"] = "release"


@dataclass(frozen=True)
class ZooRow:
    """A network: its family and configuration."""

    name: str
    family: str  #: a key of FAMILIES
    activation: Activation
    parameters: int  #: number of weights, with norms
    parts: str = S31.name  #: a key of `models.labels.PART_SETS`, for families that have parts
    joints: str = ""  #: a key of `models.labels.JOINT_SETS`, for families that have joints
    depth: int = 0  #: layers of a ResNet, for families on one
    stride: int = 8  #: network pixels per cell; others can be chosen in families on a ResNet
    #: of pose and parsing, or of all: `factored`, `vgg16`, `hg-ms-nu` (m stacks, n units)
    encoders: tuple[str, ...] = ()
    fusion: Fusion = "base"  #: of their features
    mutual: MutualLearning = MutualLearning()
    variant: bool = False  #: of another row, to compare with: checked in parts that differ, not whole
    concat: Concat = "block"  #: of features and P(person)
    pose_stages: int = 0  #: of heat maps and affinity fields, each seeing what the one before found

    @property
    def part_set(self) -> PartSet:
        """The body parts."""
        return PART_SETS[self.parts]

    def at_stride(self, stride: int) -> ZooRow:
        """The row with another output stride: the same weights, more or fewer cells.

        Raises:
            ValueError: the network has only its own.
        """
        if stride != self.stride and not self.depth:
            raise ValueError(f"{self.name} has output stride {self.stride}; only ResNets have others")
        return replace(self, stride=stride)

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


def part_and_joint_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to parts and heat maps; the papers' have one of the background, and σ = 7 px."""
    parts = tuple(replace(o, stride=row.stride) for o in part_outputs(row.parts))
    paper = "factored" not in row.encoders
    sigma = PAPER_SIGMA_PX / row.stride if paper else 1.0
    heatmaps = Heatmaps(joints=row.joints, stride=row.stride, background=paper, sigma=sigma)
    return (StageSpec("network", (IMAGE,), (*parts, heatmaps), multiple_of(row)),)


def multiple_of(row: ZooRow) -> int:
    """Multiples of the picture's sides that every halving of an hourglass divides; 32 of other encoders."""
    return row.stride << HOURGLASS_LEVELS if row.encoders[0].startswith("hg-") else 32


#: of the disks of small networks at 300 to 600 px; 32 px are the paper's, whose pictures have 1 401 px
SMALL_RADIUS_PX = 16.0
RADIUS_PX = 32.0
#: before the names of maps from the end of conv4_x, which are taught too (intermediate supervision)
AUXILIARY = "conv4_"
HOURGLASS_LEVELS = 4  #: halvings below its stride
PAPER_SIGMA_PX = 7.0  #: of the Gaussians that PIL and MuLA regress
SMALL = ("factored", "factored")  #: encoders of live networks


def early_name(stage: int, output: str) -> str:
    """Name of the prediction of an output by an earlier stage, from 1, which is taught as the output is."""
    return f"stage{stage}_{output}"


def people_outputs(
    joints: str, radius_px: float = SMALL_RADIUS_PX, stride: int = 8, grid: Grid = Grid.CENTRE
) -> tuple[Output, ...]:
    """PersonLab's maps of everybody's joints, in the order that its decoder and its losses know by name."""
    return (
        JointDisks(joints=joints, radius_px=radius_px, stride=stride, grid=grid),
        Offsets(name="short", joints=joints, stride=stride, grid=grid),
        Offsets(name="mid", joints=joints, over="bones", stride=stride, grid=grid),
        Offsets(name="long", joints=joints, stride=stride, grid=grid),
    )


def personlab_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to everybody's joints and the silhouette of all."""
    return (StageSpec("network", (IMAGE,), (*people_outputs(row.joints), PersonProbability())),)


def resnet_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """As `personlab_stages`, with the paper's disks and its grid of corners."""
    grid = Grid.CORNER
    person = PersonProbability(stride=row.stride, grid=grid)
    outputs = (*people_outputs(row.joints, RADIUS_PX, row.stride, grid), person)
    return (StageSpec("network", (IMAGE,), outputs),)


def people_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """The Factored ConvNet's stages, and everybody's joints from its features and parts."""
    people = StageSpec("people", ("features", "parts"), people_outputs(row.joints))
    return (*factored_stages(row), people)


def paf_fcn_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to parts, and to everybody's joints and limbs."""
    pose = Heatmaps(joints=row.joints, background=True), AffinityFields(joints=row.joints)
    return (StageSpec("network", (IMAGE,), (*part_outputs(row.parts), *pose)),)


def centre_stages(row: ZooRow) -> tuple[StageSpec, ...]:
    """One graph from picture to everybody's joints, and the ways from them to their persons' centres."""
    sigma = PAPER_SIGMA_PX / row.stride
    heatmaps = Heatmaps(joints=row.joints, stride=row.stride, background=True, sigma=sigma)
    outputs = heatmaps, CentreOffsets(joints=row.joints, stride=row.stride)
    return (StageSpec("network", (IMAGE,), outputs, multiple_of(row)),)


FAMILIES: dict[str, Family] = {
    "factored": Family("models.factored:build_factored", factored_stages),
    "baseline": Family("models.factored:build_baseline", parsing_stages),
    "enet": Family("models.factored:build_enet", parsing_stages),
    "joints": Family("models.joints:build_joints", joint_stages),
    "personlab": Family("models.personlab:build_personlab", personlab_stages),
    "personlab-resnet": Family("models.personlab_resnet:build", resnet_stages),
    "gpn": Family("models.gpn:build", centre_stages),
    "mula": Family("models.mula:build", part_and_joint_stages),
    "pil": Family("models.pil:build", part_and_joint_stages),
    "people": Family("models.personlab:build_people", people_stages),
    "paf-fcn": Family("models.paf_fcn:build_small", paf_fcn_stages),
    "paf-fcn-vgg16": Family("models.paf_fcn:build_vgg16", paf_fcn_stages),
}
_ROWS = (
    ZooRow("factored-s31", "factored", "relu", 500_318),
    ZooRow("factored-s31-paper", "factored", "prelu", 505_742),
    ZooRow("factored-s31-paper-plain", "factored", "prelu", 489_172, concat="plain", variant=True),
    ZooRow("baseline", "baseline", "prelu", 488_460),
    ZooRow("baseline-relu", "baseline", "relu", 483_164),
    ZooRow("enet", "enet", "prelu", 342_284),
    ZooRow("enet-relu", "enet", "relu", 338_524),
    ZooRow("joints-s31", "joints", "relu", 353_229, parts="", joints="COCO-17"),
    ZooRow("personlab-small", "personlab", "relu", 370_386, parts="", joints="COCO-17"),
    ZooRow("people-s31", "people", "relu", 685_044, joints="COCO-17"),
    ZooRow("personlab-resnet50", "personlab-resnet", "relu", 23_969_132, "", "COCO-17", 50, 16),
    ZooRow("personlab-resnet101", "personlab-resnet", "relu", 42_961_260, "", "COCO-17", 101, 16),
    ZooRow("paf-fcn-small", "paf-fcn", "relu", 725_095, "PASCAL-7", "COCO-17", pose_stages=2),
    ZooRow("paf-fcn-small-1", "paf-fcn", "relu", 552_693, "PASCAL-7", "COCO-17", pose_stages=1),
    ZooRow("paf-fcn-vgg16", "paf-fcn-vgg16", "relu", 149_699_353, "PASCAL-7", "LSP-14-neck", pose_stages=2),
    ZooRow("personlab-resnet152", "personlab-resnet", "relu", 58_604_908, "", "COCO-17", 152, 16),
)
PIL_SMALL = ZooRow("pil-small", "pil", "relu", 1_181_200, "PASCAL-7", "COCO-17", encoders=SMALL, fusion="pil")
_VARIANTS: dict[Fusion, int] = {
    "base": 705_168, "add": 705_168, "multi": 705_168, "concat": 738_064, "mtl": 354_132, "self": 1_541_264,
}  # fmt: skip
PIL_HG2 = ZooRow(
    "pil-hg2", "pil", "relu", 10_413_353, "PASCAL-7", "LIP-16", 0, 4, ("hg-2s-1u", "hg-1s-2u"), "pil"
)
_PIL = (
    PIL_SMALL,
    *(
        replace(PIL_SMALL, name=f"pil-small-{fusion}", parameters=count, fusion=fusion, variant=True)
        for fusion, count in _VARIANTS.items()
    ),
    ZooRow("pil-vgg16", "pil", "relu", 37_046_424, "PASCAL-7", "LIP-16", 0, 8, ("vgg16", "vgg16"), "pil"),
    PIL_HG2,
    replace(PIL_HG2, name="pil-hg2-lip", parameters=10_416_694, parts="LIP-20", variant=True),
)
MULA_SMALL = ZooRow(
    "mula-small", "mula", "relu", 2_615_976, "PASCAL-7", "COCO-17", encoders=SMALL,
    mutual=MutualLearning(2, form="paper"),
)  # fmt: skip
_DIRECTIONS: dict[Direction, int] = {
    "parsing-to-pose": 1_663_912, "pose-to-parsing": 1_663_912, "none": 711_848,
}  # fmt: skip
MULA_HG5 = ZooRow(
    "mula-hg5", "mula", "relu", 39_625_336, "PASCAL-7", "LIP-16", stride=4,
    encoders=("hg-1s-1u", "hg-1s-1u"), mutual=MutualLearning(5),
)  # fmt: skip
_MULA = (
    MULA_SMALL,
    *(
        replace(
            MULA_SMALL, name=f"mula-small-{direction}", parameters=count, variant=True,
            mutual=replace(MULA_SMALL.mutual, direction=direction),
        )
        for direction, count in _DIRECTIONS.items()
    ),
    ZooRow("mula-vgg16", "mula", "relu", 44_651_160, "PASCAL-7", "LIP-16", encoders=("vgg16", "vgg16")),
    MULA_HG5,
    replace(MULA_HG5, name="mula-hg5-lip", parameters=39_655_353, parts="LIP-20", variant=True),
)  # fmt: skip
_GPN = (
    ZooRow("gpn-small", "gpn", "relu", 391_280, "", "COCO-17", encoders=("factored",)),
    ZooRow("gpn-hg8", "gpn", "relu", 17_976_968, "", "LIP-16", stride=4, encoders=("hg-8s-1u",)),
)
ZOO: dict[str, ZooRow] = {row.name: row for row in (*_ROWS, *_PIL, *_MULA, *_GPN)}


def find_row(family: str, activation: str) -> ZooRow | None:
    """The first row of a family with this activation: what checkpoints from before rows had names meant."""
    return next((r for r in ZOO.values() if (r.family, r.activation) == (family, activation)), None)
