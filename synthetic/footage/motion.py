"""Motion of one body: a choreography by inverse kinematics. Feet stay where they are put down."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from synthetic.bodies import Bodies, FloatArray
from synthetic.footage.choreography import Choreography
from synthetic.skeleton import Armature, euler, rotation, unit

RATE = 25  # frames per second
SIDES = ("L", "R")
HEEL_M, BALL_M = 0.05, 0.13  # from the ankle back to the heel, forwards to the ball


@dataclass(frozen=True)
class BodyPose:
    """The person at one time."""

    bones: FloatArray  # (J, 3, 3)
    root: FloatArray  # (3,) place of the root bone in the world, m


class Motion:
    """The whole performance for one body, frame by frame."""

    def __init__(self, bodies: Bodies, heads: FloatArray, sole_z: float, score: Choreography) -> None:
        """`heads` (J, 3) are this body's bones at rest and `sole_z` is the lowest point of its shoes."""
        self._score = score
        self._skeleton = skeleton = Armature(
            replace(bodies, template_heads=heads)
        )  # limbs aimed from its own rest
        self._at = {n: heads[skeleton.index[n]] for n in skeleton.names}
        self._ankle_m = float(self._at["foot.L"][2]) - sole_z
        self.times = (np.arange(round(score.seconds * RATE)) / RATE).astype(np.float32)
        tracks = {s: [self._foot(s, t) for t in self.times] for s in SIDES}
        self._ankles = {s: np.asarray([a for a, _ in tracks[s]]) for s in SIDES}
        self._foot_turns = {s: [r for _, r in tracks[s]] for s in SIDES}
        self._yaw, self._sink, self._chest, self._head, self._swing, self._bow = (
            _track(keys, self.times)
            for keys in (score.yaw, score.sink, score.chest, score.head, score.swing, score.bow)
        )
        self._root = self._roots()

    def pose(self, frame: int) -> BodyPose:
        """The pose of a frame."""
        heading = euler(0, 0, float(self._yaw[frame]))
        aimed: dict[str, FloatArray] = {}
        for side in SIDES:
            self._leg(frame, side, heading, aimed)
        local = self._trunk(frame)
        chest: FloatArray = np.eye(3, dtype=np.float32)
        for bone in ("spine05", "spine04", "spine03", "spine02", "spine01"):
            chest = chest @ local[bone]
        for side in SIDES:
            self._arm(frame, side, chest, aimed, local)
        pose = self._skeleton.pose_from_globals(aimed, local)
        pose[0] = heading @ pose[0]
        return BodyPose(pose, self._root[frame])

    def _foot(self, side: str, t: float) -> tuple[FloatArray, FloatArray]:
        """Ankle in the world and the foot's turn; a foot leaves over its ball and lands on its heel."""
        x, y, yaw = self._score.start[side]
        lift, pitch = 0.0, 0.0
        for foot, leaves, lands, x1, y1, yaw1 in self._score.steps:
            if foot != side or t < leaves - 0.16:
                continue
            long = np.clip(np.hypot(x1 - x, y1 - y) / 0.6, 0.15, 1)
            s = float(np.clip((t - leaves) / (lands - leaves), 0, 1))
            pitch = 0.55 * long * _bump(t, leaves - 0.16, leaves + 0.06, leaves + 0.26)
            pitch -= 0.28 * long * _bump(t, lands - 0.2, lands, lands + 0.12)
            lift = 0.07 * (0.4 + 0.6 * long) * float(np.sin(np.pi * s)) ** 1.5
            s = s * s * (3 - 2 * s)
            x, y, yaw = x + s * (x1 - x), y + s * (y1 - y), yaw + s * (yaw1 - yaw)
        outwards = 0.26 if side == "L" else -0.26
        turn = euler(0, 0, yaw + outwards)
        # A positive pitch lifts the heel.
        rolled = rotation(np.asarray([1, 0, 0], np.float32), pitch)
        pivot = np.asarray([0, -BALL_M if pitch > 0 else HEEL_M, -self._ankle_m], np.float32)
        ankle = np.asarray([x, y, self._ankle_m + lift], np.float32) + turn @ (pivot - rolled @ pivot)
        return ankle, turn @ rolled

    def _roots(self) -> FloatArray:
        """The root bone (frames, 3): between the feet, as high as the legs allow, without jerks."""
        left, right = self._ankles["L"], self._ankles["R"]
        # Weight goes to the foot that stays down.
        raised = np.clip((left[:, 2] - right[:, 2]) / 0.06, -1, 1)
        share = gaussian_filter1d(0.5 - 0.16 * raised, 3, mode="nearest")[:, None]
        middle = gaussian_filter1d(
            left[:, :2] * share + right[:, :2] * (1 - share), 5, axis=0, mode="nearest"
        )
        middle += (0.07 * self._chest)[:, None] * np.asarray(
            [-1, 0]
        )  # t'ai chi: onto one leg, then the other
        at, behind = self._at, np.stack([-np.sin(self._yaw), np.cos(self._yaw)], axis=1)
        middle = middle + behind * float(at["root"][1] - at["foot.L"][1] - 0.02)
        reach = 0.992 * self._lengths().sum()
        below = float(at["root"][2] - at["upperleg01.L"][2])
        high = np.full(len(self.times), 9.0)
        for side in SIDES:
            hips = middle[:, None] + self._hip_offset(side)[:, None]
            apart = np.hypot(*(hips[:, 0] - self._ankles[side][:, :2]).T)
            high = np.minimum(high, self._ankles[side][:, 2] + np.sqrt(np.maximum(reach**2 - apart**2, 0.2)))
        standing = self._ankle_m + 0.985 * self._lengths().sum()
        z = gaussian_filter1d(np.minimum(high, standing - self._sink), 2.2, mode="nearest") + below
        return np.concatenate([middle, z[:, None]], axis=1).astype(np.float32)

    def _hip_offset(self, side: str) -> FloatArray:
        """From the root to the hip joint in the world's plane, (frames, 2)."""
        x, y = (self._at[f"upperleg01.{side}"] - self._at["root"])[:2]
        c, s = np.cos(self._yaw), np.sin(self._yaw)
        return np.stack([c * x - s * y, s * x + c * y], axis=1).astype(np.float32)

    def _lengths(self) -> FloatArray:
        at = self._at
        thigh = np.linalg.norm(at["lowerleg01.L"] - at["upperleg01.L"])
        return np.asarray([thigh, np.linalg.norm(at["foot.L"] - at["lowerleg01.L"])], np.float32)

    def _leg(self, frame: int, side: str, heading: FloatArray, aimed: dict[str, FloatArray]) -> None:
        """Bend the knee so that the ankle lies where the footsteps say."""
        hip = self._at[f"upperleg01.{side}"] - self._at["root"]
        ankle = heading.T @ (self._ankles[side][frame] - self._root[frame])
        thigh, shank = (float(v) for v in self._lengths())
        way = ankle - hip
        distance = float(np.clip(np.linalg.norm(way), 0.3, 0.998 * (thigh + shank)))
        way = unit(way)
        turn = heading.T @ self._foot_turns[side][frame]
        ahead = turn @ np.asarray([0, -1, 0], np.float32)
        knee_ahead = unit(ahead - way * float(ahead @ way))
        cosine = (thigh**2 + distance**2 - shank**2) / (2 * thigh * distance)
        upper = way * cosine + knee_ahead * float(np.sqrt(max(0.0, 1 - cosine**2)))
        lower = way * distance - upper * thigh
        thigh_turn, shank_turn = self._skeleton.aim("leg", side, unit(upper), unit(lower))
        aimed[f"upperleg01.{side}"], aimed[f"lowerleg01.{side}"] = thigh_turn, shank_turn
        aimed[f"foot.{side}"] = turn

    def _trunk(self, frame: int) -> dict[str, FloatArray]:
        t = float(self.times[frame])
        lean = 0.012 + 0.012 * float(self._swing[frame]) + 0.004 * np.sin(2 * np.pi * t / 3.4)
        counter = -0.16 * float(self._swing[frame]) * self._stride(frame)
        twist = (float(self._chest[frame]) + counter) / 5
        local = {f"spine0{i}": euler(lean + float(self._bow[frame]) / 5, 0, twist) for i in range(1, 6)}
        turn = (float(self._head[frame]) - counter) / 3
        for bone in ("neck01", "neck02", "head"):
            local[bone] = euler(0.015, 0, turn)
        curl = 0.28 - 0.2 * float(np.interp(t, (3.2, 3.8, 4.9, 5.5), (0, 1, 1, 0)))
        for side in SIDES:
            _curl(self._skeleton, local, side, curl if side == "R" else 0.28)
        return local

    def _stride(self, frame: int) -> float:
        """Lead of the left foot over the right one, steps."""
        ahead = np.asarray([np.sin(self._yaw[frame]), -np.cos(self._yaw[frame])])
        return float((self._ankles["L"][frame] - self._ankles["R"][frame])[:2] @ ahead) / 0.6

    def _arm(
        self,
        frame: int,
        side: str,
        chest: FloatArray,
        aimed: dict[str, FloatArray],
        local: dict[str, FloatArray],
    ) -> None:
        keys = self._score.arms[side]
        aims = np.asarray([(*upper, *lower) for _, (upper, lower) in keys])
        value = PchipInterpolator([t for t, _ in keys], aims)(self.times[frame])
        swing = float(self._swing[frame]) * self._stride(frame) * (-1 if side == "L" else 1)
        value[1] += 0.38 * swing
        value[4] += 0.42 * swing + 0.18 * float(self._swing[frame])
        out = np.asarray([1, -1, 1] if side == "L" else [-1, -1, 1], np.float32)
        upper, lower = unit(value[:3].astype(np.float32) * out), unit(value[3:].astype(np.float32) * out)
        raised = max(0.0, float(upper[2])) * 0.35 + 0.1 * max(0.0, abs(float(upper[0])) - 0.5)
        local[f"clavicle.{side}"] = euler(0, -raised if side == "L" else raised, 0)
        turned, forearm = self._skeleton.aim("arm", side, upper, lower)
        aimed[f"upperarm01.{side}"], aimed[f"lowerarm01.{side}"] = chest @ turned, chest @ forearm


def _track(keys: tuple[tuple[float, float], ...], times: FloatArray) -> FloatArray:
    """Values between the keys, without overshoot."""
    at, values = zip(*keys, strict=True)
    return np.asarray(PchipInterpolator(at, values)(times), np.float32)


def _bump(t: float, start: float, peak: float, end: float) -> float:
    """0 at start and end, 1 at the peak, smooth."""
    x = (t - start) / (peak - start) if t < peak else (end - t) / (end - peak)
    x = float(np.clip(x, 0, 1))
    return x * x * (3 - 2 * x)


def _curl(skeleton: Armature, local: dict[str, FloatArray], side: str, curl: float) -> None:
    """Bend the fingers a little."""
    heads = skeleton.heads
    knuckles = heads[skeleton.index[f"finger2-1.{side}"]] - heads[skeleton.index[f"finger5-1.{side}"]]
    for name in (f"finger{i}-{j}.{side}" for i in range(2, 6) for j in range(1, 4)):
        j = skeleton.index[name]
        along = unit(heads[j] - heads[skeleton.parents[j]])
        axis = unit(knuckles - along * float(knuckles @ along))
        local[name] = rotation(axis, curl if side == "L" else -curl)
