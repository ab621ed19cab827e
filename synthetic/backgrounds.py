"""Backgrounds: crops of photographs where folders of them are given, else rooms, gradients and noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.appearance import Rng, procedural_photo
from synthetic.bodies import FloatArray
from synthetic.pictures import read_rgb
from synthetic.splits import of_split

Picture = NDArray[np.uint8]
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_HELD_OUT = 8  # every eighth picture is for testing only


class Backgrounds:
    """Pictures without people, of one split."""

    def __init__(self, folders: Sequence[Path], *, test: bool) -> None:
        paths = [p for f in folders for p in sorted(f.iterdir()) if p.suffix.lower() in _SUFFIXES]
        self.paths = of_split(paths, test=test, every=_HELD_OUT)

    def sample(self, rng: Rng, size: int) -> FloatArray:
        """A background (size, size, 3), RGB 0..1."""
        if self.paths and rng.random() < 0.9:
            return self._photo(rng, size)
        return procedural(rng, size)

    def patches(self, rng: Rng, count: int) -> list[Picture]:
        """Small pictures (h, w, 3) to print on cloth."""
        if not self.paths:
            return [procedural_photo(rng) for _ in range(count)]
        return [self._crop(rng, rng.uniform(0.2, 0.7)) for _ in range(count)]

    def _crop(self, rng: Rng, share: float) -> Picture:
        picture = read_rgb(self.paths[rng.integers(len(self.paths))])
        side = max(8, int(min(picture.shape[:2]) * share))
        y, x = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
        return picture[y : y + side, x : x + side]

    def _photo(self, rng: Rng, size: int) -> FloatArray:
        crop = self._crop(rng, rng.uniform(0.55, 1.0))
        grown = cv2.resize(
            crop, (size, size), interpolation=cv2.INTER_AREA if len(crop) > size else cv2.INTER_LINEAR
        )
        out: FloatArray = grown.astype(np.float32) / 255
        if rng.random() < 0.5:
            out = out[:, ::-1]
        if rng.random() < 0.25:  # out of focus
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.8, 0.02 * size)), np.float32)
        return np.ascontiguousarray(out, np.float32)


def procedural(rng: Rng, size: int) -> FloatArray:
    """A drawn background (size, size, 3): a wall and a floor with things on them, a gradient, or noise."""
    kind = rng.random()
    if kind < 0.25:
        out: FloatArray = np.asarray(cv2.resize(procedural_photo(rng), (size, size)), np.float32) / 255
    else:
        out = _gradient(rng, size)
        if kind > 0.45:
            _room(rng, out)
    for _ in range(rng.integers(0, 14)):
        _thing(rng, out)
    if rng.random() < 0.4:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 0.03 * size)), np.float32)
    return np.asarray(np.clip(out, 0, 1), np.float32)


def _gradient(rng: Rng, size: int) -> FloatArray:
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    t = np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None]
    t = (t - t.min()) / (np.ptp(t) + 1e-6)
    first = np.clip(rng.uniform(0.05, 0.95) + rng.normal(0, 0.13, 3), 0, 1)
    second = np.clip(first + rng.normal(0, 0.25, 3), 0, 1)
    return np.asarray(first + t[..., None] * (second - first), np.float32)


def _room(rng: Rng, out: FloatArray) -> None:
    """A floor below a horizon, textured and darker towards the wall."""
    size = len(out)
    horizon = int(rng.uniform(0.3, 0.9) * size)
    floor = np.asarray(cv2.resize(procedural_photo(rng), (size, size)), np.float32) / 255
    if rng.random() < 0.5:  # tiles or boards in perspective
        y = np.arange(1, size - horizon + 1, dtype=np.float32)[:, None]
        x = (np.arange(size, dtype=np.float32)[None, :] - rng.uniform(0, size)) / y
        lines = (np.floor(x * rng.uniform(0.3, 2)) + np.floor(rng.uniform(5, 60) * size / 256 / y * 8)) % 2
        floor[horizon:] *= (1 - 0.3 * rng.random() * lines)[..., None]
    out[horizon:] = floor[horizon:]


def _thing(rng: Rng, out: FloatArray) -> None:
    """A rectangle, ellipse, bar or polygon in one colour or a texture."""
    size = len(out)
    colour = tuple(float(c) for c in np.clip(rng.uniform(0, 1) + rng.normal(0, 0.18, 3), 0, 1))
    centre = rng.uniform(0, size, 2)
    half = size * rng.uniform(0.02, 0.25, 2)
    kind = rng.integers(4)
    if kind == 0:
        a, b = (centre - half).astype(int).tolist(), (centre + half).astype(int).tolist()
        cv2.rectangle(out, a, b, colour, -1, cv2.LINE_AA)
    elif kind == 1:
        axes = half.astype(int).tolist()
        cv2.ellipse(
            out,
            centre.astype(int).tolist(),
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            colour,
            -1,
            cv2.LINE_AA,
        )
    elif kind == 2:
        ends = rng.uniform(-0.2, 1.2, (2, 2)) * size
        cv2.line(
            out, ends[0].astype(int).tolist(), ends[1].astype(int).tolist(), colour, int(rng.integers(1, 12))
        )
    else:
        shape = (centre + rng.normal(0, 1, (int(rng.integers(3, 8)), 2)) * half).astype(np.int32)
        cv2.fillPoly(out, [shape], colour, cv2.LINE_AA)
