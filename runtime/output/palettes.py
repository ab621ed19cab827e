"""Colours of parts and people, on screen and in files; or ones that colour-blind people can tell."""

from __future__ import annotations

import colorsys
import functools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import PartRow, PartSet
from models.results import PersonResult

# Warm for the person's right, cool for their left: the axis that red-green blindness leaves alone.
_HUES = {
    ("Arm", "right"): 0.085, ("Leg", "right"): 0.045, ("Head", "right"): 0.14, ("Torso", "right"): 0.12,
    ("Arm", "left"): 0.56, ("Leg", "left"): 0.62, ("Head", "left"): 0.51, ("Torso", "left"): 0.53,
}  # fmt: skip
# Along a limb lightness alternates, so that neighbours differ without their hue.
_LIGHTNESS = (0.72, 0.42, 0.82, 0.5, 0.88, 0.34)

DARKEST, LIGHT = 34.0, 60.0  # L* that black becomes, and from which on a colour stays
NOBODYS = (150, 150, 150)  # RGB of a person without a number among people who have one
#: RGB, each the light and vivid colour that lies furthest in CIELAB from all before it.
_VIVID = """f0be1e dd11ff 00bbff ff3366 00ff00 229955 ffaaff ff6600 6677ff bbee22 00eeee ff33bb
            ff9977 00ee77 888833 aadd77 ff88aa 44aa00 cc66ee bb7711 8899ee eecc77 66eeaa 99aa00"""
#: The same for protanopes and deuteranopes, by the nearer of the two (Viénot, Brettel, Mollon 1999).
_SAFE = """f0be1e 9966ff dd6688 ccaaff dd6644 aaee99 00eedd ee33aa cc8800 aa66dd 77bb77 bbdd66
           77eebb 339944 00eeff cc77cc 00ff44 00ccaa ee11ff cc88ff bbaa44 ee88cc ee8866 bb66cc"""
_VIVID_RGB, _SAFE_RGB = ([tuple(bytes.fromhex(c)) for c in row.split()] for row in (_VIVID, _SAFE))


def colours(parts: PartSet, *, colour_blind: bool) -> NDArray[np.uint8]:
    """(256, 3) RGB by label id, as it is painted over pictures."""
    table = seen_palette(parts).copy()
    if colour_blind:
        for part, row in enumerate(parts.rows, start=1):
            table[part] = _safe_colour(row)
    return table


@functools.cache
def seen_palette(parts: PartSet) -> NDArray[np.uint8]:
    """(256, 3) RGB of a part set; a colour too dark to be seen is lighter (CIELAB L*), in the same hue."""
    lab = cv2.cvtColor(parts.palette()[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab[..., 0] = np.maximum(lab[..., 0], DARKEST + (1 - DARKEST / LIGHT) * lab[..., 0])
    rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0], np.float32)
    table: NDArray[np.uint8] = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    table[0] = table[parts.classes :] = 0
    return table


def _safe_colour(row: PartRow) -> tuple[int, int, int]:
    if row.group not in {group for group, _ in _HUES}:
        return 160, 160, 160
    hue = _HUES.get((row.group, row.side), 0.14)
    red, green, blue = colorsys.hls_to_rgb(hue, _LIGHTNESS[row.rank], 0.85 if row.side else 0.1)
    return round(red * 255), round(green * 255), round(blue * 255)


def tints(rgb: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint32]:
    """(…) ARGB32, premultiplied, of colours (…, 3) and alpha (…) 0..1: a picture, or a table by label id."""
    opaque = np.rint(alpha * 255).astype(np.uint32)
    red, green, blue = np.moveaxis(np.rint(rgb * alpha[..., None]).astype(np.uint32), -1, 0)
    return np.asarray(opaque << 24 | red << 16 | green << 8 | blue, np.uint32)


def person_numbers(people: Sequence[PersonResult]) -> tuple[int, ...]:
    """The number of each person: the track's; 0 without one; the order where nobody is tracked."""
    if all(p.track_id is None for p in people):
        return tuple(range(1, len(people) + 1))
    return tuple(p.track_id or 0 for p in people)


def person_colour(number: int, *, colour_blind: bool = False) -> tuple[int, int, int]:
    """RGB of the person with this number; after 24 people the colours begin anew."""
    colours = _SAFE_RGB if colour_blind else _VIVID_RGB
    red, green, blue = colours[(number - 1) % len(colours)] if number > 0 else NOBODYS
    return red, green, blue
