"""Poses sampled by hand: a mixture of things that people do with their arms, legs and backs."""

from __future__ import annotations

import numpy as np

from synthetic.bodies import FloatArray
from synthetic.skeleton import Armature, euler, rotation, unit

Rng = np.random.Generator
# Directions below are (outwards, forwards, up) of the person, mean and spread, for the upper and the lower
# bone.
Aim = tuple[tuple[float, float, float], tuple[float, float, float]]
ARMS: dict[str, tuple[float, Aim, Aim]] = {
    "hanging": (0.26, ((0.20, 0.0, -1.0), (0.12, 0.18, 0)), ((0.08, 0.22, -1.0), (0.10, 0.20, 0))),
    "on hip": (0.08, ((0.75, -0.25, -0.65), (0.15, 0.15, 0.15)), ((-0.65, 0.35, -0.45), (0.1, 0.15, 0.15))),
    "forwards": (0.10, ((0.15, 0.8, -0.3), (0.4, 0.2, 0.5)), ((-0.1, 1.0, 0.1), (0.4, 0.2, 0.5))),
    "sideways": (0.09, ((1.0, 0.05, 0.0), (0.1, 0.3, 0.4)), ((0.7, 0.3, 0.2), (0.6, 0.4, 0.7))),
    "overhead": (0.08, ((0.35, 0.1, 1.0), (0.3, 0.3, 0.2)), ((0.0, 0.15, 1.0), (0.5, 0.4, 0.4))),
    "holding": (0.17, ((0.25, 0.15, -1.0), (0.12, 0.2, 0.1)), ((-0.35, 0.85, 0.3), (0.35, 0.2, 0.5))),
    "folded": (0.05, ((0.20, 0.30, -0.9), (0.05, 0.08, 0.05)), ((-1.0, 0.45, 0.1), (0.1, 0.1, 0.1))),
    "behind": (0.05, ((0.35, -0.55, -0.8), (0.15, 0.15, 0.1)), ((-0.25, -0.2, -0.9), (0.3, 0.15, 0.2))),
    "at head": (0.05, ((0.75, 0.40, 0.35), (0.2, 0.2, 0.3)), ((-0.75, 0.05, 0.7), (0.2, 0.2, 0.2))),
    "any": (0.07, ((0.3, 0.2, 0.0), (0.8, 0.8, 0.9)), ((0.0, 0.3, 0.0), (0.9, 0.7, 0.9))),
}
LEGS: dict[str, tuple[float, Aim, Aim]] = {
    "standing": (0.42, ((0.08, 0.02, -1.0), (0.07, 0.07, 0)), ((0.06, -0.04, -1.0), (0.06, 0.06, 0))),
    "walking": (0.16, ((0.03, 0.15, -1.0), (0.05, 0.40, 0)), ((0.03, -0.30, -1.0), (0.05, 0.25, 0))),
    "sitting": (0.12, ((0.20, 1.0, -0.10), (0.22, 0.05, 0.2)), ((0.05, 0.05, -1.0), (0.2, 0.35, 0.05))),
    "crouching": (0.06, ((0.35, 0.9, 0.2), (0.25, 0.1, 0.3)), ((0.05, -0.5, -0.8), (0.15, 0.3, 0.15))),
    "wide": (0.08, ((0.6, 0.1, -1.0), (0.3, 0.25, 0.1)), ((0.35, -0.1, -1.0), (0.25, 0.2, 0.1))),
    "lunging": (0.05, ((0.15, 0.5, -0.8), (0.12, 0.7, 0.2)), ((0.05, -0.45, -0.8), (0.12, 0.4, 0.2))),
    "kneeling": (0.03, ((0.12, 0.15, -1.0), (0.08, 0.2, 0)), ((0.05, -1.0, -0.2), (0.1, 0.05, 0.15))),
    "cross-legged": (0.03, ((0.75, 0.75, -0.05), (0.1, 0.1, 0.08)), ((-0.9, 0.1, -0.25), (0.1, 0.1, 0.08))),
    "any": (0.05, ((0.3, 0.4, -0.4), (0.5, 0.7, 0.6)), ((0.1, -0.3, -0.7), (0.3, 0.5, 0.5))),
}
_ATTEMPTS = 6  # tries to place an arm outside the trunk
FINGERS = tuple(f"finger{i}-{j}" for i in range(2, 6) for j in range(1, 4))


def sample_pose(skeleton: Armature, rng: Rng, *, seated: bool = False) -> FloatArray:
    """A hand-made pose (J, 3, 3), upright, the hips facing -y."""
    local = _trunk(skeleton, rng)
    chest: FloatArray = np.eye(3, dtype=np.float32)
    for bone in ("spine05", "spine04", "spine03", "spine02", "spine01"):
        chest = chest @ local[bone]
    aimed: dict[str, FloatArray] = {}
    modes = list(ARMS)
    chances = np.asarray([ARMS[m][0] for m in modes])
    same = rng.random() < 0.45
    mode = modes[rng.choice(len(modes), p=chances / chances.sum())]
    for side in ("L", "R"):
        if not same:
            mode = modes[rng.choice(len(modes), p=chances / chances.sum())]
        _place_arm(skeleton, rng, mode, side, chest, aimed, local)
    _place_legs(skeleton, rng, aimed, local, seated=seated)
    return skeleton.pose_from_globals(aimed, local)


def _trunk(skeleton: Armature, rng: Rng) -> dict[str, FloatArray]:
    """Local rotations of spine, neck, hands and face."""
    scale = 1.0 if rng.random() < 0.75 else 2.2
    bend = rng.normal([0.04, 0, 0], np.asarray([0.06, 0.035, 0.05]) * scale)
    local = {f"spine0{i}": euler(*(bend * rng.uniform(0.6, 1.2))) for i in range(1, 6)}
    turn = rng.normal(0, [0.10, 0.06, 0.17], 3)
    for bone in ("neck01", "neck02", "head"):
        local[bone] = euler(*turn)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        curl = abs(rng.normal(0.25, 0.3))
        curl_fingers(skeleton, local, side, curl)
        local[f"wrist.{side}"] = euler(*rng.normal(0, 0.22, 3))
        local[f"foot.{side}"] = euler(rng.normal(0, 0.12), 0, sign * rng.normal(0.05, 0.15))
    if rng.random() < 0.3:
        local["jaw"] = euler(rng.uniform(0, 0.25), 0, 0)
    return local


def curl_fingers(skeleton: Armature, local: dict[str, FloatArray], side: str, curl: float) -> None:
    """Close the hand of a side by ``curl`` radians at each joint."""
    heads = skeleton.heads
    for bone in FINGERS:
        name = f"{bone}.{side}"
        j = skeleton.index[name]
        knuckles = heads[skeleton.index[f"finger2-1.{side}"]] - heads[skeleton.index[f"finger5-1.{side}"]]
        along = heads[j] - heads[skeleton.parents[j]]
        axis = unit(knuckles - unit(along) * float(knuckles @ unit(along)))
        local[name] = rotation(axis, curl if side == "L" else -curl)


def _direction(rng: Rng, aim: Aim, side: str) -> FloatArray:
    out, forwards, up = rng.normal(aim[0], aim[1])
    return unit(np.asarray([out if side == "L" else -out, -forwards, up], np.float32))


def _place_arm(  # the sampler's state is these two dictionaries
    skeleton: Armature,
    rng: Rng,
    mode: str,
    side: str,
    chest: FloatArray,
    aimed: dict[str, FloatArray],
    local: dict[str, FloatArray],
) -> None:
    _, upper_aim, lower_aim = ARMS[mode]
    heads, index = skeleton.heads, skeleton.index
    shoulder = heads[index[f"upperarm01.{side}"]]
    lengths = [
        float(np.linalg.norm(heads[index[f"{b}.{side}"]] - heads[index[f"{a}.{side}"]]))
        for a, b in (("upperarm01", "lowerarm01"), ("lowerarm01", "wrist"))
    ]
    upper, lower = _direction(rng, upper_aim, side), _direction(rng, lower_aim, side)
    for _ in range(_ATTEMPTS):
        upper, lower = _direction(rng, upper_aim, side), _direction(rng, lower_aim, side)
        if float(upper @ lower) < -0.75:  # an elbow folds to about 140 degrees
            lower = unit(lower + 0.9 * upper)
        elbow = shoulder + lengths[0] * upper
        if not any(_inside_trunk(elbow + f * lengths[1] * lower) for f in (0.0, 0.5, 1.0, 1.35)):
            break
    raised = max(0.0, float(upper[2])) * 0.35 + 0.1 * max(0.0, abs(float(upper[0])) - 0.5)
    local[f"clavicle.{side}"] = euler(0, -raised if side == "L" else raised, 0)
    turned, forearm = skeleton.aim("arm", side, upper, lower)
    aimed[f"upperarm01.{side}"] = chest @ turned
    aimed[f"lowerarm01.{side}"] = chest @ forearm


def _inside_trunk(p: FloatArray) -> bool:
    """True for points of the template's rest space in the trunk or the head, roughly."""
    if p[2] > 0.58:
        return bool((p[0] / 0.10) ** 2 + ((p[1] + 0.03) / 0.13) ** 2 + ((p[2] - 0.74) / 0.17) ** 2 < 1)
    wide = 0.19 if p[2] < 0.15 or p[2] > 0.3 else 0.165
    return bool((p[0] / wide) ** 2 + ((p[1] + 0.02) / 0.155) ** 2 < 1 and p[2] > -0.05)


def _place_legs(
    skeleton: Armature,
    rng: Rng,
    aimed: dict[str, FloatArray],
    local: dict[str, FloatArray],
    *,
    seated: bool,
) -> None:
    modes = list(LEGS)
    chances = np.asarray([LEGS[m][0] for m in modes])
    mode = "sitting" if seated else modes[rng.choice(len(modes), p=chances / chances.sum())]
    for side in ("L", "R"):
        if mode == "any":
            mode = modes[rng.choice(len(modes), p=chances / chances.sum())]
        _, upper_aim, lower_aim = LEGS[mode]
        upper, lower = _direction(rng, upper_aim, side), _direction(rng, lower_aim, side)
        # A knee does not bend forwards: turn the shank back into the line of the thigh.
        backwards = np.cross([1.0, 0, 0], upper)
        over = float(lower @ backwards)
        if over < 0:
            lower = unit((lower - backwards * over).astype(np.float32))
        thigh, shank = skeleton.aim("leg", side, upper, lower)
        aimed[f"upperleg01.{side}"] = thigh
        aimed[f"lowerleg01.{side}"] = shank
        if mode == "kneeling":
            local[f"foot.{side}"] = euler(0.9, 0, 0)
