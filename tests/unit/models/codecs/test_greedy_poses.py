"""Sizes, walks, scores and thinning of poses, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.codecs.codec import Placement
from models.codecs.greedy_poses import (
    SIGMAS,
    Poses,
    box_sizes,
    expected_oks,
    hard_nms,
    soft_nms,
    traversals,
    vote_shares,
)
from models.codecs.hough import HoughMaps
from models.labels import COCO17, JointSet

#: of COCO's evaluation
OKS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]


def people(*moved: tuple[float, float]) -> np.ndarray:
    """(people, 17, 2) one pose of 60 by 60 px, moved."""
    pose = np.linspace(0, 60, 17)[:, None] + np.zeros((17, 2))
    return np.stack([pose + m for m in moved]).astype(np.float32)


def test_sizes_are_roots_of_the_area_of_tight_boxes() -> None:
    points = np.zeros((3, 2, 2), np.float32)
    points[0] = (10, 20), (40, 140)
    points[1, :, 0] = 3, 90
    points[2] = (0, 0), (8, 9)
    np.testing.assert_allclose(box_sizes(points), [60, 8, np.sqrt(72)], rtol=1e-6)
    assert box_sizes(np.zeros((0, 17, 2), np.float32)).shape == (0,)
    assert Poses(points, points[..., 0], points[:, 0, 0]).of(np.array([True, False, True])).sizes[0] == 60
    np.testing.assert_allclose(SIGMAS * 1000, OKS, rtol=1e-6)


def test_walks_reach_every_joint_from_any_by_breadth() -> None:
    """a - b - c and b - d: bones 0, 1, 2 forwards and 3, 4, 5 backwards."""
    joints = JointSet("tree", ("a", "b", "c", "d"), ((0, 1), (1, 2), (1, 3)))
    assert traversals(joints).tolist() == [
        [[0, 1, 0], [1, 2, 1], [1, 3, 2]],
        [[1, 0, 3], [1, 2, 1], [1, 3, 2]],
        [[2, 1, 4], [1, 0, 3], [1, 3, 2]],
        [[3, 1, 5], [1, 0, 3], [1, 2, 1]],
    ]
    assert traversals(COCO17).shape == (17, 16, 3)


@pytest.mark.parametrize(("away", "alone"), [(10.0, False), (10.1, True)])
def test_a_joint_within_ten_pixels_of_a_better_persons_does_not_count_again(away: float, alone: bool) -> None:
    scores = np.array([[0.5] * 17, [0.25] * 17], np.float32)
    np.testing.assert_allclose(soft_nms(people((0, 0), (0, away)), scores), [0.5, 0.25 * alone])


def test_somebody_more_than_half_alike_to_a_better_person_is_dropped() -> None:
    """Similarity as COCO's, of the better person's size."""
    for moved in (2.0, 6.0, 7.0, 8.0, 9.0, 12.0):
        points = people((0, 0), (moved, 0))
        alike = np.mean([np.exp(-(moved**2) / (2 * (60 * 2 * s / 1000) ** 2)) for s in OKS])
        assert hard_nms(points).tolist() == ([0] if alike > 0.5 else [0, 1])
        assert hard_nms(points, float(alike) + 0.001).tolist() == [0, 1]
        assert hard_nms(points, float(alike) - 0.001).tolist() == [0]
    assert hard_nms(people((0, 0), (1, 0), (90, 0), (91, 0))).tolist() == [0, 2]


def test_the_share_of_votes_is_read_between_hough_cells() -> None:
    density = np.zeros((17, 20, 20), np.float32)
    density[:, 5, 5], density[:, 5, 6], density[3] = 0.02, 0.04, 1.0
    points = np.full((1, 17, 2), 21.5, np.float32)  # the middle of cell 5
    points[0, 1, 0], points[0, 2] = 23.5, -50
    shares = vote_shares(points, HoughMaps.of(density, 4.0, 16))
    np.testing.assert_allclose(shares[0], [0.32, 0.48, 0, 1, *[0.32] * 13], rtol=1e-5)


def test_a_score_is_the_disks_probability_times_the_expected_similarity() -> None:
    placement, density = Placement((80, 80), (80, 80), 8), np.zeros((17, 20, 20), np.float32)
    points = np.full((1, 17, 2), 41.5, np.float32)  # on the middle of the Hough cell 10
    points[0, 16] = 5.5, 5.5
    density[:, 10, 10], density[:, 10, 12], density[:, 10, 15] = 0.03, 0.01, 9.0  # 0, 8 and 20 px away
    disks = np.full((17, 10, 10), 0.5, np.float32)
    found = expected_oks(points, disks, HoughMaps.of(density, 4.0, 16), placement, 16)
    spread = [2 * (36 * 2 * s / 1000) ** 2 for s in OKS]
    expected = [0.5 * (3 + np.exp(-64 / s)) / 4 for s in spread]
    np.testing.assert_allclose(found[0, :16], expected[:16], rtol=1e-4)
    assert found[0, 16] == 0, "no vote is in reach"
    assert expected_oks(points[:0], disks, HoughMaps.of(density, 4.0, 16), placement, 16).shape == (0, 17)
