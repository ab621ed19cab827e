"""The people of the footage: bodies that the bundled weights were not trained on, each in its own clothes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthetic.appearance import (
    CHECKS,
    DOTS,
    LAYER,
    MIX,
    PATTERN,
    PERIOD,
    PHOTO,
    SECOND,
    SOLID,
    STRIPES,
    material,
)
from synthetic.bodies import FloatArray
from synthetic.clip.figure import Colour, Outfit

OWN_LAYER = 0  # of the atlas: the texture that a place prints on clothes


def _cloth(
    colour: Colour, pattern: int = SOLID, second: Colour = (1, 1, 1), period: float = 0.05
) -> FloatArray:
    row = material(np.asarray(colour, np.float32), pattern, wrinkle=0.5, grain=0.05, spec=0.03)
    row[SECOND : SECOND + 3] = second
    row[PERIOD], row[MIX] = period, 0.9
    return row


#: Colours are display values 0..1.
CAST: dict[str, Outfit] = {
    "Ada": Outfit(
        0,
        (0.66, 0.47, 0.37),
        shirt=_cloth((0.75, 0.74, 0.70), STRIPES, (0.1, 0.15, 0.35)),
        trousers=_cloth((0.12, 0.16, 0.30)),
        sleeve=1.95,
        long_hair=True,
    ),
    "Ben": Outfit(
        3, (0.85, 0.66, 0.53), shirt=_cloth((0.16, 0.38, 0.24)), trousers=_cloth((0.55, 0.48, 0.34)), leg=1.1
    ),
    "Cem": Outfit(
        7,
        (0.78, 0.58, 0.45),
        shoes=(0.75, 0.2, 0.1),
        shirt=_cloth((0.55, 0.10, 0.12), CHECKS, (0.12, 0.10, 0.12), 0.07),
        trousers=_cloth((0.08, 0.08, 0.10)),
        sleeve=1.9,
    ),
    "Dor": Outfit(
        8,
        (0.48, 0.32, 0.24),
        shoes=(0.9, 0.9, 0.9),
        shirt=_cloth((0.85, 0.62, 0.10)),
        trousers=_cloth((0.20, 0.25, 0.38)),
    ),
    "Eva": Outfit(
        24,
        (0.52, 0.36, 0.27),
        shirt=_cloth((0.80, 0.78, 0.75), DOTS, (0.35, 0.1, 0.3)),
        trousers=_cloth((0.45, 0.18, 0.32)),
        leg=1.5,
    ),
    "Fen": Outfit(
        10,
        (0.86, 0.69, 0.56),
        shirt=_cloth((0.30, 0.42, 0.55)),
        trousers=_cloth((0.15, 0.14, 0.13)),
        sleeve=1.95,
    ),
    "Gil": Outfit(
        20,
        (0.90, 0.72, 0.62),
        (0.40, 0.28, 0.16),
        shirt=_cloth((0.20, 0.22, 0.26)),
        trousers=_cloth((0.30, 0.24, 0.18)),
        sleeve=1.9,
    ),
    "Hue": Outfit(
        26,
        (0.72, 0.54, 0.42),
        (0.15, 0.06, 0.03),
        shirt=_cloth((0.62, 0.30, 0.12)),
        trousers=_cloth((0.14, 0.20, 0.16)),
        sleeve=1.0,
        leg=1.2,
        long_hair=True,
    ),
    "Ivo": Outfit(
        28,
        (0.88, 0.70, 0.60),
        (0.10, 0.07, 0.05),
        shoes=(0.15, 0.15, 0.2),
        shirt=_cloth((0.45, 0.52, 0.60)),
        trousers=_cloth((0.25, 0.27, 0.33)),
    ),
}


def printed(outfit: Outfit, repeat_m: float) -> Outfit:
    """The same person with the atlas's own layer printed on shirt and trousers."""
    row = outfit.shirt.copy()
    row[PATTERN], row[LAYER], row[PERIOD] = PHOTO, OWN_LAYER, repeat_m
    return replace(outfit, shirt=row, trousers=row)


def dyed(outfit: Outfit, colour: Colour) -> Outfit:
    """The same person with shirt and trousers in one colour."""
    return replace(outfit, shirt=_cloth(colour), trousers=_cloth(colour))
