"""Output descriptions: one frozen record for each tensor that a stage of a network gives.

A description knows its channels, its value range and the effect of a mirror image; admission, export, engine
and training read it instead of stating them again. Maps are (channels, rows, columns) on a grid of cells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from models.grid import Grid
from models.labels import JOINT_SETS, PART_SETS, JointSet, PartSet


class OutputError(ValueError):
    """A description is malformed or names a set that is not known here; the text is the reason."""


@dataclass(frozen=True, eq=False)
class Mirror:
    """Permutation and signs of a map's channels under a horizontal flip, beside reversing its columns."""

    order: NDArray[
        np.intp
    ]  #: for each channel of the upright picture, which one of the mirrored picture it is
    signs: NDArray[np.float32] | None = None  #: (channels,) ±1 for vectors, None where all are +1

    def apply(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Maps (channels, rows, columns) of a mirrored picture → of the upright one; its own inverse."""
        upright: NDArray[np.float32] = maps[self.order, :, ::-1]
        return upright if self.signs is None else upright * self.signs[:, None, None]


@dataclass(frozen=True, kw_only=True)
class Output(ABC):
    """A tensor of a graph; subclasses say what its channels mean."""

    name: str = ""  #: of the graph's output; the type's own when left out
    stride: int = 8  #: input pixels per cell
    grid: Grid = Grid.CENTRE  #: where a cell's centre lies

    type: ClassVar[str] = ""  #: in JSON
    dtype: ClassVar[Literal["float32", "uint8"]] = "float32"
    rank: ClassVar[int] = 4  #: (batch, channels, rows, columns), or 3 without channels
    probability: ClassVar[bool] = True  #: values lie in 0..1
    smoothed: ClassVar[bool] = True  #: maps of several frames can be averaged; not where people move on
    tolerance: ClassVar[float] = (
        1e-5  #: of an exported graph; absolute on probabilities, else of the largest value
    )

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.type)

    @property
    @abstractmethod
    def channels(self) -> int:
        """Number of channels.

        Raises:
            OutputError: the set it names is not known here.
        """

    @property
    def mirror(self) -> Mirror:
        """The effect of a horizontal flip; channels keep their place unless a subclass says otherwise."""
        return Mirror(np.arange(self.channels))

    def rescaled(self, maps: NDArray[np.float32], scale: tuple[float, float]) -> NDArray[np.float32]:
        """Maps (channels, rows, columns) of a picture that is shown (across, down) times larger."""
        return maps

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with the type."""
        return {"type": self.type, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class SharedFeatures(Output):
    """Features that later stages share."""

    count: int = 128

    type: ClassVar[str] = "features"
    probability: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """Number of features."""
        return self.count


@dataclass(frozen=True, kw_only=True)
class PersonProbability(Output):
    """P(person): the silhouette on the grid."""

    type: ClassVar[str] = "person"

    @property
    def channels(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True, kw_only=True)
class PartProbabilities(Output):
    """Probability of the background and of each body part; they sum to 1."""

    parts: str  #: a key of `models.labels.PART_SETS`

    type: ClassVar[str] = "parts"

    @property
    def part_set(self) -> PartSet:
        """The parts.

        Raises:
            OutputError: the set is not known here.
        """
        return _part_set(self.parts)

    @property
    def channels(self) -> int:
        """Parts and background."""
        return self.part_set.classes

    @property
    def mirror(self) -> Mirror:
        """Left and right parts change places."""
        return Mirror(self.part_set.mirror()[: self.channels].astype(np.intp))


@dataclass(frozen=True, kw_only=True)
class PartLabels(Output):
    """The most probable part of each cell, for programs that run the files without xfactor; not decoded."""

    parts: str  #: a key of `models.labels.PART_SETS`

    type: ClassVar[str] = "labels"
    dtype: ClassVar[Literal["float32", "uint8"]] = "uint8"
    rank: ClassVar[int] = 3
    probability: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """One label."""
        return 1


@dataclass(frozen=True, kw_only=True)
class JointOutput(Output):
    """An output with channels for the joints or bones of a set."""

    joints: str  #: a key of `models.labels.JOINT_SETS`

    @property
    def joint_set(self) -> JointSet:
        """The joints and bones.

        Raises:
            OutputError: the set is not known here.
        """
        try:
            return JOINT_SETS[self.joints]
        except KeyError:
            raise OutputError(f"its joint set {self.joints!r} is not known") from None


@dataclass(frozen=True, kw_only=True)
class Heatmaps(JointOutput):
    """Probability of each joint in each cell; one map a joint, and one of the background where it has one."""

    background: bool = (
        False  #: the last channel is 1 − the largest joint's; the maps are regressed, no logits
    )
    sigma: float = 1.0  #: standard deviation of a joint's Gaussian, cells

    type: ClassVar[str] = "heatmaps"

    @property
    def channels(self) -> int:
        """Joints, and the background."""
        return len(self.joint_set.names) + self.background

    @property
    def mirror(self) -> Mirror:
        """Left and right joints change places; the background stays."""
        ids = self.joint_set.mirror_ids
        return Mirror(np.array((*ids, *((len(ids),) if self.background else ())), np.intp))


@dataclass(frozen=True, kw_only=True)
class JointDisks(JointOutput):
    """Probability that a cell lies within `radius_px` of a joint of anybody (PersonLab's heat maps).

    With it come raw `Offsets` by the names short, mid (over bones) and long, and `person`.
    """

    radius_px: float = 32.0  #: of the network's input, whatever the size of the person

    type: ClassVar[str] = "disks"
    smoothed: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """One a joint."""
        return len(self.joint_set.names)

    @property
    def mirror(self) -> Mirror:
        """Left and right joints change places."""
        return Mirror(np.array(self.joint_set.mirror_ids, np.intp))


@dataclass(frozen=True, kw_only=True)
class Offsets(JointOutput):
    """Vectors (x, y interleaved), network pixels: from a cell to each joint, or along each bone both ways.

    Over bones (a, b) there are two vectors: all a → b first, then all b → a (PersonLab's mid-range offsets).
    """

    over: Literal["joints", "bones"] = "joints"

    type: ClassVar[str] = "offsets"
    probability: ClassVar[bool] = False
    smoothed: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """Two for each vector."""
        s = self.joint_set
        return 2 * len(s.names) if self.over == "joints" else 4 * len(s.bones)

    @property
    def mirror(self) -> Mirror:
        """Vectors of left and right change places, and x changes its sign."""
        s = self.joint_set
        if self.over == "joints":
            return _mirrored_vectors(s.mirror_ids, [1] * len(s.names))
        directed = [*s.bones, *((b, a) for a, b in s.bones)]
        return _mirrored_vectors(
            [directed.index(_mirrored_bone(s, b)) for b in directed], [1] * len(directed)
        )

    def rescaled(self, maps: NDArray[np.float32], scale: tuple[float, float]) -> NDArray[np.float32]:
        """Vectors grow with the picture."""
        across_down = np.tile(np.array(scale, np.float32), self.channels // 2)
        return maps * across_down[:, None, None]


@dataclass(frozen=True, kw_only=True)
class CentreOffsets(Offsets):
    """Vectors (x, y interleaved), network pixels: from the cells near each joint to its person's centre."""

    type: ClassVar[str] = "centres"


@dataclass(frozen=True, kw_only=True)
class AffinityFields(JointOutput):
    """Unit vectors (x, y interleaved) along each bone (a, b), from a to b (part affinity fields)."""

    type: ClassVar[str] = "affinity_fields"
    probability: ClassVar[bool] = False

    @property
    def channels(self) -> int:
        """Two for each bone."""
        return 2 * len(self.joint_set.bones)

    @property
    def mirror(self) -> Mirror:
        """Left and right change places; x changes its sign, or y for a bone that is turned round."""
        s = self.joint_set
        order, turned = [], []
        for bone in s.bones:
            a, b = _mirrored_bone(s, bone)
            order.append(s.bones.index((a, b) if (a, b) in s.bones else (b, a)))
            turned.append(1 if (a, b) in s.bones else -1)
        return _mirrored_vectors(order, turned)


OUTPUTS: dict[str, type[Output]] = {
    t.type: t
    for t in (
        SharedFeatures, PersonProbability, PartProbabilities, PartLabels,
        Heatmaps, JointDisks, Offsets, CentreOffsets, AffinityFields,
    )
}  # fmt: skip


def output_from_dict(raw: object) -> Output:
    """Read what `Output.to_dict` wrote.

    Raises:
        OutputError: an unknown type or field (a newer version made it), or a value that cannot be.
    """
    if not isinstance(raw, dict) or raw.get("type") not in OUTPUTS:
        kind = raw.get("type") if isinstance(raw, dict) else raw
        raise OutputError(f"an output of the unknown type {kind!r}: a newer version made it")
    kind = OUTPUTS[raw["type"]]
    data = {k: v for k, v in raw.items() if k != "type"}
    unknown = sorted(set(data) - {f.name for f in fields(kind)})
    if unknown:
        raise OutputError(
            f"its output {kind.type} has unknown fields ({', '.join(unknown)}): a newer version made it"
        )
    try:
        made = kind(**{**data, "grid": Grid(data["grid"]), "stride": int(data["stride"])})
    except (KeyError, TypeError, ValueError) as e:
        raise OutputError(f"its output {kind.type} is incomplete or malformed ({e})") from e
    if made.stride < 1:
        raise OutputError(f"its output {kind.type} has an impossible stride")
    return made


def _part_set(name: str) -> PartSet:
    try:
        return PART_SETS[name]
    except KeyError:
        raise OutputError(f"its part set {name!r} is not known") from None


def _mirrored_bone(joints: JointSet, bone: tuple[int, int]) -> tuple[int, int]:
    return joints.mirror_ids[bone[0]], joints.mirror_ids[bone[1]]


def _mirrored_vectors(order: Sequence[int], turned: Sequence[int]) -> Mirror:
    """The mirror of interleaved x, y channels: vector i comes from vector order[i]."""
    channels = np.array([2 * v + axis for v in order for axis in (0, 1)], np.intp)
    return Mirror(channels, np.array([s for t in turned for s in (-t, t)], np.float32))
