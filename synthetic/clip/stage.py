"""One frame: the person in the room, with the shadows that tie the feet to the floor, as a camera sees it."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.appearance import atlas_from, procedural_photo
from synthetic.bodies import FloatArray, load_bodies
from synthetic.clip import room
from synthetic.clip.figure import SOLE_M, dress
from synthetic.clip.motion import Motion
from synthetic.garments import Tailor
from synthetic.partition import part_table
from synthetic.pieces import pose_piece
from synthetic.raster import rasterise
from synthetic.scene import Camera, join, lamp_view
from synthetic.shading import Lamps, Surface, Tables, shade
from synthetic.skeleton import transforms
from synthetic.texturing import noise_lattice

GRID = 2  # samples per pixel and axis
PITCH_RAD = 0.096  # how far the camera looks down
PLACE = np.asarray([0.25, -4.0, 1.45], np.float32)
FOCAL = 0.90  # focal length in picture widths
EXPOSURE = 1.45
GRAIN = 0.0035  # of the sensor, of full scale
#: Window from the left and a little from behind the camera; the white walls fill from the right.
LAMPS = np.asarray([[-0.72, -0.52, 0.46], [0.75, -0.60, 0.30]], np.float32)
STRENGTHS = np.asarray([0.30, 0.80, 0.10], np.float32)  # of the sky-blue ambient, the window, the fill
TINTS = np.asarray([[0.96, 0.98, 1.04], [1.00, 1.00, 1.02], [1.06, 1.00, 0.92]], np.float32)
SHADOW_REACH_M = 6.0
DEPTH = 1.8  # of shadows on the floor: deeper than a few directions of light make them, never black


class Stage:
    """The scene at a size, (width, height); frames are drawn one by one, in any order."""

    def __init__(self, size: tuple[int, int], samples: int) -> None:
        self.size = size
        width, height = size
        sine, cosine = np.sin(PITCH_RAD), np.cos(PITCH_RAD)
        turn = np.asarray([[1, 0, 0], [0, -sine, -cosine], [0, cosine, -sine]], np.float32)
        centre = np.asarray([(width - 1) / 2, (height - 1) / 2], np.float32)
        self.camera = Camera(turn, PLACE, FOCAL * width, centre)
        self.room = room.render(turn, PLACE, FOCAL * width, size, samples)
        bodies = load_bodies()
        tailor = Tailor(bodies)
        self._bodies = bodies
        self._figure = dress(bodies, tailor)
        atlas = atlas_from([procedural_photo(np.random.default_rng(1))], [])
        self._tables = Tables(atlas.layers, noise_lattice(), tailor.marks, part_table())
        sole_z = float(self._figure.rest[np.unique(bodies.body_faces), 2].min()) - SOLE_M
        self.motion = Motion(bodies, self._figure.heads, sole_z)

    def frame(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (h, w, 3) RGB and S31 labels (h, w) of a frame."""
        surface = self._surface(number)
        labels, rgba = self._person(surface)
        ground = self.room.colour * self._light_left(surface)[..., None]
        linear = (rgba[..., :3] + (1 - rgba[..., 3:]) * ground) * EXPOSURE
        image = np.asarray(
            cv2.GaussianBlur(_film(linear), (0, 0), 0.55)
        )  # a lens is not as sharp as a renderer
        grain = np.random.default_rng(number).standard_normal(image.shape, np.float32)
        image = image + GRAIN * cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.8
        return np.asarray(np.clip(image * 255 + 0.5, 0, 255), np.uint8), labels

    def _surface(self, number: int) -> Surface:
        moment = self.motion.moment(number)
        rotations, offsets = transforms(moment.pose, self._figure.heads, self._bodies.parents)
        offsets = offsets + (moment.root - self._figure.heads[0])
        pieces = [pose_piece(p, rotations, offsets.astype(np.float32)) for p in self._figure.pieces]
        return join([pieces], self.camera)[0]

    def _person(self, surface: Surface) -> tuple[NDArray[np.uint8], FloatArray]:
        width, height = self.size
        flat = self.camera.project(surface.points)
        flat[:, :2] = (flat[:, :2] + 0.5) * GRID - 0.5
        layer = np.full(len(surface.faces), -1, np.int32)
        face, weight, _ = rasterise(
            flat, surface.faces, height * GRID, width * GRID, layer, surface.uv, self._tables.atlas
        )
        towards = _unit(LAMPS) @ self.camera.turn.T
        near, light_to = lamp_view(surface, towards[0])
        down = self.camera.turn @ np.asarray([0, 0, -1], np.float32)
        lights = np.concatenate([np.vstack([down, towards]), STRENGTHS[:, None]], axis=1).astype(np.float32)
        labels, _, rgba = shade(face, weight, surface, Lamps(lights, TINTS, near, light_to), self._tables)
        return labels, rgba

    def _light_left(self, surface: Surface) -> FloatArray:
        """The share of its light that each floor pixel keeps, (h, w): the person hides window and walls."""
        straight, around = (self._hidden(surface, d) for d in (_window_directions(), _sky_directions()))
        share = self.room.window_share
        kept = np.exp(-DEPTH * (share * straight + (1 - share) * around))
        return np.where(self.room.floor, kept, 1.0).astype(np.float32)

    def _hidden(self, surface: Surface, directions: FloatArray) -> FloatArray:
        """Of light from the directions (N, 3), the share hidden from each floor pixel, (h, w)."""
        mean = np.mean([self._fallen(surface, d) for d in directions], axis=0)
        grown = cv2.resize(mean, self.size)
        return np.asarray(cv2.GaussianBlur(grown, (0, 0), self.size[0] / 220), np.float32)

    def _fallen(self, surface: Surface, towards: FloatArray) -> FloatArray:
        """The person's shadow on the floor for light from one direction, at a third of the size."""
        width, height = self.size
        world = surface.points @ self.camera.turn + self.camera.place
        reach = np.clip(world[:, 2] / float(towards[2]), 0, SHADOW_REACH_M)
        flat = self.camera.project(self.camera.see((world - reach[:, None] * towards).astype(np.float32)))
        flat[:, :2] = (flat[:, :2] + 0.5) / 3 - 0.5
        layer = np.full(len(surface.faces), -1, np.int32)
        face, _, _ = rasterise(
            flat, surface.faces, height // 3, width // 3, layer, surface.uv, self._tables.atlas
        )
        return (face >= 0).astype(np.float32)


@functools.cache
def _window_directions() -> FloatArray:
    """From the middle of the room to points of the window, (6, 3)."""
    y0, y1, z0, z1 = room.WINDOW
    y, z = np.meshgrid(np.linspace(y0, y1, 5)[1:-1], np.linspace(z0, z1, 4)[1:-1])
    return _unit(np.stack([np.full(y.size, room.LEFT), y.ravel(), z.ravel()], axis=1).astype(np.float32))


@functools.cache
def _sky_directions() -> FloatArray:
    """Directions (12, 3) spread over the upper half as light from walls and ceiling falls on a floor."""
    k = np.arange(12)
    height = np.sqrt((k + 0.5) / 12)
    angle = k * 2.399963
    flat = np.sqrt(1 - height**2)
    directions = np.stack([flat * np.cos(angle), flat * np.sin(angle), np.maximum(height, 0.25)], axis=1)
    return _unit(directions.astype(np.float32))


def _unit(v: FloatArray) -> FloatArray:
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True), np.float32)


def _film(linear: FloatArray) -> FloatArray:
    """Light to display values 0..1: highlights roll off instead of clipping."""
    x = np.maximum(linear, 0)
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.asarray(np.clip(x, 0, 1) ** np.float32(1 / 2.2), np.float32)
