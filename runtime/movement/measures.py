"""Measures of movement: speed, symmetry and joint angles; docs/movement.md has the definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.movement.history import MovementTrack
from runtime.movement.sightings import Landmarks, sided

Numbers = NDArray[np.float64]
REACH = 2  #: frames before and after one, from which its speed is fitted
REACH_S = 0.25  #: frames further away in time say nothing of a speed
SHORTEST_BONE_PX = 2.0  #: a shorter one has no direction


@dataclass(frozen=True)
class Quantity:
    """A number over time."""

    name: str
    words: str
    unit: str


MEASURES: Final = {
    m.name: m
    for m in (
        Quantity("area", "Area", "px"),
        Quantity("visibility", "Visibility", ""),
        Quantity("x", "Centroid, from the left", "px"),
        Quantity("y", "Centroid, from the top", "px"),
        Quantity("speed", "Speed of the centroid", "px/s"),
        Quantity("heights", "Speed in body heights", "1/s"),
        Quantity("symmetry", "Right-left symmetry of area", ""),
        Quantity("angle", "Joint angles", "°"),
    )
}
_JOINT_ANGLES: Final = {
    "elbow": ("shoulder", "elbow", "wrist"),
    "knee": ("hip", "knee", "ankle"),
    "shoulder": ("elbow", "shoulder", "hip"),
    "hip": ("shoulder", "hip", "knee"),
}
#: Angles from centroids of parts: only where a part lies on the joint, and one along each of its bones.
_PART_ANGLES: Final = {"elbow": ("uarm", "elbow", "larm"), "knee": ("uleg", "knee", "lleg")}


@dataclass(frozen=True)
class Angle:
    """An angle at a joint, by the landmarks of its two bones."""

    name: str  #: `r_elbow`
    at: int  #: landmark at which it is measured
    ends: tuple[int, int]  #: landmarks where the bones end


def velocities(times_s: Numbers, points: NDArray[np.floating]) -> Numbers:
    """(n, …) px/s: slopes of least-squares lines through five neighbouring frames, by their own times.

    With equal steps this is the first derivative of the Savitzky-Golay filter of order 1 (and 2) over five
    points (Savitzky and Golay 1964). NaN where the point itself is missing, and without a neighbour within
    `REACH_S` on either side: at both ends of a track, and beside a gap.

    Args:
        times_s: (n,) presentation times, rising.
        points: (n, …) px.
    """
    n, shape = len(times_s), points.shape
    flat = np.asarray(points, np.float64).reshape(n, math.prod(shape[1:]))
    shifts = range(-REACH, REACH + 1)
    rows = np.clip(np.arange(n) + np.array(shifts)[:, None], 0, max(0, n - 1))  # (2 · REACH + 1, n)
    inside = rows - np.arange(n) == np.array(shifts)[:, None]
    apart = times_s[rows] - times_s  # (…, n)
    values = flat[rows] - flat  # (…, n, k)
    known = np.isfinite(values) & (inside & (np.abs(apart) <= REACH_S))[..., None]
    weight, count = known.astype(np.float64), np.maximum(known.sum(axis=0), 1)
    time = (apart[..., None] * weight).sum(axis=0) / count
    centred = (apart[..., None] - time) * weight
    slope = (centred * np.where(known, values, 0)).sum(axis=0)
    spread = (centred**2).sum(axis=0)
    both = known[:REACH].any(axis=0) & known[REACH + 1 :].any(axis=0)
    out = np.full(flat.shape, np.nan)
    np.divide(slope, spread, out=out, where=both & (spread > 0))
    return out.reshape(shape)


def speeds(track: MovementTrack, landmarks: Sequence[int]) -> Numbers:
    """(n, landmarks) px/s."""
    return np.asarray(np.hypot(*np.moveaxis(velocities(track.times_s, track.points[:, landmarks]), -1, 0)))


def symmetry(right: NDArray[np.floating], left: NDArray[np.floating]) -> Numbers:
    """(R - L) / (R + L) of areas: 0 alike, 1 only the right one is seen, -1 only the left; NaN: neither."""
    both = np.asarray(right, np.float64) + left
    out = np.full(both.shape, np.nan)
    np.divide(np.asarray(right, np.float64) - left, both, out=out, where=both > 0)
    return out


def angle_deg(first: Numbers, at: Numbers, second: Numbers) -> Numbers:
    """(…,) angle in the picture plane between two bones, 0 to 180 degrees; NaN where a bone has no direction.

    Args:
        first: (…, 2) px, where one bone ends.
        at: (…, 2) px, where they meet.
        second: (…, 2) px, where the other ends.
    """
    a, b = np.asarray(first - at, np.float64), np.asarray(second - at, np.float64)
    across = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    degrees = np.degrees(np.arctan2(np.abs(across), (a * b).sum(axis=-1)))
    long = np.minimum(np.hypot(a[..., 0], a[..., 1]), np.hypot(b[..., 0], b[..., 1])) >= SHORTEST_BONE_PX
    return np.where(long, degrees, np.nan)


def angles_of(landmarks: Landmarks) -> tuple[Angle, ...]:
    """Angles that a model's landmarks give: from its joints where it has them, else from parts."""
    found = []
    for side in "rl":
        for name, (first, _, second) in _JOINT_ANGLES.items():
            joints = [landmarks.id(f"joint_{side}_{n}") for n in (first, name, second)]
            words = _PART_ANGLES.get(name, ())
            parts = [landmarks.id(side + n) for n in words]
            for ids in (joints, parts):
                if ids and None not in ids:
                    a, at, b = (i or 0 for i in ids)
                    found.append(Angle(f"{side}_{name}", at, (a, b)))
                    break
    return tuple(found)


def angles(track: MovementTrack, wanted: Sequence[Angle]) -> Numbers:
    """(n, angles) degrees."""
    points = track.points.astype(np.float64)
    columns = [angle_deg(points[:, a.ends[0]], points[:, a.at], points[:, a.ends[1]]) for a in wanted]
    return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))


def with_whole_head(track: MovementTrack) -> MovementTrack:
    """The track with all of the head in the place of its left upper quarter, for a model that quarters it."""
    marks = track.landmarks
    ids = [i for name in ("luhead", "ruhead", "rlhead", "llhead") if (i := marks.id(name)) is not None]
    if len(ids) < 2:
        return track
    areas, points, visibility = track.areas.copy(), track.points.copy(), track.visibility.copy()
    seen = np.where(np.isfinite(points[:, ids, 0]), areas[:, ids], 0)
    shares = seen / np.maximum(seen.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    points[:, ids[0]] = np.nansum(points[:, ids] * shares[..., None], axis=1)
    points[~seen.any(axis=1), ids[0]] = np.nan
    visibility[:, ids[0]] = (visibility[:, ids] * shares).sum(axis=1)
    areas[:, ids[0]] = areas[:, ids].sum(axis=1)
    return replace(track, areas=areas, points=points, visibility=visibility)


def pairs_of(landmarks: Landmarks) -> list[tuple[int, int]]:
    """(right, left) landmarks of each pair of parts and joints."""
    mirror = landmarks.mirror.tolist()
    right = [i for i, name in enumerate(landmarks.names) if name.startswith(("r", "joint_r_"))]
    return [(i, mirror[i]) for i in right if mirror[i] != i]


def curves(track: MovementTrack, measure: str, chosen: Sequence[int]) -> dict[str, tuple[int, Numbers]]:
    """A measure over time: by its words the landmark that gives the colour, and (n,) values.

    Args:
        track: of a person.
        measure: a name of `MEASURES`.
        chosen: landmarks; a pair or an angle counts as chosen when one of its landmarks is.
    """
    marks, some = track.landmarks, set(chosen)
    if measure == "angle":
        wanted = [a for a in angles_of(marks) if some & {a.at, *a.ends}]
        values = angles(track, wanted)
        places = [(sided(a.name), a.at) for a in wanted]
    elif measure == "symmetry":
        pairs = [p for p in pairs_of(marks) if some & set(p) and max(p) < marks.parts]
        values = symmetry(*(track.areas[:, [p[side] for p in pairs]] for side in (0, 1)))
        places = [(marks.words(p[0]).removeprefix("right "), p[0]) for p in pairs]
    else:
        shown = [c for c in chosen if c < marks.parts or measure != "area"]
        values = _of_landmarks(track, measure, shown)
        places = [(marks.words(c), c) for c in shown]
    return {words: (at, values[:, i]) for i, (words, at) in enumerate(places)}


def _of_landmarks(track: MovementTrack, measure: str, shown: list[int]) -> Numbers:
    if measure in {"speed", "heights"}:
        return speeds(track, shown) / (track.body_height_px if measure == "heights" else 1.0)
    if measure in {"x", "y"}:
        return np.asarray(track.points[:, shown, "xy".index(measure)], np.float64)
    of = track.areas if measure == "area" else track.visibility
    return np.asarray(of[:, shown], np.float64)
