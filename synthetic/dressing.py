"""One person: a body, clothes, shoes and hair chosen at random, as a list of pieces."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthetic import appearance, props
from synthetic.appearance import (
    ALWAYS_HEAD,
    EYE,
    HAIR,
    LABEL,
    SHOE,
    SKIN,
    Atlas,
    Rng,
    cloth,
    detailed,
    material,
)
from synthetic.bodies import Bodies, FloatArray
from synthetic.garments import MARGIN_M, Cutting, Tailor
from synthetic.pieces import BoolArray, Piece
from synthetic.wardrobe import Wardrobe


@dataclass
class Outfit:
    """Clothes put on so far."""

    pieces: list[Piece] = field(default_factory=list)
    layers: list[tuple[Cutting, FloatArray]] = field(
        default_factory=list
    )  # cut from the tights, outermost last
    hidden: BoolArray | None = None  # body vertices hidden by clothes from files


@dataclass(frozen=True)
class Figure:
    """A dressed body at rest."""

    rest: FloatArray  # (V, 3)
    heads: FloatArray  # (J, 3)
    pieces: list[Piece]


class Dresser:
    """Chooses bodies and clothes."""

    def __init__(self, bodies: Bodies, tailor: Tailor, wardrobe: Wardrobe, atlas: Atlas, pool: range) -> None:
        self.bodies, self.tailor, self.wardrobe, self.atlas, self.pool = bodies, tailor, wardrobe, atlas, pool

    def person(self, rng: Rng, *, seated: bool = False) -> Figure:
        """A random person, on a seat when ``seated``."""
        b = self.bodies
        first, second = rng.choice(self.pool.stop - self.pool.start, 2) + self.pool.start
        # A child blended with an adult is an implausible dwarf: keep the mix near one end when ages differ.
        apart = abs(b.traits[first, 1] - b.traits[second, 1]) > 8 and min(b.traits[[first, second], 1]) < 16
        t = np.float32(rng.uniform(0, 0.12 if apart else 0.5))
        rest = b.rest[first] * (1 - t) + b.rest[second] * t
        heads = b.rest_heads[first] * (1 - t) + b.rest_heads[second] * t
        traits = b.traits[first]
        normals = self.tailor.rest_normals(rest)
        outfit = Outfit()
        skin = appearance.skin_colour(rng, float(traits[2]), float(traits[3]))
        hair = appearance.hair_colour(rng, float(traits[1]), skin)
        self._clothes(rng, outfit, rest, normals, woman=float(traits[0]) > 0.5)
        self._shoes(rng, outfit, rest)
        self._sew(outfit, rest, normals)
        self._hair(rng, outfit, rest, normals, hair, traits)
        outfit.pieces.append(self._skin(rng, outfit, rest, skin, hair, traits))
        iris = appearance.material(np.asarray([0.85, 0.83, 0.8], np.float32), EYE, spec=0.6, gloss=60)
        iris[appearance.SECOND : appearance.SECOND + 3] = rng.uniform(0.05, 0.3, 3)
        outfit.pieces.append(self.tailor.eyes_piece(rest, iris))
        pieces = outfit.pieces
        if rng.random() < 0.16:
            pieces.append(props.held_object(rng, b, heads, self.atlas))
        if rng.random() < 0.05:
            pieces.append(props.backpack(rng, b, heads, self.atlas))
        if seated and rng.random() < 0.6:
            pieces.append(props.seat(rng, b, heads, self.atlas))
        return Figure(rest, heads, pieces)

    def _skin(
        self,
        rng: Rng,
        outfit: Outfit,
        rest: FloatArray,
        skin: FloatArray,
        hair: FloatArray,
        traits: FloatArray,
    ) -> Piece:
        row = material(skin, SKIN, spec=rng.uniform(0.02, 0.22), gloss=rng.uniform(8, 30), grain=0.03)
        row[appearance.SECOND : appearance.SECOND + 3] = np.clip(hair * 0.8, 0, 1)
        if traits[0] < 0.5 and traits[1] > 18 and rng.random() < 0.4:
            row[appearance.MIX] = rng.uniform(0.15, 0.95)
        if rng.random() < 0.12:
            row[appearance.GLASSES] = rng.choice([1.0, 2.0])
        layer = self.wardrobe.skin_layer(rng, traits)
        if layer >= 0:
            row[appearance.LAYER] = layer
            row[:3] = np.clip(rng.normal(1, 0.05, 3) * rng.uniform(0.85, 1.1), 0.5, 1.2)
            row[appearance.MIX] = 0
        hidden = self.tailor.hidden_skin([c.field for c, _ in outfit.layers])
        if outfit.hidden is not None:
            hidden = hidden | outfit.hidden
        return self.tailor.skin_piece(rest, hidden, row)

    def _clothes(
        self, rng: Rng, outfit: Outfit, rest: FloatArray, normals: FloatArray, *, woman: bool
    ) -> None:
        if self.wardrobe.suits and rng.random() < 0.35:
            self._from_files(rng, outfit, rest, woman=woman)
            if rng.random() < 0.2:
                self._coat(rng, outfit, rest, normals)
            return
        if not woman and rng.random() < 0.03:  # swimwear
            trunks = self.tailor.trousers(rng.uniform(0.03, 0.12), rng.uniform(0.05, 0.5))
            self._put_on(outfit, trunks, 0.004, cloth(rng, self.atlas))
            return
        kind = rng.choice(
            ["trousers", "shorts", "skirt", "dress"],
            p=[0.62, 0.18, 0.10, 0.10] if not woman else [0.45, 0.17, 0.18, 0.20],
        )
        tucked = rng.random() < 0.35
        hem = rng.uniform(0.08, 0.16) if tucked else rng.uniform(-0.10, 0.10)
        lower = detailed(rng, cloth(rng, self.atlas), lower=True)
        upper = detailed(rng, cloth(rng, self.atlas), lower=False)
        if kind in {"skirt", "dress"}:
            if kind == "dress":
                lower, hem = upper, 0.06
            self._skirt(rng, outfit, rest, normals, lower)
        else:
            self._trousers(rng, outfit, lower, short=kind == "shorts")
        if not woman and rng.random() < 0.08:
            return  # bare chest
        sleeve = rng.choice(
            [0.0, rng.uniform(0.15, 0.85), rng.uniform(1.0, 1.6), rng.uniform(1.85, 2.05)],
            p=[0.12, 0.42, 0.08, 0.38],
        )
        shirt = self.tailor.shirt(
            hem, float(sleeve), rng.uniform(0.55, 0.60), rng.choice([0.0, rng.uniform(0, 0.16)])
        )
        self._put_on(outfit, shirt, rng.uniform(0.005, 0.026), upper, tucked=tucked)
        if rng.random() < 0.30:
            self._coat(rng, outfit, rest, normals)
        if rng.random() < 0.06:
            self._put_on(
                outfit,
                self.tailor.scarf(rng.uniform(0.42, 0.54)),
                rng.uniform(0.03, 0.05),
                cloth(rng, self.atlas),
            )

    def _trousers(self, rng: Rng, outfit: Outfit, row: FloatArray, *, short: bool) -> None:
        length = rng.uniform(0.35, 1.15) if short else rng.uniform(1.75, 2.08)
        field = self.tailor.trousers(rng.uniform(0.10, 0.2), length)
        tight = rng.uniform(0.004, 0.018)
        wide = rng.uniform(0, 0.035) if rng.random() < 0.6 else 0.0
        offset = tight + wide * np.clip(self.tailor.leg - 0.3, 0, 1.5)
        self._put_on(outfit, field, offset.astype(np.float32), row)

    def _skirt(
        self, rng: Rng, outfit: Outfit, rest: FloatArray, normals: FloatArray, row: FloatArray
    ) -> None:
        hem = rng.uniform(-0.68, -0.15)
        outfit.pieces.append(
            self.tailor.skirt_piece(rest, normals, hem, rng.uniform(0, 0.16), rng.uniform(0.004, 0.012), row)
        )
        if rng.random() < 0.35:  # tights or leggings beneath
            leggings = self.tailor.trousers(0.1, rng.uniform(1.8, 2.1))
            self._put_on(outfit, leggings, 0.002, cloth(rng, self.atlas))

    def _coat(self, rng: Rng, outfit: Outfit, rest: FloatArray, normals: FloatArray) -> None:
        """A jacket, cardigan or long coat over what is worn."""
        row = detailed(rng, cloth(rng, self.atlas), lower=False)
        long = rng.random() < 0.35
        open_front = rng.random() < 0.55
        gap = rng.uniform(0.015, 0.09)
        field = self.tailor.shirt(
            0.02 if long else rng.uniform(-0.12, 0.12), rng.uniform(1.7, 2.08), 0.6, 0.1
        )
        field = self.tailor.opened(field, gap) if open_front else field
        offset = rng.uniform(0.022, 0.042)
        self._put_on(outfit, field, offset, row)
        if long:
            outfit.pieces.append(
                self.tailor.skirt_piece(
                    rest,
                    normals,
                    rng.uniform(-0.6, -0.2),
                    rng.uniform(0.0, 0.1),
                    offset,
                    row,
                    gap if open_front else 0.0,
                )
            )

    def _put_on(
        self,
        outfit: Outfit,
        field: FloatArray,
        offset: FloatArray | float,
        row: FloatArray,
        *,
        tucked: bool = False,
    ) -> None:
        """Add a garment of the tights over the others, or under the last one when it is tucked in."""
        offsets = np.broadcast_to(np.asarray(offset, np.float32), field.shape)
        if tucked and outfit.layers:
            field = np.minimum(field, MARGIN_M - outfit.layers[-1][0].field)
        outfit.layers.append((Cutting(field, offsets), row))

    def _sew(self, outfit: Outfit, rest: FloatArray, normals: FloatArray) -> None:
        """Turn the layers into pieces; cloth under other cloth is left out, or it would poke through."""
        for i, (cutting, row) in enumerate(outfit.layers):
            shown = cutting.field
            for over, _ in outfit.layers[i + 1 :]:
                shown = np.minimum(shown, MARGIN_M - over.field)
            if (shown > 0).any():
                outfit.pieces.append(
                    self.tailor.tights_piece(rest, normals, Cutting(shown, cutting.offset), row)
                )

    def _from_files(self, rng: Rng, outfit: Outfit, rest: FloatArray, *, woman: bool) -> None:
        suit = self.wardrobe.suit(rng, woman=woman)
        outfit.pieces += self.wardrobe.fit(suit, rest, rng, self.atlas)
        outfit.hidden = suit.hides

    def _shoes(self, rng: Rng, outfit: Outfit, rest: FloatArray) -> None:
        if rng.random() < 0.10:
            return
        if self.wardrobe.shoes and rng.random() < 0.5:
            shoes = self.wardrobe.shoes[rng.integers(len(self.wardrobe.shoes))]
            outfit.pieces += self.wardrobe.fit(shoes, rest, rng, self.atlas)
            outfit.hidden = shoes.hides if outfit.hidden is None else outfit.hidden | shoes.hides
            return
        if rng.random() < 0.5:
            socks = self.tailor.shoes(rng.uniform(1.3, 1.95))
            self._put_on(outfit, socks, 0.002, material(appearance.cloth_colour(rng)))
        row = cloth(rng, self.atlas)
        row[appearance.PATTERN] = SHOE
        row[appearance.PERIOD] = -0.81 + rng.uniform(0, 0.025)
        if rng.random() < 0.5:
            row[appearance.SECOND : appearance.SECOND + 3] = rng.uniform(0.6, 0.95)
        row[appearance.WRINKLE] *= 0.4
        height = rng.uniform(1.2, 1.75) if rng.random() < 0.15 else rng.uniform(1.9, 2.06)
        self._put_on(outfit, self.tailor.shoes(height), rng.uniform(0.006, 0.013), row)

    def _hair(
        self,
        rng: Rng,
        outfit: Outfit,
        rest: FloatArray,
        normals: FloatArray,
        colour: FloatArray,
        traits: FloatArray,
    ) -> None:
        woman = traits[0] > 0.5
        if not woman and traits[1] > 25 and rng.random() < 0.12:
            return  # bald
        row = material(
            colour, HAIR, spec=rng.uniform(0.02, 0.3), gloss=rng.uniform(8, 25), wrinkle=rng.uniform(0, 0.5)
        )
        row[LABEL] = ALWAYS_HEAD
        row[appearance.SHIFT] = rng.uniform(0, 50)
        files = bool(self.wardrobe.hairs) and rng.random() < 0.6
        if files:
            outfit.pieces += self.wardrobe.hair(rng, rest, row, woman=bool(woman))
        if self.wardrobe.hats and rng.random() < 0.04:
            hat = self.wardrobe.hats[rng.integers(len(self.wardrobe.hats))]
            outfit.pieces += self.wardrobe.fit(hat, rest, rng, self.atlas)
        cap = rng.random() < 0.06
        if cap:
            row = cloth(rng, self.atlas)
            row[LABEL] = ALWAYS_HEAD
        if not files or cap:
            thick = (
                rng.uniform(0.018, 0.03)
                if cap
                else rng.choice([rng.uniform(0.004, 0.012), rng.uniform(0.01, 0.04)])
            )
            lumps = np.float32(1) + (0 if cap else 0.35) * np.sin(
                self.bodies.template @ rng.normal(0, 60, 3) + rng.uniform(0, 6)
            )
            line, slope = rng.uniform(0.785, 0.81), rng.uniform(0.5, 1.0)
            outfit.pieces.append(
                self.tailor.scalp_piece(
                    rest, normals, line, slope, float(thick), lumps.astype(np.float32), row
                )
            )
        if not files and not cap and rng.random() < (0.6 if woman else 0.05):
            outfit.pieces.append(
                self.tailor.long_hair_piece(rest, rng.uniform(0.25, 0.68), rng.uniform(0.74, 0.80), row)
            )
