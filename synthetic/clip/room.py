"""A room, path-traced once: boxes and spheres lit by a window. What a fixed camera sees of it never changes.

Metres, x to the right, y away from the camera, z up; the floor is z = 0. Light is linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.bodies import FloatArray, IntArray
from synthetic.clip.tracing import (  # fmt: skip
    BOARDS,
    BOUNDS,
    PAINTING,
    PLAIN,
    PLASTER,
    RUG,
    WOOD,
    WOVEN,
    Eye,
    Picture,
    Scene,
    trace,
)

Box = tuple[float, ...]  # low corner, high corner, colour, kind
FLOOR = 0  # index of the floor among the boxes; the rug is the next
#: The window: an opening in the left wall, (y from, y to, z from, z to).
WINDOW = (-1.1, 1.2, 0.75, 2.35)
LEFT, RIGHT, BACK, TOP = -3.0, 3.3, 2.35, 2.75
WALL_M = 0.2
SUN = np.asarray([-0.74, 0.25, 0.62], np.float32)  # towards it
SKY_LIGHT = np.asarray([1.00, 1.12, 1.30], np.float32) * 7
SUN_LIGHT = np.asarray([1.00, 0.86, 0.66], np.float32) * 16


@dataclass(frozen=True)
class Lit:
    """The empty room as the camera sees it, (h, w, 3) each."""

    colour: FloatArray  # light that reaches the camera, linear
    window_share: FloatArray  # (h, w) of the light on a floor pixel, how much comes straight from the window
    floor: NDArray[np.bool_]  # (h, w) pixels that show the floor or the rug


def furniture() -> FloatArray:
    """Boxes (N, 10): low corner, high corner, colour, kind. The floor comes first."""
    boxes: list[Box] = [
        (LEFT, -6, -0.2, RIGHT, BACK, 0, 0.42, 0.25, 0.13, BOARDS),
        (-0.95, -0.75, 0, 1.75, 1.15, 0.012, 0.50, 0.47, 0.42, RUG),
        (LEFT, BACK, 0, RIGHT, BACK + 0.2, TOP, 0.66, 0.64, 0.58, PLASTER),
        (RIGHT, -6, 0, RIGHT + 0.2, BACK, TOP, 0.66, 0.64, 0.58, PLASTER),
        (LEFT, -6, TOP, RIGHT, BACK, TOP + 0.2, 0.78, 0.78, 0.76, PLASTER),
        (LEFT, -6.2, 0, RIGHT, -6, TOP, 0.60, 0.58, 0.55, PLASTER),
        (LEFT, BACK - 0.015, 0, RIGHT, BACK, 0.09, 0.80, 0.79, 0.76, PLAIN),  # skirting
        (RIGHT - 0.015, -6, 0, RIGHT, BACK, 0.09, 0.80, 0.79, 0.76, PLAIN),
        (LEFT, -6, 0, LEFT + 0.015, BACK, 0.09, 0.80, 0.79, 0.76, PLAIN),
    ]
    for group in (_left_wall(), _shelves(), _sideboard(), _sofa()):
        boxes += _bounded(group)
    return np.asarray(boxes, np.float32)


def _bounded(boxes: list[Box]) -> list[Box]:
    """The boxes behind one that holds them all."""
    a = np.asarray(boxes)
    low, high = a[:, :3].min(axis=0) - 1e-3, a[:, 3:6].max(axis=0) + 1e-3
    return [(*low, *high, len(boxes), 0, 0, BOUNDS), *boxes]


def _left_wall() -> list[Box]:
    y0, y1, z0, z1 = WINDOW
    wall = (0.66, 0.64, 0.58, PLASTER)
    frame = (0.82, 0.81, 0.78, PLAIN)
    outer, middle = LEFT - 0.2, (y0 + y1) / 2
    curtain = (0.55, 0.50, 0.42, WOVEN)
    folds = [(LEFT + 0.03 + 0.025 * (k % 2), y1 + 0.02 + 0.06 * k) for k in range(7)]
    return [
        (outer, -6, 0, LEFT, y0, TOP, *wall),
        (outer, y1, 0, LEFT, BACK, TOP, *wall),
        (outer, y0, 0, LEFT, y1, z0, *wall),
        (outer, y0, z1, LEFT, y1, TOP, *wall),
        (outer + 0.06, middle - 0.03, z0, outer + 0.12, middle + 0.03, z1, *frame),
        (outer + 0.06, y0, (z0 + z1) / 2 + 0.3, outer + 0.12, y1, (z0 + z1) / 2 + 0.35, *frame),
        (outer - 0.02, y0, z0 - 0.04, LEFT + 0.12, y1, z0, *frame),  # sill
        *[(x, y, 0.05, x + 0.03, y + 0.06, 2.5, *curtain) for x, y in folds],
    ]


def _shelves() -> list[Box]:
    """A book case in the right corner, with books of all colours."""
    rng = np.random.default_rng(11)
    x0, x1, y0, z1 = 1.95, 3.1, BACK - 0.32, 2.05
    wood = (0.36, 0.22, 0.12, WOOD)
    boxes: list[Box] = [
        (x0 - 0.03, y0, 0, x0, BACK, z1, *wood),
        (x1, y0, 0, x1 + 0.03, BACK, z1, *wood),
        (x0, BACK - 0.02, 0, x1, BACK, z1, *wood),
    ]
    tones = np.asarray(
        [[0.45, 0.08, 0.06], [0.06, 0.12, 0.25], [0.62, 0.55, 0.42], [0.08, 0.22, 0.14],
         [0.70, 0.68, 0.62], [0.50, 0.30, 0.08], [0.05, 0.05, 0.06], [0.18, 0.32, 0.42]])  # fmt: skip
    for z in (0.06, 0.46, 0.86, 1.26, 1.66, z1):
        boxes.append((x0, y0, z - 0.03, x1, BACK, z, *wood))
        x = x0 + 0.01
        while z < z1 and x < x1 - 0.08 - (0.3 if z in (0.86, 1.66) else 0):
            wide, high = rng.uniform(0.02, 0.055), rng.uniform(0.19, 0.31)
            colour = tones[rng.integers(len(tones))] * rng.uniform(0.7, 1.2)
            deep = y0 + rng.uniform(0.02, 0.07)
            boxes.append((x, deep, z, x + wide - 0.002, BACK - 0.04, z + high, *colour, PLAIN))
            x += wide
    return boxes


def _sideboard() -> list[Box]:
    """A low cabinet under a painting, with books and a box on it."""
    x0, x1, y0 = -1.55, 0.35, BACK - 0.46
    wood, front = (0.50, 0.33, 0.18, WOOD), (0.56, 0.38, 0.21, WOOD)
    boxes: list[Box] = [
        (x0, y0, 0.14, x1, BACK - 0.02, 0.74, *wood),
        (x0 - 0.02, y0 - 0.02, 0.74, x1 + 0.02, BACK - 0.02, 0.77, *wood),
    ]
    for k in range(3):
        left = x0 + 0.03 + k * (x1 - x0) / 3
        boxes.append((left, y0 - 0.012, 0.18, left + (x1 - x0) / 3 - 0.04, y0, 0.70, *front))
        knob = left + 0.02 + 0.5 * (x1 - x0) / 3
        boxes.append((knob - 0.06, y0 - 0.03, 0.60, knob, y0 - 0.012, 0.615, 0.1, 0.09, 0.08, PLAIN))
    boxes += [
        (x, y0 + 0.05, 0, x + 0.04, y0 + 0.09, 0.14, 0.05, 0.04, 0.04, PLAIN) for x in (x0 + 0.08, x1 - 0.12)
    ]
    boxes += [
        (-1.30, BACK - 0.05, 1.20, -0.20, BACK - 0.01, 1.98, 0.06, 0.05, 0.05, PLAIN),  # frame
        (-1.26, BACK - 0.056, 1.24, -0.24, BACK - 0.05, 1.94, 0.8, 0.8, 0.8, PAINTING),
        (0.62, BACK - 0.05, 1.36, 1.02, BACK - 0.01, 1.90, 0.42, 0.30, 0.18, WOOD),
        (0.65, BACK - 0.056, 1.39, 0.99, BACK - 0.05, 1.87, 0.75, 0.74, 0.70, PAINTING),
        (-1.42, y0 + 0.10, 0.77, -1.12, y0 + 0.32, 0.80, 0.45, 0.10, 0.07, PLAIN),
        (-1.40, y0 + 0.11, 0.80, -1.14, y0 + 0.31, 0.835, 0.70, 0.66, 0.58, PLAIN),
        (-1.39, y0 + 0.12, 0.835, -1.16, y0 + 0.30, 0.86, 0.10, 0.20, 0.30, PLAIN),
    ]
    return boxes


def _sofa() -> list[Box]:
    """An armchair at the left, side on, half in the picture."""
    cloth = (0.13, 0.22, 0.24, WOVEN)
    x0, x1, y0, y1 = -2.95, -2.15, 0.55, 1.45
    return [
        (x0 + 0.05, y0 + 0.05, 0, x0 + 0.10, y0 + 0.10, 0.12, 0.2, 0.12, 0.07, WOOD),
        (x1 - 0.10, y0 + 0.05, 0, x1 - 0.05, y0 + 0.10, 0.12, 0.2, 0.12, 0.07, WOOD),
        (x1 - 0.10, y1 - 0.10, 0, x1 - 0.05, y1 - 0.05, 0.12, 0.2, 0.12, 0.07, WOOD),
        (x0, y0, 0.12, x1, y1, 0.30, *cloth),
        (x0 + 0.16, y0 + 0.15, 0.30, x1 + 0.02, y1 - 0.15, 0.46, *cloth),  # cushion
        (x0, y0, 0.30, x0 + 0.18, y1, 0.92, *cloth),  # back
        (x0, y0, 0.30, x1, y0 + 0.14, 0.62, *cloth),
        (x0, y1 - 0.14, 0.30, x1, y1, 0.62, *cloth),
        (x0 + 0.19, y0 + 0.30, 0.47, x0 + 0.32, y0 + 0.72, 0.84, 0.62, 0.42, 0.12, WOVEN),  # pillow
    ]


def balls() -> FloatArray:
    """Spheres (M, 7): centre, radius, colour: vases, a lamp's foot and shade, fruit."""
    y = BACK - 0.22
    rows = [
        (0.10, y, 0.87, 0.10, 0.70, 0.68, 0.64),
        (0.10, y, 0.985, 0.055, 0.70, 0.68, 0.64),
        (-0.62, y - 0.04, 0.805, 0.037, 0.60, 0.28, 0.06),
        (-0.54, y - 0.01, 0.805, 0.037, 0.55, 0.09, 0.05),
        (-0.58, y + 0.06, 0.808, 0.040, 0.62, 0.45, 0.08),
        (2.85, BACK - 0.18, 0.95, 0.09, 0.16, 0.28, 0.36),
        (2.88, BACK - 0.18, 1.745, 0.085, 0.66, 0.60, 0.50),
    ]
    return np.asarray(rows, np.float32)


def render(turn: FloatArray, place: FloatArray, focal_px: float, size: tuple[int, int], samples: int) -> Lit:
    """The room seen by a camera; ``size`` is (width, height), ``samples`` rays go through each pixel."""
    window = np.asarray([*WINDOW, LEFT - WALL_M], np.float32)
    sun = (SUN / np.linalg.norm(SUN)).astype(np.float32)
    scene = Scene(furniture(), balls(), window, sun, SKY_LIGHT, SUN_LIGHT)
    blank = np.zeros((4, size[1], size[0], 3), np.float32)
    picture = Picture(blank[0], blank[1], blank[2], blank[3], np.zeros((size[1], size[0]), np.int32))
    trace(scene, Eye(turn, place, float(focal_px)), picture, samples, np.random.default_rng(3))
    albedo, own_straight, own_other, colour = blank / samples
    surface = picture.surface
    straight, other = _smooth(own_straight, surface, 5), _smooth(own_other, surface, 21)
    # A pixel on an edge keeps the mean of its own paths: what is smoothed is of one surface or the other.
    edge = (surface == -2)[..., None]
    near = np.where(edge, cv2.blur(other, (5, 5)), other)
    sky = (surface == -1)[..., None]
    lit = np.where(edge, colour + albedo * near, albedo * np.where(sky, other, straight + other))
    share = straight.mean(axis=2) / np.maximum((straight + near).mean(axis=2), 1e-4)
    return Lit(lit.astype(np.float32), share.astype(np.float32), _floor(surface))


def _floor(surface: IntArray) -> NDArray[np.bool_]:
    """Pixels of floor and rug, and the edge between the two."""
    mine = (surface == FLOOR) | (surface == FLOOR + 1)
    grown = cv2.morphologyEx(mine.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(mine | (grown & (surface == -2)), np.bool_)


def _smooth(light: FloatArray, surface: IntArray, width: int) -> FloatArray:
    """Average light over neighbours on the same surface: light changes slowly where texture does not."""
    out = light.copy()
    for index in np.unique(surface[surface >= -1]):
        mine = (surface == index).astype(np.float32)
        for _ in range(2):
            weight = np.maximum(cv2.blur(mine, (width, width)), 1e-6)[..., None]
            mean = cv2.blur(out * mine[..., None], (width, width)) / weight
            out = np.where(mine[..., None] > 0, mean, out).astype(np.float32)
    return out
