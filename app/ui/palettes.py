"""Colours and readable names of the parts: the set's own, or ones that colour-blind people can tell."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from models.labels import PartSet

# The words of the S31 names after their side; anything else is shown as it is.
_WORDS = {
    "uarm": "upper arm",
    "larm": "lower arm",
    "ubody": "upper body",
    "lbody": "lower body",
    "uleg": "upper leg",
    "lleg": "lower leg",
    "uhead": "upper head",
    "lhead": "lower head",
}
_PLAIN = {"hand", "wrist", "elbow", "shoulder", "knee", "ankle", "foot"}
_SIDES = {"r": "right", "l": "left"}

# Along a limb lightness alternates, so that neighbours differ without their hue.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Head", ("uhead", "lhead", "neck")),
    ("Torso", ("ubody", "lbody")),
    ("Arm", ("shoulder", "uarm", "elbow", "larm", "wrist", "hand")),
    ("Leg", ("uleg", "knee", "lleg", "ankle", "foot")),
)
# Warm for the person's right, cool for their left: the axis that red-green blindness leaves alone.
_HUES = {
    ("Arm", "r"): 0.085, ("Leg", "r"): 0.045, ("Head", "r"): 0.14, ("Torso", "r"): 0.12,
    ("Arm", "l"): 0.56, ("Leg", "l"): 0.62, ("Head", "l"): 0.51, ("Torso", "l"): 0.53,
}  # fmt: skip
_LIGHTNESS = (0.72, 0.42, 0.82, 0.5, 0.88, 0.34)


def split_name(name: str) -> tuple[str, str]:
    """(side, rest) of a part's name: `rlarm` → (`r`, `larm`); side is empty for the middle."""
    if name[:1] in _SIDES and (name[1:] in _WORDS or name[1:] in _PLAIN):
        return name[0], name[1:]
    return "", name


def readable(name: str) -> str:
    """A part's name in words: `rlarm` → `right lower arm`."""
    side, rest = split_name(name)
    word = _WORDS.get(rest, rest)
    return f"{_SIDES[side]} {word}" if side else word


def groups(parts: PartSet) -> list[tuple[str, list[int]]]:
    """The parts from head to foot under headings: [(heading, [part id, …]), …]; nothing is left out."""
    placed: dict[str, list[tuple[int, int]]] = {}
    for part, name in enumerate(parts.names, start=1):
        side, rest = split_name(name)
        for heading, members in _GROUPS:
            if rest in members:
                limb = heading in {"Arm", "Leg"}
                title = f"{_SIDES[side].capitalize()} {heading.lower()}" if side and limb else heading
                placed.setdefault(title, []).append((2 * members.index(rest) + (side == "l"), part))
                break
        else:
            placed.setdefault("Other", []).append((part, part))
    order = ["Head", "Torso", "Right arm", "Left arm", "Right leg", "Left leg", "Other"]
    return [(t, [part for _, part in sorted(placed[t])]) for t in order if t in placed]


def colours(parts: PartSet, *, colour_blind: bool) -> NDArray[np.uint8]:
    """(256, 3) RGB by label id."""
    table = parts.palette()
    if colour_blind:
        for part, name in enumerate(parts.names, start=1):
            table[part] = _safe_colour(name)
    return table


def _safe_colour(name: str) -> tuple[int, int, int]:
    side, rest = split_name(name)
    for heading, members in _GROUPS:
        if rest in members:
            lightness = _LIGHTNESS[members.index(rest)]
            hue = _HUES.get((heading, side), 0.14)
            saturation = 0.85 if side else 0.1
            red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
            return round(red * 255), round(green * 255), round(blue * 255)
    return 160, 160, 160


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
