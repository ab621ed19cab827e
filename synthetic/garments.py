"""Clothes cut from the base mesh's own helper geometry: nothing but the body model is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synthetic.bodies import Bodies, FloatArray, IntArray
from synthetic.partition import ARM_L, ARM_R, HEAD, LEG_L, anatomy, landmarks, limb_positions
from synthetic.pieces import BoolArray, Piece, compact, cut_faces
from synthetic.raster import vertex_normals

MARGIN_M = 0.022  # skin nearer than this to a hem is kept, so that no gap opens under it
_UPPER_ARM_M, _THIGH_M = 0.23, 0.40  # turns positions along limbs into metres, so that cuts are evenly sharp


@dataclass(frozen=True)
class Cutting:
    """A garment's cut from the tights: its extent (field > 0) and its distance from the body (metres)."""

    field: FloatArray  # (T,) over the tights' vertices
    offset: FloatArray  # (T,)


class Tailor:
    """The helper geometry of the pool, indexed once, and the cutting of garments from it."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self.anatomy = anatomy(bodies)
        self.marks = landmarks(bodies)
        self.tights, self.tights_faces = compact(bodies.tights_faces)
        self.skirt, self.skirt_faces = compact(bodies.skirt_faces)
        self.hair, self.hair_faces = compact(bodies.hair_faces)
        self.at = self.anatomy[self.tights]
        self.arm, self.leg = limb_positions(self.at, self.marks)
        self.group = self.at[:, 3:].argmax(axis=1)
        self.is_arm = (self.group == ARM_L) | (self.group == ARM_R)
        body = np.unique(bodies.body_faces)
        self.outline = body[::9]  # vertices enough to frame a body by
        self.cover = np.full(len(bodies.template), -1, np.int32)  # the tights' vertex over each body vertex
        self.cover[body] = nearest(bodies.template[body], bodies.template[self.tights])
        # Skirts carry the anatomy of the skin beneath, so that each side of one is the leg under it; a mean
        # over a
        # hand's breadth keeps the borders of the parts from being jagged.
        self.skirt_anatomy = _averaged(bodies.template[self.skirt], self.anatomy[body])
        self.head_anatomy = self.anatomy.copy()
        self.head_anatomy[:, 3:] = 0
        self.head_anatomy[:, 3 + HEAD] = 1
        self.scalp_faces = bodies.body_faces[
            (self.anatomy[bodies.body_faces][:, :, 3 + HEAD] > 0.5).all(axis=1)
        ]

    # --- where garments lie ---------------------------------------------------------------------------------

    def shirt(self, hem: float, sleeve: float, neck: float, vee: float) -> FloatArray:
        """Positive where a shirt is: above ``hem`` (template z), to ``sleeve`` (1 elbow, 2 wrist)."""
        x, y, z = self.at[:, 0], self.at[:, 1], self.at[:, 2]
        arms = np.where(self.is_arm, (sleeve - self.arm) * _UPPER_ARM_M, 1.0)
        below = np.where(self.is_arm, 1.0, z - hem)
        front = np.clip(-y / 0.06, 0, 1)
        line = neck - vee * np.clip(1 - np.abs(x) / 0.10, 0, 1) * front
        above = np.where(np.abs(x) < 0.16, line - z, 1.0)
        if sleeve < 0.1:  # a vest: cut out around the shoulder joint
            arms = np.where(self.is_arm, -1.0, np.minimum(1.0, 0.155 - np.abs(x)))
            arms = np.where((z < 0.42) & ~self.is_arm, 1.0, arms)
        return np.asarray(np.minimum(np.minimum(arms, below), above), np.float32)

    def trousers(self, waist: float, leg: float) -> FloatArray:
        """Positive where trousers are: below ``waist`` (template z), to ``leg`` (0 hip, 1 knee, 2 ankle)."""
        top = np.where(self.is_arm, -1.0, waist - self.at[:, 2])
        down = np.where(self.group >= LEG_L, (leg - self.leg) * _THIGH_M, 1.0)
        return np.asarray(np.minimum(top, down), np.float32)

    def shoes(self, height: float) -> FloatArray:
        """Positive below ``height`` (1 knee, 2 ankle)."""
        return np.asarray(np.where(self.group >= LEG_L, (self.leg - height) * _THIGH_M, -1.0), np.float32)

    def scarf(self, low: float) -> FloatArray:
        """Positive around the neck, above ``low`` (template z)."""
        x, z = self.at[:, 0], self.at[:, 2]
        return np.asarray(np.minimum(z - low - 0.25 * np.abs(x), 0.13 - np.abs(x)), np.float32)

    def opened(self, field: FloatArray, width: float) -> FloatArray:
        """The same garment open at the front by ``width`` metres each side of the middle."""
        x, y, z = self.at[:, 0], self.at[:, 1], self.at[:, 2]
        gap = np.where(
            (y < -0.02) & ~self.is_arm, np.abs(x) - width * (1.1 - 0.8 * np.clip(z / 0.6, 0, 1)), 1.0
        )
        return np.asarray(np.minimum(field, gap), np.float32)

    # --- pieces ---------------------------------------------------------------------------------------------

    def tights_piece(self, rest: FloatArray, normals: FloatArray, cutting: Cutting, row: FloatArray) -> Piece:
        """A piece of the tights. ``rest`` and ``normals`` are the body's (V, 3)."""
        ids = self.tights
        points = rest[ids] + normals[ids] * cutting.offset[:, None]
        return self._cut(ids, points, self.at, self.tights_faces, cutting.field, row)

    def _cut(
        self,
        ids: IntArray,
        points: FloatArray,
        at: FloatArray,
        whole: IntArray,
        field: FloatArray,
        row: FloatArray,
    ) -> Piece:
        """A piece of the body's vertices ``ids``, moved to ``points``, where ``field`` is positive."""
        faces, cut = cut_faces(whole, field.astype(np.float32))
        b, uv = self.bodies, np.zeros((len(faces), 3, 2), np.float32)
        bones, weights = b.skin_bones[ids], b.skin_weights[ids]
        return Piece(points.astype(np.float32), bones, weights, at, faces, whole, uv, row, -1, cut)

    def skirt_piece(  # a skirt has that many measures
        self,
        rest: FloatArray,
        normals: FloatArray,
        hem: float,
        flare: float,
        offset: float,
        row: FloatArray,
        opening: float = 0.0,
    ) -> Piece:
        """The skirt helper down to ``hem`` (template z), ``flare`` metres wider at the bottom."""
        ids = self.skirt
        z = self.bodies.template[ids, 2]
        points = rest[ids].copy()
        middle = points.mean(axis=0)
        outwards = points - middle
        outwards[:, 2] = 0
        outwards /= np.linalg.norm(outwards, axis=1, keepdims=True) + 1e-6
        points += outwards * (flare * np.clip((0.16 - z) / 0.8, 0, 1) ** 1.2)[:, None] + normals[ids] * offset
        field = z - hem
        if opening > 0:
            x, y = self.bodies.template[ids, 0], self.bodies.template[ids, 1]
            field = np.minimum(field, np.where(y < -0.02, np.abs(x) - opening, 1.0))
        return self._cut(ids, points, self.skirt_anatomy, self.skirt_faces, field, row)

    def scalp_piece(
        self,
        rest: FloatArray,
        normals: FloatArray,
        line: float,
        slope: float,
        thick: float,
        lumps: FloatArray,
        row: FloatArray,
    ) -> Piece:
        """Short hair: the head above a tilted plane, raised by ``thick`` metres."""
        ids, local = compact(self.scalp_faces)
        p = self.bodies.template[ids]
        field = p[:, 2] - (line - slope * (p[:, 1] + 0.115))
        rise = np.clip(field / 0.03, 0, 1)
        points = (
            rest[ids]
            + normals[ids] * (thick * (0.25 + 0.75 * rise) * lumps[ids])[:, None] * (field > -0.05)[:, None]
        )
        return self._cut(ids, points.astype(np.float32), self.head_anatomy[ids], local, field, row)

    def long_hair_piece(self, rest: FloatArray, hem: float, parting: float, row: FloatArray) -> Piece:
        """The hair helper down to ``hem``, over the face only above ``parting`` (both template z)."""
        ids = self.hair
        x, y, z = self.bodies.template[ids].T
        # The helper hangs all round: open it before the face.
        curtain = np.maximum(np.maximum(np.abs(x) - 0.075, y + 0.055), z - parting)
        return self._cut(
            ids, rest[ids], self.head_anatomy[ids], self.hair_faces, np.minimum(z - hem, curtain), row
        )

    def skin_piece(self, rest: FloatArray, hidden: BoolArray, row: FloatArray) -> Piece:
        """The body without the faces whose three vertices are all ``hidden`` (V,)."""
        b = self.bodies
        corners = hidden[b.body_faces]
        shown = ~(corners[:, 0] & corners[:, 1] & corners[:, 2])
        faces, uv = b.body_faces[shown], b.body_uv[shown]
        return Piece(rest, b.skin_bones, b.skin_weights, self.anatomy, faces, b.body_faces, uv, row)

    def eyes_piece(self, rest: FloatArray, row: FloatArray) -> Piece:
        ids, faces = compact(self.bodies.eyes_faces)
        b = self.bodies
        uv = np.zeros((len(faces), 3, 2), np.float32)
        return Piece(
            rest[ids], b.skin_bones[ids], b.skin_weights[ids], self.anatomy[ids], faces, faces, uv, row
        )

    def hidden_skin(self, fields: list[FloatArray]) -> BoolArray:
        """Body vertices (V,) that lie under any of the garments."""
        if not fields:
            return np.zeros(len(self.cover), bool)
        covered = np.max(np.stack(fields), axis=0) > MARGIN_M
        return np.asarray((self.cover >= 0) & covered[self.cover], bool)

    def rest_normals(self, rest: FloatArray) -> FloatArray:
        """Outward normals (V, 3) of body, tights and skirt at rest."""
        b = self.bodies
        faces = np.concatenate([b.body_faces, b.tights_faces, b.skirt_faces])
        return np.asarray(vertex_normals(rest, faces), np.float32)


@njit(cache=True)
def _nearest(points: FloatArray, targets: FloatArray) -> IntArray:
    out = np.zeros(len(points), np.int32)
    for i in range(len(points)):
        best = 1e30
        for j in range(len(targets)):
            d = 0.0
            for c in range(3):
                d += (points[i, c] - targets[j, c]) ** 2
            if d < best:
                best, out[i] = d, j
    return out


@njit(cache=True)
def _averaged(points: FloatArray, body: FloatArray) -> FloatArray:
    """Anatomy (N, ANATOMY) of the skin about as near as the nearest, by a Gaussian of 25 mm."""
    out = np.zeros((len(points), body.shape[1]), np.float32)
    d = np.zeros(len(body), np.float32)
    for i in range(len(points)):
        for j in range(len(body)):
            d[j] = 0.0
            for c in range(3):
                d[j] += (points[i, c] - body[j, c]) ** 2
        least = np.sqrt(d.min())
        total = 0.0
        for j in range(len(body)):
            beyond = np.sqrt(d[j]) - least
            if beyond < 0.06:
                w = np.exp(-0.5 * (beyond / 0.025) ** 2)
                total += w
                for c in range(body.shape[1]):
                    out[i, c] += w * body[j, c]
        out[i] /= total
    return out


def nearest(points: FloatArray, targets: FloatArray) -> IntArray:
    """For each point (N, 3) the index of the nearest target (M, 3)."""
    return np.asarray(_nearest(points, targets), np.int32)
