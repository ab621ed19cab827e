"""Places of the footage: a wall and a floor with drawn textures, seen by a camera that may move.

Colours are display values 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.appearance import Rng, procedural_photo
from synthetic.bodies import FloatArray
from synthetic.scene import Light, PinholeCamera

WALL_Y = 1.6  # m behind the person
PX_PER_M = 96.0  # of the drawn textures
WALL_M, FLOOR_M = (10.0, 4.5), (10.0, 8.0)  # width and height, width and depth
PRINT_M = 1.6  # one repeat of the camouflage's texture

#: (camera, (height, width)) → the empty place (h, w, 3) and where its floor is (h, w)
Background = Callable[[PinholeCamera, tuple[int, int]], tuple[FloatArray, NDArray[np.bool_]]]


@dataclass(frozen=True)
class Location:
    """A place and how a camera renders it.

    Attributes:
        background: what a camera sees of the empty place.
        light: on the person.
        shadow: how dark the person's shadow is on the floor.
        fog: share of every colour that is the fog's.
        exposure: factor on everything before the noise of the sensor.
        grain: standard deviation of the noise, of full scale.
        blur: sigma of the lens, px.
        sway: how much the camera moves in the hand; 0 on a tripod.
        cloth: texture printed on all clothes and its repeat in metres, or nothing.
        dye: colour of all clothes, or nothing.
    """

    background: Background
    light: Light
    shadow: float = 0.45
    fog: float = 0.0
    fog_colour: tuple[float, float, float] = (0.6, 0.6, 0.6)
    exposure: float = 1.0
    grain: float = 0.012
    blur: float = 0.6
    sway: float = 0.0
    cloth: NDArray[np.uint8] | None = None
    dye: tuple[float, float, float] | None = None

    def exposed(self, image: FloatArray, rng: Rng) -> NDArray[np.uint8]:
        """The scene (h, w, 3) 0..1 through fog, lens and sensor."""
        image = (1 - self.fog) * np.clip(image, 0, 1) + self.fog * np.asarray(self.fog_colour, np.float32)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur)) * self.exposure
        noise = cv2.GaussianBlur(rng.standard_normal(image.shape, np.float32), (0, 0), 0.7) * 1.8
        return np.asarray(np.clip((image + self.grain * noise) * 255 + 0.5, 0, 255), np.uint8)


@dataclass(frozen=True)
class Drawn:
    """A wall and a floor with textures (h, w, 3), seen in perspective."""

    wall: FloatArray
    floor: FloatArray

    def __call__(self, camera: PinholeCamera, size: tuple[int, int]) -> tuple[FloatArray, NDArray[np.bool_]]:
        row, column = np.indices(size, np.float32)
        x, y = ((v - c) / camera.focal_px for v, c in zip((column, row), camera.centre, strict=True))
        ray = np.stack([x, y, np.ones_like(x)], axis=-1) @ camera.turn
        to_wall = (WALL_Y - camera.place[1]) / np.maximum(ray[..., 1], 1e-3)
        down = np.where(ray[..., 2] < -1e-3, -ray[..., 2], 1e-3)
        to_floor = camera.place[2] / down
        is_floor = to_floor < to_wall
        hit = camera.place + np.minimum(to_floor, to_wall)[..., None] * ray
        wall = _look_up(self.wall, hit[..., 0] + WALL_M[0] / 2, WALL_M[1] - hit[..., 2])
        floor = _look_up(self.floor, hit[..., 0] + FLOOR_M[0] / 2, WALL_Y - hit[..., 1])
        return np.where(is_floor[..., None], floor, wall).astype(np.float32), np.asarray(is_floor)


def _look_up(texture: FloatArray, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    x, y = (np.asarray(v * PX_PER_M - 0.5, np.float32) for v in (x_m, y_m))
    return np.asarray(cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def sunlit_room(seed: int = 37, azimuth: float = -0.9, shift_m: float = 0.0) -> Location:
    """A room with boards, a window, pictures and a couch, by day."""
    return Location(
        _room(seed, shift_m), _light(azimuth, height=0.5, strengths=(0.42, 0.62, 0.10)), shadow=0.35
    )


def dark_room(seed: int = 37, azimuth: float = -0.9, shift_m: float = 0.0) -> Location:
    """The same room with hardly any light: noise, and dark clothes on dark furniture."""
    light = _light(azimuth, height=0.5, strengths=(0.50, 0.35, 0.05))
    return Location(
        _room(seed, shift_m), light, shadow=0.3, exposure=0.30, grain=0.035, blur=0.9, dye=(0.16, 0.13, 0.10)
    )


def _room(seed: int, shift_m: float) -> Drawn:
    """Floor and books by the seed; all that stands or hangs at the wall, further right."""
    rng = np.random.default_rng(seed)
    wall = _ramp(WALL_M, (0.80, 0.78, 0.74), (0.66, 0.63, 0.58))
    boxes = (  # x from the left, height of the lower edge, width, height (m), colour
        (0.0, 0.0, 10.0, 0.10, (0.86, 0.85, 0.82)), (2.0, 0.95, 1.5, 1.6, (0.90, 0.89, 0.86)),
        (2.08, 1.03, 0.64, 1.44, (0.78, 0.88, 0.97)), (2.78, 1.03, 0.64, 1.44, (0.78, 0.88, 0.97)),
        (5.9, 1.35, 0.9, 0.65, (0.20, 0.16, 0.13)), (5.97, 1.42, 0.76, 0.51, (0.74, 0.55, 0.36)),
        (5.97, 1.42, 0.76, 0.22, (0.30, 0.38, 0.42)), (5.4, 0.0, 2.1, 0.42, (0.30, 0.36, 0.38)),
        (5.4, 0.42, 2.1, 0.38, (0.35, 0.41, 0.43)), (4.1, 0.0, 0.7, 1.9, (0.42, 0.30, 0.20)),
        *((4.16, 0.12 + 0.45 * k, 0.58, 0.36, tuple(rng.uniform(0.2, 0.6, 3))) for k in range(4)),
    )  # fmt: skip
    for x, y, width, height, colour in boxes:
        left = x + shift_m * (width < WALL_M[0])  # not the skirting board
        corners = [(left, WALL_M[1] - y - height), (left + width, WALL_M[1] - y)]
        low, high = (tuple(round(v * PX_PER_M) for v in corner) for corner in corners)
        cv2.rectangle(wall, low, high, colour, -1, cv2.LINE_AA)
    wall *= 0.94 + 0.12 * _noise(rng, WALL_M, 1.4)
    grain = _noise(rng, FLOOR_M, 3.0).mean(axis=2, keepdims=True)
    floor = np.asarray((0.52, 0.38, 0.26), np.float32) * (0.75 + 0.5 * grain)
    for row in range(round(FLOOR_M[1] / 0.145)):  # boards of their own shade, joined at random
        y, joint = round(row * 0.145 * PX_PER_M), int(rng.integers(floor.shape[1]))
        board = floor[y : y + round(0.145 * PX_PER_M)]
        board[:, :joint] *= rng.uniform(0.85, 1.15)
        board[:, joint:] *= rng.uniform(0.85, 1.15)
        board[:1] *= 0.6
    return Drawn(wall, np.asarray(floor, np.float32))


def studio(tint: tuple[float, float, float] = (1, 1, 1), azimuth: float = 0.7) -> Location:
    """A smooth wall and a smooth floor."""
    wall = _ramp(WALL_M, (0.70, 0.72, 0.76), (0.52, 0.55, 0.62))
    floor = _ramp(FLOOR_M, (0.42, 0.42, 0.44), (0.55, 0.54, 0.53))
    painted = Drawn(*(np.asarray(d * np.asarray(tint, np.float32)) for d in (wall, floor)))
    return Location(painted, _light(azimuth, height=0.8, strengths=(0.55, 0.5, 0.2)))


def street(seed: int = 41, azimuth: float = -0.3) -> Location:
    """Boards, posters and tiles behind, and a camera in the hand."""
    rng = np.random.default_rng(seed)
    wall = _noise(rng, WALL_M, 2.2) * 0.5 + 0.25
    _draw_things(rng, wall, 26)
    floor = _tiles(_noise(rng, FLOOR_M, 2.0), 0.5)
    light = _light(azimuth, height=1.0, strengths=(0.5, 0.6, 0.1))
    return Location(Drawn(wall, floor), light, sway=1.0, shadow=0.5)


def clutter(seed: int = 47, azimuth: float = 0.5) -> Location:
    """Things of every shape and colour, the colours of skin among them, from floor to ceiling."""
    rng = np.random.default_rng(seed)
    wall = _noise(rng, WALL_M, 1.0)
    _draw_things(rng, wall, 60)
    for _ in range(70):  # bars and blobs in the colours of skin, hair and cloth
        colour = tuple(float(c) for c in rng.uniform(0.15, 0.9) * np.asarray([1, rng.uniform(0.6, 1), 0.6]))
        x, y = rng.uniform(0, wall.shape[1]), rng.uniform(0.2, 1.0) * wall.shape[0]
        axes = (int(rng.uniform(3, 14)), int(rng.uniform(14, 60)))
        angle = float(rng.normal(0, 35))
        cv2.ellipse(wall, (int(x), int(y)), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
    floor = _noise(rng, FLOOR_M, 0.7)
    _draw_things(rng, floor, 30)
    light = _light(azimuth, height=0.9, strengths=(0.6, 0.45, 0.15))
    return Location(Drawn(wall, floor), light, sway=1.0)


def thicket(seed: int = 53, azimuth: float = 0.2) -> Location:
    """Camouflage: the clothes are printed with what is on wall and floor."""
    rng = np.random.default_rng(seed)
    colours = ((0.20, 0.24, 0.13), (0.36, 0.36, 0.20), (0.12, 0.13, 0.09), (0.48, 0.44, 0.30))
    texture = _camouflage(rng, colours)
    wall, floor = (_repeated(texture, size) for size in (WALL_M, FLOOR_M))
    light = _light(azimuth, height=1.2, strengths=(0.85, 0.25, 0.1))
    return Location(Drawn(wall, floor), light, shadow=0.3, sway=0.6, cloth=texture)


def patterned_hall(seed: int = 59, azimuth: float = -0.8) -> Location:
    """Camouflage again, in large grey and blue blots under a lamp, on a tripod."""
    rng = np.random.default_rng(seed)
    colours = ((0.62, 0.60, 0.58), (0.30, 0.33, 0.42), (0.80, 0.79, 0.76), (0.45, 0.40, 0.40))
    texture = _camouflage(rng, colours)
    wall, floor = (_repeated(texture, size) for size in (WALL_M, FLOOR_M))
    light = _light(azimuth, height=0.7, strengths=(0.7, 0.4, 0.1))
    return Location(Drawn(wall, floor), light, shadow=0.3, cloth=texture)


def fog(seed: int = 61, azimuth: float = 0.4) -> Location:
    """Grey clothes before a grey wall in fog."""
    wall = _noise(np.random.default_rng(seed), WALL_M, 1.6) * 0.25 + 0.45
    floor = _noise(np.random.default_rng(seed + 1), FLOOR_M, 1.2) * 0.3 + 0.35
    light = _light(azimuth, height=1.1, strengths=(0.75, 0.25, 0.1))
    return Location(
        Drawn(wall, floor), light, shadow=0.2, fog=0.62, fog_colour=(0.60, 0.61, 0.62), blur=1.1, grain=0.02,
        dye=(0.56, 0.56, 0.55), sway=0.5,
    )  # fmt: skip


def spotlight(azimuth: float = 1.45) -> Location:
    """One lamp from the side, and nothing that fills its shadows."""
    wall = _ramp(WALL_M, (0.02, 0.02, 0.025), (0.05, 0.045, 0.04))
    column = np.linspace(-5, 5, wall.shape[1], dtype=np.float32)
    glow = np.exp(-(((column - 1.2) / 0.9) ** 2))[None, :, None] * np.asarray([0.5, 0.42, 0.3], np.float32)
    floor = _ramp(FLOOR_M, (0.05, 0.045, 0.04), (0.12, 0.10, 0.08))
    light = _light(azimuth, height=0.45, strengths=(0.06, 1.35, 0.0))
    lit = np.asarray(wall + glow, np.float32)
    return Location(Drawn(lit, floor), light, shadow=0.8, grain=0.02, dye=(0.30, 0.27, 0.25))


def _light(azimuth: float, height: float, strengths: tuple[float, float, float]) -> Light:
    """Ambient, key and fill; angles of the key lamp from behind the camera and above the ground, radians."""
    key = [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)]
    fill = [-0.6 * np.sign(azimuth), -0.7, 0.4]
    tints = np.asarray([[0.97, 1.0, 1.05], [1.04, 1.0, 0.94], [1, 1, 1]], np.float32)
    towards = np.asarray([key, np.asarray(fill) / np.linalg.norm(fill)], np.float32)
    return Light(towards, np.asarray(strengths, np.float32), tints)


def _pixels(metres: tuple[float, float]) -> tuple[int, int]:
    """(height, width) of a texture."""
    return round(metres[1] * PX_PER_M), round(metres[0] * PX_PER_M)


def _ramp(metres: tuple[float, float], top: tuple[float, ...], low: tuple[float, ...]) -> FloatArray:
    height, width = _pixels(metres)
    t = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    one, two = np.asarray(top, np.float32), np.asarray(low, np.float32)
    return np.ascontiguousarray(np.broadcast_to(one + t * (two - one), (height, width, 3)))


def _noise(rng: Rng, metres: tuple[float, float], repeat_m: float) -> FloatArray:
    return _repeated(procedural_photo(rng), metres, repeat_m)


def _repeated(
    texture: NDArray[np.uint8], metres: tuple[float, float], repeat_m: float = PRINT_M
) -> FloatArray:
    """The texture mirrored over the whole surface, so that it has no seams."""
    side = max(8, round(repeat_m * PX_PER_M))
    tile = cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    height, width = _pixels(metres)
    down, across = height // side + 1, width // side + 1
    padding = ((0, down * side - side), (0, across * side - side), (0, 0))
    return np.ascontiguousarray(np.pad(tile, padding, mode="symmetric")[:height, :width], np.float32)


def _draw_things(rng: Rng, texture: FloatArray, count: int) -> None:
    """Boards, discs, poles and sheets in one colour each, in place."""
    height, width = texture.shape[:2]
    for _ in range(count):
        colour = tuple(float(c) for c in np.clip(rng.uniform(0.05, 0.9) + rng.normal(0, 0.14, 3), 0, 1))
        middle = rng.uniform(0, 1, 2) * (width, height)
        half = rng.uniform(0.1, 0.6, 2) * PX_PER_M
        kind = rng.integers(4)
        if kind == 0:
            low, high = (v.astype(int).tolist() for v in (middle - half, middle + half))
            cv2.rectangle(texture, low, high, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            axes, angle = half.astype(int).tolist(), float(rng.uniform(0, 180))
            cv2.ellipse(texture, middle.astype(int).tolist(), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 2:
            x, lean = int(middle[0]), int(rng.normal(0, 30))
            cv2.line(texture, (x, 0), (x + lean, height), colour, int(rng.integers(2, 14)), cv2.LINE_AA)
        else:
            corners = (middle + rng.normal(0, 1, (int(rng.integers(3, 7)), 2)) * half).astype(np.int32)
            cv2.fillPoly(texture, [corners], colour, cv2.LINE_AA)


def _tiles(texture: FloatArray, side_m: float) -> FloatArray:
    y, x = np.indices(texture.shape[:2]) / (side_m * PX_PER_M)
    dark = (np.floor(x) + np.floor(y)) % 2
    return np.asarray(texture * (1 - 0.35 * dark)[..., None], np.float32)


def _camouflage(rng: Rng, colours: tuple[tuple[float, float, float], ...]) -> NDArray[np.uint8]:
    """Blots of a few colours (256, 256, 3)."""
    out = np.tile(np.asarray(colours[0], np.float32), (256, 256, 1))
    for colour in colours[1:]:
        field = np.zeros((256, 256), np.float32)
        for n, share in ((9, 1.0), (20, 0.6), (48, 0.3)):
            noise = rng.normal(0, 1, (n, n)).astype(np.float32)
            field += share * cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC)
        out[field > 0.55] = colour
    fine = cv2.GaussianBlur(rng.normal(0, 0.10, (256, 256, 1)).astype(np.float32), (0, 0), 1.0)
    return np.asarray(np.clip(out * (1 + fine[..., None] * 2), 0, 1) * 255, np.uint8)
