"""The colour of surfaces before light: patterns, textures, faces, hair, by template position."""

from __future__ import annotations

import math

import numpy as np

from synthetic.appearance import (  # fmt: skip
    ANGLE,
    BLOTCHES,
    CHECKS,
    DETAIL,
    DOTS,
    EYE,
    GLASSES,
    GRAIN,
    HAIR,
    LAYER,
    MIX,
    PATTERN,
    PERIOD,
    PHOTO,
    SECOND,
    SHIFT,
    SHOE,
    SKIN,
    STRIPES,
    TEXTURE,
)
from synthetic.bodies import ByteArray, FloatArray
from synthetic.compiling import per_pixel
from synthetic.sewing import sewn

LATTICE = 32  # side of the noise lattice; it tiles


def noise_lattice(seed: int = 5) -> FloatArray:
    """White noise in -1..1, (LATTICE, LATTICE, LATTICE, 4): one channel of values, three of directions."""
    return np.random.default_rng(seed).uniform(-1, 1, (LATTICE, LATTICE, LATTICE, 4)).astype(np.float32)


@per_pixel(inline=True)
def noise(lattice: FloatArray, x: float, y: float, z: float, channel: int) -> float:
    """Trilinear value noise in -1..1, period LATTICE."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    x, y, z = x - fx, y - fy, z - fz
    i, j, k = int(fx) & 31, int(fy) & 31, int(fz) & 31
    p, q, r = (i + 1) & 31, (j + 1) & 31, (k + 1) & 31
    a = lattice[i, j, k, channel] * (1 - x) + lattice[p, j, k, channel] * x
    b = lattice[i, q, k, channel] * (1 - x) + lattice[p, q, k, channel] * x
    c = lattice[i, j, r, channel] * (1 - x) + lattice[p, j, r, channel] * x
    d = lattice[i, q, r, channel] * (1 - x) + lattice[p, q, r, channel] * x
    return float((a * (1 - y) + b * y) * (1 - z) + (c * (1 - y) + d * y) * z)


@per_pixel()
def _blend(rgb: FloatArray, m: FloatArray, t: float) -> None:
    for c in range(3):
        rgb[c] = m[c] * (1 - t) + m[SECOND + c] * t


@per_pixel()
def _woven(rgb: FloatArray, m: FloatArray, p: FloatArray, lattice: FloatArray) -> None:
    """Stripes, checks, dots and blotches on the template position p."""
    kind = int(m[PATTERN])
    across, up = p[0] + 0.8 * p[1], p[2]
    cosine, sine = math.cos(m[ANGLE]), math.sin(m[ANGLE])
    s, t = (cosine * across - sine * up) / m[PERIOD], (sine * across + cosine * up) / m[PERIOD]
    if kind == STRIPES:
        _blend(rgb, m, 1.0 if t - math.floor(t) < 0.25 + 0.4 * m[MIX] else 0.0)
    elif kind == CHECKS:
        a = 0.5 if s - math.floor(s) < 0.5 else 0.0
        _blend(rgb, m, (a + (0.5 if t - math.floor(t) < 0.5 else 0.0)) * m[MIX])
    elif kind == DOTS:
        a, b = s - math.floor(s) - 0.5, t - math.floor(t) - 0.5
        _blend(rgb, m, 1.0 if a * a + b * b < 0.06 else 0.0)
    elif kind == BLOTCHES:
        f = 0.5 / m[PERIOD]
        _blend(rgb, m, 1.0 if noise(lattice, p[0] * f + m[SHIFT], p[1] * f, p[2] * f, 0) > 0.1 else 0.0)


@per_pixel()
def _face(rgb: FloatArray, m: FloatArray, p: FloatArray, eyes: FloatArray) -> None:
    """Glasses, lips, brows and beard; SECOND is the colour of hair, MIX how much beard."""
    if p[1] > -0.07 or p[2] < 0.6:
        return
    x, z = abs(p[0]), p[2] - eyes[2]
    if m[GLASSES] > 0.0 and abs(z + 0.002) < 0.019 and x > 0.008 and x < 0.058 and p[1] < -0.09:
        rim = abs(z + 0.002) > 0.0155 or x < 0.0115 or x > 0.0545
        if m[GLASSES] > 1.0 or rim:  # sunglasses, or the frame of clear ones
            rgb[0], rgb[1], rgb[2] = 0.04, 0.04, 0.05
            return
    lips = (x / 0.025) ** 2 + ((z + 0.066) / 0.008) ** 2
    if lips < 1.0:
        rgb[0] *= 0.86
        rgb[1] *= 0.62
        rgb[2] *= 0.62
    elif x > 0.010 and x < 0.048 and abs(z - 0.021 + 6.0 * (x - 0.03) ** 2) < 0.0045:
        _blend(rgb, m, 0.75)
    elif m[MIX] > 0.0 and z < -0.035 and (z < -0.05 or x < 0.04) and p[1] < -0.05:
        _blend(rgb, m, m[MIX])


@per_pixel()
def _texel(rgb: FloatArray, atlas: ByteArray, layer: int, u: float, v: float) -> None:
    size = atlas.shape[1]
    x, y = u * size - 0.5, v * size - 0.5
    fx, fy = math.floor(x), math.floor(y)
    x, y = x - fx, y - fy
    i, j = int(fx) % size, int(fy) % size
    k, n = (i + 1) % size, (j + 1) % size
    for c in range(3):
        top = atlas[layer, j, i, c] * (1 - x) + atlas[layer, j, k, c] * x
        low = atlas[layer, n, i, c] * (1 - x) + atlas[layer, n, k, c] * x
        rgb[c] = (top * (1 - y) + low * y) / 255.0


@per_pixel()
def _photo(rgb: FloatArray, m: FloatArray, p: FloatArray, uv: FloatArray, atlas: ByteArray) -> None:
    """A texture by its coordinates, tinted, or a print laid flat on the cloth."""
    if int(m[PATTERN]) == PHOTO:
        _texel(rgb, atlas, int(m[LAYER]), (p[0] + 0.7 * p[1]) / m[PERIOD] + m[SHIFT], -p[2] / m[PERIOD])
        return
    _texel(rgb, atlas, int(m[LAYER]), uv[0], uv[1])
    for c in range(3):  # the texture gives structure, the material its tint
        rgb[c] *= m[c]


@per_pixel()
def _eye(rgb: FloatArray, m: FloatArray, p: FloatArray, eyes: FloatArray) -> None:
    d = (abs(p[0]) - eyes[0]) ** 2 + (p[2] - eyes[2]) ** 2
    if d < 0.0025**2:
        rgb[:] = 0.02
    elif d < 0.0062**2:
        _blend(rgb, m, 1.0)


@per_pixel()
def _grain(rgb: FloatArray, m: FloatArray, p: FloatArray, lattice: FloatArray, eyes: FloatArray) -> float:
    """Brightness from strands and threads; draws the face on skin on the way."""
    kind = int(m[PATTERN])
    shade = 1.0
    if kind == HAIR:
        shade += 0.35 * noise(lattice, p[0] * 260 + m[SHIFT], p[1] * 260, p[2] * 22, 0)
    elif kind == SKIN and p[2] > 0.6:
        _face(rgb, m, p, eyes)
    if m[GRAIN] > 0:
        shade += m[GRAIN] * noise(lattice, p[0] * 170 + m[SHIFT], p[1] * 170, p[2] * 170, 0)
    return shade


@per_pixel()
def albedo(
    rgb: FloatArray,
    m: FloatArray,
    p: FloatArray,
    uv: FloatArray,
    atlas: ByteArray,
    lattice: FloatArray,
    eyes: FloatArray,
) -> None:
    """Unlit colour of material row ``m`` at template position ``p``, into ``rgb``."""
    kind = int(m[PATTERN])
    for c in range(3):
        rgb[c] = m[c]
    if kind in (TEXTURE, PHOTO) or (kind == SKIN and m[LAYER] >= 0):
        _photo(rgb, m, p, uv, atlas)
    elif kind == EYE:
        _eye(rgb, m, p, eyes)
    elif kind == SHOE:
        _blend(rgb, m, 1.0 if p[2] < m[PERIOD] else 0.0)
    elif kind in (STRIPES, CHECKS, DOTS, BLOTCHES):
        _woven(rgb, m, p, lattice)
    if m[DETAIL] > 0:
        sewn(rgb, m, p)
    shade = _grain(rgb, m, p, lattice, eyes)
    for c in range(3):
        rgb[c] *= shade
