"""Clothes, hair and skins from MakeHuman assets (.mhclo + .obj + texture), when a folder of them is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic import appearance
from synthetic.appearance import LAYER, TEXTURE, Atlas, Rng, cloth
from synthetic.bodies import INFLUENCES, Bodies, FloatArray, IntArray
from synthetic.partition import HEAD, anatomy
from synthetic.pictures import read_rgba
from synthetic.pieces import BoolArray, Piece
from synthetic.splits import of_split

_AXES = ((0, 0, 1.0), (2, 1, -1.0), (1, 2, 1.0))  # ours: x, -z, y of the file; (file axis, our axis, sign)


@dataclass(frozen=True)
class Fitted:
    """A garment bound to the base mesh: each vertex is a mean of three body vertices plus an offset."""

    name: str
    references: IntArray  # (V, 3)
    shares: FloatArray  # (V, 3)
    offset: FloatArray  # (V, 3) in our axes, for a body whose scale is 1
    scales: tuple[
        tuple[int, int, float], ...
    ]  # per our axis: two body vertices and their distance at scale 1
    bones: IntArray  # (V, K)
    weights: FloatArray  # (V, K)
    anatomy: FloatArray  # (V, ANATOMY)
    faces: IntArray
    uv: FloatArray
    component: IntArray  # (F,) connected component of each face: shirt and trousers of a suit
    hides: BoolArray  # body vertices hidden under it
    layer: int  # texture in the atlas, -1 without
    transparent: bool

    def placed(self, rest: FloatArray) -> FloatArray:
        """Its vertices (V, 3) on a body at rest."""
        points = np.einsum("vk,vkc->vc", self.shares, rest[self.references])
        scale = [abs(float(rest[a, c] - rest[b, c])) / d for c, (a, b, d) in enumerate(self.scales)]
        return np.asarray(points + self.offset * np.asarray(scale, np.float32), np.float32)


class Wardrobe:
    """Garments, shoes, hair and skins of one split of the asset folder; empty without one.

    Skins are in both. Of a sort with fewer than four (hats) none is held out.
    """

    def __init__(
        self, bodies: Bodies, assets: Path | None, first_layer: int = 0, *, test: bool = False
    ) -> None:
        self.textures: list[NDArray[np.uint8]] = []
        self._first = first_layer
        self.suits: list[Fitted] = []
        self.shoes: list[Fitted] = []
        self.hairs: list[Fitted] = []
        self.hats: list[Fitted] = []
        self._skins: dict[str, int] = {}
        self._brightness: dict[int, float] = {}  # mean of a texture layer, 0..1
        if assets is None:
            return
        self._anatomy = anatomy(bodies)
        for pattern, kind in (
            ("clothes/female*/*", self.suits),
            ("clothes/male*/*", self.suits),
            ("clothes/shoes*/*", self.shoes),
            ("clothes/fedora*/*", self.hats),
            ("hair/*/*", self.hairs),
        ):
            meshes = of_split(sorted(assets.glob(f"{pattern}.mhclo")), test=test)
            kind += [self._load(bodies, path) for path in meshes]
        for path in sorted(assets.glob("skins/*.jpg")):
            self._skins[path.stem] = self._texture(path)

    def suit(self, rng: Rng, *, woman: bool) -> Fitted:
        sort = "female" if woman else "male"
        fitting = [s for s in self.suits if s.name.split("_")[0] == sort]
        if not fitting or rng.random() < 0.15:
            fitting = self.suits
        return fitting[rng.integers(len(fitting))]

    def skin_layer(self, rng: Rng, traits: FloatArray) -> int:
        """A painted skin of the body's sex, rough age and ancestry; -1 without one, or by chance."""
        if not self._skins or rng.random() < 0.4:
            return -1
        age = "young" if traits[1] < 35 else "middleage" if traits[1] < 60 else "old"
        race = ("african", "asian", "caucasian")[int(traits[2:5].argmax())]
        sex = "female" if traits[0] > 0.5 else "male"
        return self._skins.get(f"{age}_{race}_{sex}", -1)

    def fit(self, item: Fitted, rest: FloatArray, rng: Rng, atlas: Atlas) -> list[Piece]:
        """A garment as one piece per group of components, textured as drawn or in random cloth."""
        points = item.placed(rest)
        drawn = item.layer >= 0 and rng.random() < 0.5
        colours = np.zeros(int(item.component.max()) + 1, np.int64)
        if not drawn:
            colours = rng.integers(0, 3, len(colours))
        groups = colours[item.component]
        pieces = []
        for g in np.unique(groups):
            row = cloth(rng, atlas)
            if drawn:
                row[appearance.PATTERN], row[LAYER] = TEXTURE, item.layer
                row[:3] = 1.0 if rng.random() < 0.4 else rng.uniform(0.4, 1.6, 3)
                row[appearance.WRINKLE] *= 0.5
            elif item in self.suits:
                middle = float(np.median(item.anatomy[item.faces[groups == g], 2]))
                row = appearance.detailed(rng, row, lower=middle < 0.1)
            chosen = groups == g
            layer = item.layer if item.transparent else -1
            pieces.append(
                Piece(
                    points,
                    item.bones,
                    item.weights,
                    item.anatomy,
                    item.faces[chosen],
                    item.faces,
                    item.uv[chosen],
                    row,
                    layer,
                )
            )
        return pieces

    def hair(self, rng: Rng, rest: FloatArray, row: FloatArray, *, woman: bool) -> list[Piece]:
        """Hair drawn as cards whose texture cuts the strands, tinted by ``row``."""
        names = ("bob", "braid", "long", "ponytail", "short04") if woman else ("short", "afro")
        fitting = [h for h in self.hairs if h.name.startswith(names)]
        if not fitting or rng.random() < 0.1:
            fitting = self.hairs
        item = fitting[rng.integers(len(fitting))]
        row = row.copy()
        if item.layer >= 0:
            tint = row[:3] / max(self._brightness[item.layer], 0.05)
            row[appearance.PATTERN], row[LAYER] = TEXTURE, item.layer
            row[:3] = np.clip(tint, 0, 3)
        points = item.placed(rest)
        layer = item.layer if item.transparent else -1
        return [
            Piece(points, item.bones, item.weights, item.anatomy, item.faces, item.faces, item.uv, row, layer)
        ]

    # --- reading --------------------------------------------------------------------------------------------

    def _texture(self, path: Path) -> int:
        """Read a texture as RGBA and give the atlas layer it will have."""
        rgba = read_rgba(path)
        if (rgba[..., 3] < 255).any():  # transparent texels keep no colour: fill them, or edges turn dark
            solid = rgba[rgba[..., 3] > 128]
            if len(solid):
                rgba[rgba[..., 3] <= 128, :3] = solid[:, :3].mean(axis=0).astype(np.uint8)
        self.textures.append(rgba)
        layer = self._first + len(self.textures) - 1
        self._brightness[layer] = float(rgba[..., :3].mean()) / 255
        return layer

    def _load(self, bodies: Bodies, path: Path) -> Fitted:
        header, rows, hidden = _read_mhclo(path)
        vertices, faces, uv, component = _read_obj(path.parent / header["obj_file"][0])
        references = rows[:vertices, :3].astype(np.int32)
        shares = rows[:vertices, 3:6].astype(np.float32)
        offset = np.zeros((vertices, 3), np.float32)
        scales = [(0, 0, 1.0)] * 3
        for theirs, ours, sign in _AXES:
            offset[:, ours] = sign * 0.1 * rows[:vertices, 6 + theirs]
            a, b, d = header[f"{'xyz'[theirs]}_scale"]
            scales[ours] = (int(a), int(b), 0.1 * float(d))
        bones, weights = _inherited(bodies, references, shares)
        body = np.einsum("vk,vkc->vc", shares, self._anatomy[references]).astype(np.float32)
        if path.parent.parent.name == "hair":
            body[:, 3:] = 0
            body[:, 3 + HEAD] = 1
        textures = sorted(path.parent.glob("*_diffuse.png"))
        layer = self._texture(textures[0]) if textures else -1
        transparent = bool(textures) and bool((self.textures[-1][..., 3] < 100).mean() > 0.02)
        hides = np.zeros(len(bodies.template), bool)
        hides[hidden] = True
        return Fitted(
            path.stem,
            references,
            shares,
            offset,
            tuple(scales),
            bones,
            weights,
            body,
            faces,
            uv,
            component,
            hides,
            layer,
            transparent,
        )


def _read_mhclo(path: Path) -> tuple[dict[str, list[str]], FloatArray, IntArray]:
    """Header words, vertex rows (V, 9), hidden body vertices. Header lines may follow ``verts``."""
    header: dict[str, list[str]] = {}
    rows: list[list[float]] = []
    hidden: list[int] = []
    deleting = False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not words[0].lstrip("-").isdigit():
            deleting = words[0] == "delete_verts"
            header[words[0]] = words[1:]
        elif deleting:
            hidden += _ranges(words)
        elif len(words) == 1:
            rows.append([float(words[0])] * 3 + [1.0, 0, 0, 0, 0, 0])
        elif len(words) == 9:
            rows.append([float(w) for w in words])
    return header, np.asarray(rows, np.float32), np.asarray(hidden, np.int32)


def _ranges(words: list[str]) -> list[int]:
    """``1355 - 1388 1393`` as single numbers."""
    out: list[int] = []
    for i, word in enumerate(words):
        if word == "-":
            out += range(out[-1] + 1, int(words[i + 1]))
        else:
            out.append(int(word))
    return out


def _read_obj(path: Path) -> tuple[int, IntArray, FloatArray, IntArray]:
    """Number of vertices, triangles (F, 3), their texture coordinates (F, 3, 2), components (F,)."""
    vertices = 0
    texture: list[tuple[float, float]] = []
    triangles: list[list[tuple[int, int]]] = []
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices += 1
        elif kind == "vt":
            u, v = rest.split()[:2]
            texture.append((float(u), 1.0 - float(v)))
        elif kind == "f":
            corners = [(*c.split("/"), "")[:2] for c in rest.split()]
            polygon = [(int(a) - 1, int(b) - 1 if b else 0) for a, b in corners]
            triangles += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
    index = np.asarray(triangles, np.int32)
    table = np.asarray(texture or [(0.0, 0.0)], np.float32)
    faces = np.ascontiguousarray(index[:, :, 0])
    return vertices, faces, table[index[:, :, 1]], _components(vertices, faces)


def _components(vertices: int, faces: IntArray) -> IntArray:
    """Connected component of each face, numbered from 0."""
    label = np.arange(vertices)
    while True:
        least = label[faces].min(axis=1)
        new = label.copy()
        np.minimum.at(new, faces.ravel(), np.repeat(least, 3))
        new = new[new]
        if (new == label).all():
            break
        label = new
    _, numbered = np.unique(label[faces[:, 0]], return_inverse=True)
    return numbered.astype(np.int32)


def _inherited(bodies: Bodies, references: IntArray, shares: FloatArray) -> tuple[IntArray, FloatArray]:
    """Skinning of cloth: the strongest bones of its three body vertices, weighted by their shares."""
    dense = np.zeros((len(references), len(bodies.parents)), np.float32)
    # Shares outside 0..1 extrapolate a position; for weights that would push bones below zero.
    share = np.clip(shares, 0, None)
    share /= share.sum(axis=1, keepdims=True)
    rows = np.arange(len(references))
    for k in range(3):
        for i in range(INFLUENCES):
            vertex = references[:, k]
            np.add.at(
                dense, (rows, bodies.skin_bones[vertex, i]), share[:, k] * bodies.skin_weights[vertex, i]
            )
    bones = np.argsort(-dense, axis=1)[:, :INFLUENCES]
    weights = np.take_along_axis(dense, bones, axis=1)
    return bones.astype(np.int32), (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
