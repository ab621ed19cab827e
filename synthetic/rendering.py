"""Posed people as pictures: labels, instances, colours and depths from a mesh, a camera and lamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthetic.bodies import Bodies, FloatArray, IntArray
from synthetic.dressing import Figure
from synthetic.pieces import Posed, pose_piece
from synthetic.raster import rasterise
from synthetic.scene import Light, PinholeCamera, lamp_view
from synthetic.shading import Lamps, Surface, Tables, shade

GRID = 2  # samples per pixel and axis


@dataclass(frozen=True)
class Rendering:
    """People without a background; pixel centres lie at integers."""

    labels: NDArray[np.uint8]  # (H, W) S31 ids, 0 background
    instances: NDArray[np.uint8]  # (H, W) person from 1, 0 background
    rgba: FloatArray  # (H, W, 4) premultiplied, alpha the share covered
    nearness: FloatArray  # (2H, 2W) 1/depth, 0 where nothing is

    def over(self, background: FloatArray) -> FloatArray:
        """(H, W, 3) the people composed over a background (H, W, 3)."""
        return np.asarray(self.rgba[..., :3] + (1 - self.rgba[..., 3:]) * background, np.float32)


def joints_of(bodies: Bodies, vertices: FloatArray) -> FloatArray:
    """COCO joints (17, 3) regressed from the posed vertices (V, 3)."""
    at = vertices[bodies.joint_vertices]
    return np.asarray(np.einsum("jk,jkc->jc", bodies.joint_weights, at), np.float32)


def pose_pieces(figure: Figure, rotations: FloatArray, offsets: FloatArray) -> list[Posed]:
    """The clothes, hair and skin of a posed figure."""
    return [pose_piece(p, rotations, offsets) for p in figure.pieces]


def render(
    mesh: Surface, layer: IntArray, camera: PinholeCamera, light: Light, tables: Tables, size: tuple[int, int]
) -> Rendering:
    """Rasterise and shade at (height, width) px; the alpha of the faces' atlas layers (F,) cuts holes."""
    flat = camera.project(mesh.points)
    flat[:, :2] = (flat[:, :2] + 0.5) * GRID - 0.5
    height, width = (v * GRID for v in size)
    face, weight, nearness = rasterise(flat, mesh.faces, height, width, layer, mesh.uv, tables.atlas)
    towards = light.towards @ camera.turn.T
    near, light_to = lamp_view(mesh, towards[0])
    down = camera.turn @ np.asarray([0, 0, -1], np.float32)
    lights = np.concatenate([np.vstack([down, towards]), light.strengths[:, None]], axis=1)
    lamps = Lamps(lights.astype(np.float32), light.tints, near, light_to)
    labels, instances, rgba = shade(face, weight, mesh, lamps, tables)
    return Rendering(labels, instances, rgba, nearness)
