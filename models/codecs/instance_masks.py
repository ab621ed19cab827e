"""Instance masks: cells whose long-range offsets embed them near a person's joints (PersonLab §3.2, §3.3)."""

from __future__ import annotations

import numpy as np

from models.codecs.codec import FloatMap
from models.codecs.greedy_poses import Poses
from models.codecs.vector_fields import Fields, sample

PERSON = 0.5  # probability of a cell that belongs to somebody
UNSURE = 0.2  # beneath it no cell is embedded
NEAR = 0.25  # distance in the embedding, person sizes
FAR = 1e3  # distance of cells that are nobody's, person sizes


def embedding_distances(person: FloatMap, disks: FloatMap, fields: Fields, poses: Poses) -> FloatMap:
    """(people, h, w) distance of every cell from every person, in person sizes; `FAR` where nobody is.

    Joints count by the disk probability at their place; a person with none at all is far from everything.
    """
    people, count = poses.points.shape[:2]
    out = np.full((people, *person.shape[-2:]), FAR, np.float32)
    v, u = np.nonzero(person[0] >= UNSURE)
    placement = fields.placement
    at = placement.grid.to_pixel(np.stack((u, v), axis=1), placement.stride).astype(np.float32)
    embedded = at[:, None] + fields.long_at(at)  # (cells, joints, 2)
    joint = np.tile(np.arange(count), people)
    weights = sample(disks, joint, poses.points.reshape(-1, 2), placement).reshape(people, count)
    for j in range(people):
        if (total := float(weights[j].sum())) > 0:
            away = embedded - poses.points[j]
            distance = np.sqrt((away**2).sum(axis=-1))
            out[j, v, u] = distance @ weights[j] / (total * poses.sizes[j])
    return out
