"""Poses in space from joints in a photo: bone lengths are known, so foreshortening gives each bone's depth up
to its sign, and the signs are chosen so that the pose is one that people take.

Weak perspective: a joint at column x, row y lies at (x, depth, -y) / scale in the axes of the synthetic world
seen by a level camera (x right, y away from the camera, z up, metres).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.labels import LSP14
from synthetic.bodies import FloatArray
from synthetic.foreshortening import (
    HEAD_M,
    JOINTS,
    SIDES,
    TORSO_M,
    Trunk,
    as_left,
    directions_of,
    frames,
    hidden_cost,
    off_balance,
    overlong,
    ratios,
    signed,
    trunks,
)
from synthetic.skeleton import Armature, between, power, transforms, unit

# Bones that carry the joints; the rotation of these, in world axes, is what a lift stores.
BONES = ("root", "spine01", "head", *(f"{b}.{s}" for s in "LR" for b in
         ("upperarm01", "lowerarm01", "upperleg01", "lowerleg01")))  # fmt: skip
CHAINS = {"arm": ("upperarm01", "lowerarm01", "wrist"), "leg": ("upperleg01", "lowerleg01", "foot")}
_KNOWN = 0.30  # distance (of two unit vectors each) within which a limb counts as known
_FOLDED = {"arm": np.radians(152), "leg": np.radians(155)}  # the furthest an elbow or a knee bends


@dataclass(frozen=True)
class Lift:
    """A pose found for a photo.

    Attributes:
        rotations: (len(BONES), 3, 3) rotations from rest, in world axes.
        cost: how unusual the pose and how ill-fitting the joints; below 1 a limb is common.
        error: mean distance between the photo's joints and those of the posed template, torso lengths.
    """

    rotations: FloatArray
    cost: float
    error: float


class Lifter:
    """Lifts joints with the limbs of known poses as a guide."""

    def __init__(self, skeleton: Armature, known: Sequence[FloatArray]) -> None:
        """Args: skeleton, and poses (J, 3, 3) that people take."""
        self.skeleton = skeleton
        at = template_joints(skeleton, skeleton.rest_pose())
        hips, chest = frames(at)
        self._rest_hips, self._rest_chest = hips, chest
        self._rest_head = unit(at["head_top"] - at["neck"])
        self.bank = {limb: self._known(known, limb) for limb in CHAINS}

    def _known(self, poses: Sequence[FloatArray], limb: str) -> FloatArray:
        """(N, 6) directions of both bones as a left limb, in the frame of hips or chest."""
        rows = []
        for pose in poses:
            at = template_joints(self.skeleton, pose)
            frame = frames(at)[0 if limb == "leg" else 1]
            for _, side in SIDES:
                a, b, c = (at[side + j] for j in JOINTS[limb])
                row = np.stack([unit(b - a), unit(c - b)]) @ frame
                rows.append((row * as_left(side)).ravel())
        return np.asarray(rows, np.float32)

    def lift(self, xy: FloatArray, visible: FloatArray) -> Lift | None:
        """The most usual pose that shows the joints (14, 2) where they are; None where they tell too little.

        ``visible`` (14,): 0 absent, 1 occluded, 2 visible. All joints must be there.
        """
        if not (visible > 0).all():
            return None
        at = {n: np.asarray([p[0], -p[1]], np.float32) for n, p in zip(LSP14.names, xy, strict=True)}
        best: tuple[float, Trunk, dict[tuple[str, str], FloatArray], float] | None = None
        for scale in self._scales(at):
            for trunk in trunks(at, scale):
                cost, limbs = self._limbs(at, visible, trunk, scale)
                cost += trunk.cost + overlong(at, scale)
                if best is None or cost < best[0]:
                    best = cost, trunk, limbs, scale
        if best is None:
            return None
        cost, trunk, limbs, scale = best
        rotations = self._rotations(at, trunk, limbs, scale)
        error = self._error(rotations, xy)
        return Lift(rotations, cost / 4, error)

    @staticmethod
    def _scales(at: dict[str, FloatArray]) -> tuple[float, ...]:
        """Pixels a metre takes, as guesses: the longest bones are seen nearly broadside."""
        longest = sorted(ratios(at))
        return tuple(longest[-k] for k in (1, 2, 4))

    def _limbs(
        self, at: dict[str, FloatArray], visible: FloatArray, trunk: Trunk, scale: float
    ) -> tuple[float, dict[tuple[str, str], FloatArray]]:
        """The best directions (2, 3) of every limb under a trunk, and their cost."""
        options: dict[tuple[str, str], FloatArray] = {}
        costs: dict[tuple[str, str], FloatArray] = {}
        for limb, (side, prefix) in itertools.product(CHAINS, SIDES):
            frame = trunk.hips if limb == "leg" else trunk.chest
            found = directions_of(at, prefix, limb, scale)  # (4, 2, 3)
            cost = self._unusual((found @ frame) * as_left(prefix), limb)
            options[limb, side] = found
            costs[limb, side] = cost + hidden_cost(at, visible, found, trunk, (limb, prefix, scale))
        legs = costs["leg", "L"][:, None] + costs["leg", "R"] + off_balance(at, options, trunk, scale)
        k = {("arm", s): int(costs["arm", s].argmin()) for s in "LR"}
        k["leg", "L"], k["leg", "R"] = (int(i) for i in np.unravel_index(int(legs.argmin()), legs.shape))
        total = sum(float(costs["arm", s].min()) for s in "LR") + float(legs.min())
        return total, {limb: options[limb][i] for limb, i in k.items()}

    def _unusual(self, left: FloatArray, limb: str) -> FloatArray:
        """Cost (N,) of limb directions (N, 2, 3) given as a left limb in its frame."""
        rows = left.reshape(-1, 6)
        squared = (rows**2).sum(1)[:, None] + (self.bank[limb] ** 2).sum(1) - 2 * rows @ self.bank[limb].T
        cost = np.partition(np.maximum(squared, 0), 3, axis=1)[:, 3] / (2 * _KNOWN**2)
        bend = bending(left)
        cost += np.maximum(0, bend - _FOLDED[limb]) * 20
        cost += hinge_excess(self.skeleton, left, limb) ** 2 * 4 * np.sin(bend)
        return np.asarray(cost, np.float32)

    def _rotations(
        self,
        at: dict[str, FloatArray],
        trunk: Trunk,
        limbs: dict[tuple[str, str], FloatArray],
        scale: float,
    ) -> FloatArray:
        hips = trunk.hips @ self._rest_hips.T
        chest = trunk.chest @ self._rest_chest.T
        found = {"root": hips, "spine01": chest, "head": chest @ self._head(at, chest, trunk, scale)}
        for (limb, side), directions in limbs.items():
            above = chest if limb == "arm" else hips
            upper, lower = self.skeleton.aim(limb, side, above.T @ directions[0], above.T @ directions[1])
            found[f"{CHAINS[limb][0]}.{side}"] = above @ upper
            found[f"{CHAINS[limb][1]}.{side}"] = above @ lower
        return np.stack([found[b] for b in BONES]).astype(np.float32)

    def _head(self, at: dict[str, FloatArray], chest: FloatArray, trunk: Trunk, scale: float) -> FloatArray:
        """Turn of the head against the chest: rather bowed than thrown back, at most 55 degrees."""
        options = signed((at["head_top"] - at["neck"]) / (scale * HEAD_M))
        bowed = options @ -trunk.chest[:, 1]  # towards the front
        level = options @ trunk.up
        aimed = unit(chest.T @ options[int((level + 0.3 * bowed).argmax())])
        turn = between(self._rest_head, aimed)
        angle = float(np.arccos(np.clip(self._rest_head @ aimed, -1, 1)))
        return power(turn, min(1.0, np.radians(55) / max(angle, 1e-6)))

    def _error(self, rotations: FloatArray, xy: FloatArray) -> float:
        """Mean distance of the posed template's joints from the photo's, shifted and scaled to fit best."""
        posed = template_joints(self.skeleton, pose_of(self.skeleton, rotations))
        flat = np.stack([posed[n][[0, 2]] for n in LSP14.names]) * [1, -1]
        a, b = flat - flat.mean(0), xy - xy.mean(0)
        fit = float((a * b).sum() / max(float((a * a).sum()), 1e-9))
        length = max(fit, 1e-6) * TORSO_M
        return float(np.linalg.norm(fit * a - b, axis=1).mean() / length)


def pose_of(
    skeleton: Armature, rotations: FloatArray, local: dict[str, FloatArray] | None = None
) -> FloatArray:
    """The pose (J, 3, 3) of a lift's rotations; ``local`` turns of other bones (hands, feet, face)."""
    world = dict(zip(BONES, rotations, strict=True))
    hips, chest, head = (world[b] for b in BONES[:3])
    between_them = hips.T @ chest
    world["spine04"] = hips @ power(between_them, 0.25)
    world["spine03"] = hips @ power(between_them, 0.5)
    world["spine02"] = hips @ power(between_them, 0.75)
    world["neck01"] = chest @ power(chest.T @ head, 0.4)
    return skeleton.pose_from_globals(world, local or {})


def template_joints(skeleton: Armature, pose: FloatArray) -> dict[str, FloatArray]:
    """The LSP joints (3,) of the template in a pose."""
    rotations, offsets = transforms(pose, skeleton.heads, skeleton.parents)

    def place(bone: str, at: FloatArray | None = None) -> FloatArray:
        j = skeleton.index[bone]
        return np.asarray(rotations[j] @ (skeleton.heads[j] if at is None else at) + offsets[j], np.float32)

    out = {}
    for limb, (side, prefix) in itertools.product(CHAINS, SIDES):
        for bone, joint in zip(CHAINS[limb], JOINTS[limb], strict=True):
            out[prefix + joint] = place(f"{bone}.{side}")
    head = skeleton.heads[skeleton.index["head"]]
    out["neck"] = place("neck01")
    out["head_top"] = place("head", head + np.asarray([0, -0.02, 0.152], np.float32))
    return out


def bending(directions: FloatArray) -> FloatArray:
    """Angle (N,) between the bones of limbs (N, 2, 3), 0 for a straight limb."""
    return np.asarray(np.arccos(np.clip((directions[:, 0] * directions[:, 1]).sum(1), -1, 1)), np.float32)


def hinge_excess(skeleton: Armature, left: FloatArray, limb: str) -> FloatArray:
    """Radians (N,) by which left limbs (N, 2, 3) would have to twist beyond what hip or shoulder allow.

    A knee bends backwards and an elbow forwards: the hinge, carried along by the shortest turn of the upper
    bone, may be twisted 60 degrees at the hip and 100 degrees at the shoulder.
    """
    rest, _, hinge = skeleton.limbs[limb, "L"]
    allowed = np.radians(60 if limb == "leg" else 100)
    out = np.zeros(len(left), np.float32)
    for i, (upper, lower) in enumerate(left):
        axis = unit(np.cross(upper, lower).astype(np.float32))
        carried = between(rest, unit(upper)) @ hinge
        out[i] = max(0.0, float(np.arccos(np.clip(axis @ carried, -1, 1))) - allowed)
    return out
