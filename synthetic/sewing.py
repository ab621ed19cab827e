"""Details sewn or printed on clothes: by them a front is told from a back, and so left from right."""

from __future__ import annotations

import math

from synthetic.appearance import ACCENT, BUTTONS, DETAIL, NUMBER, POCKETS, PRINT, TIE, ZIP
from synthetic.bodies import FloatArray
from synthetic.compiling import per_pixel

_FRONT_Y = -0.03  # of the template, whose middle plane lies about here; the face looks towards -y


@per_pixel()
def sewn(rgb: FloatArray, m: FloatArray, p: FloatArray) -> None:
    """Draw the detail of material row ``m`` at template position ``p`` over ``rgb``."""
    kind = int(m[DETAIL])
    x, y, z = abs(p[0]), p[1], p[2]
    t = 0.0
    if kind == POCKETS:
        if y < _FRONT_Y and 0.085 < z < 0.112 and x < 0.022:  # a buckle
            rgb[0], rgb[1], rgb[2] = 0.75, 0.7, 0.55
            return
        t = _trousers(x, y, z)
    elif x > 0.16:
        return
    elif kind == NUMBER:
        t = _number(p[0], y, z)
    elif y < _FRONT_Y:
        t = _front(kind, p[0], z)
    for c in range(3):
        rgb[c] = rgb[c] * (1 - t) + m[ACCENT + c] * t


@per_pixel(inline=True)
def _trousers(x: float, y: float, z: float) -> float:
    """A belt all round, a fly before, pockets with seams behind."""
    if 0.085 < z < 0.112 or (y < _FRONT_Y and x < 0.006 and 0.0 < z < 0.09):
        return 1.0
    if y > 0.03 and 0.035 < x < 0.115 and -0.06 < z < 0.045:
        return 1.0 if x < 0.041 or x > 0.109 or z < -0.053 or z > 0.038 else 0.35
    return 0.0


@per_pixel(inline=True)
def _number(x: float, y: float, z: float) -> float:
    """Two figures of bars, 0.2 high, on the back, and a badge on the left of the chest."""
    if y < _FRONT_Y:
        return 1.0 if 0.40 < z < 0.44 and 0.05 < x < 0.10 else 0.0
    if y < 0.0 or z < 0.24 or z > 0.44:
        return 0.0
    u, v = abs(abs(x) - 0.055), abs(z - 0.34)
    return 1.0 if u < 0.04 and (u > 0.022 or v > 0.078 or (v < 0.011 and x > 0)) else 0.0


@per_pixel(inline=True)
def _front(kind: int, side: float, z: float) -> float:
    """Buttons with a placket and a collar, a zip, a print on the chest, a tie."""
    x = abs(side)
    if kind == BUTTONS:
        if z > 0.50 and x < 0.09:
            return 0.6
        low = (z / 0.075 - math.floor(z / 0.075) - 0.5) * 0.075
        if x * x + low * low < 0.0075**2:
            return 1.0
        return 0.45 if 0.016 < side < 0.020 else 0.0
    inside = kind == ZIP and x < 0.007
    if kind == PRINT:
        inside = x < 0.085 and 0.30 < z < 0.43 and (x > 0.055 or 0.34 < z < 0.39)
    elif kind == TIE:
        inside = z > 0.16 and x < 0.012 + 0.073 * max(0.0, 0.52 - z)
    return 1.0 if inside else 0.0
