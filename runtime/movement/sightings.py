"""Sightings: places and sizes of a person's parts and joints in one frame, from which measures are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from models.centroids import part_centroids
from models.labels import JOINT_SETS, PART_SETS, JointSet, PartSet
from models.results import Parsing, PersonResult, Pose, Result
from models.spec import ModelSpec
from runtime.output.person_parts import owners

LEAST_CELLS = 6  #: of the label map; the centroid of fewer is noise
APART_CELLS = 256  #: longer side of the map in which regions are looked for
APART_OF_PICTURE = 0.001  #: a smaller region is a speck
APART = 0.3  #: share of the largest region from which on another one may be a person: less is often a hand
EVERYBODY = 0  #: number of the one track of a model that does not tell people apart


@dataclass(frozen=True)
class Landmarks:
    """Everything of a model's results that has a place: parts, then joints."""

    part_set: PartSet | None = None
    joint_set: JointSet | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of parts, and of joints as `joint_r_knee`."""
        joints = self.joint_set.names if self.joint_set is not None else ()
        return (*(self.part_set.names if self.part_set is not None else ()), *(f"joint_{n}" for n in joints))

    @property
    def parts(self) -> int:
        """Number of parts; joints come after them."""
        return len(self.part_set.names) if self.part_set is not None else 0

    @cached_property
    def mirror(self) -> NDArray[np.intp]:
        """Index of each landmark's counterpart on the other side; of one in the middle its own."""
        parts = [m - 1 for m in self.part_set.mirror_ids] if self.part_set is not None else []
        joints = self.joint_set.mirror_ids if self.joint_set is not None else ()
        return np.array([*parts, *(self.parts + m for m in joints)], np.intp)

    def words(self, landmark: int) -> str:
        """A landmark in words: `right lower arm`, `right knee (joint)`."""
        if self.part_set is not None and landmark < self.parts:
            return self.part_set.label(landmark + 1)
        return f"{sided(self.names[landmark].removeprefix('joint_'))} (joint)"

    def id(self, name: str) -> int | None:
        """Index of a landmark; None when the model has none of that name."""
        return self.names.index(name) if name in self.names else None


def sided(name: str) -> str:
    """The words of `r_knee` or `head_top`: `right knee`, `head top`."""
    side = {"r_": "right ", "l_": "left "}.get(name[:2], "")
    return side + name[2 * bool(side) :].replace("_", " ")


def landmarks_of(spec: ModelSpec) -> Landmarks:
    """Landmarks of a model by its description."""
    return Landmarks(PART_SETS.get(spec.part_set or ""), JOINT_SETS.get(spec.joint_set or ""))


@dataclass(frozen=True, eq=False)
class BodyPlaces:
    """One person in one frame. All places and sizes are in pixels of the displayed picture.

    Raises:
        ValueError: when shapes differ.
    """

    areas: NDArray[np.float32]  #: (parts,) 0 where there is none of a part
    points: NDArray[np.float32]  #: (landmarks, 2) x, y; NaN where there is none
    visibility: NDArray[np.float32]  #: (landmarks,) mean probability of a part's pixels, score of a joint
    height_px: float = float("nan")  #: from the highest to the lowest pixel or joint

    def __post_init__(self) -> None:
        if self.points.shape != (len(self.visibility), 2) or len(self.areas) > len(self.visibility):
            raise ValueError(f"BodyPlaces: areas {self.areas.shape}, points {self.points.shape}")


def sightings(result: Result, landmarks: Landmarks) -> dict[int, BodyPlaces]:
    """Everybody in a frame, by number; one `EVERYBODY` where people are not told apart.

    A person who has no number yet is not sure to exist, and left out.
    """
    people = [p for p in result.people if p.track_id]
    parsing = result.parsing
    if not people and landmarks.joint_set is None:
        return {EVERYBODY: _sighting(landmarks, parsing, None)} if parsing is not None else {}
    if parsing is None:
        return {p.track_id or 0: _sighting(landmarks, None, p) for p in people}
    if len(people) == 1 and people[0].mask is None:
        return {people[0].track_id or 0: _sighting(landmarks, parsing, people[0])}
    whose = owners(people, parsing.size)
    height, width = parsing.labels.shape
    whose = np.asarray(cv2.resize(whose, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint16)
    return {
        p.track_id or 0: _sighting(
            landmarks, replace(parsing, labels=parsing.labels * (whose == i).astype(np.uint8)), p
        )
        for i, p in enumerate(people, start=1)
    }


def are_merged(result: Result, landmarks: Landmarks) -> bool:
    """True when the sighting of one person is likely to be of several: two large regions of parts, apart."""
    people, parsing = [p for p in result.people if p.track_id], result.parsing
    as_one = people[0].mask is None if len(people) == 1 else not people and landmarks.joint_set is None
    if parsing is None or not as_one:
        return False
    step = -(-max(parsing.labels.shape) // APART_CELLS)
    body = np.minimum(parsing.labels[::step, ::step], 1)
    areas = np.sort(cv2.connectedComponentsWithStats(body, connectivity=8)[2][1:, cv2.CC_STAT_AREA])
    return len(areas) > 1 and bool(areas[-2] >= max(APART_OF_PICTURE * body.size, APART * areas[-1]))


def _sighting(landmarks: Landmarks, parsing: Parsing | None, person: PersonResult | None) -> BodyPlaces:
    """Parts of a parsing that shows one person, and the joints of that person."""
    count = len(landmarks.names)
    areas = np.zeros(landmarks.parts, np.float32)
    points = np.full((count, 2), np.nan, np.float32)
    visibility = np.zeros(count, np.float32)
    top, bottom = np.inf, -np.inf
    if parsing is not None and parsing.part_set == landmarks.part_set:
        of, parts = part_centroids(parsing), slice(0, landmarks.parts)
        scale_y = parsing.size[1] / parsing.labels.shape[0]
        areas[:] = of.areas[1:] * (parsing.size[0] / parsing.labels.shape[1] * scale_y)
        seen = of.areas[1:] >= LEAST_CELLS
        points[parts][seen], visibility[parts][seen] = of.points[1:][seen], of.confidences[1:][seen] / 255
        rows = np.flatnonzero(parsing.labels.any(axis=1))
        if len(rows):
            top, bottom = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    pose: Pose | None = person.pose if person is not None else None
    if pose is not None and pose.joint_set == landmarks.joint_set:
        found = pose.scores > 0
        points[landmarks.parts :][found] = pose.points[found]
        visibility[landmarks.parts :] = pose.scores
        if found.any() and not np.isfinite(top):
            top, bottom = pose.points[found, 1].min(), pose.points[found, 1].max()
    return BodyPlaces(areas, points, visibility, float(bottom - top) if bottom > top else float("nan"))
