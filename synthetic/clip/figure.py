"""Who moves: one body of the pool in a shirt, trousers and shoes, with hair."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthetic.appearance import ALWAYS_HEAD, EYE, HAIR, LABEL, SECOND, SHOE, SKIN, material
from synthetic.bodies import Bodies, FloatArray
from synthetic.dressing import Figure
from synthetic.garments import Cutting, Tailor
from synthetic.pieces import Piece

SOLE_M = 0.012  # thickness of the shoes
Colour = tuple[float, float, float]


def _shirt() -> FloatArray:
    return material(np.asarray([0.30, 0.062, 0.045], np.float32), wrinkle=0.60, grain=0.05, shift=17.0)


def _trousers() -> FloatArray:
    return material(np.asarray([0.030, 0.040, 0.068], np.float32), wrinkle=0.55, grain=0.10, shift=3.0)


@dataclass(frozen=True)
class Outfit:
    """A body and what it wears; the sample clip's when nothing is said. Its colours are linear light."""

    body: int = 83  #: of the pool: a man of 38, 1.75 m
    skin: Colour = (0.46, 0.245, 0.155)
    hair: Colour = (0.030, 0.018, 0.011)
    shoes: Colour = (0.40, 0.39, 0.37)
    shirt: FloatArray = field(default_factory=_shirt)  #: material
    trousers: FloatArray = field(default_factory=_trousers)  #: material
    sleeve: float = 0.62  #: 1 at the elbow, 2 at the wrist
    leg: float = 1.97  #: 1 at the knee, 2 at the ankle
    long_hair: bool = False


def dress(bodies: Bodies, tailor: Tailor, outfit: Outfit | None = None) -> Figure:
    """The figure at rest."""
    outfit = outfit or Outfit()
    rest, heads = bodies.rest[outfit.body], bodies.rest_heads[outfit.body]
    normals = tailor.rest_normals(rest)
    pieces: list[Piece] = []
    fields: list[FloatArray] = []

    def put_on(field: FloatArray, offset: FloatArray | float, row: FloatArray) -> None:
        offsets = np.broadcast_to(np.asarray(offset, np.float32), field.shape)
        fields.append(field)
        pieces.append(tailor.tights_piece(rest, normals, Cutting(field, offsets), row))

    wide = 0.010 + 0.020 * np.clip(tailor.leg - 0.2, 0, 1.6)
    put_on(tailor.trousers(0.16, outfit.leg), wide.astype(np.float32), outfit.trousers)
    put_on(tailor.shirt(-0.02, outfit.sleeve, 0.585, 0.02), 0.016, outfit.shirt)
    shoes = material(_colour(outfit.shoes), SHOE, spec=0.05, gloss=15, period=-0.79)
    shoes[SECOND : SECOND + 3] = 0.6
    put_on(tailor.shoes(1.93), SOLE_M, shoes)
    pieces += _hair(bodies, tailor, rest, normals, outfit)
    skin = material(_colour(outfit.skin), SKIN, spec=0.06, gloss=14, grain=0.04)
    skin[SECOND : SECOND + 3] = outfit.hair
    pieces.append(tailor.skin_piece(rest, tailor.hidden_skin(fields), skin))
    eyes = material(_colour((0.70, 0.67, 0.63)), EYE, spec=0.5, gloss=60)
    eyes[SECOND : SECOND + 3] = 0.04
    pieces.append(tailor.eyes_piece(rest, eyes))
    return Figure(rest, heads, pieces)


def _hair(
    bodies: Bodies, tailor: Tailor, rest: FloatArray, normals: FloatArray, outfit: Outfit
) -> list[Piece]:
    row = material(_colour(outfit.hair), HAIR, spec=0.05, gloss=10, wrinkle=0.35, shift=9.0)
    row[LABEL] = ALWAYS_HEAD
    lumps = 1 + 0.25 * np.sin(bodies.template @ np.asarray([55.0, 38.0, 20.0]))
    short = tailor.scalp_piece(rest, normals, 0.795, 0.75, 0.020, lumps.astype(np.float32), row)
    return [short, tailor.long_hair_piece(rest, 0.50, 0.77, row)] if outfit.long_hair else [short]


def _colour(colour: Colour) -> FloatArray:
    return np.asarray(colour, np.float32)
