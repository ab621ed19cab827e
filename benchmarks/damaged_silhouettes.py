"""Clips with exact silhouettes, and ways of damaging what is learned from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import S31
from runtime.media.clips import Clip
from runtime.media.images import list_images, read_image
from synthetic.footage.files import render_take
from synthetic.footage.takes import TAKES

FRAMES: Final = slice(0, 70, 3)  #: of a clip
ROWS: Final = 272  #: of a rendered take, round the person
#: folder of backgrounds and number of the photo, numbers of the people cut out of photos
PHOTOS: Final = {
    "photo-one": ("outdoor", 210, (12,)),
    "photo-two": ("mixed", 40, (88, 47)),
    "photo-room": ("indoor", 150, (130,)),
    "photo-street": ("outdoor", 600, (170,)),
}
Bytes = NDArray[np.uint8]
Damage = Callable[[Bytes, Bytes], Bytes]  #: labels of a frame, people in all frames → person or not


@dataclass(frozen=True)
class TrueClip:
    """A clip as a folder of pictures.

    Attributes:
        labels: (n, h, w) S31 ids of the person, or 1 where parts are not known; 0 background.
    """

    name: str
    pictures: Path
    labels: Bytes


def clips(work: Path, data: Path | None) -> Iterator[TrueClip]:
    """Rendered takes; with the development data also hand-made masks and real people on photos."""
    for take in TAKES:
        footage = render_take(take, work)
        with Clip(footage.clip) as opened:
            images = [f.image for f in opened.frames()][FRAMES]
        labels = footage.labels[FRAMES]
        rows = np.flatnonzero((labels > 0).any(axis=(0, 2)))
        top = int(np.clip(rows.mean() - ROWS / 2, 0, labels.shape[1] - ROWS))
        yield _written(work, take.name, [i[top : top + ROWS] for i in images], labels[:, top : top + ROWS])
    if data is None:
        return
    masked = data / "clips" / "tennis_masks"
    paths = list_images(masked / "images")[FRAMES]
    masks = [read_image(masked / "silhouettes" / f"{p.stem}.png")[..., 0] > 0 for p in paths]
    yield _written(work, masked.name, [read_image(p) for p in paths], np.stack(masks).astype(np.uint8))
    for name, (kind, number, people) in PHOTOS.items():
        yield _on_photo(work, name, data, list_images(data / "backgrounds" / kind)[number], people)


def _written(work: Path, name: str, images: list[Bytes], labels: Bytes) -> TrueClip:
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    for k, image in enumerate(images):
        cv2.imwrite(str(folder / f"{k:05d}.jpg"), np.ascontiguousarray(image)[..., ::-1])
    return TrueClip(name, folder, np.ascontiguousarray(labels))


def _on_photo(work: Path, name: str, data: Path, photo: Path, people: tuple[int, ...]) -> TrueClip:
    """People cut out of photos, swaying before another photo that a camera pans over."""
    width, height = 384, 256
    scene = read_image(photo)
    scale = max(1.2 * width / scene.shape[1], 1.2 * height / scene.shape[0])
    scene = np.asarray(cv2.resize(scene, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    files = list_images(data / "cutouts")
    found = [np.asarray(cv2.imread(str(files[n]), cv2.IMREAD_UNCHANGED), np.uint8) for n in people]
    images, labels = [], []
    for t in np.linspace(0, 1, 24):
        left = int((scene.shape[1] - width) * (1 + np.sin(2 * t)) / 2)
        image = scene[:height, left : left + width].astype(np.float32)
        person = np.zeros((height, width), np.float32)
        for i, rgba in enumerate(found):
            tall = (0.8 - 0.2 * i) * height
            middle = (0.4 + 0.3 * i + 0.1 * np.sin(4 * t + i)) * width
            x, y = rgba.shape[1] / 2, rgba.shape[0] / 2
            turn = cv2.getRotationMatrix2D((x, y), 6 * np.sin(9 * t), tall / rgba.shape[0])
            turn[:, 2] += [middle - x, 0.95 * height - tall / 2 - y]
            warped = cv2.warpAffine(rgba.astype(np.float32), turn, (width, height))
            alpha = warped[..., 3] / 255
            image += alpha[..., None] * (warped[..., 2::-1] - image)
            person = np.maximum(person, alpha)
        images.append(image.astype(np.uint8))
        labels.append((person > 0.5).astype(np.uint8))
    return _written(work, name, images, np.stack(labels))


def thing(labels: Bytes, ever: Bytes) -> Bytes:
    """Something beside the person is taken for one all through the clip."""
    side = 0.6 * float(np.sqrt(np.count_nonzero(labels)))
    free = cv2.distanceTransform((ever == 0).astype(np.uint8), cv2.DIST_L2, 3)
    free[: labels.shape[0] // 3] = 0
    y, x = np.unravel_index(int(free.argmax()), free.shape)
    return _ellipse(labels, (float(x), float(y)), (0.5 * side, side))


def shadow(labels: Bytes, _ever: Bytes) -> Bytes:
    """The shadow at the feet belongs to the person."""
    rows, columns = np.nonzero(labels)
    tall = float(np.ptp(rows))
    at = float(columns.mean() + 0.25 * tall), float(rows.max() - 0.02 * tall)
    return _ellipse(labels, at, (0.38 * tall, 0.07 * tall))


def arms(labels: Bytes, _ever: Bytes) -> Bytes:
    """Elbows and what hangs on them are background; where parts are not known, one side at their height."""
    return _without(labels, ("elbow", "larm", "wrist", "hand"), (0.3, 0.5), side=True)


def legs(labels: Bytes, _ever: Bytes) -> Bytes:
    """Lower legs and feet are background."""
    return _without(labels, ("lleg", "ankle", "foot"), (0.75, 1.1), side=False)


DAMAGES: Final[tuple[Damage, ...]] = (thing, arms, shadow, legs)


def _ellipse(labels: Bytes, at: tuple[float, float], axes: tuple[float, float]) -> Bytes:
    box = (at, (2 * axes[0], 2 * axes[1]), 0.0)
    return np.asarray(cv2.ellipse((labels > 0).astype(np.uint8), box, 1, cv2.FILLED), np.uint8)


def _without(labels: Bytes, parts: tuple[str, ...], height: tuple[float, float], *, side: bool) -> Bytes:
    ids = [i for i, name in enumerate(S31.names, 1) if name[1:] in parts]
    gone = np.isin(labels, ids)
    if labels.max() <= 1:
        rows, columns = np.nonzero(labels)
        share = (np.arange(labels.shape[0]) - rows.min()) / max(1, np.ptp(rows))
        gone = ((share >= height[0]) & (share <= height[1]))[:, None] & np.ones_like(labels, np.bool_)
        if side:
            gone &= np.arange(labels.shape[1]) > np.median(columns) + 0.06 * np.ptp(rows)
    return ((labels > 0) & ~gone).astype(np.uint8)
