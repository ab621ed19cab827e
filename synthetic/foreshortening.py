"""Foreshortening: bones in space from joints in a picture, up to a sign: depths, turns of the trunk,
and what speaks against a choice of signs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from models.labels import LSP14
from synthetic.bodies import FloatArray
from synthetic.skeleton import unit

JOINTS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}
SIDES = (("L", "l_"), ("R", "r_"))
#: adults' mean lengths in metres
TORSO_M, HIPS_M, SHOULDERS_M, HEAD_M = 0.463, 0.227, 0.351, 0.25
LIMB_M = {"arm": (0.259, 0.232), "leg": (0.38, 0.437)}
HIP, SHOULDER = "hip", "shoulder"
_UPRIGHT_M, _SWAY_M = 0.45, 0.12  # hips this far above the feet stand; their weight may be this far off
_LEAN = np.radians(28)  # how far a trunk leans to or from the camera, usually
_TWIST = np.radians(30)  # how far shoulders turn against hips, usually
_SLACK = 1.08


@dataclass(frozen=True)
class Trunk:
    """A hypothesis for the trunk: frames (columns: person's left, back, up) and its cost."""

    hips: FloatArray
    chest: FloatArray
    up: FloatArray
    cost: float


def frames(at: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Axes (3, 3) of hips and chest, columns: the person's left, back, and up along the trunk."""
    up = unit((at["l_shoulder"] + at["r_shoulder"] - at["l_hip"] - at["r_hip"]) / 2)
    return frame(at["l_hip"] - at["r_hip"], up), frame(at["l_shoulder"] - at["r_shoulder"], up)


def as_left(prefix: str) -> FloatArray:
    """Factors (3,) that turn directions of this side into those of a left limb."""
    return np.asarray([1.0 if prefix == "l_" else -1.0, 1, 1], np.float32)


def frame(left: FloatArray, up: FloatArray) -> FloatArray:
    """Axes (3, 3) from the direction to the person's left and the one up, which is kept."""
    across = unit(np.asarray(left - up * float(left @ up), np.float32))
    return np.stack([across, np.cross(up, across), up], axis=1).astype(np.float32)


def signed(seen: FloatArray) -> FloatArray:
    """Both unit vectors (2, 3) whose x and z are ``seen``, or the one in the plane twice when it is longer.

    A bone seen 8 % short is taken to lie in the plane: people differ by more, and near the plane a small
    error of length would become a large one of depth.
    """
    seen = seen * _SLACK
    flat = seen / max(float(np.linalg.norm(seen)), 1.0)
    depth = np.sqrt(max(0.0, 1 - float(flat @ flat)))
    return np.asarray([[flat[0], s * depth, flat[1]] for s in (-1, 1)], np.float32)


def directions_of(at: dict[str, FloatArray], prefix: str, limb: str, scale: float) -> FloatArray:
    """All four directions (4, 2, 3) of a limb's two bones."""
    a, b, c = (at[prefix + j] for j in JOINTS[limb])
    upper, lower = LIMB_M[limb]
    both = signed((b - a) / (scale * upper)), signed((c - b) / (scale * lower))
    return np.stack([np.stack(pair) for pair in itertools.product(*both)])


def trunks(at: dict[str, FloatArray], scale: float) -> list[Trunk]:
    """Hypotheses: leaning to or from the camera, hips and shoulders turned either way."""
    middle = {j: (at["l_" + j] + at["r_" + j]) / 2 for j in (HIP, SHOULDER)}
    ups = signed((middle[SHOULDER] - middle[HIP]) / (scale * TORSO_M))
    hips = signed((at["l_hip"] - at["r_hip"]) / (scale * HIPS_M))
    shoulders = signed((at["l_shoulder"] - at["r_shoulder"]) / (scale * SHOULDERS_M))
    out = []
    for up, h, s in itertools.product(ups, hips, shoulders):
        # Both lie square to the trunk in a person; what is left over is measurement, and costs.
        slant = float(abs(up @ h)) ** 2 + 2 * float(abs(up @ s)) ** 2
        if abs(up @ h) > 0.9 or abs(up @ s) > 0.9:
            continue
        low, high = frame(h, up), frame(s, up)
        twist = float(np.arccos(np.clip(low[:, 0] @ high[:, 0], -1, 1)))
        if twist < np.radians(75):
            lean = float(np.arcsin(np.clip(abs(up[1]), 0, 1))) / _LEAN
            out.append(Trunk(low, high, up, 2 * slant + 0.5 * (twist / _TWIST) ** 2 + 0.5 * lean**2))
    return out


def ratios(at: dict[str, FloatArray]) -> list[float]:
    """Seen length over true length of the bones whose lengths vary least between people, px per metre."""
    middle = {j: (at["l_" + j] + at["r_" + j]) / 2 for j in (HIP, SHOULDER)}
    out = [float(np.linalg.norm(middle[SHOULDER] - middle[HIP])) / TORSO_M]
    for limb, (_, prefix) in itertools.product(JOINTS, SIDES):
        a, b, c = (at[prefix + j] for j in JOINTS[limb])
        out += [
            float(np.linalg.norm(q - p)) / length
            for p, q, length in ((a, b, LIMB_M[limb][0]), (b, c, LIMB_M[limb][1]))
        ]
    return out


def overlong(at: dict[str, FloatArray], scale: float) -> float:
    """Cost of bones seen longer than they are."""
    over = np.maximum(0, np.asarray(ratios(at)) / scale - 1.05)
    return float((over**2).sum()) / 0.03


def off_balance(
    at: dict[str, FloatArray], options: dict[tuple[str, str], FloatArray], trunk: Trunk, scale: float
) -> FloatArray:
    """Cost (4, 4) of left and right legs that leave an upright person's weight before or behind the feet."""
    hips, feet = (at["l_hip"] + at["r_hip"]) / 2, (at["l_ankle"] + at["r_ankle"]) / 2
    if (hips[1] - feet[1]) / scale < _UPRIGHT_M or trunk.up[2] < 0.5:
        return np.zeros((4, 4), np.float32)
    depth = {}
    for side, prefix in SIDES:
        start = 0.5 * as_left(prefix)[0] * HIPS_M * float(trunk.hips[1, 0])
        depth[side] = start + options["leg", side][:, :, 1] @ np.asarray(LIMB_M["leg"])
    low = np.minimum(depth["L"][:, None], depth["R"]) - 0.1
    high = np.maximum(depth["L"][:, None], depth["R"]) + 0.1
    weight = 0.4 * TORSO_M * float(trunk.up[1])
    outside = np.maximum(0, np.maximum(low - weight, weight - high))
    return np.asarray(0.5 * (outside / _SWAY_M) ** 2, np.float32)


def hidden_cost(
    at: dict[str, FloatArray],
    visible: FloatArray,
    options: FloatArray,
    trunk: Trunk,
    limb_at: tuple[str, str, float],
) -> FloatArray:
    """Cost (N,) of a joint seen before the trunk but lifted behind it, or hidden but lifted before it."""
    limb, prefix, _ = limb_at
    cost = np.zeros(len(options), np.float32)
    quad = [at[n] for n in ("l_shoulder", "r_shoulder", "r_hip", "l_hip")]
    depth = np.zeros(len(options), np.float32)
    # Depths count from the joint the limb hangs on; the trunk's middle lies half a side vector further in.
    side = -0.5 * as_left(prefix)[0]
    frame, wide = (trunk.hips, HIPS_M) if limb == "leg" else (trunk.chest, SHOULDERS_M)
    middle = side * wide * float(frame[1, 0])
    for k, joint in enumerate(JOINTS[limb][1:]):
        depth = depth + options[:, k, 1] * LIMB_M[limb][k]
        if not _inside(at[prefix + joint], quad):
            continue
        along = float((at[prefix + joint] - at[prefix + JOINTS[limb][0]]) @ trunk.up[[0, 2]])
        surface = middle + along / max(limb_at[2], 1e-6) * float(trunk.up[1])
        before = depth < surface
        seen = visible[LSP14.id(prefix + joint)] == 2
        cost += np.where(before == seen, 0, 1.5)
    return cost


def _inside(p: FloatArray, quad: list[FloatArray]) -> bool:
    """True when p lies in a quadrilateral of two-vectors of either orientation."""
    signs = []
    for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
        signs.append(float((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])))
    return min(signs) > 0 or max(signs) < 0
