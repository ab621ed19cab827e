"""The 31 parts as rules in the space of the template body.

The rules are evaluated at each pixel on the interpolated template position, not per vertex, so borders are as
clean
as the geometry: a vertex-wise label would be jagged wherever a mesh is coarse.
"""

from __future__ import annotations

import numpy as np

from models.labels import S31
from synthetic.bodies import Bodies, ByteArray, FloatArray
from synthetic.compiling import per_pixel

HEAD, NECK, TORSO, ARM_L, ARM_R, LEG_L, LEG_R = range(7)
ANATOMY = 10  # floats per vertex: template position (3), then the weight of each of the 7 groups
_ROOTS = ("head", "neck01", "root", "upperarm01.L", "upperarm01.R", "upperleg01.L", "upperleg01.R")
_LANDMARKS = ("upperarm01", "lowerarm01", "wrist", "upperleg01", "lowerleg01", "foot")

# Right-hand ids in the order the rules need them; the left ones follow by mirroring.
_NAMES = (
    "hand", "wrist", "larm", "elbow", "uarm", "shoulder", "ubody", "lbody", "uleg", "knee", "lleg", "ankle",
    "foot", "uhead", "lhead",
)  # fmt: skip
HAND, WRIST, LARM, ELBOW, UARM, SHOULDER, UBODY, LBODY, ULEG, KNEE, LLEG, ANKLE, FOOT, UHEAD, LHEAD = range(
    15
)
NECK_ID = S31.id("neck")


def part_table() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Label ids (2, 15): row 0 the person's left, row 1 the right, columns as the constants above."""
    return np.asarray([[S31.id(side + n) for n in _NAMES] for side in "lr"], np.uint8)


def anatomy(bodies: Bodies) -> FloatArray:
    """Template position and group weights of every vertex, (V, ANATOMY)."""
    group = np.zeros(len(bodies.parents), np.int32)
    for bone, parent in enumerate(bodies.parents):
        name = bodies.bone_names[bone]
        group[bone] = _ROOTS.index(name) if name in _ROOTS else group[parent]
    weights = np.zeros((len(bodies.template), 7), np.float32)
    for k in range(bodies.skin_bones.shape[1]):
        np.add.at(
            weights, (np.arange(len(weights)), group[bodies.skin_bones[:, k]]), bodies.skin_weights[:, k]
        )
    return np.concatenate([bodies.template, weights], axis=1)


def landmarks(bodies: Bodies) -> FloatArray:
    """Template positions (14, 3) for the rules: six limb joints left, six right, the waist, the left eye."""
    heads = bodies.template_heads
    sides = [heads[bodies.bone(f"{n}.{s}")] for s in "LR" for n in _LANDMARKS]
    # The line between upper and lower trunk halves the way from crotch to collar bone; it runs between the
    # two bones.
    waist = 0.6 * heads[bodies.bone("spine02")] + 0.4 * heads[bodies.bone("spine03")]
    return np.stack([*sides, waist, heads[bodies.bone("eye.L")]]).astype(np.float32)


@per_pixel()
def along(p: FloatArray, a: FloatArray, b: FloatArray) -> float:
    """Position of p along a -> b: 0 at a, 1 at b."""
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    return float(
        ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy + (p[2] - a[2]) * dz) / (dx * dx + dy * dy + dz * dz)
    )


@per_pixel()
def classify(p: FloatArray, marks: FloatArray, table: ByteArray) -> int:
    """Label id at one anatomy vector (ANATOMY,)."""
    group = 0
    for g in range(1, 7):
        if p[3 + g] > p[3 + group]:
            group = g
    side = 0 if p[0] >= 0.0 else 1
    if group == HEAD:
        return int(table[side, UHEAD] if p[2] > marks[13, 2] else table[side, LHEAD])
    if group == NECK:
        return NECK_ID
    if group == TORSO:
        return int(_trunk(p, marks, table, side))
    if group <= ARM_R:
        return int(_arm(p, marks[6 * (group - ARM_L) :], table, group - ARM_L))
    return int(_leg(p, marks[6 * (group - LEG_L) :], table, group - LEG_L))


@per_pixel()
def _trunk(p: FloatArray, marks: FloatArray, table: ByteArray, side: int) -> int:
    shoulder, elbow = marks[6 * side], marks[6 * side + 1]
    reach = 0.0
    distance = 0.0
    for i in range(3):
        reach += (elbow[i] - shoulder[i]) ** 2
        distance += (p[i] - shoulder[i]) ** 2
    if distance < 0.1296 * reach:  # within 0.36 of the upper arm's length
        return int(table[side, SHOULDER])
    return int(table[side, UBODY] if p[2] > marks[12, 2] else table[side, LBODY])


@per_pixel()
def _arm(p: FloatArray, marks: FloatArray, table: ByteArray, side: int) -> int:
    u = along(p, marks[1], marks[2])
    if u < 0.0:
        t = along(p, marks[0], marks[1])
        if t < 0.30:
            return int(table[side, SHOULDER])
        return int(table[side, UARM] if t < 0.84 else table[side, ELBOW])
    if u < 0.16:
        # The rest pose bends the elbow a little, so skin on its outside lies beyond the joint of both bones.
        return int(table[side, ELBOW] if along(p, marks[0], marks[1]) > 0.84 else table[side, UARM])
    if u < 0.84:
        return int(table[side, LARM])
    return int(table[side, WRIST] if u < 1.10 else table[side, HAND])


@per_pixel()
def _leg(p: FloatArray, marks: FloatArray, table: ByteArray, side: int) -> int:
    if along(p, marks[3], marks[4]) < 0.86:
        return int(table[side, ULEG])
    u = along(p, marks[4], marks[5])
    if u < 0.15:
        return int(table[side, KNEE])
    if u < 0.84:
        return int(table[side, LLEG])
    # The ankle is a band around the joint; in front of it (towards the toes, -y) and below it is the foot.
    if u < 1.09 and p[1] > marks[5, 1] - 0.045 - 0.25 * max(0.0, 1.0 - u):
        return int(table[side, ANKLE])
    return int(table[side, FOOT])


def limb_positions(p: FloatArray, marks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positions of anatomy vectors along their limbs: 0 hip or shoulder, 1 knee or elbow, 2 ankle or wrist.

    Returns:
        (V,) along the arm, -1 where it is no arm, and (V,) along the leg, -9 above the hips.
    """
    group = p[:, 3:].argmax(axis=1)
    arm = np.full(len(p), -1.0, np.float32)
    leg = np.full(len(p), -9.0, np.float32)
    for side in range(2):
        m = marks[6 * side : 6 * side + 6]
        for out, first, chosen in ((arm, 0, group == ARM_L + side), (leg, 3, group == LEG_L + side)):
            x = p[chosen, :3]
            t, u = (_project(x, m[first + k], m[first + k + 1]) for k in range(2))
            out[chosen] = np.where(u > 0, 1 + u, np.clip(t, 0 if first == 0 else -9, 1))
    return arm, leg


def _project(x: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    d = b - a
    return np.asarray((x - a) @ d / (d @ d), np.float32)
