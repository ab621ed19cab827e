"""Things that people carry or sit on. They are background in the labels: no part of a body."""

from __future__ import annotations

import numpy as np

from synthetic.appearance import LABEL, NOTHING, Atlas, Rng, cloth
from synthetic.bodies import INFLUENCES, Bodies, FloatArray, IntArray
from synthetic.partition import ANATOMY
from synthetic.pieces import Piece
from synthetic.skeleton import rotation, unit

_RING = 10  # corners around a cylinder or an ellipsoid


def held_object(rng: Rng, bodies: Bodies, heads: FloatArray, atlas: Atlas) -> Piece:
    """A bag, a stick, a ball or a small thing at a hand. ``heads`` (J, 3) are the bones at rest."""
    side = rng.choice(["L", "R"])
    bone = bodies.bone(f"metacarpal2.{side}")
    grip = 0.5 * (heads[bone] + heads[bodies.bone(f"finger3-1.{side}")])
    grip = grip + np.asarray([0, -0.015, -0.02], np.float32)
    kind = rng.choice(["bag", "stick", "ball", "phone"], p=[0.4, 0.25, 0.15, 0.2])
    if kind == "bag":
        half = np.asarray([rng.uniform(0.04, 0.09), rng.uniform(0.1, 0.2), rng.uniform(0.08, 0.2)])
        points, faces = ellipsoid(half, power=0.35)
        points = points + grip - np.asarray([0, 0, half[2] + rng.uniform(0.02, 0.2)])
    elif kind == "stick":
        points, faces = cylinder(rng.uniform(0.006, 0.03), rng.uniform(0.3, 1.1))
        points = points @ rotation(unit(rng.normal(0, 1, 3).astype(np.float32)), rng.uniform(0, 3)).T + grip
    elif kind == "ball":
        radius = rng.uniform(0.03, 0.13)
        points, faces = ellipsoid(np.full(3, radius), power=1.0)
        points = points + grip - np.asarray([0, 0, radius])
    else:
        points, faces = ellipsoid(np.asarray([0.04, 0.008, 0.075]), power=0.3)
        points = points + grip - np.asarray([0, 0.02, 0])
    return _rigid(bodies, bone, points.astype(np.float32), faces, cloth(rng, atlas))


def backpack(rng: Rng, bodies: Bodies, heads: FloatArray, atlas: Atlas) -> Piece:
    """A bag on the back."""
    bone = bodies.bone("spine02")
    middle = 0.5 * (heads[bone] + heads[bodies.bone("spine01")])
    wide = float(np.linalg.norm(heads[bodies.bone("upperarm01.L")] - heads[bodies.bone("upperarm01.R")]))
    half = np.asarray([0.4 * wide, 0.22 * wide, 0.65 * wide]) * rng.uniform(0.8, 1.2, 3)
    points, faces = ellipsoid(half, power=0.4)
    points = points + middle + np.asarray([0, 0.42 * wide + half[1] * 0.8, 0])
    return _rigid(bodies, bone, points.astype(np.float32), faces, cloth(rng, atlas))


def seat(rng: Rng, bodies: Bodies, heads: FloatArray, atlas: Atlas) -> Piece:
    """A stool, a box or a chair with a back, under hips that do not leave the root's frame."""
    hip = 0.5 * (heads[bodies.bone("upperleg01.L")] + heads[bodies.bone("upperleg01.R")])
    wide = rng.uniform(0.18, 0.5)
    deep = rng.uniform(0.18, 0.28)
    thick = rng.choice([rng.uniform(0.02, 0.06), 0.25])
    points, faces = ellipsoid(np.asarray([wide, deep, thick]), power=0.15)
    points = points + hip + np.asarray([0, 0.02, -0.15 - thick])
    if rng.random() < 0.5:
        more, extra = ellipsoid(np.asarray([wide, 0.02, rng.uniform(0.15, 0.35)]), power=0.15)
        more = more + hip + np.asarray([0, deep + 0.03, 0.25])
        faces = np.concatenate([faces, extra + len(points)])
        points = np.concatenate([points, more])
    return _rigid(bodies, 0, points.astype(np.float32), faces, cloth(rng, atlas))


def _rigid(bodies: Bodies, bone: int, points: FloatArray, faces: IntArray, row: FloatArray) -> Piece:
    row[LABEL] = NOTHING
    bones = np.full((len(points), INFLUENCES), bone, np.int32)
    weights = np.zeros((len(points), INFLUENCES), np.float32)
    weights[:, 0] = 1
    body = np.zeros((len(points), ANATOMY), np.float32)
    body[:, :3] = points  # patterns are drawn in this space
    uv = np.zeros((len(faces), 3, 2), np.float32)
    return Piece(points, bones, weights, body, faces, faces, uv, row)


def ellipsoid(half: FloatArray, power: float) -> tuple[FloatArray, IntArray]:
    """A closed surface between a box (power near 0) and an ellipsoid (power 1), half sizes in metres."""
    rings = _RING // 2 + 1
    theta = np.linspace(-np.pi / 2, np.pi / 2, rings)[:, None]
    phi = np.linspace(0, 2 * np.pi, _RING, endpoint=False)[None, :] + np.pi / _RING
    shape = [np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta) + 0 * phi]
    points = np.stack(
        [h * np.sign(s) * np.abs(s) ** power for h, s in zip(half, shape, strict=True)], axis=-1
    )
    return points.reshape(-1, 3).astype(np.float32), _grid_faces(rings)


def cylinder(radius: float, length: float) -> tuple[FloatArray, IntArray]:
    """A rod along z, held near its lower end."""
    phi = np.linspace(0, 2 * np.pi, _RING, endpoint=False)
    ring = np.stack([radius * np.cos(phi), radius * np.sin(phi), 0 * phi], axis=1)
    points = np.concatenate([ring + np.asarray([0, 0, z * length]) for z in (-0.12, 0.3, 0.88)])
    return points.astype(np.float32), _grid_faces(3)


def _grid_faces(rings: int) -> IntArray:
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(_RING), indexing="ij")
    a, b = i * _RING + j, i * _RING + (j + 1) % _RING
    c, d = a + _RING, b + _RING
    return np.concatenate(
        [np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)]
    ).astype(np.int32)
