"""Who moves: one body of the pool in a shirt, trousers and shoes, with short hair."""

from __future__ import annotations

import numpy as np

from training.synthetic.appearance import ALWAYS_HEAD, EYE, HAIR, LABEL, SECOND, SHOE, SKIN, material
from training.synthetic.bodies import Bodies, FloatArray
from training.synthetic.dressing import Figure
from training.synthetic.garments import Cutting, Tailor
from training.synthetic.pieces import Piece

BODY = 83  # of the pool: a man of 38, 1.75 m
SOLE_M = 0.012  # thickness of the shoes
# Colours are linear light, as the room's.
_SKIN = np.asarray([0.46, 0.245, 0.155], np.float32)
_HAIR = np.asarray([0.030, 0.018, 0.011], np.float32)
_SHIRT = np.asarray([0.30, 0.062, 0.045], np.float32)
_TROUSERS = np.asarray([0.030, 0.040, 0.068], np.float32)
_SHOES = np.asarray([0.40, 0.39, 0.37], np.float32)


def dress(bodies: Bodies, tailor: Tailor, body: int = BODY) -> Figure:
    """The figure at rest."""
    rest, heads = bodies.rest[body], bodies.rest_heads[body]
    normals = tailor.rest_normals(rest)
    pieces: list[Piece] = []
    fields: list[FloatArray] = []

    def put_on(field: FloatArray, offset: FloatArray | float, row: FloatArray) -> None:
        offsets = np.broadcast_to(np.asarray(offset, np.float32), field.shape)
        fields.append(field)
        pieces.append(tailor.tights_piece(rest, normals, Cutting(field, offsets), row))

    wide = 0.010 + 0.020 * np.clip(tailor.leg - 0.2, 0, 1.6)
    put_on(
        tailor.trousers(0.16, 1.97),
        wide.astype(np.float32),
        material(_TROUSERS, wrinkle=0.55, grain=0.10, shift=3.0),
    )
    put_on(
        tailor.shirt(-0.02, 0.62, 0.585, 0.02), 0.016, material(_SHIRT, wrinkle=0.60, grain=0.05, shift=17.0)
    )
    shoes = material(_SHOES, SHOE, spec=0.05, gloss=15, period=-0.79)
    shoes[SECOND : SECOND + 3] = 0.6
    put_on(tailor.shoes(1.93), SOLE_M, shoes)
    pieces.append(_hair(bodies, tailor, rest, normals))
    skin = material(_SKIN, SKIN, spec=0.06, gloss=14, grain=0.04)
    skin[SECOND : SECOND + 3] = _HAIR
    pieces.append(tailor.skin_piece(rest, tailor.hidden_skin(fields), skin))
    eyes = material(np.asarray([0.70, 0.67, 0.63], np.float32), EYE, spec=0.5, gloss=60)
    eyes[SECOND : SECOND + 3] = 0.04
    pieces.append(tailor.eyes_piece(rest, eyes))
    return Figure(rest, heads, pieces)


def _hair(bodies: Bodies, tailor: Tailor, rest: FloatArray, normals: FloatArray) -> Piece:
    row = material(_HAIR, HAIR, spec=0.05, gloss=10, wrinkle=0.35, shift=9.0)
    row[LABEL] = ALWAYS_HEAD
    lumps = 1 + 0.25 * np.sin(bodies.template @ np.asarray([55.0, 38.0, 20.0]))
    return tailor.scalp_piece(rest, normals, 0.795, 0.75, 0.020, lumps.astype(np.float32), row)
