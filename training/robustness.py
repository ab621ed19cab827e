"""Robustness of a model: its scores on test photos that are turned, darkened, blurred or put into crowds.

    python -m training.robustness assets/models/factored-s31 --data DATA

prints a table of silhouette J and boundary F on `ccp`, and of the limb measures on `lsp`, under each
condition.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.checkpoint import CheckpointError
from models.labels import IGNORE
from runtime.engine.augmentation import BY_COUNT
from runtime.engine.engine import load_engine
from runtime.system.errors import Refusal
from training.batches import BACKGROUNDS
from training.evaluate import DEFAULT_SIZES, StreetPhotos, by_engine
from training.markdown import table
from training.metrics import HitRates, boundary_f, pose_report, probe_pose, silhouette_iou
from training.photos import DataError, read_backgrounds, read_lsp
from training.prediction import Prediction, open_network, predict
from training.scribbles import Skeleton

Picture = NDArray[np.uint8]
CROWD = 6  # people in a scene
CROWD_SIDE = 480  # px of a scene
BLUR_PX = 13  # of a movement during the exposure
DARK = 0.25  # of the light that is left
POSE_MEASURES = ("probe F", "limb coarse", "limb coarse agnostic", "centroid PCK")


@dataclass(frozen=True)
class LabelledPicture:
    """A picture (h, w, 3) with what is known of it: silhouette (h, w) 0, 1, 255, or joints."""

    image: Picture
    silhouette: Picture | None = None
    skeleton: Skeleton | None = None


def turned(picture: LabelledPicture, quarters: int) -> LabelledPicture:
    """The picture turned to the left by so many quarters of a full turn."""
    image, silhouette, skeleton = picture.image, picture.silhouette, picture.skeleton
    for _ in range(quarters):
        width = image.shape[1]
        image = np.ascontiguousarray(np.rot90(image))
        silhouette = None if silhouette is None else np.ascontiguousarray(np.rot90(silhouette))
        if skeleton is not None:
            x, y = skeleton.xy.T
            skeleton = replace(skeleton, xy=np.stack((y, width - 1 - x), axis=1))
    return LabelledPicture(image, silhouette, skeleton)


def darkened(picture: LabelledPicture) -> LabelledPicture:
    """The picture taken in poor light."""
    return replace(picture, image=(DARK * picture.image).astype(np.uint8))


def against_the_light(picture: LabelledPicture) -> LabelledPicture:
    """The person dark, the surroundings bright; a picture without a silhouette as it is."""
    if picture.silhouette is None:
        return picture
    soft = cv2.GaussianBlur((picture.silhouette != 0).astype(np.float32), (0, 0), 1.0)[..., None]
    light = 1.25 + soft * (DARK - 1.25)
    return replace(picture, image=np.minimum(picture.image * light, 255).astype(np.uint8))


def moved(picture: LabelledPicture) -> LabelledPicture:
    """The picture blurred by a sideways movement of the camera."""
    kernel = np.full((1, BLUR_PX), 1 / BLUR_PX, np.float32)
    return replace(picture, image=np.asarray(cv2.filter2D(picture.image, -1, kernel), np.uint8))


CONDITIONS: dict[str, Callable[[LabelledPicture], LabelledPicture]] = {
    "as it is": lambda p: p,
    "upside down": lambda p: turned(p, 2),
    "lying": lambda p: turned(p, 1),
    "poor light": darkened,
    "against the light": against_the_light,
    "motion blur": moved,
}


def crowds(data: Path, count: int = 50) -> Iterator[LabelledPicture]:
    """Scenes of six people of `ccp`'s test photos on pictures without people, the same ones every time.

    Raises:
        DataError: the photos are not there.
    """
    rng = np.random.default_rng(0)
    street = StreetPhotos.read(data)
    backgrounds = read_backgrounds([data / "backgrounds" / k for k in BACKGROUNDS])
    for _ in range(count):
        image = cv2.resize(backgrounds[int(rng.integers(len(backgrounds)))], (CROWD_SIDE, CROWD_SIDE))
        silhouette = np.zeros(image.shape[:2], np.uint8)
        for height in np.sort(rng.uniform(0.25, 0.8, CROWD)):  # the nearest last
            k = int(rng.integers(len(street.photos)))
            _place(image, silhouette, street.photos[k].image, street.silhouettes[k], height, rng)
        yield LabelledPicture(np.asarray(image, np.uint8), silhouette)


def _place(
    image: cv2.typing.MatLike, silhouette: Picture, photo: Picture, mask: Picture, height: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Put the person of a photo somewhere into a scene, in place; `height` is a share of the scene's."""
    x, y, w, h = cv2.boundingRect((mask == 1).astype(np.uint8))
    scale = height * CROWD_SIDE / h
    size = max(1, round(w * scale)), round(h * scale)
    person, cut = (
        cv2.resize(a[y : y + h, x : x + w], size, interpolation=i)
        for a, i in ((photo, cv2.INTER_AREA), (mask, cv2.INTER_NEAREST))
    )
    left = int(rng.integers(0, max(1, CROWD_SIDE - size[0])))
    top = int(rng.integers(0, CROWD_SIDE - size[1]))
    there = np.s_[top : top + size[1], left : left + size[0]]
    person, cut = person[:, :CROWD_SIDE], cut[:, :CROWD_SIDE]  # somebody lying may be longer than the scene
    inside = cut == 1
    image[there][inside] = person[inside]
    silhouette[there][inside] = 1
    silhouette[there][cut == IGNORE] = IGNORE


def silhouette_scores(
    run: Callable[[Picture], Prediction], pictures: Iterator[LabelledPicture]
) -> list[float]:
    """Mean J and boundary F."""
    rows = []
    for p in pictures:
        assert p.silhouette is not None
        found = run(p.image).person >= 0.5
        rows.append((silhouette_iou(found, p.silhouette), boundary_f(found, p.silhouette)))
    return [float(v) for v in np.mean(rows, axis=0)]


def pose_scores(run: Callable[[Picture], Prediction], pictures: Iterator[LabelledPicture]) -> list[float]:
    """The measures of POSE_MEASURES."""
    tally = HitRates()
    for p in pictures:
        assert p.skeleton is not None
        probe_pose(run(p.image).labels, p.skeleton, tally)
    report = pose_report(tally)
    return [report[name] for name in POSE_MEASURES]


def robustness(
    street: Callable[[Picture], Prediction], sport: Callable[[Picture], Prediction], data: Path
) -> str:
    """The table, in Markdown; `street` and `sport` predict photos of `ccp` and of `lsp`.

    Raises:
        DataError: the photos are not there.
    """
    photos = StreetPhotos.read(data)
    people = [LabelledPicture(p.image, s) for p, s in zip(photos.photos, photos.silhouettes, strict=True)]
    joints = [LabelledPicture(p.image, skeleton=p.skeleton) for p in read_lsp(data / "lsp", "test")]
    rows = []
    for name, change in CONDITIONS.items():
        scores = silhouette_scores(street, (change(p) for p in people))
        if change is not against_the_light:
            scores += pose_scores(sport, (change(p) for p in joints))
        rows.append([name, *(f"{v:.3f}" for v in scores)])
    rows.append(["crowds of six", *(f"{v:.3f}" for v in silhouette_scores(street, crowds(data)))])
    width = 3 + len(POSE_MEASURES)
    head = ["photos", "ccp J", "ccp boundary F", *(f"lsp {m}" for m in POSE_MEASURES)]
    return table(head, [row + [""] * (width - len(row)) for row in rows])


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.robustness", description=__doc__)
    parser.add_argument("model", type=Path, help="a model's folder, or a checkpoint (the network alone)")
    parser.add_argument("--data", type=Path, required=True, help="folder with ccp/, lsp/ and backgrounds/")
    parser.add_argument(
        "--views", choices=("1", "2", "6"), default="1", help="of a picture, by a model's folder"
    )
    a = parser.parse_args(arguments)
    try:
        if a.model.is_dir():
            run = by_engine(load_engine(a.model, device="cpu").with_views(BY_COUNT[a.views]))
            text = robustness(run, run, a.data)
        else:
            net = open_network(a.model)
            street, sport = DEFAULT_SIZES
            text = robustness(lambda i: predict(net, i, street), lambda i: predict(net, i, sport), a.data)
    except (CheckpointError, DataError, Refusal, OSError) as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
