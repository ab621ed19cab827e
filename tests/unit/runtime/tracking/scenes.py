"""Scenes for a tracker: people of known identity as a network would report them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from models.labels import COCO17
from models.results import PersonResult, Pose, Result
from runtime.frames import Frame

SIZE = 640, 360
STANDING = np.array(
    ((0, -.46), (.03, -.48), (-.03, -.48), (.05, -.46), (-.05, -.46), (.12, -.33), (-.12, -.33), (.15, -.17),
     (-.15, -.17), (.16, -.02), (-.16, -.02),
     (.08, 0), (-.08, 0), (.09, .25), (-.09, .25), (.09, .48), (-.09, .48)),
    np.float32,
)  # fmt: skip


def person(
    x: float, y: float = 180, height: float = 160, score: float = 0.7, *, noise_px: float = 0, seed: int = 0
) -> PersonResult:
    """Somebody upright with the middle of the body at x, y px."""
    noise = np.random.default_rng(seed).normal(0, noise_px, STANDING.shape) if noise_px else 0
    points = np.asarray(STANDING * height + (x, y) + noise, np.float32)
    mask = np.zeros((SIZE[1] // 2, SIZE[0] // 2), np.uint8)
    cv2.ellipse(mask, ((x / 2, y / 2), (height * 0.15, height * 0.5), 0), 1, -1)
    box = x - 0.15 * height, y - height / 2, 0.3 * height, height
    return PersonResult(box, score, Pose(COCO17, points, np.full(17, score, np.float32)), mask)


def frame(index: int, fps: float = 25.0, *, grey: int = 90, source: int = 0) -> Frame:
    return Frame(np.full((SIZE[1], SIZE[0], 3), grey, np.uint8), index, index / fps, 0.0, source)


def result(*people: PersonResult) -> Result:
    return Result(people=people)


def shuffled(people: Sequence[PersonResult], seed: int) -> Result:
    order = np.random.default_rng(seed).permutation(len(people))
    return Result(people=tuple(replace(people[i], track_id=None) for i in order))


def number_at(found: Result, x: float, tolerance_px: float = 12) -> int | None:
    """The number of whoever's hips are at x."""
    for p in found.people:
        assert p.pose is not None
        if abs(float(p.pose.points[11:13, 0].mean()) - x) < tolerance_px:
            return p.track_id
    raise AssertionError(f"nobody at {x}")
