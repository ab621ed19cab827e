"""Costumes of the footage: bodies that the bundled weights were not trained on, each in its own clothes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synthetic import appearance as ap
from synthetic.appearance import SECOND, material
from synthetic.bodies import Bodies, FloatArray
from synthetic.dressing import Figure
from synthetic.garments import Cutting, Tailor

SOLE_M = 0.012  # thickness of the shoes
OWN_LAYER = 0  # of the atlas: the texture that a place prints on clothes
Colour = tuple[float, float, float]  #: display values 0..1


def cloth(
    colour: Colour, pattern: int = ap.SOLID, second: Colour = (1, 1, 1), period: float = 0.05
) -> FloatArray:
    """The material row of a woven surface."""
    row = material(np.asarray(colour, np.float32), pattern, wrinkle=0.5, grain=0.05, spec=0.03)
    row[SECOND : SECOND + 3] = second
    row[ap.PERIOD], row[ap.MIX] = period, 0.9
    return row


@dataclass(frozen=True)
class Costume:
    """A body of the pool and what it wears."""

    body: int
    skin: Colour
    shirt: FloatArray  #: material
    trousers: FloatArray  #: material
    sleeve: float = 0.62  #: 1 at the elbow, 2 at the wrist
    leg: float = 1.97  #: 1 at the knee, 2 at the ankle
    hair: Colour = (0.03, 0.02, 0.01)
    shoes: Colour = (0.40, 0.39, 0.37)
    long_hair: bool = False


# fmt: off
SAMPLE = Costume(83, (0.71, 0.53, 0.43), cloth((0.58, 0.28, 0.24)), cloth((0.20, 0.23, 0.30)))
CAST = {
    "Ada": Costume(0, (0.66, 0.47, 0.37), cloth((0.75, 0.74, 0.70), ap.STRIPES, (0.1, 0.15, 0.35)),
                   cloth((0.12, 0.16, 0.30)), sleeve=1.95, long_hair=True),
    "Ben": Costume(3, (0.85, 0.66, 0.53), cloth((0.16, 0.38, 0.24)), cloth((0.55, 0.48, 0.34)), leg=1.1),
    "Cem": Costume(7, (0.78, 0.58, 0.45), cloth((0.55, 0.10, 0.12), ap.CHECKS, (0.12, 0.10, 0.12), 0.07),
                   cloth((0.08, 0.08, 0.10)), sleeve=1.9, shoes=(0.75, 0.2, 0.1)),
    "Dor": Costume(8, (0.48, 0.32, 0.24), cloth((0.85, 0.62, 0.10)), cloth((0.20, 0.25, 0.38)),
                   shoes=(0.9, 0.9, 0.9)),
    "Eva": Costume(24, (0.52, 0.36, 0.27), cloth((0.80, 0.78, 0.75), ap.DOTS, (0.35, 0.1, 0.3)),
                   cloth((0.45, 0.18, 0.32)), leg=1.5),
    "Fen": Costume(10, (0.86, 0.69, 0.56), cloth((0.30, 0.42, 0.55)), cloth((0.15, 0.14, 0.13)), sleeve=1.95),
    "Gil": Costume(20, (0.90, 0.72, 0.62), cloth((0.20, 0.22, 0.26)), cloth((0.30, 0.24, 0.18)), sleeve=1.9,
                   hair=(0.40, 0.28, 0.16)),
    "Hue": Costume(26, (0.72, 0.54, 0.42), cloth((0.62, 0.30, 0.12)), cloth((0.14, 0.20, 0.16)), sleeve=1.0,
                   leg=1.2, hair=(0.15, 0.06, 0.03), long_hair=True),
    "Ivo": Costume(28, (0.88, 0.70, 0.60), cloth((0.45, 0.52, 0.60)), cloth((0.25, 0.27, 0.33)),
                   hair=(0.10, 0.07, 0.05), shoes=(0.15, 0.15, 0.2)),
}
# fmt: on


def drawn(body: int) -> Costume:
    """A body in clothes drawn at random, always the same ones."""
    rng = np.random.default_rng(body)

    def colour(low: float, high: float) -> Colour:
        red, green, blue = (float(c) for c in rng.uniform(low, high) * rng.uniform(0.6, 1, 3))
        return red, green, blue

    skin = rng.uniform(0.42, 0.90) * np.asarray([1, rng.uniform(0.68, 0.8), rng.uniform(0.52, 0.68)])
    patterns = (ap.SOLID, ap.SOLID, ap.STRIPES, ap.CHECKS, ap.DOTS)
    shirt = cloth(colour(0.15, 1.0), int(rng.choice(patterns)), colour(0.1, 0.9), rng.uniform(0.03, 0.09))
    return Costume(
        body, (float(skin[0]), float(skin[1]), float(skin[2])), shirt, cloth(colour(0.12, 0.8)),
        sleeve=rng.uniform(0.5, 1.97), leg=rng.uniform(1.0, 1.97), hair=colour(0.03, 0.45),
        shoes=colour(0.1, 0.9), long_hair=bool(rng.random() < 0.4),
    )  # fmt: skip


def printed(costume: Costume, repeat_m: float) -> Costume:
    """The same person with the atlas's own layer printed on shirt and trousers."""
    row = costume.shirt.copy()
    row[ap.PATTERN], row[ap.LAYER], row[ap.PERIOD] = ap.PHOTO, OWN_LAYER, repeat_m
    return replace(costume, shirt=row, trousers=row)


def dyed(costume: Costume, colour: Colour) -> Costume:
    """The same person with shirt and trousers in one colour."""
    return replace(costume, shirt=cloth(colour), trousers=cloth(colour))


def dress(bodies: Bodies, tailor: Tailor, costume: Costume) -> Figure:
    """The figure at rest."""
    rest = bodies.rest[costume.body]
    normals = tailor.rest_normals(rest)
    wide = 0.010 + 0.020 * np.clip(tailor.leg - 0.2, 0, 1.6)
    shoes = _painted(costume.shoes, ap.SHOE, (0.6, 0.6, 0.6), spec=0.05, gloss=15, period=-0.79)
    layers = [
        (tailor.trousers(0.16, costume.leg), wide, costume.trousers),
        (tailor.shirt(-0.02, costume.sleeve, 0.585, 0.02), 0.016, costume.shirt),
        (tailor.shoes(1.93), SOLE_M, shoes),
    ]
    cuts = [(Cutting(f, np.broadcast_to(np.float32(o), f.shape)), row) for f, o, row in layers]
    pieces = [tailor.tights_piece(rest, normals, cut, row) for cut, row in cuts]
    hair = material(
        np.asarray(costume.hair, np.float32), ap.HAIR, spec=0.05, gloss=10, wrinkle=0.35, shift=9.0
    )
    hair[ap.LABEL] = ap.ALWAYS_HEAD
    lumps = 1 + 0.25 * np.sin(bodies.template @ np.asarray([55.0, 38.0, 20.0]))
    pieces.append(tailor.scalp_piece(rest, normals, 0.795, 0.75, 0.020, lumps.astype(np.float32), hair))
    if costume.long_hair:
        pieces.append(tailor.long_hair_piece(rest, 0.50, 0.77, hair))
    skin = _painted(costume.skin, ap.SKIN, costume.hair, spec=0.06, gloss=14, grain=0.04)
    pieces.append(tailor.skin_piece(rest, tailor.hidden_skin([f for f, _, _ in layers]), skin))
    eyes = _painted((0.70, 0.67, 0.63), ap.EYE, (0.04, 0.04, 0.04), spec=0.5, gloss=60)
    pieces.append(tailor.eyes_piece(rest, eyes))
    return Figure(rest, bodies.rest_heads[costume.body], pieces)


def _painted(colour: Colour, pattern: int, second: Colour, **columns: float) -> FloatArray:
    row = material(np.asarray(colour, np.float32), pattern, **columns)
    row[SECOND : SECOND + 3] = second
    return row
