"""Similarity of people in two pictures: of joints (OKS), of masks (IoU) and of colours along the bones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.codecs.greedy_poses import SIGMAS, box_sizes
from models.results import PersonResult, Pose
from runtime.tracking.drift import Drift

LIMBS = 2.0  # annotators' deviations are widened over time: limbs move on their own
OTHER_JOINT = 0.08  # of joints of another set than COCO's
ALONG = (0.25, 0.5, 0.75)  # of a bone, places whose colour is compared
AROUND = 0.03  # distance of the samples of one place, person sizes
SAME_COLOUR = 30.0  # grey levels, standard deviation of one person's colours over time
LEARNING = 0.15  # weight of a new sighting in the remembered colours
ACROSS, DOWN = 128, 72  # most cells of a mask that are compared

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person in one picture.

    Attributes:
        points: (joints, 2) px of the displayed picture.
        scores: (joints,) 0..1.
        size: of the person: square root of the area of the box round the joints, px.
        cells: (rows, columns) bool, the mask.
        cell: (width, height) of a cell, px.
        colours: (places, 3) RGB along the bones; of a track the mean over time.
        shown: (places,) 0..1, how surely each place is the person.
    """

    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    score: float
    size: float
    cells: NDArray[np.bool_]
    cell: tuple[float, float]
    colours: NDArray[np.float32]
    shown: NDArray[np.float32]

    def after(self, earlier: Sighting) -> Sighting:
        """This sighting with the colours of those before."""
        if earlier.colours.shape != self.colours.shape:
            return self
        weight = LEARNING * self.shown / np.maximum(LEARNING * self.shown + earlier.shown, 1e-6)
        colours = earlier.colours + weight[:, None] * (self.colours - earlier.colours)
        return replace(self, colours=colours, shown=np.maximum(earlier.shown * (1 - LEARNING), self.shown))

    def on_cells_of(self, other: Sighting) -> Sighting:
        """This sighting with its mask on the cells of another, which a network of other output size has."""
        if self.cells.shape == other.cells.shape:
            return self
        rows, columns = (
            np.arange(n) * have // n for n, have in zip(other.cells.shape, self.cells.shape, strict=True)
        )
        return replace(self, cells=self.cells[np.ix_(rows, columns)], cell=other.cell)

    def away_from(self, other: Sighting) -> tuple[float, float]:
        """Mean displacement of the joints, the surer the more, px."""
        weights = self.scores * other.scores
        if not weights.any():
            weights = np.ones_like(weights)
        dx, dy = (self.points - other.points).T @ (weights / weights.sum())
        return float(dx), float(dy)


def sightings(people: Sequence[PersonResult], image: NDArray[np.uint8]) -> list[Sighting]:
    """People with joints and masks.

    Args:
        people: of one picture.
        image: (height, width, 3) RGB, the displayed picture.
    """
    found = []
    for person in people:
        pose, mask = person.pose, person.mask
        if pose is None or mask is None:
            raise ValueError("a sighting needs joints and a mask")
        nth_row, nth_column = -(-mask.shape[0] // DOWN), -(-mask.shape[1] // ACROSS)
        cells = mask[::nth_row, ::nth_column] > 0
        cell = image.shape[1] * nth_column / mask.shape[1], image.shape[0] * nth_row / mask.shape[0]
        size = float(box_sizes(pose.points[None])[0])
        colours, shown = _colours(pose, size, image)
        found.append(Sighting(pose.points, pose.scores, person.score, size, cells, cell, colours, shown))
    return found


def _colours(
    pose: Pose, size: float, image: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colours round places along the bones, and the lower score of each bone's joints."""
    first, second = np.array(pose.joint_set.bones).T
    along = np.array(ALONG, np.float32)[:, None, None]
    places = (pose.points[first] * (1 - along) + pose.points[second] * along).reshape(-1, 1, 2)
    around = np.array(((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)), np.float32) * (AROUND * size)
    height, width = image.shape[:2]
    x, y = np.nan_to_num(places + around).clip(0, (width - 1, height - 1)).astype(np.intp).transpose(2, 0, 1)
    shown = np.minimum(pose.scores[first], pose.scores[second])
    return image[y, x].mean(axis=1, dtype=np.float32), np.tile(shown, len(ALONG))


def likeness(first: Sequence[Sighting], second: Sequence[Sighting]) -> Matrix:
    """(first, second) 0..1 similarity of colours at the same places of the body; 1 where nothing is known."""
    a, b = np.stack([s.colours for s in first]), np.stack([s.colours for s in second])
    weights = np.stack([s.shown for s in first])[:, None] * np.stack([s.shown for s in second])
    away = np.abs(a[:, None] - b).mean(axis=-1)
    mean = (away * weights).sum(axis=-1) / np.maximum(weights.sum(axis=-1), 1e-6)
    return np.asarray(np.exp(-((mean / SAME_COLOUR) ** 2) / 2), np.float32)


def oks(first: Sequence[Sighting], second: Sequence[Sighting], drifts: Sequence[Drift] = ()) -> Matrix:
    """(first, second) similarity of joints as COCO defines it; sure joints count more.

    Args:
        first: people.
        second: people, perhaps later.
        drifts: how far those of `first` are predicted to have come, and how surely; none in one picture.
    """
    a, b = np.stack([s.points for s in first]), np.stack([s.points for s in second])
    sizes = np.array([s.size for s in first]), np.array([s.size for s in second])
    unsure, wider = np.zeros(len(first)), 1.0
    if drifts:
        a = a + np.array([(m.x, m.y) for m in drifts], np.float32)[:, None]
        unsure, wider = np.array([m.place for m in drifts]), LIMBS
    joints = a.shape[1]
    sigmas = SIGMAS if joints == len(SIGMAS) else np.full(joints, OTHER_JOINT, np.float32)
    scale = np.minimum(sizes[0][:, None], sizes[1]) ** 2  # a child is not found again in a grown-up
    variance = (2 * wider * sigmas) ** 2 * scale[..., None] + unsure[:, None, None]
    square = ((a[:, None] - b) ** 2).sum(axis=-1)
    weights = np.stack([s.scores for s in first])[:, None] * np.stack([s.scores for s in second])
    weights = weights + np.float32(1e-3)
    alike = np.exp(-square / (2 * variance)) * weights
    return np.asarray(alike.sum(axis=-1) / weights.sum(axis=-1), np.float32)


def overlaps(first: Sequence[Sighting], second: Sequence[Sighting], drifts: Sequence[Drift] = ()) -> Matrix:
    """(first, second) IoU of masks, those of `first` moved to their prediction; 0 where one is empty."""
    drifts = drifts or [Drift.begin(0.0)] * len(first)
    moved = _bits([_moved(s, m) for s, m in zip(first, drifts, strict=True)])
    there = _bits([s.cells for s in second])
    areas = np.bitwise_count(moved).sum(axis=1), np.bitwise_count(there).sum(axis=1)
    both = np.bitwise_count(moved[:, None] & there).sum(axis=-1, dtype=np.float32)
    either = areas[0][:, None] + areas[1] - both
    return np.asarray(both / np.maximum(either, 1), np.float32)


def _moved(sighting: Sighting, drift: Drift) -> NDArray[np.bool_]:
    """The mask where the person is predicted."""
    right, down = round(drift.x / sighting.cell[0]), round(drift.y / sighting.cell[1])
    cells = sighting.cells
    if not right and not down:
        return cells
    rows, columns = cells.shape
    out = np.zeros_like(cells)
    if abs(right) < columns and abs(down) < rows:
        out[max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)] = cells[
            max(-down, 0) : rows - max(down, 0), max(-right, 0) : columns - max(right, 0)
        ]
    return out


def _bits(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint64]:
    packed = np.packbits(np.stack(masks).reshape(len(masks), -1), axis=1)
    return np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
