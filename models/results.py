"""What a model says of one picture, as frozen arrays validated on construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import PartSet


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


@dataclass(frozen=True)
class Pose:
    """Joints of one person.

    Raises:
        ValueError: when shapes differ.
    """

    points: NDArray[np.float32]  #: (joints, 2) x, y in displayed pixels
    scores: NDArray[np.float32]  #: (joints,) 0..1; 0 where the joint was not found

    def __post_init__(self) -> None:
        if self.points.shape != (len(self.scores), 2):
            raise ValueError(f"Pose: {self.points.shape} points for {len(self.scores)} scores")
        self.points.flags.writeable = False
        self.scores.flags.writeable = False
