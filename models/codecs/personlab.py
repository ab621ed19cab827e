"""PersonLab: disks and offset vectors of everybody in a picture, and the people back from them.

Papandreou et al., "PersonLab: Person Pose Estimation and Instance Segmentation with a Bottom-Up, Part-Based,
Geometric Embedding Model", ECCV 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, PictureContext, Placement
from models.codecs.decoding import OURS, Decoding
from models.codecs.greedy_poses import Poses, decode_poses
from models.codecs.hough import vote
from models.codecs.instance_masks import instance_masks, memberships
from models.codecs.vector_fields import STEPS, Fields
from models.labels import JointSet
from models.outputs import JointDisks
from models.results import PersonResult, Pose, Result

FARTHEST_PX = 4096.0  # of a vector, as the largest network's input is wide
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PersonLabCodec:
    """Everybody in a picture, each with joints, box and mask, the surest first."""

    decoding: Decoding = OURS

    needs: ClassVar[tuple[str, ...]] = ("short", "mid", "long", "person")

    def decode(self, output: JointDisks, maps: Mapping[str, FloatMap], context: PictureContext) -> Result:
        """The people; nobody is an empty result."""
        placement = context.placement
        maps = {n: _bounded(maps[n], n not in {"short", "mid", "long"}) for n in (output.name, *self.needs)}
        disks = maps[output.name]
        steps = STEPS if self.decoding.refinement else 0
        fields = Fields(maps["short"], maps["mid"], maps["long"], placement, steps)
        hough = vote(disks, fields.short, placement, output.radius_px)
        poses = decode_poses(output.joint_set, disks, fields, hough, output.radius_px, self.decoding)
        poses = poses.of(poses.people >= self.decoding.least_score)
        if not len(poses.points):
            return Result()
        belongs = memberships(maps["person"], disks, fields, poses, self.decoding)
        masks = instance_masks(maps["person"], belongs, placement, self.decoding)
        return Result(people=_people(output.joint_set, poses, masks, placement))


def _bounded(maps: FloatMap, probability: bool) -> FloatMap:  # noqa: FBT001 - of the kind of map
    """The maps, nothing where they are not numbers; a vector leads no further than `FARTHEST_PX`."""
    lowest, highest = (0.0, 1.0) if probability else (-FARTHEST_PX, FARTHEST_PX)
    return np.asarray(np.nan_to_num(maps.clip(lowest, highest), copy=False), np.float32)


def _people(
    joints: JointSet, poses: Poses, masks: NDArray[np.uint8], placement: Placement
) -> tuple[PersonResult, ...]:
    cells = placement.grid.to_cell(poses.points, placement.stride)
    points = placement.to_picture(cells).astype(np.float32)
    people = []
    for i, mask in enumerate(masks):
        box = _box(mask, placement) or _bounds(points[i])
        pose = Pose(joints, points[i], poses.scores[i])
        people.append(PersonResult(box, float(poses.people[i]), pose, mask))
    return tuple(people)


def _box(mask: NDArray[np.uint8], placement: Placement) -> tuple[float, float, float, float] | None:
    """x, y, width, height of a mask in displayed px; None of an empty one."""
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return None
    across, down = placement.picture[0] / mask.shape[1], placement.picture[1] / mask.shape[0]
    return x * across, y * down, w * across, h * down


def _bounds(points: NDArray[np.float32]) -> tuple[float, float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


@dataclass(frozen=True)
class AnnotatedPerson:
    """A person as annotators give one.

    Attributes:
        points: (joints, 2) x, y px.
        labelled: (joints,) False where the place is not known.
    """

    points: NDArray[np.float32]
    labelled: Flags


def directed_bones(joints: JointSet) -> tuple[tuple[int, int], ...]:
    """(from, to) of every mid-range offset: each bone of the tree forwards, then each backwards."""
    return (*joints.bones, *((b, a) for a, b in joints.bones))


def encode_people(
    joints: JointSet, people: Sequence[AnnotatedPerson], owners: NDArray[np.integer], placement: Placement,
    radius_px: float,
) -> dict[str, FloatMap]:  # fmt: skip
    """Targets of a picture (§3.1 to 3.3 of the paper) on the grid of its placement.

    Args:
        joints: the joint set; its bones form a tree.
        people: everybody with at least one labelled joint, in pixels of the displayed picture.
        owners: (rows, columns) the only person whose mask covers a cell, counted from 1 in the order of
            `people`; 0 where there is nobody or more than one.
        placement: the grid.
        radius_px: of a disk.

    Returns:
        `disks` (joints, rows, columns) 1 within the radius of a joint; vectors (2·n, rows, columns), x and y
        interleaved, px, with 1 where they are defined under the same name + `_known` (n, rows, columns):
        `short` and `long` for each joint, `mid` for each directed bone. Disks of one type that overlap
        belong to the nearest person.
    """
    columns, rows = placement.cells
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    pixels = placement.grid.to_pixel(grid, placement.stride).astype(np.float32)  # (rows, columns, 2)
    count, bones = len(joints.names), directed_bones(joints)
    out = {
        "disks": np.zeros((count, rows, columns), np.float32),
        **_vectors("short", count, rows, columns),
        **_vectors("mid", len(bones), rows, columns),
        **_vectors("long", count, rows, columns),
    }
    if not people:
        return out
    points = np.stack([_network(p.points, placement) for p in people])  # (people, joints, 2)
    labelled = np.stack([p.labelled for p in people])
    for k in range(count):
        distance = np.linalg.norm(points[:, None, None, k] - pixels, axis=-1)
        distance[~labelled[:, k]] = np.inf
        nearest = distance.argmin(axis=0)
        inside = distance.min(axis=0) <= radius_px
        out["disks"][k] = inside
        _put(out, "short", k, inside, points[nearest, k] - pixels)
        for e, (a, b) in enumerate(bones):
            if a == k:
                _put(out, "mid", e, inside & labelled[nearest, b], points[nearest, b] - pixels)
    whose, owned = owners.astype(np.intp) - 1, owners > 0
    for k in range(count):
        _put(out, "long", k, owned & labelled[whose, k], points[whose, k] - pixels)
    return out


def _network(points: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """Displayed pixels → network pixels."""
    return placement.grid.to_pixel(placement.to_cells(points), placement.stride).astype(np.float32)


def _vectors(name: str, count: int, rows: int, columns: int) -> dict[str, FloatMap]:
    return {
        name: np.zeros((2 * count, rows, columns), np.float32),
        f"{name}_known": np.zeros((count, rows, columns), np.float32),
    }


def _put(out: dict[str, FloatMap], name: str, i: int, where: Flags, vectors: FloatMap) -> None:
    out[name][2 * i : 2 * i + 2] = np.where(where[..., None], vectors, 0).transpose(2, 0, 1)
    out[f"{name}_known"][i] = where
