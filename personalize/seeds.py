"""Seeds of the propagation: pixels of a window in which the factor has no doubt.

The paper takes P(person) above 0.99 for a person and below 0.01 for background. A factor that is less sure of
itself gives too few such pixels; then the threshold is lowered as far as needed, and the notice says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

WINDOW = 301  #: frames, 150 on each side, as in the paper
LONG_SIDE = 256  #: px, the working size
THRESHOLDS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.7)
LEAST_SHARE = 0.2  #: of the pixels on one side of 0.5 that must be sure
LEAST_PERSON = 1e-3  #: of all pixels that must be more likely person than not
CLIP = 0.01  #: a seed is wrong this often, as far as the propagation is concerned


class NoSeedsError(Exception):
    """Nothing in the window is surely a person, or nothing surely is not; the text says what helps."""


@dataclass(frozen=True)
class Seeds:
    """Sure pixels of every frame of a window.

    Attributes:
        unaries: (frames, h, w) float32 P(person) within [0.01, 0.99] where it is sure, one half elsewhere.
        person_above: the threshold used for a person.
        notices: what the user should know; empty when the paper's thresholds did.
    """

    unaries: Map
    person_above: float
    notices: list[str]


def window(frames: int, *, around: int | None = None, span: int = WINDOW) -> range:
    """Window of `span` frames round one frame of a clip, moved inwards at the clip's ends.

    Args:
        frames: how many the clip has.
        around: the frame chosen; None takes the middle one.
        span: how many to take, all when the clip has fewer.
    """
    if frames < 1 or span < 1:
        raise ValueError(f"window: {span} of {frames} frames")
    middle = frames // 2 if around is None else min(max(around, 0), frames - 1)
    start = min(max(middle - span // 2, 0), max(frames - span, 0))
    return range(start, min(start + span, frames))


def between(frames: int, first: int, last: int) -> range:
    """Frames from the in point to the out point, both included, in either order, within the clip."""
    if frames < 1:
        raise ValueError("between: the clip has no frames")
    low, high = (min(max(k, 0), frames - 1) for k in sorted((first, last)))
    return range(low, high + 1)


def working_size(width: int, height: int, long_side: int = LONG_SIDE) -> tuple[int, int]:
    """(width, height) at which a picture is worked on: its long side at most `long_side`, never enlarged."""
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def confident(person: Sequence[Map | None], size: tuple[int, int]) -> Seeds:
    """Seeds of a window from the factor's answers.

    Args:
        person: P(person) of each frame on a grid that covers exactly the picture; None for no answer.
        size: (width, height) to work at.

    Raises:
        NoSeedsError: no person is found, or nothing else.
    """
    maps = np.stack([_enlarged(p, size) for p in person]) if person else np.empty((0, 1, 1), np.float32)
    answered = sum(p is not None for p in person)
    likely = maps > 0.5
    if not answered or likely.mean() < LEAST_PERSON or maps.max() <= THRESHOLDS[-1]:
        raise NoSeedsError(
            "No person is found in this range. Choose a range in which the person is in sight."
        )
    unlikely = maps < 0.5
    if unlikely.mean() < LEAST_PERSON or maps.min() >= 1 - THRESHOLDS[-1]:
        raise NoSeedsError(
            "The person fills the whole picture. Choose a range that shows some background too."
        )
    above = _threshold(maps[likely])
    below = 1 - _threshold(1 - maps[unlikely])
    unaries = np.full(maps.shape, 0.5, np.float32)
    sure = (maps > above) | (maps < below)
    unaries[sure] = np.clip(maps[sure], CLIP, 1 - CLIP)
    return Seeds(unaries, above, _notices(len(person) - answered, above, below))


def _enlarged(person: Map | None, size: tuple[int, int]) -> Map:
    """Bilinear, and one half wherever there is no number."""
    if person is None:
        return np.full(size[::-1], 0.5, np.float32)
    known = np.nan_to_num(np.asarray(person, np.float32), nan=0.5, posinf=0.5, neginf=0.5)
    bounded = np.clip(known, 0, 1)
    return np.asarray(cv2.resize(bounded, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _threshold(sureness: Map) -> float:
    """The highest threshold that enough of one side's pixels pass; the lowest when none does."""
    for threshold in THRESHOLDS:
        if np.mean(sureness > threshold) >= LEAST_SHARE:
            return threshold
    return THRESHOLDS[-1]


def _notices(unanswered: int, above: float, below: float) -> list[str]:
    notices = []
    if above < THRESHOLDS[0]:
        notices.append(f"The model is rarely sure of this person: P(person) above {above:g} counts as sure.")
    if below > 1 - THRESHOLDS[0] + 1e-9:
        notices.append(
            f"The model is rarely sure of this background: P(person) below {below:.2g} counts as sure."
        )
    if unanswered:
        notices.append(f"{unanswered} frames have no silhouette; they are filled from their neighbours.")
    return notices
