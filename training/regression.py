"""`python -m training.regression [--out DIR] [--count N]`: people that personalising must not forget.

They are of the generator's held-out bodies, in clothes and poses drawn from a seed, in front of rooms traced
by `synthetic.clip` and of drawn scenes; no file from anywhere goes into a picture. The pictures stand on one
sheet, their silhouettes on another, in the same places.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic import sensor
from synthetic.appearance import Rng
from synthetic.backgrounds import Backgrounds, procedural
from synthetic.bodies import POOL_COUNT, FloatArray
from synthetic.clip import room
from synthetic.generate import Generator
from synthetic.skeleton import euler

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "regression"
COUNT = 128
COLUMNS = 16
SIZE = 256  # px; a multiple of 16, so that no JPEG block touches two pictures
SEED = 8128
EMPTY_EVERY = 16  # one picture in so many shows nobody
ROOMS = 24
SAMPLES = 12  # paths per pixel of a room
QUALITY = 90
LEAST_SHARE, MOST_SHARE = 0.01, 0.85  # of a picture that people may fill

Picture = NDArray[np.uint8]


class Rooms(Backgrounds):
    """Views of the traced room from many places, in many lights; drawn scenes between them."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__((), test=True)
        self._views = [_view(np.random.default_rng([SEED, i]), size) for i in range(count)]

    def sample(self, rng: Rng, size: int) -> FloatArray:
        """A background (size, size, 3), RGB 0..1."""
        if not self._views or rng.random() < 0.35:
            return procedural(rng, size)
        view = self._views[rng.integers(len(self._views))]
        side = int(len(view) * rng.uniform(0.6, 1.0))
        y, x = rng.integers(0, len(view) - side + 1, 2)
        crop = view[y : y + side, x : x + side]
        grown = cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR)
        warmth = float(rng.normal(0, 0.12))
        light = np.exp(rng.normal(0, 0.35)) * np.asarray([1 + warmth, 1, 1 - warmth])
        out = np.clip(grown * light, 0, None) ** (1 / 2.2)
        if rng.random() < 0.5:
            out = out[:, ::-1]
        return np.ascontiguousarray(np.clip(out, 0, 1), np.float32)


def _view(rng: Rng, size: int) -> FloatArray:
    """What a camera somewhere in the room sees, (size, size, 3), linear light of mean 0.2."""
    place = np.asarray([rng.uniform(-2, 2.4), rng.uniform(-5, -0.6), rng.uniform(0.7, 1.9)], np.float32)
    aim = np.asarray([rng.uniform(-2, 2), room.BACK, rng.uniform(0.5, 1.4)]) - place
    pitch = np.arctan2(-aim[2], np.hypot(*aim[:2]))
    turn = _upright(float(pitch)) @ euler(0, 0, float(np.arctan2(aim[0], aim[1])))
    focal = size * float(rng.uniform(0.6, 1.1))
    colour = room.render(turn.astype(np.float32), place, focal, (size, size), SAMPLES).colour
    return np.asarray(colour * (0.2 / max(float(colour.mean()), 1e-4)), np.float32)


def _upright(pitch: float) -> FloatArray:
    """Rows right, down, away of a camera that looks along y and this far down, radians."""
    s, c = np.sin(pitch), np.cos(pitch)
    return np.asarray([[1, 0, 0], [0, -s, -c], [0, c, -s]], np.float32)


def pictures(
    count: int, size: int = SIZE, rooms: int = ROOMS, pool: int = POOL_COUNT
) -> list[tuple[Picture, NDArray[np.bool_]]]:
    """The first `count` pictures (size, size, 3) RGB with their exact silhouettes (size, size)."""
    generator = Generator(size=size, seed=SEED, split="test", pool=pool)
    generator.backgrounds = Rooms(rooms, size + size // 4)
    out: list[tuple[Picture, NDArray[np.bool_]]] = []
    index = 0
    while len(out) < count:
        if len(out) % EMPTY_EVERY == EMPTY_EVERY - 1:
            rng = np.random.default_rng([SEED, index, 9])
            nobody = np.zeros((size, size), bool)
            out.append((sensor.expose(rng, generator.backgrounds.sample(rng, size)), nobody))
        else:
            sample = generator.sample(index)
            if LEAST_SHARE <= sample.silhouette.mean() <= MOST_SHARE:
                out.append((sample.image, sample.silhouette))
        index += 1
    return out


def write(folder: Path, drawn: list[tuple[Picture, NDArray[np.bool_]]]) -> None:
    """Write people.jpg and silhouettes.png."""
    folder.mkdir(parents=True, exist_ok=True)
    people = sheet([image for image, _ in drawn])
    silhouettes = sheet([np.asarray(mask * np.uint8(255)) for _, mask in drawn])
    cv2.imwrite(str(folder / "people.jpg"), people[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    bits = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(folder / "silhouettes.png"), silhouettes, bits)


def sheet(tiles: list[Picture]) -> Picture:
    """Equal pictures side by side, COLUMNS in a row; the last row is filled up with black."""
    blank = np.zeros_like(tiles[0])
    tiles = tiles + [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """Write the sheets; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.regression", description="Draw the bundled people."
    )
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--count", type=int, default=COUNT, help=f"a multiple of {COLUMNS}")
    given = parser.parse_args(arguments)
    if given.count < COLUMNS or given.count % COLUMNS:
        parser.error(f"--count: {given.count} is no multiple of {COLUMNS}")
    write(given.out, pictures(given.count))
    megabytes = sum(f.stat().st_size for f in given.out.iterdir()) / 1e6
    sys.stdout.write(f"{given.out}: {given.count} pictures, {megabytes:.2f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
