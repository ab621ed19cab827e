"""A second opinion: a random forest learns, from this window alone, what belongs to a person here.

It is taught by the pixels the first propagation is sure of, with its probabilities as soft labels, and then
gives every pixel without a seed a weak one, before the second propagation. scikit-learn takes a second to
load, so only `personalize.propagation` imports this module, and only when it is asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from personalize.correspondence import Picture, lab

Map = NDArray[np.float32]

RADIUS = 5  #: px; features look at an 11x11 patch
FEATURES = 48  #: half of them a colour at an offset, half the difference of two
TREES, DEPTH = 16, 10
SAMPLES = 50_000
SURE = 0.9
ETA = 0.5  #: share of "no idea" mixed into the forest's opinion
STRIDE = 2  #: the opinion is formed at half resolution, which takes a quarter of the time


@dataclass(frozen=True)
class Features:
    """Which colours of the patch are looked at: offsets (dy, dx) and channels, the same for every pixel."""

    first: NDArray[np.int64]  #: (FEATURES, 3): dy, dx, channel
    second: NDArray[np.int64]  #: (FEATURES // 2, 3) taken away from the second half

    @classmethod
    def drawn(cls, seed: int) -> Features:
        """Random ones; the same seed, the same features."""
        random = np.random.default_rng(seed)
        low, high = (-RADIUS, -RADIUS, 0), (RADIUS + 1, RADIUS + 1, 3)
        return cls(random.integers(low, high, (FEATURES, 3)), random.integers(low, high, (FEATURES // 2, 3)))

    def __call__(self, frame: Picture, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Map:
        """(pixels, FEATURES + 2): colours and differences, and the normalised place."""
        height, width = frame.shape[:2]
        colours = cv2.copyMakeBorder(lab(frame), RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE)

        def at(places: NDArray[np.int64]) -> Map:
            dy, dx, channel = places.T[:, None, :]
            return np.asarray(colours[rows[:, None] + dy + RADIUS, columns[:, None] + dx + RADIUS, channel])

        seen = at(self.first)
        seen[:, FEATURES // 2 :] -= at(self.second)
        return np.column_stack([seen, rows / height, columns / width]).astype(np.float32)


def second_opinion(
    frames: Sequence[Picture], person: Map, unaries: Sequence[Map], *, seed: int = 0
) -> list[Map]:
    """The seeds, and a weak opinion wherever there was none.

    Args:
        frames: (h, w, 3) RGB.
        person: (frames, h, w) P(person) of the first propagation.
        unaries: (h, w) P(person) per frame, one half where there was no seed; not changed.
        seed: the same seed and window give the same opinion.
    """
    features = Features.drawn(seed)
    forest = _taught(frames, person, features, seed)
    if forest is None:
        return list(unaries)
    made = []
    for frame, known in zip(frames, unaries, strict=True):
        height, width = known.shape
        grid = np.mgrid[0:height:STRIDE, 0:width:STRIDE]
        said = forest.predict_proba(features(frame, grid[0].ravel(), grid[1].ravel()))[:, 1]
        coarse = said.reshape(grid.shape[1:]).astype(np.float32)
        opinion = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        weak = (1 - ETA) * opinion + ETA * np.float32(0.5)
        made.append(np.where(known == 0.5, weak, known).astype(np.float32))
    return made


def _taught(
    frames: Sequence[Picture], person: Map, features: Features, seed: int
) -> RandomForestClassifier | None:
    """A forest taught by sure pixels, each with both labels by probability; None if all have one label."""
    frame, row, column = np.nonzero(np.maximum(person, 1 - person) > SURE)
    sure = person[frame, row, column]
    sides = [np.flatnonzero(sure > 0.5), np.flatnonzero(sure < 0.5)]
    if min(map(len, sides)) == 0:
        return None
    random = np.random.default_rng(seed)
    # As many of either: a person is a small part of the picture.
    chosen = np.concatenate([random.choice(s, min(SAMPLES // 2, len(s)), replace=False) for s in sides])
    chosen = chosen[np.argsort(frame[chosen], kind="stable")]
    pieces = np.split(chosen, np.flatnonzero(np.diff(frame[chosen])) + 1)
    seen = np.concatenate([features(frames[frame[c[0]]], row[c], column[c]) for c in pieces])
    weight = sure[chosen]
    forest = RandomForestClassifier(TREES, max_depth=DEPTH, n_jobs=1, random_state=seed)
    labels = np.repeat((1, 0), len(chosen))
    return forest.fit(np.concatenate([seen, seen]), labels, np.concatenate([weight, 1 - weight]))
