"""Instance masks: cells whose long-range offsets embed them near a person's joints (PersonLab §3.2, §3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap, Placement
from models.codecs.greedy_poses import Poses, sample

PERSON = 0.5  # probability of a cell that belongs to somebody
NEAR = 0.25  # distance in the embedding, person sizes


def embedding_distances(long: FloatMap, disks: FloatMap, poses: Poses, placement: Placement) -> FloatMap:
    """(people, h, w) distance of every cell from every person, in person sizes.

    Joints count by the disk probability at their place; a person with none at all is far from everything.
    """
    people, count = poses.points.shape[:2]
    _, rows, columns = long.shape
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    pixels = placement.grid.to_pixel(grid, placement.stride).astype(np.float32)
    embedded = long.reshape(count, 2, rows, columns) + pixels.transpose(2, 0, 1)
    joint = np.broadcast_to(np.arange(count), (people, count)).ravel()
    weights = sample(disks, joint, poses.points.reshape(-1, 2), placement).reshape(people, count)
    out = np.full((people, rows, columns), np.inf, np.float32)
    for j in range(people):
        if (total := float(weights[j].sum())) > 0:
            away = embedded - poses.points[j][:, :, None, None]
            distance = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2)
            out[j] = np.tensordot(weights[j], distance, 1) / (total * poses.sizes[j])
    return out


def instance_masks(
    person: FloatMap, long: FloatMap, disks: FloatMap, poses: Poses, placement: Placement
) -> NDArray[np.bool_]:
    """(people, h, w) non-exclusive masks on the grid; a person's cells may be nobody's."""
    if not len(poses.points):
        return np.zeros((0, *person.shape[-2:]), bool)
    return (embedding_distances(long, disks, poses, placement) <= NEAR) & (person[0] >= PERSON)
