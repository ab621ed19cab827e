"""Takes: who moves how and where, drawn frame by frame with the truth of every frame."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthetic import scene
from synthetic.appearance import atlas_from, procedural_photo
from synthetic.bodies import Bodies, FloatArray, load_bodies
from synthetic.footage import cast, choreography, places
from synthetic.footage.cast import CAST, Costume
from synthetic.footage.choreography import Choreography
from synthetic.footage.motion import RATE, Motion
from synthetic.footage.places import Location
from synthetic.garments import Tailor
from synthetic.keypoints import visible_keypoints
from synthetic.partition import part_table
from synthetic.pieces import Posed
from synthetic.raster import skin
from synthetic.rendering import joints_of, pose_pieces, render
from synthetic.scene import PinholeCamera
from synthetic.shading import Tables
from synthetic.skeleton import transforms
from synthetic.texturing import noise_lattice

SIZE = (384, 384)  # width and height, px
CAMERA_M = (0.1, -4.2, 1.35)
PITCH_RAD = 0.11


@dataclass(frozen=True)
class Performer:
    """Somebody in a take."""

    person: Costume
    performed: Callable[[], Choreography]
    at: tuple[float, float]  #: where it is performed: to the right and away from the camera, m


@dataclass(frozen=True)
class Take:
    """One clip: `hard` where clothes or light hide the person, `focal` in picture widths."""

    name: str
    person: Costume
    performed: Callable[[], Choreography]
    place: Callable[[], Location]
    hard: bool
    focal: float = 1.45
    others: tuple[Performer, ...] = ()
    digest: str = ""  #: of the file's row that describes it; empty for those written here


TAKES = (
    Take("camouflage-boxing", CAST["Cem"], choreography.boxing, places.thicket, hard=True),
    Take("room-tai-chi", CAST["Ada"], choreography.tai_chi, places.sunlit_room, hard=False),
    Take("clutter-dancing", CAST["Eva"], choreography.dancing, places.clutter, hard=True),
    Take("studio-squats", CAST["Ben"], choreography.squats, places.studio, hard=False),
    Take("fog-turning", CAST["Fen"], choreography.turning, places.fog, hard=True),
    Take("street-walking", CAST["Dor"], choreography.walking, places.street, hard=False),
    Take("spotlight-tai-chi", CAST["Gil"], choreography.tai_chi, places.spotlight, hard=True),
    Take("dark-room-waving", CAST["Hue"], choreography.waving, places.dark_room, hard=True),
    Take("pattern-dancing", CAST["Ivo"], choreography.dancing, places.patterned_hall, hard=True),
)
#: twelve seconds of a person who walks in, waves, does some t'ai chi and walks out
SAMPLE = Take("sample", cast.SAMPLE, choreography.sample, places.sunlit_room, hard=False, focal=0.9)


@dataclass(frozen=True)
class LabelledFrame:
    """One frame and all that is known about it. Pixel centres lie at integers."""

    image: NDArray[np.uint8]  # (h, w, 3) RGB
    labels: NDArray[np.uint8]  # (h, w) S31 ids of the take's person, 0 background and companions
    joints: FloatArray  # (17, 3) COCO joints of that person: column, row, and 0 outside, 1 hidden, 2 seen


class Production:
    """A take at a size (width, height); frames are drawn one by one, in any order, always the same."""

    def __init__(self, take: Take, size: tuple[int, int] = SIZE, bodies: Bodies | None = None) -> None:
        self.width, self.height = size
        self.take, self.place = take, take.place()
        self._bodies = bodies = bodies or load_bodies()
        tailor = Tailor(bodies)
        self._seed = zlib.crc32(take.name.encode())
        costume = take.person
        if self.place.cloth is not None:
            costume = cast.printed(costume, places.PRINT_M)
        elif self.place.dye is not None:
            costume = cast.dyed(costume, self.place.dye)
        own = procedural_photo(np.random.default_rng(3)) if self.place.cloth is None else self.place.cloth
        self._tables = Tables(atlas_from([own], []).layers, noise_lattice(), tailor.marks, part_table())
        performers = [Performer(costume, take.performed, (0, 0)), *take.others]
        self._performances = [_Performance(bodies, tailor, of) for of in performers]

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self._performances[0].motion.times)

    def frame(self, number: int) -> LabelledFrame:
        """Picture and truth of a frame."""
        size, p = (self.height, self.width), self.place
        camera = self._camera(number)
        posed, joints = zip(*(p.posed(number) for p in self._performances), strict=True)
        mesh, layer = scene.join(list(posed), camera)
        drawn = render(mesh, layer, camera, p.light, self._tables, size)
        ground, floor = p.background(camera, size)
        shadow = scene.ground_shadow(mesh, camera, p.light.towards[0], size, self.width / 130)
        image = drawn.over(ground * (1 - p.shadow * shadow * floor)[..., None])
        at = [camera.project(camera.see(j)) for j in joints]
        seen = visible_keypoints(at, drawn.labels, drawn.instances, drawn.nearness)
        rng = np.random.default_rng([5, self._seed, number])
        return LabelledFrame(p.exposed(image, rng), drawn.labels * (drawn.instances == 1), seen[0])

    def _camera(self, number: int) -> PinholeCamera:
        """On a tripod, or swaying as in a hand."""
        t = 2 * np.pi * number / RATE
        sway = self.place.sway
        shift = sway * np.asarray([0.10 * np.sin(0.23 * t), 0, 0.035 * np.sin(0.61 * t + 1)])
        pitch = PITCH_RAD + sway * 0.008 * np.sin(0.83 * t)
        yaw = sway * (0.020 * np.sin(0.31 * t + 2) + 0.004 * np.sin(1.7 * t))
        s, c = np.sin(pitch), np.cos(pitch)
        upright = np.asarray([[1, 0, 0], [0, -s, -c], [0, c, -s]])
        turned = np.asarray([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        centre = np.asarray([(self.width - 1) / 2, (self.height - 1) / 2], np.float32)
        place = (np.asarray(CAMERA_M) + shift).astype(np.float32)
        return PinholeCamera(
            (upright @ turned).astype(np.float32), place, self.take.focal * self.width, centre
        )


class _Performance:
    """A dressed body and how it moves where."""

    def __init__(self, bodies: Bodies, tailor: Tailor, of: Performer) -> None:
        self._bodies, self._at = bodies, np.asarray([*of.at, 0], np.float32)
        self._figure = cast.dress(bodies, tailor, of.person)
        sole_z = float(self._figure.rest[np.unique(bodies.body_faces), 2].min()) - cast.SOLE_M
        self.motion = Motion(bodies, self._figure.heads, sole_z, of.performed())

    def posed(self, number: int) -> tuple[list[Posed], FloatArray]:
        """Pieces in the world, and COCO joints (17, 3) there."""
        b, figure = self._bodies, self._figure
        pose = self.motion.pose(number)
        rotations, offsets = transforms(pose.bones, figure.heads, b.parents)
        offsets = (offsets + (pose.root + self._at - figure.heads[0])).astype(np.float32)
        vertices = skin(figure.rest, b.skin_bones, b.skin_weights, rotations, offsets)
        return pose_pieces(figure, rotations, offsets), joints_of(b, vertices)
