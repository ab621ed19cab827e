"""Writing many samples: a folder of files to look at and share, or two packed arrays to train from."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labels import COCO17, S31
from synthetic.bodies import POOL_COUNT
from synthetic.generate import Generator, Split, SyntheticSample
from synthetic.pictures import read_rgb, read_rgba

Progress = Callable[[int, int], None]
_SHEET_COLUMNS, _SHEET_ROWS = 4, 4
_generator: Generator | None = None  # one per worker process, built by its initialiser


@dataclass(frozen=True)
class Recipe:
    """Everything a worker needs to build the same generator."""

    size: int = 256
    seed: int = 0
    split: Split = "train"
    assets: Path | None = None
    poses: Path | None = None
    backgrounds: tuple[Path, ...] = ()
    pool: int = POOL_COUNT
    lifted: Path | None = None  # table of poses lifted from photos

    def generator(self) -> Generator:
        return Generator(
            self.assets,
            self.poses,
            self.backgrounds,
            self.size,
            self.seed,
            split=self.split,
            pool=self.pool,
            lifted=self.lifted,
        )


def write_dataset(
    out: Path, count: int, recipe: Recipe | None = None, *, workers: int = 2, progress: Progress | None = None
) -> None:
    """Write images/*.jpg, labels/*.png, silhouettes/*.png, instances/*.png, labels.json, keypoints.json and
    contact_sheet.jpg.

    Raises:
        OSError: a file cannot be written; what was written before stays.
    """
    recipe = _checked(recipe, count)
    for folder in ("images", "labels", "silhouettes", "instances"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    (out / "labels.json").write_text(json.dumps({"names": list(S31.class_names)}))
    keypoints: dict[str, Any] = {}
    for done, (index, people) in enumerate(_each(partial(_write_one, out), count, recipe, workers), start=1):
        keypoints[f"{index:06d}"] = people
        if progress:
            progress(done, count)
    record = {
        "joints": list(COCO17.names),
        "visibility": "0 absent, 1 occluded, 2 visible",
        "recipe": {f.name: str(getattr(recipe, f.name)) for f in dataclasses.fields(recipe)},
        "keypoints": dict(sorted(keypoints.items())),
    }
    (out / "keypoints.json").write_text(json.dumps(record))
    shown = [keypoints[f"{i:06d}"] for i in range(min(count, _SHEET_COLUMNS * _SHEET_ROWS))]
    _save(out / "contact_sheet.jpg", contact_sheet(out, shown)[..., ::-1])


def write_packed(
    path: Path,
    count: int,
    recipe: Recipe | None = None,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> tuple[Path, Path]:
    """Write ``<path>.images.npy`` (N, H, W, 3) and ``<path>.labels.npy`` (N, H, W), uint8, and
    ``<path>.keypoints.npy`` (N, 17, 3) float32 for memory mapping.

    Keypoints are column, row and visibility, of pictures of one person; 0 of all others. The files get their
    names only when they are complete.
    """
    recipe = _checked(recipe, count)
    path.parent.mkdir(parents=True, exist_ok=True)
    final = tuple(path.with_name(f"{path.name}.{kind}.npy") for kind in ("images", "labels", "keypoints"))
    drafts = tuple(p.with_suffix(".partial") for p in final)
    shape = (count, recipe.size, recipe.size)
    np.lib.format.open_memmap(drafts[0], "w+", np.uint8, (*shape, 3)).flush()
    np.lib.format.open_memmap(drafts[1], "w+", np.uint8, shape).flush()
    np.lib.format.open_memmap(drafts[2], "w+", np.float32, (count, len(COCO17.names), 3)).flush()
    for done, _ in enumerate(_each(partial(_pack_one, drafts), count, recipe, workers), start=1):
        if progress:
            progress(done, count)
    for draft, whole in zip(drafts, final, strict=True):
        draft.replace(whole)
    return final[0], final[1]


def _checked(recipe: Recipe | None, count: int) -> Recipe:
    if count < 1:
        raise ValueError(f"count: {count} pictures asked for, at least 1 is needed")
    return recipe or Recipe()


def contact_sheet(out: Path, keypoints: list[list[Any]]) -> NDArray[np.uint8]:
    """The first images, each beside its painted labels with the joints of its people, RGB.

    ``keypoints`` are per image and person 17 rows of column, row and visibility; hidden joints are hollow.
    """
    palette = S31.palette()
    tiles = []
    for i, people in enumerate(keypoints):
        image = read_rgb(out / "images" / f"{i:06d}.jpg")
        labels = read_rgba(out / "labels" / f"{i:06d}.png")[..., 0]
        painted = cv2.addWeighted(image, 0.3, palette[labels], 0.7, 0)
        shown = np.where(labels[..., None] > 0, painted, image)
        for x, y, visible in (joint for person in people for joint in person):
            if visible:
                cv2.circle(shown, (round(x), round(y)), 2, (255, 255, 255), -1 if visible == 2 else 1)
        tiles.append(np.hstack([image, shown]))
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % _SHEET_COLUMNS)
    rows = [np.hstack(tiles[i : i + _SHEET_COLUMNS]) for i in range(0, len(tiles), _SHEET_COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


# --- workers ------------------------------------------------------------------------------------------------


def _each(
    work: Callable[[SyntheticSample, int], Any], count: int, recipe: Recipe, workers: int
) -> Iterator[Any]:
    """Run ``work`` on every sample, in any order; in this process when one worker is asked for."""
    if workers <= 1:
        generator = recipe.generator()
        for i in range(count):
            yield work(generator.sample(i), i)
        return
    recipe.generator().sample(0)  # builds the pool of bodies and compiles the code once, not once per worker
    # A second thread per worker only spins: generation is one thread by design.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        context = multiprocessing.get_context("spawn")
        with context.Pool(workers, initializer=_start, initargs=(recipe,)) as pool:
            yield from pool.imap_unordered(partial(_run, work), range(count), chunksize=8)
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _start(recipe: Recipe) -> None:
    global _generator  # noqa: PLW0603  # a pool's initialiser has no other place to leave it
    _generator = recipe.generator()


def _run(work: Callable[[SyntheticSample, int], object], index: int) -> object:
    if _generator is None:
        raise RuntimeError("the worker was not initialised")
    return work(_generator.sample(index), index)


def _write_one(out: Path, sample: SyntheticSample, index: int) -> tuple[int, list[Any]]:
    name = f"{index:06d}"
    _save(out / "images" / f"{name}.jpg", sample.image[..., ::-1], cv2.IMWRITE_JPEG_QUALITY, 95)
    _save(out / "labels" / f"{name}.png", sample.labels)
    _save(out / "silhouettes" / f"{name}.png", sample.silhouette * np.uint8(255))
    _save(out / "instances" / f"{name}.png", sample.instances)
    return index, np.round(sample.keypoints.astype(float), 2).tolist()


def _save(path: Path, picture: NDArray[np.uint8], *options: int) -> None:
    """Write a picture, or say why not: OpenCV only returns False."""
    try:
        written = cv2.imwrite(str(path), picture, options)
    except cv2.error:
        written = False
    if not written:
        raise OSError(f"{path}: could not be written; is the disk full or the folder read-only?")


def _pack_one(drafts: tuple[Path, ...], sample: SyntheticSample, index: int) -> int:
    alone = len(sample.keypoints) == 1
    keypoints = sample.keypoints[0] if alone else np.zeros((len(COCO17.names), 3), np.float32)
    for draft, values in zip(drafts, (sample.image, sample.labels, keypoints), strict=True):
        np.lib.format.open_memmap(draft, "r+")[index] = values
    return index
