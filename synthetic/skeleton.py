"""Poses as rotations of bones about world axes, and the forward kinematics that turns them into bone
transforms.

A pose is (J, 3, 3): the rotation of each bone relative to its parent, expressed in the world axes of the rest
pose
(the convention of MakeHuman's BVH files). It needs no bone rolls and fits a body of any shape.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from synthetic.bodies import Bodies, FloatArray, IntArray


class Armature:
    """The bone tree, and how limbs are aimed."""

    def __init__(self, bodies: Bodies) -> None:
        self.parents: IntArray = bodies.parents
        self.names = bodies.bone_names
        self.index = {name: i for i, name in enumerate(bodies.bone_names)}
        heads = bodies.template_heads
        self.heads = heads
        self.limbs = {(limb, side): self._limb(limb, side) for limb in ("arm", "leg") for side in ("L", "R")}

    def rest_pose(self) -> FloatArray:
        return np.tile(np.eye(3, dtype=np.float32), (len(self.parents), 1, 1))

    def _limb(self, limb: str, side: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rest directions of the upper and the lower bone, and the hinge axis, square to the upper one."""
        first, second, third = (
            self.heads[self.index[f"{n}.{side}"]]
            for n in (
                ("upperarm01", "lowerarm01", "wrist")
                if limb == "arm"
                else ("upperleg01", "lowerleg01", "foot")
            )
        )
        upper, lower = unit(second - first), unit(third - second)
        # A knee is nearly straight at rest, so its hinge cannot be read off the bones: it is the lateral
        # axis.
        hinge = np.cross(upper, lower) if limb == "arm" else np.asarray([1.0, 0, 0]) - upper * upper[0]
        return upper, lower, unit(hinge.astype(np.float32))

    def aim(
        self, limb: str, side: str, upper: FloatArray, lower: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """World rotations of the upper and lower bone that point them along two directions.

        The hinge is turned towards the plane of the two bones; a limb aimed nearly straight keeps the twist
        of the
        shortest turn, for which the plane says nothing.
        """
        rest, rest_lower, hinge = self.limbs[limb, side]
        upper, lower = unit(upper), unit(lower)
        axis: FloatArray = cross(upper, lower) + 0.25 * (between(rest, upper) @ hinge)
        axis = unit((axis - upper * float(axis @ upper)).astype(np.float32))
        turned = _frame(upper, axis) @ _frame(rest, hinge).T
        return turned, between(turned @ rest_lower, lower) @ turned

    def pose_from_globals(self, globals_: dict[str, FloatArray], local: dict[str, FloatArray]) -> FloatArray:
        """A pose in which the named bones have the given world rotation and others the given local one."""
        pose = self.rest_pose()
        world = self.rest_pose()
        for j, name in enumerate(self.names):
            above = world[self.parents[j]] if j else world[0]
            if name in globals_:
                pose[j] = above.T @ globals_[name]
                world[j] = globals_[name]
            elif name in local:
                pose[j] = local[name]
                world[j] = above @ pose[j]
            else:  # most bones: a hundred muscles of the face keep their place
                world[j] = above
        return pose


@njit(cache=True, error_model="numpy")
def transforms(pose: FloatArray, heads: FloatArray, parents: IntArray) -> tuple[FloatArray, FloatArray]:
    """World rotation (J, 3, 3) and offset (J, 3) of each bone, so that v' = R v + o."""
    world = np.empty_like(pose)
    place = np.empty_like(heads)
    offset = np.empty_like(heads)
    for j in range(len(parents)):
        p = parents[j]
        for r in range(3):
            place[j, r] = heads[j, r] if p < 0 else place[p, r]
            for c in range(3):
                if p < 0:
                    world[j, r, c] = pose[j, r, c]
                    continue
                place[j, r] += world[p, r, c] * (heads[j, c] - heads[p, c])
                world[j, r, c] = 0
                for k in range(3):
                    world[j, r, c] += world[p, r, k] * pose[j, k, c]
        for r in range(3):
            offset[j, r] = place[j, r]
            for c in range(3):
                offset[j, r] -= world[j, r, c] * heads[j, c]
    return world, offset


@njit(cache=True, error_model="numpy")
def unit(v: FloatArray) -> FloatArray:
    """The vector (3,) at length 1; zero stays zero."""
    out = np.empty(3, np.float32)
    size = max(math.sqrt(float(v[0]) ** 2 + float(v[1]) ** 2 + float(v[2]) ** 2), 1e-9)
    for i in range(3):
        out[i] = v[i] / size
    return out


@njit(cache=True, error_model="numpy")
def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """The cross product of two vectors (3,)."""
    out = np.empty(3, np.float32)
    out[0] = a[1] * b[2] - a[2] * b[1]
    out[1] = a[2] * b[0] - a[0] * b[2]
    out[2] = a[0] * b[1] - a[1] * b[0]
    return out


@njit(cache=True, error_model="numpy")
def rotation(axis: FloatArray, angle: float) -> FloatArray:
    """Right-handed rotation about a unit axis, radians."""
    x, y, z = float(axis[0]), float(axis[1]), float(axis[2])
    s, c = math.sin(angle), math.cos(angle)
    t = 1 - c
    out = np.empty((3, 3), np.float32)
    out[0, 0], out[0, 1], out[0, 2] = c + t * x * x, t * x * y - s * z, t * x * z + s * y
    out[1, 0], out[1, 1], out[1, 2] = t * x * y + s * z, c + t * y * y, t * y * z - s * x
    out[2, 0], out[2, 1], out[2, 2] = t * x * z - s * y, t * y * z + s * x, c + t * z * z
    return out


_ODD = np.asarray([0.31, 0.87, 0.38], np.float32)  # a direction that nothing is likely to lie along


@njit(cache=True, error_model="numpy")
def between(a: FloatArray, b: FloatArray) -> FloatArray:
    """The shortest rotation that takes unit vector a to b."""
    axis = cross(a, b)
    size = math.sqrt(float(axis[0]) ** 2 + float(axis[1]) ** 2 + float(axis[2]) ** 2)
    along = float(a[0]) * b[0] + float(a[1]) * b[1] + float(a[2]) * b[2]
    if size < 1e-6:
        return rotation(unit(cross(a, _ODD)), 0.0 if along > 0 else math.pi)
    return rotation(unit(axis), math.atan2(size, along))


@njit(cache=True, error_model="numpy")
def euler(x: float, y: float, z: float) -> FloatArray:
    """Rx Ry Rz, radians."""
    a, b, c = math.cos(x), math.cos(y), math.cos(z)
    p, q, r = math.sin(x), math.sin(y), math.sin(z)
    out = np.empty((3, 3), np.float32)
    out[0, 0], out[0, 1], out[0, 2] = b * c, -b * r, q
    out[1, 0], out[1, 1], out[1, 2] = p * q * c + a * r, a * c - p * q * r, -p * b
    out[2, 0], out[2, 1], out[2, 2] = p * r - a * q * c, p * c + a * q * r, a * b
    return out


def power(turn: FloatArray, share: float) -> FloatArray:
    """The same rotation by a share of its angle."""
    angle = float(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    if angle < 1e-4 or angle > 3.1:
        return np.eye(3, dtype=np.float32) if angle < 1e-4 else turn
    axis = np.asarray([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]], np.float32)
    return rotation(unit(axis), share * angle)


def _frame(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.stack([a, b, cross(a, b)], axis=1)
