"""The generator: a seed and an index in, an image with its labels, instances and keypoints out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic import scene, sensor
from synthetic.appearance import Rng, atlas_from
from synthetic.backgrounds import Backgrounds
from synthetic.bodies import POOL_COUNT, FloatArray, load_bodies
from synthetic.dressing import Dresser, Figure
from synthetic.garments import Tailor
from synthetic.keypoints import visible_keypoints
from synthetic.motions import load_poses
from synthetic.partition import part_table
from synthetic.pieces import Posed
from synthetic.poses import sample_pose
from synthetic.posetable import PoseTable, read_table
from synthetic.raster import skin
from synthetic.rendering import joints_of, pose_pieces, render
from synthetic.scene import PinholeCamera
from synthetic.shading import Tables
from synthetic.skeleton import Armature, transforms
from synthetic.texturing import noise_lattice
from synthetic.wardrobe import Wardrobe

Split = Literal["train", "test"]
PHOTO_LAYERS = 48  # prints for cloth held in the atlas
TEST_SHARE = 0.2  # of the bodies, held out
ALONE = (0.85, 0.10, 0.05)  # chances of no, one and two more people
CLOSE = 0.2  # share of pictures of a part of a body
LIFTED, MOTION = 0.42, 0.26  # shares of poses from photos and from motions; the others are drawn by hand


@dataclass(frozen=True)
class SyntheticSample:
    """One picture and everything known about it. Pixel centres lie at integer coordinates."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    labels: NDArray[np.uint8]  # (H, W) S31 ids, 0 background
    instances: NDArray[np.uint8]  # (H, W) person from 1, 0 background
    keypoints: FloatArray  # (people, 17, 3) column, row, and 0 absent, 1 occluded, 2 visible

    @property
    def silhouette(self) -> NDArray[np.bool_]:
        return np.asarray(self.labels > 0, np.bool_)


@dataclass(frozen=True)
class _Person:
    pieces: list[Posed]
    vertices: FloatArray  # (V, 3) the posed body
    joints: FloatArray  # (17, 3)
    height_m: float


class Generator:
    """Draws people. ``sample(i)`` depends on (seed, split, i) and the given folders only."""

    def __init__(  # noqa: PLR0913
        self,
        assets: Path | None = None,
        poses: Path | None = None,
        backgrounds: Sequence[Path] = (),
        size: int = 256,
        seed: int = 0,
        *,
        split: Split = "train",
        pool: int = POOL_COUNT,
        cache: Path | None = None,
        lifted: Path | None = None,
    ) -> None:
        cv2.setNumThreads(1)  # small pictures: threads would only wait for each other
        for folder in (assets, poses, *backgrounds):
            if folder is not None and not folder.is_dir():
                raise NotADirectoryError(f"{folder}: no such folder; leave it out or correct the path")
        self.size, self.seed, self.split = size, seed, split
        test = split == "test"
        self.bodies = load_bodies(pool, cache)
        self.backgrounds = Backgrounds(backgrounds, test=test)
        prints = self.backgrounds.patches(np.random.default_rng([77, int(test)]), PHOTO_LAYERS)
        wardrobe = Wardrobe(self.bodies, assets, first_layer=len(prints), test=test)
        self.atlas = atlas_from(prints, wardrobe.textures)
        self.skeleton = Armature(self.bodies)
        self.motions = load_poses(poses, self.skeleton, test=test)
        first = max(2, int(pool * TEST_SHARE))
        people = range(first) if test else range(first, pool)
        table = read_table(lifted).of_split(test=test) if lifted is not None else None
        self.lifted: PoseTable | None = table or None  # a short table holds none out
        self.tailor = Tailor(self.bodies)
        self.dresser = Dresser(self.bodies, self.tailor, wardrobe, self.atlas, people)
        self.tables = Tables(self.atlas.layers, noise_lattice(), self.tailor.marks, part_table())

    def sample(self, index: int) -> SyntheticSample:
        """The picture of this index, always the same one."""
        rng = np.random.default_rng([self.seed, index, int(self.split == "test")])
        close = bool(rng.random() < CLOSE)
        # Half-length pictures are mostly of people who look into the camera.
        frontal = bool(rng.random() < (0.7 if close else 0.5))
        people = [self._person(rng, frontal=frontal, close=close)]
        camera = scene.frame(
            rng, people[0].vertices, people[0].height_m, people[0].joints, self.size, close=close
        )
        for _ in range(int(rng.choice([0, 1, 2], p=ALONE))):
            people.append(self._beside(rng, people[0], camera))
        return self._picture(rng, people, camera)

    # --- people ---------------------------------------------------------------------------------------------

    def _person(self, rng: Rng, *, frontal: bool, close: bool) -> _Person:
        seated = bool(rng.random() < (0.4 if close else 0.06))
        figure = self.dresser.person(rng, seated=seated)
        pose, as_seen = self._pose(rng, close=close, seated=seated)
        turn = scene.slight_turn(rng) if as_seen else scene.orientation(rng, frontal=frontal)
        pose[0] = turn @ pose[0]
        rotations, offsets = transforms(pose, figure.heads, self.bodies.parents)
        return self._posed(
            figure, rotations, offsets, lift_m=rng.uniform(0, 0.5) if rng.random() < 0.1 else 0.0
        )

    def _posed(
        self, figure: Figure, rotations: FloatArray, offsets: FloatArray, lift_m: float = 0.0
    ) -> _Person:
        """The figure in a pose, its lowest point ``lift_m`` above the ground."""
        b = self.bodies
        vertices = skin(figure.rest, b.skin_bones, b.skin_weights, rotations, offsets)
        body = vertices[self.tailor.tights]
        shift = np.asarray([*-body.mean(axis=0)[:2], lift_m - body[:, 2].min()], np.float32)
        vertices = vertices + shift
        pieces = pose_pieces(figure, rotations, offsets + shift)
        rest = figure.rest[self.tailor.tights, 2]
        return _Person(
            pieces, vertices[self.tailor.outline], joints_of(b, vertices), float(np.ptp(rest)) * 1.17
        )

    def _pose(self, rng: Rng, *, close: bool, seated: bool) -> tuple[FloatArray, bool]:
        """A pose (J, 3, 3), and whether it is turned as a level camera saw it in a photo."""
        chance = rng.random()
        if self.lifted is not None and not seated and chance < (0.5 * LIFTED if close else LIFTED):
            return self.lifted.sample(self.skeleton, rng), True
        if self.motions and not seated and not close and chance > 1 - MOTION:
            return self.motions[rng.integers(len(self.motions))].copy(), False
        return sample_pose(self.skeleton, rng, seated=seated), False

    def _beside(self, rng: Rng, main: _Person, camera: PinholeCamera) -> _Person:
        """Another person near the first, at any depth the camera can see."""
        person = self._person(rng, frontal=bool(rng.random() < 0.5), close=False)
        distance = float((camera.see(main.joints[:1]))[0, 2])
        side = rng.choice([-1, 1]) * rng.uniform(0.2, 1.0) * np.clip(0.5 * distance, 0.6, 2)
        behind = rng.uniform(-0.3, 2.5) if distance > 1.5 else rng.uniform(0.3, 2.5)
        apart = float(np.hypot(side, behind))
        if apart < 0.6:  # people do not stand inside each other
            side, behind = side * 0.6 / apart, behind * 0.6 / apart
        shift = np.asarray([side, behind, 0], np.float32)
        pieces = [
            Posed(p.points + shift, p.normals, p.anatomy, p.faces, p.uv, p.row, p.layer)
            for p in person.pieces
        ]
        return _Person(pieces, person.vertices + shift, person.joints + shift, person.height_m)

    # --- picture --------------------------------------------------------------------------------------------

    def _picture(self, rng: Rng, people: list[_Person], camera: PinholeCamera) -> SyntheticSample:
        mesh, layer = scene.join([p.pieces for p in people], camera)
        background = self.backgrounds.sample(rng, self.size)
        light = scene.light(rng, np.asarray(cv2.mean(background)[:3], np.float32))
        size = (self.size, self.size)
        drawn = render(mesh, layer, camera, light, self.tables, size)
        labels, instances = drawn.labels, drawn.instances
        if rng.random() < 0.6:
            sigma_px = rng.uniform(1, 4) * self.size / 256
            shadow = scene.ground_shadow(mesh, camera, light.towards[0], size, sigma_px)
            background *= (1 - rng.uniform(0.15, 0.6) * shadow)[..., None]
        image = drawn.over(background)
        if rng.random() < 0.13:
            hidden = sensor.occlude(rng, image, self.backgrounds) > 0
            labels[hidden] = 0
            instances[hidden] = 0
        joints = [camera.project(camera.see(p.joints)) for p in people]
        keypoints = visible_keypoints(joints, labels, instances, drawn.nearness)
        return SyntheticSample(sensor.expose(rng, image), labels, instances, keypoints)
