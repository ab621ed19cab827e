"""People in space: where they stand, which way they face, how the camera sees them, how they are lit."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synthetic.appearance import Rng
from synthetic.bodies import FloatArray, IntArray
from synthetic.pieces import Posed
from synthetic.raster import depth_buffer, project
from synthetic.shading import NORMAL, POINT, UV, Surface
from synthetic.skeleton import euler, rotation, unit

# How much of the frame a whole body takes: mostly most of it, at times little
_SHARES, _SHARE_CHANCES = ((0.66, 1.02), (0.4, 0.66), (0.2, 0.4)), (0.84, 0.11, 0.05)
SHADOW_PX = 192  # side of the lamp's depth buffer


@dataclass(frozen=True)
class PinholeCamera:
    """A pin-hole camera: p_camera = turn (p - place), x right, y down, z away."""

    turn: FloatArray
    place: FloatArray
    focal_px: float
    centre: FloatArray  # (2,) principal point, pixels, pixel centres at integers

    def see(self, points: FloatArray) -> FloatArray:
        return np.asarray((points - self.place) @ self.turn.T, np.float32)

    def project(self, seen: FloatArray) -> FloatArray:
        """Columns, rows and depths (V, 3) of points in camera space."""
        return np.asarray(project(seen, self.focal_px, self.centre), np.float32)


@dataclass(frozen=True)
class Light:
    """Lights of a scene in world axes."""

    towards: FloatArray  # (2, 3) key and fill lamp
    strengths: FloatArray  # (3,) ambient, key, fill
    tints: FloatArray  # (3, 3)


def join(people: list[list[Posed]], camera: PinholeCamera) -> tuple[Surface, IntArray]:
    """All pieces as one surface seen by the camera, and the alpha layer of each face (F,)."""
    pieces = [(i + 1, piece) for i, person in enumerate(people) for piece in person]
    starts = np.cumsum([0] + [len(p.points) for _, p in pieces])
    owner = [np.tile(np.asarray([[i, k]], np.int32), (len(p.faces), 1)) for k, (i, p) in enumerate(pieces)]
    points = camera.see(np.concatenate([p.points for _, p in pieces]))
    values = np.empty((len(points), UV), np.float32)
    np.concatenate([p.anatomy for _, p in pieces], out=values[:, :NORMAL])
    np.matmul(np.concatenate([p.normals for _, p in pieces]), camera.turn.T, out=values[:, NORMAL:POINT])
    values[:, POINT:] = points
    surface = Surface(
        points=points,
        values=values,
        faces=np.concatenate([p.faces + s for s, (_, p) in zip(starts[:-1], pieces, strict=True)]).astype(
            np.int32
        ),
        uv=np.concatenate([p.uv for _, p in pieces]),
        owner=np.concatenate(owner),
        rows=np.stack([p.row for _, p in pieces]),
    )
    return surface, np.concatenate([np.full(len(p.faces), p.layer, np.int32) for _, p in pieces])


def orientation(rng: Rng, *, frontal: bool) -> FloatArray:
    """A random orientation: mostly to the camera, at times away, rarely lying or upside-down."""
    yaw = rng.normal(0, 0.45) if frontal else rng.uniform(-np.pi, np.pi)
    turn = rotation(np.asarray([0, 0, 1], np.float32), float(yaw))
    chance = rng.random()
    if chance < 0.05:  # lying: any axis in the plane of the picture
        return (
            rotation(unit(np.asarray([rng.normal(), rng.normal(), 0], np.float32)), rng.uniform(1.2, 1.9))
            @ turn
        )
    if chance < 0.08:
        return euler(rng.normal(0, 0.5), rng.uniform(2, 4.3), 0) @ turn
    lean = rng.normal(0, 0.06 if chance < 0.8 else 0.3, 2)
    return euler(float(lean[0]), float(lean[1]), 0) @ turn


def slight_turn(rng: Rng) -> FloatArray:
    """A random orientation for the pose of a photo: as in the photo, a little to a side, or any."""
    yaw = rng.normal(0, 0.3) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi)
    return rotation(np.asarray([0, 0, 1], np.float32), float(yaw))


def frame(
    rng: Rng, points: FloatArray, height_m: float, joints: FloatArray, size: int, *, close: bool
) -> PinholeCamera:  # fmt: skip
    """A camera on the main person, whose vertices are ``points`` (V, 3) and COCO joints ``joints`` (17, 3).

    Far: the whole body takes mostly 0.6 to 1 of the frame. Close: a part of the body fills it.
    """
    elevation = float(rng.normal(0.06, 0.16)) if rng.random() < 0.8 else float(rng.uniform(-0.5, 0.9))
    roll = float(rng.normal(0, 0.05))
    away = np.asarray([0, np.cos(elevation), -np.sin(elevation)])
    down = np.asarray([0, -np.sin(elevation), -np.cos(elevation)])
    right = np.asarray([1.0, 0, 0])
    right, down = right * np.cos(roll) + down * np.sin(roll), down * np.cos(roll) - right * np.sin(roll)
    turn = np.stack([right, down, away]).astype(np.float32)
    focal = size * float(np.exp(rng.uniform(np.log(0.9), np.log(3.0))))
    seen = points @ turn.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    if close:
        share = float(np.exp(rng.uniform(np.log(1.0), np.log(3.0))))
        extent = height_m
        weights = np.asarray([6, 0, 0, 0, 0, 2.5, 2.5, 0.2, 0.2, 0.3, 0.3, 1.2, 1.2, 0.2, 0.2, 0.1, 0.1])
        target = joints[rng.choice(17, p=weights / weights.sum())] @ turn.T
        target[:2] += rng.normal(0, 0.14, 2) * extent / share
        # Heads are rarely cut through at the brow: look a little below the nose.
        target[1] += 0.12 * extent / share
    else:
        low_share, high_share = _SHARES[int(rng.choice(3, p=_SHARE_CHANCES))]
        share = float(rng.uniform(low_share, high_share))
        extent = max(float(high[1] - low[1]), float(high[0] - low[0]) * 0.9, 0.4)
        slack = np.maximum(extent / share - (high - low)[:2], 0.06 * extent) / 2
        target = (low + high) / 2
        target[:2] += rng.uniform(-1, 1, 2) * slack * 0.8
    distance = focal * extent / (share * size)
    place = target - np.asarray([0, 0, max(distance, 0.45)])
    if not close:
        place[2] -= 0.5 * float(high[2] - low[2]) * 0.5
    return PinholeCamera(
        turn, (turn.T @ place).astype(np.float32), focal, np.full(2, (size - 1) / 2, np.float32)
    )


def light(rng: Rng, mood: FloatArray) -> Light:
    """Lamps for a scene; ``mood`` (3,) is the background's mean colour, which tints the ambient light."""
    azimuth, height = rng.uniform(-np.pi, np.pi), rng.uniform(0.15, 1.35)
    if rng.random() < 0.7:
        azimuth *= 0.5
    key = [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)]
    fill = unit(np.asarray([rng.normal(), -abs(rng.normal()), rng.normal(0.3, 0.5)], np.float32))
    brightness = float(np.clip(mood.mean(), 0.15, 0.8))
    strengths = np.asarray([rng.uniform(0.6, 1.1), rng.uniform(0.1, 1.0), rng.uniform(0, 0.5)], np.float32)
    strengths *= rng.uniform(1.05, 1.65) / strengths.sum() * (0.75 + 0.6 * brightness)
    grey = mood / max(brightness, 1e-3)
    tints = np.ones((3, 3), np.float32) + rng.normal(0, 0.05, (3, 3)).astype(np.float32)
    tints[0] = tints[0] * (1 - 0.35 * (1 - np.clip(grey, 0.4, 1.6)))
    warm = rng.normal(0, 0.08)
    tints[1] *= np.asarray([1 + warm, 1, 1 - warm])
    return Light(np.stack([np.asarray(key, np.float32), fill]), strengths, tints.astype(np.float32))


def lamp_view(mesh: Surface, towards: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The key lamp's depth buffer, and the map (3, 4) from camera space to its columns, rows and depths.

    ``towards`` is the direction to the lamp in camera space. Parallel light: depths are offset by a
    distance that makes the perspective of the shared rasteriser negligible.
    """
    side = unit(np.cross(towards, [0.13, 0.21, 0.97]).astype(np.float32))
    axes = np.stack([side, np.cross(towards, side), -towards])
    p = axes @ mesh.points.T
    low, high = p.min(axis=1), p.max(axis=1)
    scale = (SHADOW_PX - 2) / max(float((high - low)[:2].max()), 1e-3)
    to = np.zeros((3, 4), np.float32)
    to[:2, :3], to[:2, 3] = axes[:2] * scale, -low[:2] * scale
    to[2, :3], to[2, 3] = axes[2], 8.0 - low[2]
    points = np.ascontiguousarray(mesh.points @ to[:, :3].T + to[:, 3])
    return depth_buffer(points, mesh.faces, SHADOW_PX, SHADOW_PX), to


def ground_shadow(
    mesh: Surface, camera: PinholeCamera, towards: FloatArray, size: tuple[int, int], sigma_px: float
) -> FloatArray:
    """The share of the key light that the ground z = 0 loses to the people, (height, width) 0..1, blurred."""
    world = mesh.points @ camera.turn + camera.place
    reach = np.clip(world[:, 2] / max(float(towards[2]), 0.15), 0, 6)
    fallen = camera.see((world - reach[:, None] * towards).astype(np.float32))
    flat = camera.project(fallen)
    flat[:, :2] = (flat[:, :2] + 0.5) / 2 - 0.5
    height, width = size
    hard = np.asarray(depth_buffer(flat, mesh.faces, height // 2, width // 2) > 0, np.float32)
    return np.asarray(cv2.GaussianBlur(cv2.resize(hard, (width, height)), (0, 0), sigma_px), np.float32)
