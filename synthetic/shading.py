"""The shader: label, instance and colour of each pixel of a rasterised scene.

Compiled code is cached per file: after a change in ``sewing``, ``texturing`` or ``partition``,
touch the files that import them too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from synthetic.appearance import ALWAYS_HEAD, GLOSS, LABEL, NOTHING, SHIFT, SPEC, WRINKLE  # fmt: skip
from synthetic.bodies import ByteArray, FloatArray, IntArray
from synthetic.compiling import per_pixel
from synthetic.partition import ANATOMY, LHEAD, UHEAD, classify
from synthetic.texturing import albedo, noise

# Layout of the values interpolated at a pixel: anatomy first, then these.
NORMAL, POINT, UV = ANATOMY, ANATOMY + 3, ANATOMY + 6
VALUES = UV + 2  # of a pixel


class Surface(NamedTuple):
    """All pieces of all people as one mesh in camera space (x right, y down, z away, metres)."""

    points: FloatArray  # (V, 3)
    values: FloatArray  # (V, UV) anatomy, normal and point: what is interpolated, side by side in memory
    faces: IntArray  # (F, 3)
    uv: FloatArray  # (F, 3, 2)
    owner: IntArray  # (F, 2) instance from 1, row of ``rows``
    rows: FloatArray  # (M, COLUMNS) materials


class Lamps(NamedTuple):
    """Lights in camera space."""

    # (3, 4) downwards and ambient strength; then two lamps, direction to the lamp and strength
    lights: FloatArray
    tints: FloatArray  # (3, 3) their colours
    near: FloatArray  # (S, S) 1/depth as the first lamp sees the surface, 0 where it sees nothing
    light_to: FloatArray  # (3, 4) from camera space to columns, rows and depths of ``near``


class Tables(NamedTuple):
    """Tables that stay the same from picture to picture."""

    atlas: ByteArray  # (L, S, S, 4)
    lattice: FloatArray  # noise
    marks: FloatArray  # (14, 3) landmarks of the template
    parts: ByteArray  # (2, 15) label ids


@per_pixel(inline=True)
def _wrinkle(n: FloatArray, m: FloatArray, p: FloatArray, lattice: FloatArray) -> None:
    """Tilt the normal by two octaves of noise vectors: folds in cloth."""
    x, y, z = p[0] * 14.0 + m[SHIFT], p[1] * 14.0, p[2] * 9.0
    for c in range(3):
        coarse = noise(lattice, x, y, z, c + 1)
        n[c] += m[WRINKLE] * (0.32 * coarse + 0.16 * noise(lattice, x * 3, y * 3, z * 3, c + 1))


@per_pixel(inline=True)
def _lit(p: FloatArray, lamps: Lamps) -> float:
    """1 in the first lamp's light, 0 in shadow, at p in camera space."""
    near, to = lamps.near, lamps.light_to
    size = near.shape[0]
    x = to[0, 0] * p[0] + to[0, 1] * p[1] + to[0, 2] * p[2] + to[0, 3]
    y = to[1, 0] * p[0] + to[1, 1] * p[1] + to[1, 2] * p[2] + to[1, 3]
    depth = to[2, 0] * p[0] + to[2, 1] * p[1] + to[2, 2] * p[2] + to[2, 3]
    beyond = 1.0 / (depth - 0.035)
    lit = 0.0
    for k in range(4):
        i, j = int(y + (k // 2) * 0.7), int(x + (k % 2) * 0.7)
        # 35 mm of bias: thinner gaps between arm and trunk stay lit, but no surface shadows itself.
        if i < 0 or j < 0 or i >= size or j >= size or near[i, j] < beyond:
            lit += 0.25
    return lit


@per_pixel(inline=True)
def _light(
    rgb: FloatArray, n: FloatArray, view: FloatArray, p: FloatArray, m: FloatArray, lamps: Lamps
) -> None:
    """Turn unlit colour into lit: ambient by sky, two lamps, a highlight of the first."""
    lights, tints = lamps.lights, lamps.tints
    sky = 0.5 - 0.5 * (n[0] * lights[0, 0] + n[1] * lights[0, 1] + n[2] * lights[0, 2])
    facing1 = n[0] * lights[1, 0] + n[1] * lights[1, 1] + n[2] * lights[1, 2]
    facing2 = n[0] * lights[2, 0] + n[1] * lights[2, 1] + n[2] * lights[2, 2]
    key = max(0.0, (facing1 + 0.15) / 1.15) * lights[1, 3]
    fill = max(0.0, (facing2 + 0.15) / 1.15) * lights[2, 3]
    spec = 0.0
    if key > 0.0:
        key *= _lit(p, lamps)
        hx, hy, hz = lights[1, 0] - view[0], lights[1, 1] - view[1], lights[1, 2] - view[2]
        half = max(0.0, (n[0] * hx + n[1] * hy + n[2] * hz) / (math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9))
        spec = m[SPEC] * half ** m[GLOSS] * min(key, lights[1, 3])
    for c in range(3):
        light = lights[0, 3] * tints[0, c] * (0.45 + 0.55 * sky) + fill * tints[2, c] + key * tints[1, c]
        rgb[c] = rgb[c] * light + spec * tints[1, c]


@per_pixel(inline=True)
def _turned(n: FloatArray, p: FloatArray, view: FloatArray) -> None:
    """Unit ``n``, turned towards the camera; ``view`` becomes the unit direction from the camera to p."""
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


@per_pixel(inline=True)
def _interpolate(  # noqa: PLR0913, PLR0917  # compiled: a tuple of arrays would be copied at each pixel
    out: FloatArray, values: FloatArray, a: int, b: int, c: int, wa: float, wb: float, wc: float
) -> None:
    """Add the weighted values of a triangle's corners to ``out``."""
    for i in range(UV):
        out[i] += wa * values[a, i] + wb * values[b, i] + wc * values[c, i]


@per_pixel(inline=True)
def _groups(face: IntArray, owner: IntArray, y: int, x: int, group: IntArray) -> None:
    """Which of a pixel's four samples share a surface: the first sample on the same one, -1 empty."""
    f = face[y, x]
    if f == face[y, x + 1] and f == face[y + 1, x] and f == face[y + 1, x + 1]:
        group[:] = 0
        return
    for k in range(4):
        f = face[y + k // 2, x + k % 2]
        group[k] = -1 if f < 0 else k
        for q in range(k):
            if group[q] == q and f >= 0:
                g = face[y + q // 2, x + q % 2]
                if owner[f, 0] == owner[g, 0] and owner[f, 1] == owner[g, 1]:
                    group[k] = q
                    break


@per_pixel(inline=True)
def _label(a: FloatArray, m: FloatArray, tables: Tables) -> int:
    if m[LABEL] == NOTHING:
        return 0
    if m[LABEL] == ALWAYS_HEAD:
        side = 0 if a[0] >= 0.0 else 1
        return int(tables.parts[side, UHEAD] if a[2] > tables.marks[13, 2] else tables.parts[side, LHEAD])
    return int(classify(a, tables.marks, tables.parts))


@per_pixel(inline=True)
def _gather(  # noqa: PLR0913, PLR0917  # compiled: a tuple of arrays would be copied at each pixel
    k: int, y: int, x: int, face: IntArray, weight: FloatArray, group: IntArray, s: Surface, at: FloatArray
) -> int:
    """Interpolate the values at the middle of a group of samples into ``at``; the number of samples."""
    members = 0
    for q in range(k, 4):
        members += group[q] == k
    for i in range(at.shape[0]):
        at[i] = 0
    last = k
    for q in range(k + 1, 4):
        if group[q] == k:
            last = q
    # The first and the last sample of a full pixel lie diagonally: their mean is its centre.
    share = 1.0 if last == k else 0.5
    for q in (k, last):
        i, j = y + q // 2, x + q % 2
        f = face[i, j]
        wa, wb = weight[i, j, 0] * share, weight[i, j, 1] * share
        _interpolate(at, s.values, s.faces[f, 0], s.faces[f, 1], s.faces[f, 2], wa, wb, share - wa - wb)
        if last == k:
            break
    i, j = y + k // 2, x + k % 2  # texture may jump between faces: take the first sample's
    f = face[i, j]
    wa, wb = weight[i, j, 0], weight[i, j, 1]
    for c in range(2):
        at[UV + c] = wa * s.uv[f, 0, c] + wb * s.uv[f, 1, c] + (1 - wa - wb) * s.uv[f, 2, c]
    return members


def shade(
    face: IntArray, weight: FloatArray, surface: Surface, lamps: Lamps, tables: Tables
) -> tuple[ByteArray, ByteArray, FloatArray]:
    """Label, instance and colour of every pixel from 2x2 samples.

    Each surface in a pixel is shaded once, amid its samples, so inner pixels cost one evaluation. A pixel is
    labelled as the surface that holds most of it; half background and half person counts as person.

    Args:
        face: (2H, 2W) from ``rasterise``.
        weight: (2H, 2W, 2) from ``rasterise``.
        surface: what was rasterised.
        lamps: the light.
        tables: textures, noise and the rules of the parts.

    Returns:
        labels (H, W) uint8, instances (H, W) uint8, rgba (H, W, 4) float32, premultiplied, alpha the share
        covered.
    """
    height, width = face.shape[0] // 2, face.shape[1] // 2
    labels, instances = (np.zeros((height, width), np.uint8) for _ in range(2))
    rgba = np.zeros((height, width, 4), np.float32)
    scratch, group = np.empty(VALUES + 6, np.float32), np.empty(4, np.int32)
    _shade(face, weight, surface, lamps, tables, labels, instances, rgba, scratch, group)
    return labels, instances, rgba


@per_pixel()
def _shade(  # noqa: PLR0913, PLR0917  # compiled
    face: IntArray,
    weight: FloatArray,
    surface: Surface,
    lamps: Lamps,
    tables: Tables,
    labels: ByteArray,
    instances: ByteArray,
    rgba: FloatArray,
    scratch: FloatArray,
    group: IntArray,
) -> None:
    """Fill the results of ``shade``; ``scratch`` and ``group`` are room for the values of one pixel."""
    height, width = labels.shape
    at, rgb, view = scratch[:VALUES], scratch[VALUES : VALUES + 3], scratch[VALUES + 3 :]
    a, n, p, st = at[:ANATOMY], at[NORMAL:POINT], at[POINT:UV], at[UV:]
    for i in range(height):
        for j in range(width):
            y, x = 2 * i, 2 * j
            if face[y, x] < 0 and face[y, x + 1] < 0 and face[y + 1, x] < 0 and face[y + 1, x + 1] < 0:
                continue
            _groups(face, surface.owner, y, x, group)
            most, empty = 0, 0
            for k in range(4):
                empty += group[k] < 0
                if group[k] != k:
                    continue
                members = _gather(k, y, x, face, weight, group, surface, at)
                owner = surface.owner[face[y + k // 2, x + k % 2]]
                m = surface.rows[owner[1]]
                if members > most:
                    most = members
                    labels[i, j] = _label(a, m, tables)
                    instances[i, j] = owner[0] if labels[i, j] > 0 else 0
                if m[WRINKLE] > 0:
                    _wrinkle(n, m, a, tables.lattice)
                _turned(n, p, view)
                albedo(rgb, m, a, st, tables.atlas, tables.lattice, tables.marks[13])
                _light(rgb, n, view, p, m, lamps)
                for c in range(3):
                    rgba[i, j, c] += rgb[c] * members / 4
                rgba[i, j, 3] += members / 4
            if empty > 2:
                labels[i, j], instances[i, j] = 0, 0
