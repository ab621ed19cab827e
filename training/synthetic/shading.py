"""The shader: label and colour of each pixel of a rasterised scene."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from training.synthetic.appearance import (
    ALWAYS_HEAD, ANGLE, BLOTCHES, CHECKS, DOTS, EYE, GLASSES, GLOSS, GRAIN, HAIR, LABEL, LAYER, MIX, NOTHING, PATTERN, PERIOD,
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
def _shadowed(p, near, light_to):  # type: ignore[no-untyped-def]
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
def _interpolate(out, values, faces, f, weight, share):  # type: ignore[no-untyped-def]
    """Add ``share`` of the values of one face's corners at the given weights."""
    w0, w1 = weight[0] * share, weight[1] * share
    w2 = share - w0 - w1
    v0, v1, v2 = faces[f, 0], faces[f, 1], faces[f, 2]
    for c in range(out.shape[0]):
        out[c] += w0 * values[v0, c] + w1 * values[v1, c] + w2 * values[v2, c]


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _groups(face, owner, y, x, group):  # type: ignore[no-untyped-def]
    """Which of a pixel's four samples share a surface: group[k] is the first sample on the same one, -1 empty."""
    for k in range(4):
        f = face[y + k // 2, x + k % 2]
        group[k] = -1 if f < 0 else k
        for q in range(k):
            if group[q] == q and f >= 0:
                g = face[y + q // 2, x + q % 2]
                if owner[f, 0] == owner[g, 0] and owner[f, 1] == owner[g, 1]:
                    group[k] = q
                    break


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _label(a, m, marks, table):  # type: ignore[no-untyped-def]
    if m[LABEL] == NOTHING:
        return 0
    if m[LABEL] == ALWAYS_HEAD:
        side = 0 if a[0] >= 0.0 else 1
        return table[side, UHEAD] if a[2] > marks[13, 2] else table[side, LHEAD]
    return classify(a, marks, table)


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _colour(rgb, a, n, p, st, m, view, lights, tints, near, light_to, atlas, lattice, marks):  # type: ignore[no-untyped-def]
    """Lit colour into ``rgb``; ``n`` and ``view`` are overwritten."""
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
    lit = _shadowed(p, near, light_to) if first > 0.0 else 1.0
    for c in range(3):
        light = lights[0, 3] * tints[0, c] * (0.45 + 0.55 * sky) + rest * tints[2, c] + first * lit * tints[1, c]
        rgb[c] = rgb[c] * light + spec * lit * tints[1, c]


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def shade(face, weight, points, normals, body, faces, uv, owner, rows, lights, tints, near, light_to,  # type: ignore[no-untyped-def]
          atlas, lattice, marks, table):  # fmt: skip
    """Label, instance and colour of every pixel from 2x2 samples.

    Each surface in a pixel is shaded once, at the mean of its samples, so inner pixels cost one evaluation. A pixel
    is labelled as the surface that holds most of it; half background and half person counts as person.

    Args:
        face: (2H, 2W), and weight: (2H, 2W, 2), from ``rasterise``.
        points: (V, 3) camera space, x right, y down, z away, metres; normals: (V, 3) in the same axes.
        body: (V, ANATOMY); faces: (F, 3); uv: (F, 3, 2); owner: (F, 2) int32 instance and material row.
        rows: (M, COLUMNS) materials.
        lights: (3, 4): downwards and ambient strength, then two lamps, direction to the lamp and strength.
        tints: (3, 3) their colours; near, light_to: the first lamp's depth buffer and projection.
        atlas, lattice, marks, table: textures, noise, landmarks and label ids.

    Returns:
        labels (H, W) uint8, instances (H, W) uint8, rgba (H, W, 4) float32 premultiplied, alpha the share covered.
    """
    height, width = face.shape[0] // 2, face.shape[1] // 2
    labels = np.zeros((height, width), np.uint8)
    instances = np.zeros((height, width), np.uint8)
    rgba = np.zeros((height, width, 4), np.float32)
    a, n, p = np.empty(ANATOMY, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    view, rgb, st = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(2, np.float32)
    group = np.empty(4, np.int32)
    for i in range(height):
        for j in range(width):
            y, x = 2 * i, 2 * j
            if face[y, x] < 0 and face[y, x + 1] < 0 and face[y + 1, x] < 0 and face[y + 1, x + 1] < 0:
                continue
            _groups(face, owner, y, x, group)
            most = 0
            empty = 0
            for k in range(4):
                empty += group[k] < 0
                if group[k] != k:
                    continue
                members = 0
                for q in range(k, 4):
                    members += group[q] == k
                a[:], n[:], p[:], st[:] = 0, 0, 0, 0
                f = face[y + k // 2, x + k % 2]
                for q in range(k, 4):
                    if group[q] != k:
                        continue
                    g, w = face[y + q // 2, x + q % 2], weight[y + q // 2, x + q % 2]
                    share = np.float32(1.0 / members)
                    _interpolate(a, body, faces, g, w, share)
                    _interpolate(n, normals, faces, g, w, share)
                    _interpolate(p, points, faces, g, w, share)
                w = weight[y + k // 2, x + k % 2]  # texture may jump between faces: take the first sample's
                for c in range(2):
                    st[c] = w[0] * uv[f, 0, c] + w[1] * uv[f, 1, c] + (1 - w[0] - w[1]) * uv[f, 2, c]
                m = rows[owner[f, 1]]
                if members > most:
                    most = members
                    labels[i, j] = _label(a, m, marks, table)
                    instances[i, j] = owner[f, 0] if labels[i, j] > 0 else 0
                _colour(rgb, a, n, p, st, m, view, lights, tints, near, light_to, atlas, lattice, marks)
                for c in range(3):
                    rgba[i, j, c] += rgb[c] * members / 4
                rgba[i, j, 3] += members / 4
            if empty > 2:
                labels[i, j], instances[i, j] = 0, 0
    return labels, instances, rgba
