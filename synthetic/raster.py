"""A z-buffer on the CPU: which triangle each pixel shows, and where in the triangle it lies."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from synthetic.bodies import ByteArray, FloatArray, IntArray
from synthetic.compiling import per_pixel

NEAR_M = 0.08  # triangles reaching nearer to the camera are dropped, not clipped


def rasterise(
    points: FloatArray,
    faces: IntArray,
    height: int,
    width: int,
    layer: IntArray,
    uv: FloatArray,
    atlas: ByteArray,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Draw triangles, nearest first by depth.

    Args:
        points: (V, 3) float32 column and row in pixels (centres at integers), depth in metres.
        faces: (F, 3) int32.
        height: rows of the picture.
        width: columns of the picture.
        layer: (F,) int32 layer of ``atlas`` whose alpha cuts holes into the triangle, or -1.
        uv: (F, 3, 2) float32 texture coordinates of the corners.
        atlas: (L, S, S, 4) uint8.

    Returns:
        face (H, W) int32, -1 where nothing is; weight (H, W, 2) float32, perspective-correct weights of the
        first two corners; nearness (H, W) float32, 1/depth, 0 where nothing is.
    """
    face = np.full((height, width), -1, np.int32)
    weight = np.zeros((height, width, 2), np.float32)
    nearness = np.zeros((height, width), np.float32)
    _draw(points, faces, layer, uv, atlas, face, weight, nearness)
    return face, weight, nearness


@per_pixel()
def _draw(  # noqa: PLR0913, PLR0917  # compiled
    points: FloatArray,
    faces: IntArray,
    layer: IntArray,
    uv: FloatArray,
    atlas: ByteArray,
    face: IntArray,
    weight: FloatArray,
    nearness: FloatArray,
) -> None:
    """Fill the results of ``rasterise``."""
    height, width = face.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if points[a, 2] < NEAR_M or points[b, 2] < NEAR_M or points[c, 2] < NEAR_M:
            continue
        ax, ay, bx, by = float(points[a, 0]), float(points[a, 1]), float(points[b, 0]), float(points[b, 1])
        cx, cy = float(points[c, 0]), float(points[c, 1])
        x0, x1 = max(0, math.ceil(min(ax, bx, cx))), min(width - 1, math.floor(max(ax, bx, cx)))
        y0, y1 = max(0, math.ceil(min(ay, by, cy))), min(height - 1, math.floor(max(ay, by, cy)))
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if x0 > x1 or y0 > y1 or abs(area) < 1e-9:
            continue
        inverse = 1.0 / area
        ia, ib, ic = 1.0 / points[a, 2], 1.0 / points[b, 2], 1.0 / points[c, 2]
        # Weights change by the same step from column to column.
        step_a, step_b = (by - cy) * inverse, (cy - ay) * inverse
        for y in range(y0, y1 + 1):
            first_a = (bx * (cy - y) - (by - y) * cx) * inverse
            first_b = (cx * (ay - y) - (cy - y) * ax) * inverse
            for x in range(x0, x1 + 1):
                wa, wb = first_a + step_a * x, first_b + step_b * x
                wc = 1.0 - wa - wb
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                near = wa * ia + wb * ib + wc * ic
                if near <= nearness[y, x]:
                    continue
                pa, pb = wa * ia / near, wb * ib / near
                if layer[f] >= 0 and not _solid(uv, f, pa, pb, atlas, layer[f]):
                    continue
                nearness[y, x] = near
                face[y, x] = f
                weight[y, x, 0] = pa
                weight[y, x, 1] = pb


@njit(cache=True, fastmath=True, error_model="numpy")
def depth_buffer(points: FloatArray, faces: IntArray, height: int, width: int) -> FloatArray:
    """The nearness of ``rasterise`` alone, (H, W) float32, for shadows, in which no texture cuts holes."""
    nearness = np.zeros((height, width), np.float32)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if points[a, 2] < NEAR_M or points[b, 2] < NEAR_M or points[c, 2] < NEAR_M:
            continue
        ax, ay, bx, by = float(points[a, 0]), float(points[a, 1]), float(points[b, 0]), float(points[b, 1])
        cx, cy = float(points[c, 0]), float(points[c, 1])
        x0, x1 = max(0, math.ceil(min(ax, bx, cx))), min(width - 1, math.floor(max(ax, bx, cx)))
        y0, y1 = max(0, math.ceil(min(ay, by, cy))), min(height - 1, math.floor(max(ay, by, cy)))
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if x0 > x1 or y0 > y1 or abs(area) < 1e-9:
            continue
        inverse = 1.0 / area
        ia, ib, ic = 1.0 / points[a, 2], 1.0 / points[b, 2], 1.0 / points[c, 2]
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * inverse
                wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * inverse
                wc = 1.0 - wa - wb
                if wa >= 0.0 and wb >= 0.0 and wc >= 0.0:
                    nearness[y, x] = max(nearness[y, x], wa * ia + wb * ib + wc * ic)
    return nearness


@njit(cache=True, fastmath=True, error_model="numpy")
def project(points: FloatArray, focal: float, centre: FloatArray) -> FloatArray:
    """Columns, rows and depths (V, 3) float32 of points in camera space."""
    out = np.empty((len(points), 3), np.float32)
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        scale = focal / max(z, 1e-3)
        out[i, 0] = x * scale + centre[0]
        out[i, 1] = y * scale + centre[1]
        out[i, 2] = z
    return out


@per_pixel()
def _solid(  # compiled
    uv: FloatArray, f: int, pa: float, pb: float, atlas: ByteArray, layer: int
) -> bool:
    """True where the texture of a face is opaque at the weights of its first two corners."""
    size = atlas.shape[1]
    pc = 1.0 - pa - pb
    u = pa * uv[f, 0, 0] + pb * uv[f, 1, 0] + pc * uv[f, 2, 0]
    v = pa * uv[f, 0, 1] + pb * uv[f, 1, 1] + pc * uv[f, 2, 1]
    return bool(atlas[layer, int(v * size) % size, int(u * size) % size, 3] > 110)


@njit(cache=True, fastmath=True, error_model="numpy")
def vertex_normals(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Unit normals (V, 3), area-weighted over the faces; vertices without a face get zero."""
    normals = np.zeros_like(vertices)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(len(normals)):
        length = math.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 1e-20:
            normals[i] /= length
    return normals


@njit(cache=True, fastmath=True, error_model="numpy")
def skin(
    rest: FloatArray, bones: IntArray, weights: FloatArray, rotations: FloatArray, offsets: FloatArray
) -> FloatArray:
    """Linear blend skinning: v' = sum over bones of w (R v + o).

    Args:
        rest: (V, 3) float32.
        bones: (V, K) int32.
        weights: (V, K) float32.
        rotations: (J, 3, 3) float32.
        offsets: (J, 3) float32.

    Returns:
        (V, 3) posed vertices.
    """
    out = np.zeros_like(rest)
    for i in range(rest.shape[0]):
        x, y, z = rest[i, 0], rest[i, 1], rest[i, 2]
        for k in range(bones.shape[1]):
            w = weights[i, k]
            if w == 0.0:
                continue
            j = bones[i, k]  # indexed in full: slices would be counted as references at each vertex
            for c in range(3):
                turned = rotations[j, c, 0] * x + rotations[j, c, 1] * y + rotations[j, c, 2] * z
                out[i, c] += w * (turned + offsets[j, c])
    return out
