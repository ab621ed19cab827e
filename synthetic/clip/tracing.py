"""Path tracing of boxes and spheres lit through a window by sky and sun."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from synthetic.bodies import FloatArray, IntArray

#: What a surface looks like, a box's last column. BOUNDS holds the next so many boxes (seventh column).
PLAIN, BOARDS, WOOD, PLASTER, WOVEN, RUG, PAINTING, BOUNDS = range(8)
BOUNCES = 4
THIN = 4  # light from walls changes slowly: one path in so many follows it
BRIGHTEST = 4.0  # light of one path that bounced: a rare bright one would be a speck
FAR_M = 50.0


class Scene(NamedTuple):
    """Metres, x to the right, y away, z up. Light is linear."""

    boxes: FloatArray  # (N, 10) low corner, high corner, colour, kind
    spheres: FloatArray  # (M, 7) centre, radius, colour
    window: FloatArray  # (5,) y from, y to, z from, z to, x: an opening that looks towards +x
    sun: FloatArray  # (3,) unit, towards it
    sky_light: FloatArray  # (3,)
    sun_light: FloatArray  # (3,)


class Eye(NamedTuple):
    """A pin-hole camera."""

    turn: FloatArray  # (3, 3) rows: right, down, away
    place: FloatArray  # (3,)
    focal_px: float


class Picture(NamedTuple):
    """Sums over the paths of each pixel, (h, w, 3), and what the first one met."""

    albedo: FloatArray
    straight: FloatArray  # light on the surface straight from window and sun
    other: FloatArray  # light on the surface from everywhere else; in the window itself, the sky
    colour: FloatArray  # albedo times straight, path by path: right also where a pixel shows two surfaces
    surface: IntArray  # (h, w) index of the surface: boxes, then spheres; -1 the sky; -2 more than one


class Path(NamedTuple):
    """Where a path is, and room to compute in; (3,) each."""

    p: FloatArray
    n: FloatArray
    d: FloatArray
    rgb: FloatArray
    gain: FloatArray
    light: FloatArray
    to: FloatArray


@njit(cache=True, fastmath=True)
def _enter(o: FloatArray, d: FloatArray, box: FloatArray, far: float) -> tuple[float, int]:
    """Where a ray enters a box before ``far``, and the axis of that face: -1 from within, -2 not at all."""
    near, end, side = 0.0, far, -1
    for c in range(3):
        inverse = 1.0 / d[c] if d[c] != 0.0 else 1e30
        a, b = (box[c] - o[c]) * inverse, (box[3 + c] - o[c]) * inverse
        if a > b:
            a, b = b, a
        if a > near:
            near, side = a, c
        end = min(end, b)
    if near >= end:
        return far, -2
    return near, side


@njit(cache=True, fastmath=True)
def _hit(scene: Scene, o: FloatArray, d: FloatArray, far: float) -> tuple[float, int, int]:
    """Nearest surface along o + t d: (t, index, axis of the face); index -1: nothing."""
    best, index, face = far, -1, 0
    boxes, spheres = scene.boxes, scene.spheres
    i = 0
    while i < boxes.shape[0]:
        t, side = _enter(o, d, boxes[i], best)
        if boxes[i, 9] == BOUNDS:
            i += 1 if side > -2 else 1 + int(boxes[i, 6])
            continue
        if side >= 0 and t > 1e-4:
            best, index, face = t, i, side
        i += 1
    for i in range(spheres.shape[0]):
        x, y, z = o[0] - spheres[i, 0], o[1] - spheres[i, 1], o[2] - spheres[i, 2]
        b = x * d[0] + y * d[1] + z * d[2]
        q = b * b - (x * x + y * y + z * z - spheres[i, 3] ** 2)
        if q > 0.0 and 1e-4 < -b - math.sqrt(q) < best:
            best, index = -b - math.sqrt(q), boxes.shape[0] + i
    return best, index, face


@njit(cache=True, fastmath=True)
def _normal(scene: Scene, path: Path, index: int, face: int) -> None:
    if index < scene.boxes.shape[0]:
        path.n[:] = 0.0
        path.n[face] = -1.0 if path.d[face] > 0.0 else 1.0
    else:
        s = scene.spheres[index - scene.boxes.shape[0]]
        for c in range(3):
            path.n[c] = (path.p[c] - s[c]) / s[3]


@njit(cache=True, fastmath=True)
def _noise(x: float, y: float) -> float:
    """Repeatable smooth noise in 0..1 on the plane."""
    fx, fy = math.floor(x), math.floor(y)
    u, v = x - fx, y - fy
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    total = 0.0
    for k in range(4):
        i, j = fx + (k & 1), fy + (k >> 1)
        h = math.sin(i * 127.1 + j * 311.7) * 43758.5453
        total += (u if k & 1 else 1 - u) * (v if k >> 1 else 1 - v) * (h - math.floor(h))
    return total


@njit(cache=True, fastmath=True)
def _boards(x: float, y: float) -> float:
    """Brightness of a floor of staggered boards with grain."""
    row = math.floor(y / 0.145)
    along = x / 1.35 + _noise(row * 7.3, 3.1) * 5
    board = row * 31.0 + math.floor(along) * 17.0
    gain = 0.70 + 0.5 * _noise(board, 0.5)
    gain *= 0.86 + 0.28 * _noise(x * 5 + board, y * 90) + 0.06 * (_noise(x * 60, y * 300) - 0.5)
    edge = min(y / 0.145 - row, row + 1 - y / 0.145) * 0.145
    joint = min(along - math.floor(along), math.floor(along) + 1 - along) * 1.35
    return gain * 0.45 if edge < 0.0018 or joint < 0.0015 else gain


@njit(cache=True, fastmath=True)
def _rug(rgb: FloatArray, p: FloatArray, box: FloatArray) -> None:
    """A border and rows of lozenges."""
    rim = min(p[0] - box[0], box[3] - p[0], p[1] - box[1], box[4] - p[1])
    u, v = p[0] / 0.30, p[1] / 0.30
    lozenge = abs(u - math.floor(u) - 0.5) + abs(v - math.floor(v) - 0.5)
    if 0.06 < rim < 0.10 or (rim > 0.14 and (0.30 < lozenge < 0.36 or lozenge < 0.07)):
        rgb[0], rgb[1], rgb[2] = 0.14, 0.13, 0.17
    elif rim > 0.14 and lozenge < 0.16:
        rgb[0], rgb[1], rgb[2] = 0.40, 0.16, 0.11


@njit(cache=True, fastmath=True)
def _painting(rgb: FloatArray, u: float, v: float, seed: float) -> None:
    """Hills under a low sun, inside a white mat."""
    if min(u, 1 - u, v, 1 - v) < 0.09:
        rgb[0], rgb[1], rgb[2] = 0.76, 0.75, 0.71
        return
    rgb[0], rgb[1], rgb[2] = 0.78 - 0.5 * v, 0.55 - 0.15 * v, 0.38 + 0.15 * v
    if (u - 0.66) ** 2 * 2 + (v - 0.62) ** 2 < 0.006:
        rgb[0], rgb[1], rgb[2] = 0.85, 0.60, 0.30
    for k in range(4):
        ridge = 0.55 - 0.13 * k + 0.16 * _noise(u * (2.2 + k) + seed * 3 + k * 5.7, k * 1.9)
        if v < ridge:
            shade = 0.30 - 0.06 * k
            rgb[0], rgb[1], rgb[2] = shade * 0.55, shade * (0.75 + 0.08 * k), shade * (1.0 - 0.14 * k)


@njit(cache=True, fastmath=True)
def _paint(scene: Scene, path: Path, index: int, face: int) -> None:
    """Colour of the surface at path.p into path.rgb."""
    rgb, p = path.rgb, path.p
    if index >= scene.boxes.shape[0]:
        rgb[:] = scene.spheres[index - scene.boxes.shape[0], 4:7]
        return
    box = scene.boxes[index]
    rgb[:] = box[6:9]
    kind, gain = int(box[9]), 1.0
    if kind == BOARDS:
        gain = _boards(p[0], p[1])
    elif kind == WOOD:
        q = p[0] if face != 0 else p[1]
        gain = (
            0.75 + 0.35 * _noise(q * 3 + box[0] * 9, p[2] * 45 + box[1]) + 0.12 * _noise(q * 20, p[2] * 220)
        )
    elif kind == PLASTER:
        gain = 0.97 + 0.06 * _noise(p[0] * 9 + p[1] * 9, p[2] * 9)
    elif kind == PAINTING:
        _painting(rgb, (p[0] - box[0]) / (box[3] - box[0]), (p[2] - box[2]) / (box[5] - box[2]), box[0])
    elif kind != PLAIN:
        gain = 0.80 + 0.25 * _noise(p[0] * 160 + p[2] * 31, p[1] * 160 + p[2] * 160)
        gain += 0.12 * _noise(p[0] * 6, p[1] * 6 + p[2] * 5)
        if kind == RUG:
            _rug(rgb, p, box)
    for c in range(3):
        rgb[c] *= gain


@njit(cache=True, fastmath=True)
def _direct(scene: Scene, path: Path, rng: np.random.Generator) -> None:
    """Light that falls on path.p straight from one random point of the window and from the sun, over pi."""
    p, n, d, window = path.p, path.n, path.to, scene.window
    d[0] = window[4] - p[0]
    d[1] = window[0] + (window[1] - window[0]) * rng.random() - p[1]
    d[2] = window[2] + (window[3] - window[2]) * rng.random() - p[2]
    distance = math.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
    for c in range(3):
        d[c] /= distance
        path.light[c] = 0.0
    cosine = n[0] * d[0] + n[1] * d[1] + n[2] * d[2]
    if cosine > 0.0 and d[0] < 0.0 and _hit(scene, p, d, distance)[1] < 0:
        area = (window[1] - window[0]) * (window[3] - window[2])
        share = cosine * -d[0] * area / (math.pi * distance * distance)
        for c in range(3):
            path.light[c] += share * scene.sky_light[c]
    for c in range(3):
        d[c] = scene.sun[c] + 0.012 * (rng.random() - 0.5)
    cosine = n[0] * d[0] + n[1] * d[1] + n[2] * d[2]
    if cosine > 0.0 and _hit(scene, p, d, FAR_M)[1] < 0:
        for c in range(3):
            path.light[c] += cosine * scene.sun_light[c] / math.pi


@njit(cache=True, fastmath=True)
def _bounce(path: Path, rng: np.random.Generator) -> None:
    """A random direction about the normal, as often as its cosine."""
    d, n = path.d, path.n
    r, a = math.sqrt(rng.random()), 2 * math.pi * rng.random()
    x, y = r * math.cos(a), r * math.sin(a)
    z = math.sqrt(max(0.0, 1 - x * x - y * y))
    sign = 1.0 if n[2] >= 0 else -1.0
    k = -1.0 / (sign + n[2])
    b = n[0] * n[1] * k
    d[0] = x * (1 + sign * n[0] * n[0] * k) + y * b + z * n[0]
    d[1] = x * sign * b + y * (sign + n[1] * n[1] * k) + z * n[1]
    d[2] = -x * sign * n[0] - y * n[1] + z * n[2]


@njit(cache=True, fastmath=True)
def _look(eye: Eye, path: Path, x: float, y: float) -> None:
    """Start a path at the eye through a point of the picture, in pixels from its middle."""
    x, y = x / eye.focal_px, y / eye.focal_px
    size = math.sqrt(x * x + y * y + 1)
    path.p[:] = eye.place
    for c in range(3):
        path.d[c] = (eye.turn[0, c] * x + eye.turn[1, c] * y + eye.turn[2, c]) / size


@njit(cache=True, fastmath=True)
def _arrive(scene: Scene, path: Path, rng: np.random.Generator) -> int:
    """Move the path to what it meets, with that surface's normal, colour and direct light."""
    t, index, face = _hit(scene, path.p, path.d, FAR_M)
    if index >= 0:
        for c in range(3):
            path.p[c] += t * path.d[c]
        _normal(scene, path, index, face)
        _paint(scene, path, index, face)
        _direct(scene, path, rng)
    return index


@njit(cache=True, fastmath=True)
def _gather(scene: Scene, path: Path, rng: np.random.Generator, out: FloatArray) -> None:
    """Follow a path from a surface and add what light it finds."""
    path.gain[:] = 1.0
    for _ in range(BOUNCES):
        _bounce(path, rng)
        if _arrive(scene, path, rng) < 0:
            break
        for c in range(3):
            path.gain[c] *= path.rgb[c]
            out[c] += THIN * min(path.gain[c] * path.light[c], BRIGHTEST)


@njit(cache=True, fastmath=True)
def trace(scene: Scene, eye: Eye, picture: Picture, samples: int, rng: np.random.Generator) -> None:
    """Add ``samples`` paths per pixel to a picture of zeros."""
    height, width = picture.surface.shape
    spare = np.empty((7, 3), np.float32)
    path = Path(spare[0], spare[1], spare[2], spare[3], spare[4], spare[5], spare[6])
    for i in range(height):
        for j in range(width):
            for s in range(samples):
                x, y = rng.random() - 0.5, rng.random() - 0.5
                _look(eye, path, j + x - (width - 1) / 2, i + y - (height - 1) / 2)
                index = _arrive(scene, path, rng)
                if index < 0:
                    for c in range(3):
                        picture.other[i, j, c] += scene.sky_light[c] * 0.55
                        picture.albedo[i, j, c] += 1.0
                else:
                    for c in range(3):
                        picture.albedo[i, j, c] += path.rgb[c]
                        picture.straight[i, j, c] += path.light[c]
                        picture.colour[i, j, c] += path.rgb[c] * path.light[c]
                if s == 0:
                    picture.surface[i, j] = index
                elif picture.surface[i, j] != index:
                    picture.surface[i, j] = -2
                if index >= 0 and s % THIN == 0:
                    _gather(scene, path, rng, picture.other[i, j])
