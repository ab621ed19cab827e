"""Results of one picture: frozen arrays, validated on construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import JointSet, PartSet


@dataclass(frozen=True)
class Parsing:
    """Body parts and silhouette of one picture.

    All maps have one shape (h, w), cover the displayed picture exactly (letterbox padding removed) and may be
    smaller than it: whoever paints or writes scales them to `size`.

    Raises:
        ValueError: when shapes or types differ from this description.
    """

    part_set: PartSet
    size: tuple[int, int]  #: (width, height) of the displayed picture, px
    labels: NDArray[np.uint8]  #: part ids, 0 background
    person: NDArray[np.uint8]  #: round(255·P(person)), what the head was given
    confidence: NDArray[np.uint8]  #: round(255·probability of the label)

    def __post_init__(self) -> None:
        for name in ("labels", "person", "confidence"):
            a: NDArray[np.uint8] = getattr(self, name)
            if a.dtype != np.uint8 or a.ndim != 2 or a.shape != self.labels.shape:
                raise ValueError(
                    f"Parsing.{name}: expected uint8 {self.labels.shape}, got {a.dtype} {a.shape}"
                )
            a.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Pose:
    """Joints of one person.

    Raises:
        ValueError: when shapes differ.
    """

    joint_set: JointSet
    points: NDArray[np.float32]  #: (joints, 2) x, y in displayed pixels
    scores: NDArray[np.float32]  #: (joints,) 0..1; 0 where the joint was not found

    def __post_init__(self) -> None:
        count = len(self.joint_set.names)
        if self.points.shape != (count, 2) or self.scores.shape != (count,):
            raise ValueError(
                f"Pose: {self.joint_set.name} has {count} joints, got points {self.points.shape} and scores"
                f" {self.scores.shape}"
            )
        self.points.flags.writeable = False
        self.scores.flags.writeable = False


@dataclass(frozen=True, eq=False)
class PersonResult:
    """One person in a picture, with what the model gives of pose and mask.

    Raises:
        ValueError: for a box of negative size, a score outside 0..1 or a mask that is not (h, w) uint8.
    """

    box: tuple[float, float, float, float]  #: x, y, width, height, displayed px
    score: float  #: 0..1
    pose: Pose | None = None
    mask: NDArray[np.uint8] | None = None  #: (h, w) 0 or 1 over the displayed picture, at any resolution
    track_id: int | None = None  #: the same in every frame of a clip, where people are tracked

    def __post_init__(self) -> None:
        if min(self.box[2:]) < 0 or not 0 <= self.score <= 1:
            raise ValueError(f"PersonResult: impossible box {self.box} or score {self.score}")
        if self.mask is not None:
            if self.mask.dtype != np.uint8 or self.mask.ndim != 2:
                raise ValueError(
                    f"PersonResult.mask: expected (h, w) uint8, got {self.mask.shape} {self.mask.dtype}"
                )
            self.mask.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Result:
    """Results of a model for one picture: body parts, people with their joints, or both.

    Raises:
        ValueError: when poses are of different joint sets.
    """

    parsing: Parsing | None = None
    people: tuple[PersonResult, ...] = ()

    def __post_init__(self) -> None:
        if len({p.pose.joint_set.name for p in self.people if p.pose is not None}) > 1:
            raise ValueError("Result: poses of different joint sets")
