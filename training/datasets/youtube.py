"""YouTube Pose (methods §10.8): 7 upper-body joints on 100 frames of each of 50 videos.

Joints count pixels from 1, in the video's frame after it was cropped and resized; GT_frames/ holds exactly
those frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from training.datasets.files import (
    BrokenError,
    Numbers,
    existing,
    field_cells,
    field_number,
    field_numbers,
    field_text,
    inside,
    read_mat,
    structs,
)
from training.datasets.matlab import Value
from training.datasets.problems import Problems
from training.datasets.samples import Crop, Sample, person
from training.datasets.sets import YOUTUBE7
from training.photos import DataError

MAT = "YouTube_Pose_dataset.mat"
FRAMES = "GT_frames"
FRAME = re.compile(r"frame_\d+\.jpg")


def splits(root: Path, _problems: Problems) -> tuple[str, ...]:
    """Everything, and the videos of the YouTube subset."""
    if not (root / MAT).is_file():
        raise DataError(f"{root}: no {MAT} in it. Point at the folder that holds it and {FRAMES}/.")
    return ("all", "subset")


def samples(root: Path, split: str, problems: Problems) -> Iterator[Sample]:
    """Labelled frames, video by video."""
    videos = structs(read_mat(root / MAT, "data"))
    if not videos:
        raise DataError(f"{root / MAT}: `data` holds no videos. Take the released file.")
    for i, video in enumerate(videos, start=1):
        if split == "all" or field_number(video, "isYouTubeSubset"):
            yield from _video(root, video, f"{MAT} data({i})", split, problems)


def _video(
    root: Path, video: dict[str, Value], where: str, split: str, problems: Problems
) -> Iterator[Sample]:
    facts = problems.attempt(where, partial(_facts, root, video))
    if facts is None:
        return
    folder, names, joints, crop = facts
    for name, xy in zip(names, joints, strict=True):
        sample = problems.attempt(f"{where} {name}", partial(_sample, folder, name, xy, crop, split))
        if sample is not None:
            yield sample


def _facts(root: Path, video: dict[str, Value]) -> tuple[Path, list[str], Numbers, Crop | None]:
    """Folder, names of the frames, joints (frames, 7, 2) counted from 0, and what of the video they show."""
    folder = inside(root / FRAMES, field_text(video, "videoname"))
    ids = field_numbers(video, "frameids").ravel()
    locs = field_numbers(video, "locs")
    if locs.ndim == 2:  # MATLAB drops the last axis of a single frame
        locs = locs[..., None]
    if locs.shape != (2, 7, len(ids)):
        raise BrokenError(f"{len(ids)} frame ids, but locs is {locs.shape}; 2x7x{len(ids)} is expected")
    if not (np.isfinite(ids).all() and (ids == np.round(ids)).all() and (ids >= 0).all()):
        raise BrokenError("its frame ids are not whole numbers")
    return folder, _frame_names(video, ids), locs.transpose(2, 1, 0) - 1, _crop(video)


def _frame_names(video: dict[str, Value], ids: Numbers) -> list[str]:
    """The names in imgPath, whose folders are the authors' own; else made from the frame ids."""
    names = [str(c).replace("\\", "/").rsplit("/", 1)[-1] for c in field_cells(video, "imgPath")]
    if len(names) == len(ids) and all(FRAME.fullmatch(n) for n in names):
        return names
    return [f"frame_{int(i):06d}.jpg" for i in ids]


def _crop(video: dict[str, Value]) -> Crop | None:
    """[topx topy botx boty] of the original video, counted from 1 and inclusive; None when it is not told."""
    corners, scale = field_numbers(video, "crop").ravel(), field_number(video, "scale")
    if len(corners) != 4 or not np.isfinite(corners).all() or scale is None or scale <= 0:
        return None
    x0, y0, x1, y1 = (float(v) for v in corners)
    return Crop((x0 - 1, y0 - 1, x1, y1), (scale, scale)) if x1 >= x0 and y1 >= y0 else None


def _sample(folder: Path, name: str, xy: Numbers, crop: Crop | None, split: str) -> Sample:
    picture = existing(folder / name)
    people = (person(YOUTUBE7, xy, np.full(7, 2)),)
    return Sample(f"{folder.name}/{picture.stem}", split, picture, people, crop=crop, group=folder.name)
