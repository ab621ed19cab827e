"""Materials: one row of numbers per surface, sampled at random, read by the shader."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.bodies import FloatArray

Rng = np.random.Generator
SOLID, STRIPES, CHECKS, TEXTURE, PHOTO, BLOTCHES, SKIN, EYE, HAIR, SHOE, DOTS = range(11)
# Columns of a material row; RGB is 0..1 and linear enough for a picture that gets a random gamma anyway.
RED, SECOND, PATTERN, PERIOD, ANGLE, SPEC, GLOSS, WRINKLE, GRAIN, LAYER, LABEL, MIX, SHIFT, GLASSES = (
    0, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)  # fmt: skip
DETAIL, ACCENT = 18, 19
COLUMNS = 22
# Values of DETAIL: what is sewn on, by which fronts are told from backs; ACCENT is its colour.
PLAIN, BUTTONS, ZIP, PRINT, NUMBER, TIE, POCKETS = range(7)
_LOWER_DETAILS = {PLAIN: 0.3, POCKETS: 0.7}  # with their chances
_UPPER_DETAILS = {PLAIN: 0.27, BUTTONS: 0.2, ZIP: 0.15, PRINT: 0.2, NUMBER: 0.12, TIE: 0.06}
BY_PART, NOTHING, ALWAYS_HEAD = 0.0, 1.0, 2.0  # values of the LABEL column
ATLAS_PX = 256  # side of every texture layer

_SKIN_TONES = np.asarray(
    [[255, 224, 200], [241, 205, 178], [226, 180, 148], [205, 155, 120], [172, 118, 84], [133, 86, 58],
     [92, 58, 40], [60, 40, 30]], np.float32) / 255  # fmt: skip
_HAIR_TONES = np.asarray(
    [[18, 15, 14], [40, 28, 20], [72, 48, 30], [112, 78, 46], [168, 128, 78], [208, 176, 124], [120, 52, 26],
     [150, 148, 145], [215, 213, 210]], np.float32) / 255  # fmt: skip
# What people wear in photographs is mostly black, white, grey, navy, denim and earth.
_CLOTH_TONES = np.asarray(
    [[22, 22, 24], [45, 45, 50], [90, 90, 95], [150, 150, 150], [235, 235, 232], [28, 36, 66], [58, 84, 128],
     [110, 140, 180], [92, 74, 55], [160, 135, 100], [205, 190, 160], [120, 30, 35], [60, 75, 50]],
    np.float32) / 255  # fmt: skip


@dataclass(frozen=True)
class Atlas:
    """Texture layers (L, ATLAS_PX, ATLAS_PX, 4) uint8 RGBA; photo layers come first."""

    layers: NDArray[np.uint8]
    photos: int


def material(colour: FloatArray, pattern: int = SOLID, **columns: float) -> FloatArray:
    """A row with the given colour and columns, the rest at values that do nothing."""
    row = np.zeros(COLUMNS, np.float32)
    row[RED : RED + 3] = colour
    row[SECOND : SECOND + 3] = colour
    row[PATTERN] = pattern
    row[[PERIOD, GLOSS, LAYER]] = 0.1, 20, -1
    for name, value in columns.items():
        row[globals()[name.upper()]] = value
    return row


def skin_colour(rng: Rng, african: float, asian: float) -> FloatArray:
    """A skin tone that follows the body's ancestry loosely."""
    centre = 1.6 + 4.2 * african + 0.6 * asian + rng.normal(0, 0.9)
    k = float(np.clip(centre, 0, len(_SKIN_TONES) - 1.5))
    low = int(k)
    tone = _SKIN_TONES[low] * (1 - (k - low)) + _SKIN_TONES[low + 1] * (k - low)
    return np.asarray(np.clip(tone * rng.normal(1, 0.03, 3), 0.02, 1), np.float32)


def hair_colour(rng: Rng, age: float, skin: FloatArray) -> FloatArray:
    """Hair darker on dark skin, grey with age, dyed now and then."""
    dark = skin.mean() < 0.55
    last = 3 if dark else 7
    index = rng.integers(0, last)
    if age > 50 and rng.random() < (age - 45) / 40:
        index = rng.integers(7, 9)
    if rng.random() < 0.02:
        return np.asarray(rng.uniform(0.1, 0.9, 3), np.float32)
    return np.asarray(np.clip(_HAIR_TONES[index] * rng.normal(1, 0.12, 3), 0.01, 1), np.float32)


def cloth_colour(rng: Rng) -> FloatArray:
    """RGB 0..1, mostly what wardrobes hold."""
    if rng.random() < 0.6:
        tone = _CLOTH_TONES[rng.integers(len(_CLOTH_TONES))] * rng.normal(1, 0.1, 3)
        return np.asarray(np.clip(tone, 0.01, 1), np.float32)
    hsv = np.asarray([[[rng.uniform(0, 360), rng.beta(2, 2), rng.uniform(0.15, 1)]]], np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0], np.float32)


def cloth(rng: Rng, atlas: Atlas) -> FloatArray:
    """A woven or knitted surface: plain half of the time, else striped, checked, printed or blotched."""
    patterns = (SOLID, STRIPES, CHECKS, PHOTO, BLOTCHES, DOTS)
    pattern = int(rng.choice(patterns, p=(0.50, 0.14, 0.10, 0.15, 0.07, 0.04)))
    row = material(cloth_colour(rng), pattern)
    row[SECOND : SECOND + 3] = cloth_colour(rng)
    row[PERIOD] = rng.uniform(0.012, 0.09)
    row[ANGLE] = rng.choice([0.0, np.pi / 2, np.pi / 4]) + rng.normal(0, 0.03)
    row[SPEC] = rng.choice([0.02, 0.05, 0.25, 0.5], p=[0.5, 0.3, 0.12, 0.08])
    row[GLOSS] = rng.uniform(5, 40)
    row[WRINKLE] = abs(rng.normal(0, 0.5))
    row[GRAIN] = abs(rng.normal(0, 0.06))
    row[MIX] = rng.uniform(0.3, 1.0)
    row[SHIFT] = rng.uniform(0, 50)
    if pattern == PHOTO:
        row[LAYER] = rng.integers(0, atlas.photos)
        row[PERIOD] = rng.uniform(0.2, 1.0)
    return row


def detailed(rng: Rng, row: FloatArray, *, lower: bool) -> FloatArray:
    """The same cloth as trousers with a belt and pockets, or a top with a front unlike its back."""
    row = row.copy()
    kinds = _LOWER_DETAILS if lower else _UPPER_DETAILS
    row[DETAIL] = rng.choice(list(kinds), p=list(kinds.values()))
    shade = row[:3] * rng.uniform(0.3, 0.6) if row[:3].mean() > 0.35 else row[:3] + rng.uniform(0.25, 0.6)
    contrast = rng.random() < 0.5
    row[ACCENT : ACCENT + 3] = np.clip(cloth_colour(rng) if contrast else shade, 0, 1)
    return row


def procedural_photo(rng: Rng) -> NDArray[np.uint8]:
    """A texture (ATLAS_PX, ATLAS_PX, 3) in place of a photograph: summed noise in random colours."""
    field = np.zeros((ATLAS_PX, ATLAS_PX, 3), np.float32)
    for octave in (4, 8, 16, 32, 64, 128):
        noise = rng.normal(0, 1, (octave, octave, 1 if rng.random() < 0.5 else 3)).astype(np.float32)
        grown = cv2.resize(noise, (ATLAS_PX, ATLAS_PX), interpolation=cv2.INTER_CUBIC)
        field += grown.reshape(ATLAS_PX, ATLAS_PX, -1) * rng.uniform(0, 1) / np.sqrt(octave)
    field = (field - field.mean()) / (field.std() + 1e-6)
    # Photographs are mostly dull: colours stay near grey.
    base = rng.uniform(0.1, 0.9) + rng.normal(0, 0.1, 3)
    grey = field.mean(axis=2, keepdims=True)
    field = grey + (field - grey) * rng.uniform(0, 0.6)
    return np.asarray(np.clip((base + rng.uniform(0.05, 0.3) * field) * 255, 0, 255), np.uint8)


def atlas_from(photos: list[NDArray[np.uint8]], textures: list[NDArray[np.uint8]]) -> Atlas:
    """An atlas of photo patches (h, w, 3) and RGBA textures (h, w, 4), each resized to ATLAS_PX."""
    layers = []
    for picture in (*photos, *textures):
        layer = cv2.resize(picture, (ATLAS_PX, ATLAS_PX), interpolation=cv2.INTER_AREA)
        if layer.shape[2] == 3:
            layer = np.dstack([layer, np.full((ATLAS_PX, ATLAS_PX), 255, np.uint8)])
        layers.append(layer)
    return Atlas(np.ascontiguousarray(np.stack(layers)), len(photos))
