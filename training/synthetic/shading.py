"""The shader: label and colour of each pixel of a rasterised scene."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from training.synthetic.appearance import (
    ALWAYS_HEAD, ANGLE, BLOTCHES, CHECKS, DOTS, EYE, GLOSS, GRAIN, HAIR, LABEL, LAYER, MIX, NOTHING, PATTERN, PERIOD,
    PHOTO, SECOND, SHIFT, SHOE, SKIN, SPEC, STRIPES, TEXTURE, WRINKLE,
)  # fmt: skip
from training.synthetic.partition import ANATOMY, LHEAD, UHEAD, classify

LATTICE = 32  # side of the noise lattice; it tiles


def noise_lattice(seed: int = 5) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).uniform(-1, 1, (LATTICE, LATTICE, LATTICE)).astype(np.float32)


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def noise(lattice, x, y, z):  # type: ignore[no-untyped-def]
    """Trilinear value noise in -1..1, period LATTICE."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    x, y, z = x - fx, y - fy, z - fz
    i, j, k = int(fx) & 31, int(fy) & 31, int(fz) & 31
    p, q, r = (i + 1) & 31, (j + 1) & 31, (k + 1) & 31
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    a = lattice[i, j, k] * (1 - x) + lattice[p, j, k] * x
    b = lattice[i, q, k] * (1 - x) + lattice[p, q, k] * x
    c = lattice[i, j, r] * (1 - x) + lattice[p, j, r] * x
    d = lattice[i, q, r] * (1 - x) + lattice[p, q, r] * x
    return (a * (1 - y) + b * y) * (1 - z) + (c * (1 - y) + d * y) * z


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _blend(rgb, m, t):  # type: ignore[no-untyped-def]
    for c in range(3):
        rgb[c] = m[c] * (1 - t) + m[SECOND + c] * t


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _woven(rgb, m, p, lattice):  # type: ignore[no-untyped-def]
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
        _blend(rgb, m, 1.0 if noise(lattice, p[0] * f + m[SHIFT], p[1] * f, p[2] * f) > 0.1 else 0.0)


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _face(rgb, m, p, eyes):  # type: ignore[no-untyped-def]
    """Lips, brows, beard and flush of the template's face; SECOND is the colour of hair, MIX how much beard."""
    if p[1] > -0.07 or p[2] < 0.6:
        return
    x, z = abs(p[0]), p[2] - eyes[2]
    lips = (x / 0.025) ** 2 + ((z + 0.066) / 0.008) ** 2
    if lips < 1.0:
        rgb[0] *= 0.86
        rgb[1] *= 0.62
        rgb[2] *= 0.62
    elif x > 0.010 and x < 0.048 and abs(z - 0.021 + 6.0 * (x - 0.03) ** 2) < 0.0045:
        _blend(rgb, m, 0.75)
    elif m[MIX] > 0.0 and z < -0.035 and (z < -0.05 or x < 0.04) and p[1] < -0.05:
        _blend(rgb, m, m[MIX])


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _texel(rgb, atlas, layer, u, v):  # type: ignore[no-untyped-def]
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


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _albedo(rgb, m, p, uv, atlas, lattice, eyes):  # type: ignore[no-untyped-def]
    kind = int(m[PATTERN])
    for c in range(3):
        rgb[c] = m[c]
    if kind == TEXTURE:
        _texel(rgb, atlas, int(m[LAYER]), uv[0], uv[1])
        for c in range(3):  # the texture gives structure, the material its tint
            rgb[c] *= m[c]
    elif kind == PHOTO:
        _texel(rgb, atlas, int(m[LAYER]), (p[0] + 0.7 * p[1]) / m[PERIOD] + m[SHIFT], -p[2] / m[PERIOD])
    elif kind == EYE:
        d = (abs(p[0]) - eyes[0]) ** 2 + (p[2] - eyes[2]) ** 2
        _blend(rgb, m, 1.0 if d < 0.0062**2 else 0.0)
        if d < 0.0025**2:
            _blend(rgb, m, 1.6)
    elif kind == HAIR:
        strand = noise(lattice, p[0] * 260 + m[SHIFT], p[1] * 260, p[2] * 22)
        for c in range(3):
            rgb[c] *= 1.0 + 0.35 * strand
    elif kind == SHOE:
        _blend(rgb, m, 1.0 if p[2] < m[PERIOD] else 0.0)
    elif kind == SKIN:
        if m[LAYER] >= 0:
            _texel(rgb, atlas, int(m[LAYER]), uv[0], uv[1])
            for c in range(3):
                rgb[c] *= m[c]
        if p[2] > 0.6:
            _face(rgb, m, p, eyes)
    else:
        _woven(rgb, m, p, lattice)
    if m[GRAIN] > 0:
        g = 1.0 + m[GRAIN] * noise(lattice, p[0] * 170 + m[SHIFT], p[1] * 170, p[2] * 170)
        for c in range(3):
            rgb[c] *= g


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _wrinkle(n, m, p, lattice):  # type: ignore[no-untyped-def]
    """Tilt the normal by the gradient of two octaves of noise: folds in cloth."""
    for octave in range(2):
        f = 11.0 if octave == 0 else 34.0
        a = m[WRINKLE] * (0.55 if octave == 0 else 0.22)
        x, y, z = p[0] * f + m[SHIFT], p[1] * f, p[2] * f * 0.6
        h = noise(lattice, x, y, z)
        n[0] += a * (noise(lattice, x + 0.3, y, z) - h) * 3
        n[1] += a * (noise(lattice, x, y, z + 0.3) - h) * 3
        n[2] += a * (noise(lattice, x, y + 0.3, z) - h) * 3


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _shadowed(p, view, near, light_to):  # type: ignore[no-untyped-def]
    """1 lit, 0 in the shadow of something: p in camera space looked up in the light's own depth buffer."""
    size = near.shape[0]
    x = light_to[0, 0] * p[0] + light_to[0, 1] * p[1] + light_to[0, 2] * p[2] + light_to[0, 3]
    y = light_to[1, 0] * p[0] + light_to[1, 1] * p[1] + light_to[1, 2] * p[2] + light_to[1, 3]
    depth = light_to[2, 0] * p[0] + light_to[2, 1] * p[1] + light_to[2, 2] * p[2] + light_to[2, 3]
    lit = 0.0
    for k in range(4):
        i, j = int(y + (k // 2) * 0.7), int(x + (k % 2) * 0.7)
        if i < 0 or j < 0 or i >= size or j >= size or near[i, j] == 0.0 or 1.0 / near[i, j] > depth - 0.035:
            lit += 0.25
    return lit


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _light(n, view, m, lights):  # type: ignore[no-untyped-def]
    """Diffuse and specular light on a unit normal: (ambient by sky, sum of lamps without the first, first, spec)."""
    sky = 0.5 - 0.5 * (n[0] * lights[0, 0] + n[1] * lights[0, 1] + n[2] * lights[0, 2])
    first, rest, spec = 0.0, 0.0, 0.0
    for k in range(1, lights.shape[0]):
        d = n[0] * lights[k, 0] + n[1] * lights[k, 1] + n[2] * lights[k, 2]
        lambert = max(0.0, (d + 0.15) / 1.15) * lights[k, 3]
        if k == 1:
            first = lambert
            hx, hy, hz = lights[k, 0] - view[0], lights[k, 1] - view[1], lights[k, 2] - view[2]
            size = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
            h = max(0.0, (n[0] * hx + n[1] * hy + n[2] * hz) / size)
            spec = m[SPEC] * h ** m[GLOSS] * lights[k, 3]
        else:
            rest += lambert
    return sky, rest, first, spec


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def shade(face, weight, points, normals, body, faces, uv, owner, rows, lights, tints, near, light_to,  # type: ignore[no-untyped-def]
          atlas, lattice, marks, table):  # fmt: skip
    """Label, instance and colour of every pixel.

    Args:
        face, weight: from ``rasterise``.
        points: (V, 3) camera space, x right, y down, z away, metres; normals: (V, 3) in the same axes.
        body: (V, ANATOMY); faces: (F, 3); uv: (F, 3, 2); owner: (F, 2) int32 instance and material row.
        rows: (M, COLUMNS) materials.
        lights: (1 + K, 4): the sky's direction and ambient strength, then K lamps, towards the lamp, and strength.
        tints: (1 + K, 3) their colours; near, light_to: the first lamp's depth buffer and projection.

    Returns:
        labels (H, W) uint8, instances (H, W) uint8, rgba (H, W, 4) float32 0..1, alpha 1 where something is.
    """
    height, width = face.shape
    labels = np.zeros((height, width), np.uint8)
    instances = np.zeros((height, width), np.uint8)
    rgba = np.zeros((height, width, 4), np.float32)
    a, n, p = np.empty(ANATOMY, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    view, rgb, st = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(2, np.float32)
    for i in range(height):
        for j in range(width):
            f = face[i, j]
            if f < 0:
                continue
            v0, v1, v2 = faces[f, 0], faces[f, 1], faces[f, 2]
            w0, w1 = weight[i, j, 0], weight[i, j, 1]
            w2 = np.float32(1.0) - w0 - w1
            for c in range(ANATOMY):
                a[c] = w0 * body[v0, c] + w1 * body[v1, c] + w2 * body[v2, c]
            for c in range(3):
                n[c] = w0 * normals[v0, c] + w1 * normals[v1, c] + w2 * normals[v2, c]
                p[c] = w0 * points[v0, c] + w1 * points[v1, c] + w2 * points[v2, c]
            for c in range(2):
                st[c] = w0 * uv[f, 0, c] + w1 * uv[f, 1, c] + w2 * uv[f, 2, c]
            m = rows[owner[f, 1]]
            if m[LABEL] != NOTHING:
                instances[i, j] = owner[f, 0]
                if m[LABEL] == ALWAYS_HEAD:
                    side = 0 if a[0] >= 0.0 else 1
                    labels[i, j] = table[side, UHEAD] if a[2] > marks[13, 2] else table[side, LHEAD]
                else:
                    labels[i, j] = classify(a, marks, table)
            if m[WRINKLE] > 0:
                _wrinkle(n, m, a, lattice)
            distance = math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
            size = math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-9
            facing = 0.0
            for c in range(3):
                view[c] = p[c] / distance
                n[c] /= size
                facing += view[c] * n[c]
            if facing > 0.0:  # the inside of a skirt or a sleeve
                for c in range(3):
                    n[c] = -n[c]
            _albedo(rgb, m, a, st, atlas, lattice, marks[13])
            sky, rest, first, spec = _light(n, view, m, lights)
            lit = _shadowed(p, view, near, light_to) if first > 0.0 else 1.0
            for c in range(3):
                light = lights[0, 3] * tints[0, c] * (0.35 + 0.65 * sky) + rest * tints[2, c] + first * lit * tints[1, c]
                rgba[i, j, c] = rgb[c] * light + spec * lit * tints[1, c]
            rgba[i, j, 3] = 1.0
    return labels, instances, rgba


@njit(cache=True)  # type: ignore[untyped-decorator]
def halve_labels(labels, instances):  # type: ignore[no-untyped-def]
    """Each 2x2 block's commonest label; background only where most of the block is background."""
    height, width = labels.shape[0] // 2, labels.shape[1] // 2
    out = np.zeros((height, width), np.uint8)
    who = np.zeros((height, width), np.uint8)
    for i in range(height):
        for j in range(width):
            best = -1
            for k in range(4):
                y, x = 2 * i + k // 2, 2 * j + k % 2
                votes = 0
                for q in range(4):
                    votes += labels[2 * i + q // 2, 2 * j + q % 2] == labels[y, x]
                votes = 2 * votes + (labels[y, x] != 0)
                if votes > best:
                    best = votes
                    out[i, j] = labels[y, x]
                    who[i, j] = instances[y, x]
    return out, who
