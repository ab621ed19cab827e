"""The takes: who does what where, and how one is drawn frame by frame with its truth."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic import scene
from synthetic.appearance import atlas_from, procedural_photo
from synthetic.bodies import Bodies, FloatArray, load_bodies
from synthetic.clip.figure import SOLE_M, Outfit, dress
from synthetic.clip.motion import Motion, Score
from synthetic.footage import places, scores
from synthetic.footage.cast import CAST, dyed, printed
from synthetic.footage.places import Place
from synthetic.garments import Tailor
from synthetic.keypoints import visible_keypoints
from synthetic.partition import part_table
from synthetic.pieces import pose_piece
from synthetic.raster import rasterise, skin
from synthetic.scene import Camera
from synthetic.shading import Lamps, Surface, Tables, shade
from synthetic.skeleton import transforms
from synthetic.texturing import noise_lattice

SIZE = 384  # px
FRAMES = 75
GRID = 2  # samples per pixel and axis
CAMERA_M = (0.1, -4.2, 1.35)
PITCH_RAD = 0.11
FOCAL = 1.45  # picture widths


@dataclass(frozen=True)
class Take:
    """One clip: who does what where; `hard` where clothes or light hide the person."""

    name: str
    person: Outfit
    score: Callable[[], Score]
    place: Callable[[], Place]
    hard: bool


TAKES = (
    Take("camouflage-boxing", CAST["Cem"], scores.boxing, places.thicket, hard=True),
    Take("room-tai-chi", CAST["Ada"], scores.tai_chi, places.sunlit_room, hard=False),
    Take("clutter-dancing", CAST["Eva"], scores.dancing, places.clutter, hard=True),
    Take("studio-squats", CAST["Ben"], scores.squats, places.studio, hard=False),
    Take("fog-turning", CAST["Fen"], scores.turning, places.fog, hard=True),
    Take("street-walking", CAST["Dor"], scores.walking, places.street, hard=False),
    Take("spotlight-tai-chi", CAST["Gil"], scores.tai_chi, places.spotlight, hard=True),
    Take("dark-room-waving", CAST["Hue"], scores.waving, places.dark_room, hard=True),
    Take("pattern-dancing", CAST["Ivo"], scores.dancing, places.patterned_hall, hard=True),
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """One frame and all that is known about it. Pixel centres lie at integers."""

    image: NDArray[np.uint8]  # (size, size, 3) RGB
    labels: NDArray[np.uint8]  # (size, size) S31 ids, 0 background
    joints: FloatArray  # (17, 3) COCO joints: column, row, and 0 outside, 1 hidden, 2 seen


class Production:
    """A take at a size; frames are drawn one by one, in any order, always the same."""

    def __init__(self, take: Take, size: int = SIZE, bodies: Bodies | None = None) -> None:
        self.size, self.place = size, take.place()
        bodies = bodies or load_bodies()
        self._bodies, tailor = bodies, Tailor(bodies)
        self._seed = zlib.crc32(take.name.encode())
        outfit = take.person
        if self.place.cloth is not None:
            outfit = printed(outfit, places.PRINT_M)
        elif self.place.dye is not None:
            outfit = dyed(outfit, self.place.dye)
        self._figure = dress(bodies, tailor, outfit)
        own = procedural_photo(np.random.default_rng(3)) if self.place.cloth is None else self.place.cloth
        self._tables = Tables(atlas_from([own], []).layers, noise_lattice(), tailor.marks, part_table())
        sole_z = float(self._figure.rest[np.unique(bodies.body_faces), 2].min()) - SOLE_M
        self._motion = Motion(bodies, self._figure.heads, sole_z, take.score())

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self._motion.times)

    def shot(self, number: int) -> Shot:
        """A frame."""
        rng = np.random.default_rng([5, self._seed, number])
        camera = self._camera(number)
        mesh, joints = self._posed(number, camera)
        labels, instances, rgba, nearness = self._person(mesh, camera)
        ground, floor = self.place.background(camera, self.size)
        hard = scene.ground_shadow(mesh, camera, self.place.light.towards[0], self.size)
        shadow = cv2.GaussianBlur(cv2.resize(hard, (self.size, self.size)), (0, 0), self.size / 130)
        ground = ground * (1 - self.place.shadow * shadow * floor)[..., None]
        image = rgba[..., :3] + (1 - rgba[..., 3:]) * ground
        seen = visible_keypoints([camera.project(camera.see(joints))], labels, instances, nearness)
        return Shot(self._developed(np.asarray(image, np.float32), rng), labels, seen[0])

    def _camera(self, number: int) -> Camera:
        t = 2 * np.pi * number / 25
        sway = self.place.sway
        shift = sway * np.asarray([0.10 * np.sin(0.23 * t), 0, 0.035 * np.sin(0.61 * t + 1)])
        pitch = PITCH_RAD + sway * 0.008 * np.sin(0.83 * t)
        yaw = sway * (0.020 * np.sin(0.31 * t + 2) + 0.004 * np.sin(1.7 * t))
        s, c = np.sin(pitch), np.cos(pitch)
        upright = np.asarray([[1, 0, 0], [0, -s, -c], [0, c, -s]])
        turned = np.asarray([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        centre = np.full(2, (self.size - 1) / 2, np.float32)
        place = (np.asarray(CAMERA_M) + shift).astype(np.float32)
        return Camera((upright @ turned).astype(np.float32), place, FOCAL * self.size, centre)

    def _posed(self, number: int, camera: Camera) -> tuple[Surface, FloatArray]:
        """The person as the camera sees it, and the COCO joints (17, 3) in the world."""
        b, figure = self._bodies, self._figure
        moment = self._motion.moment(number)
        rotations, offsets = transforms(moment.pose, figure.heads, b.parents)
        offsets = (offsets + (moment.root - figure.heads[0])).astype(np.float32)
        vertices = skin(figure.rest, b.skin_bones, b.skin_weights, rotations, offsets)
        joints = np.einsum("jk,jkc->jc", b.joint_weights, vertices[b.joint_vertices]).astype(np.float32)
        pieces = [pose_piece(p, rotations, offsets) for p in figure.pieces]
        return scene.join([pieces], camera)[0], joints

    def _person(
        self, mesh: Surface, camera: Camera
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], FloatArray, FloatArray]:
        """Labels, instances and rgba at the picture's size; 1/depth on the finer grid."""
        light, fine = self.place.light, self.size * GRID
        flat = camera.project(mesh.points)
        flat[:, :2] = (flat[:, :2] + 0.5) * GRID - 0.5
        layer = np.full(len(mesh.faces), -1, np.int32)
        face, weight, nearness = rasterise(flat, mesh.faces, fine, fine, layer, mesh.uv, self._tables.atlas)
        towards = light.towards / np.linalg.norm(light.towards, axis=1, keepdims=True) @ camera.turn.T
        near, light_to = scene.lamp_view(mesh, towards[0])
        down = camera.turn @ np.asarray([0, 0, -1], np.float32)
        lights = np.concatenate([np.vstack([down, towards]), light.strengths[:, None]], axis=1)
        lamps = Lamps(lights.astype(np.float32), light.tints, near, light_to)
        labels, instances, rgba = shade(face, weight, mesh, lamps, self._tables)
        return labels, instances, rgba, nearness

    def _developed(self, image: FloatArray, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Fog, lens and sensor."""
        p = self.place
        image = (1 - p.fog) * np.clip(image, 0, 1) + p.fog * np.asarray(p.fog_colour, np.float32)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), p.blur)) * p.exposure
        noise = cv2.GaussianBlur(rng.standard_normal(image.shape, np.float32), (0, 0), 0.7) * 1.8
        return np.asarray(np.clip((image + p.grain * noise) * 255 + 0.5, 0, 255), np.uint8)
