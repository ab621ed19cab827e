"""One labelled picture of a published data set, in this project's terms; pixels are read when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.labels import IGNORE, LSP14, S31, JointSet, PartMap, PartSet
from training.datasets.files import BrokenError, Pixels, numbers, picture_size, read_rgb
from training.scribbles import Skeleton, scribble
from training.targets import SET_CODES

Box = tuple[float, float, float, float]  # x0, y0, x1, y1, px


@dataclass(frozen=True)
class Person:
    """Annotations of one person; coordinates are 0-based pixels of the stored picture.

    Raises:
        ValueError: when joints and visibility do not fit the joint set, or are not finite.
    """

    joints: JointSet
    xy: NDArray[np.float32]  #: (n, 2) px; 0, 0 where absent
    visible: NDArray[np.int8]  #: (n,) 0 absent, 1 occluded, 2 visible
    box: Box | None = None
    head_box: Box | None = None
    centre: tuple[float, float] | None = None  #: px, as annotated
    height: float | None = None  #: of the person, px, as annotated
    crowd: bool = False  #: a group without joints; its region is not scored
    separate: bool = False  #: MPII: far enough from others to be scored alone

    def __post_init__(self) -> None:
        n = len(self.joints.names)
        if self.xy.shape != (n, 2) or self.visible.shape != (n,):
            raise BrokenError(f"{n} joints with x, y and visibility are expected, not {self.xy.shape}")
        if not np.isfinite(self.xy).all() or not np.isin(self.visible, (0, 1, 2)).all():
            raise BrokenError("joints must be finite and their visibility 0, 1 or 2")
        self.xy.flags.writeable = False
        self.visible.flags.writeable = False

    def mirrored(self, width: int) -> Person:
        """The person in the picture flipped left to right, `width` px wide."""
        ids = list(self.joints.mirror_ids)
        xy, visible = self.xy[ids].copy(), self.visible[ids]
        xy[:, 0] = np.where(visible > 0, width - 1 - xy[:, 0], 0)

        def flipped(b: Box | None) -> Box | None:
            return b and (width - 1 - b[2], b[1], width - 1 - b[0], b[3])

        centre = self.centre and (width - 1 - self.centre[0], self.centre[1])
        return replace(self, xy=xy, visible=visible, box=flipped(self.box),
                       head_box=flipped(self.head_box), centre=centre)  # fmt: skip

    def among(self, joints: JointSet) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Places (n, 2), px, and visibility (n,) of a set's joints by name; others are absent."""
        n = len(joints.names)
        xy, visible = np.zeros((n, 2), dtype=np.float32), np.zeros(n, dtype=np.int8)
        for i, name in enumerate(joints.names):
            if name in self.joints.names:
                j = self.joints.id(name)
                xy[i], visible[i] = self.xy[j], self.visible[j]
        return xy, visible

    def skeleton(self) -> Skeleton:
        """The joints in the LSP-14 order."""
        return Skeleton(*self.among(LSP14))


def person(joints: JointSet, xy: ArrayLike, visible: ArrayLike) -> Person:
    """Joints as annotated → a person: what is NaN or not marked is absent.

    Raises:
        ValueError: wrong numbers of joints, or a visibility that is not 0, 1 or 2.
    """
    n = len(joints.names)
    points, marks = numbers(xy, n, 2), numbers(visible, n)
    marks = np.where(np.isfinite(points).all(axis=1) & np.isfinite(marks), marks, 0)
    if not np.isin(marks, (0, 1, 2)).all():
        raise BrokenError(f"visibility {marks[~np.isin(marks, (0, 1, 2))][0]:g} is not 0, 1 or 2")
    points = np.where(marks[:, None] > 0, points, 0)
    if np.abs(points).max() > 1e6:
        raise BrokenError("a joint lies millions of pixels away")
    return Person(joints, points.astype(np.float32), marks.astype(np.int8))


def box_of(value: ArrayLike) -> Box | None:
    """Four finite numbers as a box; None when they are anything else."""
    try:
        x0, y0, x1, y1 = (float(v) for v in numbers(value).ravel())
    except ValueError:
        return None
    return (x0, y0, x1, y1) if np.isfinite((x0, y0, x1, y1)).all() else None


@dataclass(frozen=True)
class Crop:
    """A view of a larger picture: the box cut out, then resized by `scale` (x, y)."""

    box: Box
    scale: tuple[float, float]

    def to_view(self, xy: ArrayLike) -> NDArray[np.float64]:
        """Points (…, 2) of the larger picture → points of the view; pixel centres are whole numbers."""
        p = np.asarray(xy, dtype=np.float64)
        return (p - self.box[:2] + 0.5) * self.scale - 0.5


@dataclass(frozen=True)
class Sample:
    """One picture with whatever labels its data set has."""

    name: str
    split: str
    picture: Path
    people: tuple[Person, ...] = ()
    label_set: PartSet | None = None  #: what `read_labels` gives
    coarse: PartMap | None = None  #: from `label_set` to classes that S31 can be merged into as well
    read_labels: Callable[[], Pixels] | None = None
    read_silhouette: Callable[[], Pixels] | None = None  #: where a set has it without part labels
    scale: float = 1.0  #: by which the original was resized when the set was prepared
    crop: Crop | None = None  #: UP-3D: what the body was fitted on; YouTube Pose: what of the video this is
    group: str = ""  #: subject or video

    def image(self) -> Pixels:
        """(h, w, 3) RGB."""
        return read_rgb(self.picture)

    def size(self) -> tuple[int, int]:
        """(width, height), px, without decoding the picture."""
        return picture_size(self.picture)

    def labels(self) -> Pixels:
        """(h, w) labels of `label_set`; 255 unknown.

        Raises:
            ValueError: there are none, or they do not fit the picture.
        """
        if self.read_labels is None:
            raise BrokenError(f"{self.name} has no part labels")
        return self._fitting(self.read_labels())

    def silhouette(self) -> Pixels:
        """(h, w) 0 background, 1 person, 255 unknown.

        Raises:
            ValueError: there is none, or it does not fit the picture.
        """
        if self.read_silhouette is not None:
            return self._fitting(self.read_silhouette())
        labels = self.labels()
        return np.where(labels == IGNORE, IGNORE, np.minimum(labels, 1)).astype(np.uint8)

    def coarse_labels(self) -> Pixels:
        """(h, w) labels in the classes of `coarse`; 255 where the set's own label does not tell."""
        if self.coarse is None:
            raise BrokenError(f"{self.name} has no map to coarse classes")
        return self.coarse.table()[self.labels()]

    def codes(self) -> Pixels:
        """(h, w) what each pixel may teach (training/targets.py).

        S31 labels as they are; other label sets as silhouettes, heads where the set has them; joints of one
        person alone as scribbles.

        Raises:
            ValueError: the picture teaches nothing.
        """
        if self.label_set is S31:
            return self.labels()
        if self.read_labels is not None or self.read_silhouette is not None:
            table = np.full(256, SET_CODES["person"], dtype=np.uint8)
            table[[0, IGNORE]] = 0, IGNORE
            codes = table[self.silhouette()]
            if self.label_set is not None and "head" in self.label_set.names:
                codes[self.labels() == self.label_set.id("head")] = SET_CODES["head"]
            return codes
        if len(self.people) == 1 and self.people[0].joints is LSP14:
            return scribble(self.people[0].skeleton(), self.size())
        raise BrokenError(f"{self.name} has no labels to train on")

    def _fitting(self, labels: Pixels) -> Pixels:
        width, height = self.size()
        if labels.shape != (height, width):
            h, w = labels.shape
            raise BrokenError(f"{self.name}: its labels are {w}x{h} pixels, its picture {width}x{height}")
        return labels
