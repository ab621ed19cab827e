"""Weak part labels drawn from joints (LSP-14): limbs and joints exact, the rest of the body unknown.

What throw-away trials taught is kept: every limb point carries its exact part and every joint its joint part
(a set collapses onto one label), and points far from the skeleton are background (without negatives a network
fills sports photos with body).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import IGNORE, LSP14, S31
from training.targets import SET_CODES

Points = NDArray[np.float32]

#: seen from in front or behind when the shoulders and hips lie this far apart, torso lengths
BROADSIDE = 0.4
FAR = 0.5  # of the torso length: beyond it a pixel is background, as in the measure
#: half-widths in torso lengths, narrower than the limb, so that no edge of cloth is mislabelled
JOINT_RADIUS = 0.055
TIP_WIDTH = 0.045
LIMB_WIDTH = {"uarm": 0.045, "larm": 0.04, "uleg": 0.08, "lleg": 0.055}
#: (limb part, from joint, to joint, part of the segment that surely carries the limb's own part)
LIMBS = (
    ("uleg", "hip", "knee", (0.25, 0.80)),
    ("lleg", "knee", "ankle", (0.22, 0.78)),
    ("uarm", "shoulder", "elbow", (0.37, 0.77)),
    ("larm", "elbow", "wrist", (0.24, 0.76)),
)
JOINTS = ("knee", "ankle", "shoulder", "elbow", "wrist")
SIDES = (("r", "r_"), ("l", "l_"))


@dataclass(frozen=True)
class Skeleton:
    """Joints of one person in the LSP-14 order.

    Attributes:
        xy: (14, 2) px.
        visible: (14,) 0 absent, 1 occluded, 2 visible.
        tips: ends of hands and feet that are seen, (2,) px each: r_fingers, r_heel, r_toes, l_….
    """

    xy: Points
    visible: NDArray[np.int8]
    tips: Mapping[str, Points] = field(default_factory=dict)

    def seen(self, *names: str) -> bool:
        """True when all the named joints are visible."""
        return all(self.visible[LSP14.id(n)] == 2 for n in names)

    def known(self, *names: str) -> bool:
        """True when all the named joints are annotated, visible or not."""
        return all(self.visible[LSP14.id(n)] > 0 for n in names)

    def at(self, name: str) -> Points:
        """(2,) position of a joint."""
        p: Points = self.xy[LSP14.id(name)]
        return p

    def from_behind(self) -> bool:
        """True when the person is seen upright from behind: the right shoulder and hip on the right."""
        if not self.known("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
            return False
        hips, shoulders = ((self.at(f"r_{n}") + self.at(f"l_{n}")) / 2 for n in ("hip", "shoulder"))
        return bool(shoulders[1] < hips[1] and across(self)[0] > 0.25 * np.linalg.norm(shoulders - hips))

    def torso_length(self) -> float | None:
        """Shoulder centre to hip centre, px; None when a joint of the four is absent."""
        if not self.known("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
            return None
        shoulders = (self.at("r_shoulder") + self.at("l_shoulder")) / 2
        hips = (self.at("r_hip") + self.at("l_hip")) / 2
        return float(np.linalg.norm(shoulders - hips))


def scribble(skeleton: Skeleton, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw the code map (targets.py) of one person.

    `size` is (width, height) of the picture the joints are in, px.

    Returns:
        (height, width) codes; 255 wherever the joints say nothing, everywhere with fewer than four joints.
    """
    width, height = size
    codes = np.full((height, width), IGNORE, dtype=np.uint8)
    known = skeleton.xy[skeleton.visible > 0]
    if len(known) < 4:
        return codes
    extent = float(np.linalg.norm(known.max(0) - known.min(0)))
    # seen from above or below a torso shrinks to nothing; a person is some three torsos long
    torso = max(skeleton.torso_length() or extent / 3, extent / 6)
    if all(skeleton.visible > 0):
        codes[distance_to_bones(skeleton, size) > FAR * torso] = 0
    _draw_torso(codes, skeleton, torso)
    _draw_head(codes, skeleton, torso)
    for part, a, b, (t0, t1) in LIMBS:
        for letter, side in SIDES:
            if skeleton.seen(side + a, side + b):
                p, q = skeleton.at(side + a), skeleton.at(side + b)
                # a margin of unknown round the limb: it may lie over the torso or the other leg
                _line(codes, p, q, 2.2 * LIMB_WIDTH[part] * torso, IGNORE)
                _line(
                    codes, p + t0 * (q - p), p + t1 * (q - p), LIMB_WIDTH[part] * torso, S31.id(letter + part)
                )
    for joint in JOINTS:
        for letter, side in SIDES:
            if skeleton.seen(side + joint):
                _line(codes, skeleton.at(side + joint), skeleton.at(side + joint), JOINT_RADIUS * torso,
                      S31.id(letter + joint))  # fmt: skip
    for letter, side in SIDES:
        _draw_tips(codes, skeleton, letter, side, torso)
    return codes


def _draw_tips(codes: NDArray[np.uint8], s: Skeleton, letter: str, side: str, torso: float) -> None:
    """A hand from past the wrist to the fingers, a foot from heel to toes, where their ends are known."""
    if side + "fingers" in s.tips:
        wrist, end = s.at(side + "wrist"), s.tips[side + "fingers"]
        _line(codes, _mix(wrist, end, 0.6), _mix(wrist, end, 1.1), TIP_WIDTH * torso, S31.id(letter + "hand"))
    if side + "heel" in s.tips and side + "toes" in s.tips:
        heel, toes = s.tips[side + "heel"], s.tips[side + "toes"]
        _line(
            codes, _mix(heel, toes, 0.15), _mix(heel, toes, 0.9), TIP_WIDTH * torso, S31.id(letter + "foot")
        )


def _line(codes: NDArray[np.uint8], p: Points, q: Points, half_width: float, code: int) -> None:
    shift = 4  # sub-pixel drawing
    a, b = (tuple(round(float(v) * (1 << shift)) for v in point) for point in (p, q))
    cv2.line(codes, a, b, int(code), max(1, round(2 * half_width)), cv2.LINE_8, shift)


def _draw_torso(codes: NDArray[np.uint8], s: Skeleton, torso: float) -> None:
    """Torso quarters inside the shoulder-hip quadrilateral; left and right only when it is seen broadside."""
    if not s.seen("r_shoulder", "l_shoulder", "r_hip", "l_hip"):
        return
    corners = {k: s.at(k) for k in ("r_shoulder", "l_shoulder", "r_hip", "l_hip")}
    broadside = float(np.linalg.norm(across(s))) > BROADSIDE * torso
    along = {}
    for letter, side in SIDES:
        top, bottom = corners[side + "shoulder"], corners[side + "hip"]
        along[letter] = [top + t * (bottom - top) for t in (0.22, 0.52, 0.72, 0.98)]
    for part, (i, j) in (("ubody", (0, 1)), ("lbody", (2, 3))):
        for letter, other in (("r", "l"), ("l", "r")):
            # from 15 % inside the outer edge to just short of the midline
            inner = 0.42 if broadside else 0.5
            quad = [
                _mix(along[letter][k], along[other][k], f)
                for k, f in ((i, 0.12), (j, 0.12), (j, inner), (i, inner))
            ]
            code = (
                S31.id(letter + part)
                if broadside
                else SET_CODES["upper body" if part == "ubody" else "lower body"]
            )
            cv2.fillPoly(codes, [np.round(quad).astype(np.int32)], int(code))


def _mix(p: Points, q: Points, t: float) -> Points:
    return (1 - t) * p + t * q


def across(s: Skeleton) -> Points:
    """(2,) from the person's left to the right, px: the mean of shoulders and hips."""
    d = s.at("r_shoulder") - s.at("l_shoulder") + s.at("r_hip") - s.at("l_hip")
    return (d / 2).astype(np.float32)


def _draw_head(codes: NDArray[np.uint8], s: Skeleton, torso: float) -> None:
    """Neck and head; the head's halves apart on a broadside body.

    The face tells front from back, and with it left from right for the whole body. Without the halves nothing
    is asked of the network at the one place that holds the answer, and it calls every person a front view.
    """
    if not s.seen("neck", "head_top"):
        return
    neck, top = s.at("neck"), s.at("head_top")
    low, high = _mix(neck, top, 0.38), _mix(neck, top, 0.82)
    broadside = s.seen("r_shoulder", "l_shoulder", "r_hip", "l_hip")
    to_right = across(s) if broadside else np.zeros(2, np.float32)
    width = float(np.linalg.norm(to_right))
    _line(codes, low, high, 0.09 * torso, SET_CODES["head"])
    if width > BROADSIDE * torso:
        aside: Points = (0.055 * torso / width * to_right).astype(np.float32)
        _line(codes, low + aside, high + aside, 0.04 * torso, SET_CODES["right head"])
        _line(codes, low - aside, high - aside, 0.04 * torso, SET_CODES["left head"])
    _line(codes, neck, neck, 0.04 * torso, S31.id("neck"))


def distance_to_bones(s: Skeleton, size: tuple[int, int]) -> NDArray[np.float32]:
    """(height, width) distance in px of every pixel to the nearest bone."""
    width, height = size
    canvas = np.full((height, width), 255, dtype=np.uint8)
    for a, b in LSP14.bones:
        _line(canvas, s.xy[a], s.xy[b], 0.5, 0)
    if canvas.all():  # the whole skeleton lies outside: nothing is known
        return np.zeros((height, width), dtype=np.float32)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distance.astype(np.float32, copy=False)
