"""Colours of the parts: the set's own, or ones that colour-blind people can tell."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from models.labels import PartRow, PartSet

# Warm for the person's right, cool for their left: the axis that red-green blindness leaves alone.
_HUES = {
    ("Arm", "right"): 0.085, ("Leg", "right"): 0.045, ("Head", "right"): 0.14, ("Torso", "right"): 0.12,
    ("Arm", "left"): 0.56, ("Leg", "left"): 0.62, ("Head", "left"): 0.51, ("Torso", "left"): 0.53,
}  # fmt: skip
# Along a limb lightness alternates, so that neighbours differ without their hue.
_LIGHTNESS = (0.72, 0.42, 0.82, 0.5, 0.88, 0.34)


def colours(parts: PartSet, *, colour_blind: bool) -> NDArray[np.uint8]:
    """(256, 3) RGB by label id."""
    table = parts.palette()
    if colour_blind:
        for part, row in enumerate(parts.rows, start=1):
            table[part] = _safe_colour(row)
    return table


def _safe_colour(row: PartRow) -> tuple[int, int, int]:
    if row.group not in {group for group, _ in _HUES}:
        return 160, 160, 160
    hue = _HUES.get((row.group, row.side), 0.14)
    red, green, blue = colorsys.hls_to_rgb(hue, _LIGHTNESS[row.rank], 0.85 if row.side else 0.1)
    return round(red * 255), round(green * 255), round(blue * 255)


def tints(table: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint32]:
    """(256,) look-up table from label id to ARGB32 premultiplied.

    Args:
        table: (256, 3) RGB.
        alpha: (256,) 0..1.
    """
    premultiplied = np.rint(table * alpha[:, None]).astype(np.uint32)
    opaque = np.rint(alpha * 255).astype(np.uint32)
    out: NDArray[np.uint32] = (
        opaque << 24 | premultiplied[:, 0] << 16 | premultiplied[:, 1] << 8 | premultiplied[:, 2]
    )
    return out
