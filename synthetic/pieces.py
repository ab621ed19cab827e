"""Pieces of a figure: meshes that ride on the skeleton, and the straight cut that shapes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthetic.bodies import FloatArray, IntArray
from synthetic.raster import skin, vertex_normals

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class MeshCut:
    """Vertices that a cut adds: each lies on an edge, (1 - w) of the way from ``second`` to ``first``."""

    first: IntArray
    second: IntArray
    w: FloatArray

    def extend(self, values: FloatArray) -> FloatArray:
        """Per-vertex values (V, D) with those of the added vertices appended."""
        w = self.w[:, None]
        return np.concatenate([values, values[self.first] * w + values[self.second] * (1 - w)])


@dataclass(frozen=True)
class Piece:
    """A mesh in rest pose with everything needed to pose, label and paint it."""

    rest: FloatArray  # (V, 3)
    bones: IntArray  # (V, K)
    weights: FloatArray  # (V, K)
    anatomy: FloatArray  # (V, ANATOMY)
    faces: IntArray  # (F, 3), after the cut: may refer to the vertices it adds
    smooth: IntArray  # (F', 3) faces before the cut: normals come from these
    uv: FloatArray  # (F, 3, 2)
    row: FloatArray  # (COLUMNS,) material
    layer: int = -1  # texture whose alpha cuts holes, or -1
    cut: MeshCut | None = None


@dataclass(frozen=True)
class Posed:
    """A piece in the world: vertices, normals (V, 3) and the rest of its attributes."""

    points: FloatArray
    normals: FloatArray
    anatomy: FloatArray
    faces: IntArray
    uv: FloatArray
    row: FloatArray
    layer: int


def pose_piece(piece: Piece, rotations: FloatArray, offsets: FloatArray) -> Posed:
    """The piece after linear blend skinning."""
    points = skin(piece.rest, piece.bones, piece.weights, rotations, offsets)
    normals = vertex_normals(points, piece.smooth)
    body = piece.anatomy
    if piece.cut is not None:
        points, normals, body = (piece.cut.extend(x) for x in (points, normals, body))
    return Posed(points, normals, body, piece.faces, piece.uv, piece.row, piece.layer)


def cut_faces(faces: IntArray, field: FloatArray) -> tuple[IntArray, MeshCut]:
    """The part of a mesh where ``field`` (V,) is positive, cut straight through its triangles.

    Returns:
        Faces, whose indices from V on are the vertices of the returned cut.
    """
    inside = field[faces] > 0
    count = inside.sum(axis=1)
    # Turn each cut triangle so that the corner alone on its side comes first.
    one, two = faces[count == 1], faces[count == 2]
    p1, q1, r1 = _turned(one, inside[count == 1].argmax(axis=1))
    p2, q2, r2 = _turned(two, (~inside[count == 2]).argmax(axis=1))
    first = np.concatenate([p1, p1, p2, p2])
    second = np.concatenate([q1, r1, q2, r2])
    a, b = field[first], field[second]
    cut = MeshCut(first, second, (b / (b - a)).astype(np.float32))
    n, m = len(one), len(two)
    base = len(field)
    k1, k2 = np.arange(n) + base, np.arange(m) + base + 2 * n
    corners = [
        faces[count == 3],
        np.stack([p1, k1, k1 + n], axis=1),
        np.stack([k2, q2, r2], axis=1),
        np.stack([k2, r2, k2 + m], axis=1),
    ]
    return np.concatenate(corners).astype(np.int32), cut


def _turned(faces: IntArray, start: NDArray[np.intp]) -> tuple[IntArray, IntArray, IntArray]:
    rows = np.arange(len(faces))
    return faces[rows, start], faces[rows, (start + 1) % 3], faces[rows, (start + 2) % 3]


def compact(faces: IntArray) -> tuple[IntArray, IntArray]:
    """The vertices that faces use (n,), and the faces renumbered to them."""
    used, renumbered = np.unique(faces, return_inverse=True)
    return used.astype(np.int32), renumbered.reshape(faces.shape).astype(np.int32)
