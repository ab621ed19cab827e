"""A take as files: an H.264 clip, and beside it labels and joints of every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthetic.bodies import FloatArray
from synthetic.clip.__main__ import encode
from synthetic.footage.takes import SIZE, Production, Take


@dataclass(frozen=True)
class Footage:
    """A rendered take.

    Attributes:
        clip: the file.
        labels: (frames, size, size) S31 ids, 0 background.
        joints: (frames, 17, 3) COCO joints: column, row, and 0 outside, 1 hidden, 2 seen.
    """

    clip: Path
    labels: NDArray[np.uint8]
    joints: FloatArray


def render(take: Take, folder: Path, size: int = SIZE) -> Footage:
    """Draw a take, or read it when the folder holds it already."""
    clip, truth = folder / f"{take.name}.mp4", folder / f"{take.name}.npz"
    if not (clip.exists() and truth.exists()):
        _draw(take, clip, truth, size)
    with np.load(truth) as stored:
        return Footage(clip, stored["labels"], stored["joints"])


def _draw(take: Take, clip: Path, truth: Path, size: int) -> None:
    production = Production(take, size)
    labels: list[NDArray[np.uint8]] = []
    joints: list[FloatArray] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(production.frames):
            shot = production.shot(number)
            labels.append(shot.labels)
            joints.append(shot.joints)
            yield shot.image

    encode(pictures(), clip, (size, size))
    np.savez_compressed(truth, labels=np.stack(labels), joints=np.stack(joints))
