"""Heat maps: encoding and decoding are inverse, in both grids, at borders and for absent joints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.codecs.codec import PictureContext, Placement
from models.codecs.heatmaps import FEWEST, HeatmapCodec
from models.grid import Grid
from models.labels import COCO17, JOINT_SETS
from models.outputs import Heatmaps
from models.results import Pose, Result

CODEC = HeatmapCodec()
STRIDE = 8
PICTURE = (640, 360)


def placement(grid: Grid, cells: tuple[int, int] = (40, 24)) -> Placement:
    """A picture that covers `cells` of the grid."""
    more = 1 if grid is Grid.CORNER else 0
    width, height = (STRIDE * (n - more) + more for n in cells)
    return Placement(PICTURE, (width, height), STRIDE, grid)


def decoded(maps: NDArray[np.float32], where: Placement, output: Heatmaps) -> Result:
    """The people in maps."""
    picture = np.zeros((where.content[1], where.content[0], 3), np.uint8)
    image = np.zeros((PICTURE[1], PICTURE[0], 3), np.uint8)
    return CODEC.decode(output, {output.name: maps}, PictureContext(where, picture, image, where.content))


def pose(points: NDArray[np.float32], scores: NDArray[np.float32] | None = None) -> Pose:
    """COCO-17 joints."""
    return Pose(COCO17, points, np.ones(17, np.float32) if scores is None else scores)


@given(seed=st.integers(0, 2**32 - 1), grid=st.sampled_from(Grid), joints=st.sampled_from(sorted(JOINT_SETS)))
def test_decoding_what_was_encoded_gives_the_joints_within_a_quarter_cell(
    seed: int, grid: Grid, joints: str
) -> None:
    rng = np.random.default_rng(seed)
    output, where = Heatmaps(joints=joints, stride=STRIDE, grid=grid), placement(grid)
    count = len(output.joint_set.names)
    inside = rng.uniform(0, (where.content[0] - 1, where.content[1] - 1), (count, 2))
    scale = np.array(PICTURE) / np.array(where.content)
    points = ((inside + 0.5) * scale - 0.5).astype(np.float32)
    there = rng.random(count) < 0.8
    there[:FEWEST] = True
    given_pose = Pose(output.joint_set, points, there.astype(np.float32))
    (person,) = decoded(CODEC.encode(output, [given_pose], where), where, output).people
    assert person.pose is not None
    assert np.array_equal(person.pose.scores > 0, there)
    found = person.pose.points[there]
    assert person.box == pytest.approx((*found.min(axis=0), *np.ptp(found, axis=0)), abs=0.01)
    error = np.abs(person.pose.points - points)[there] / (STRIDE * scale)
    assert error.max() < 0.25


@pytest.mark.parametrize("grid", Grid)
def test_joints_at_the_very_border_are_found_there(grid: Grid) -> None:
    output, where = Heatmaps(joints="COCO-17", grid=grid), placement(grid)
    w, h = PICTURE
    corners = np.array([(0, 0), (w - 1, 0), (0, h - 1), (w - 1, h - 1), (w / 2, 0)], np.float32)
    points = corners[np.arange(17) % 5]
    (person,) = decoded(CODEC.encode(output, [pose(points)], where), where, output).people
    assert person.pose is not None
    assert np.abs(person.pose.points - points).max() < 0.25 * STRIDE * w / where.content[0]
    assert person.box == pytest.approx((0, 0, w - 1, h - 1), abs=1)


def test_maps_without_a_peak_show_nobody() -> None:
    output, where = Heatmaps(joints="COCO-17"), placement(Grid.CENTRE)
    nobody = pose(np.zeros((17, 2), np.float32), np.zeros(17, np.float32))
    maps = CODEC.encode(output, [nobody], where)
    assert not maps.any()
    assert decoded(maps, where, output).people == ()
    assert decoded(np.full_like(maps, 0.02), where, output).people == ()


def test_the_peak_decides_beside_a_lower_one() -> None:
    output, where = Heatmaps(joints="COCO-17"), placement(Grid.CENTRE)
    near, far = (pose(np.full((17, 2), v, np.float32)) for v in (80.0, 300.0))
    maps = 0.9 * CODEC.encode(output, [near], where) + 0.5 * CODEC.encode(output, [far], where)
    (person,) = decoded(maps, where, output).people
    assert person.pose is not None
    assert np.abs(person.pose.points - 80).max() < 2
    assert person.score == pytest.approx(person.pose.scores.mean())
    assert 0.7 < person.score < 0.9


def test_the_background_channel_is_what_the_joints_leave() -> None:
    output, where = Heatmaps(joints="COCO-17", background=True), placement(Grid.CENTRE)
    points = np.full((17, 2), 100, np.float32)
    maps = CODEC.encode(output, [pose(points)], where)
    assert maps.shape[0] == output.channels == 18
    assert maps[-1].max() == pytest.approx(1)
    (person,) = decoded(maps, where, output).people
    assert person.pose is not None
    assert len(person.pose.scores) == 17


def test_a_mirrored_picture_gives_the_mirrored_person() -> None:
    output, where = Heatmaps(joints="COCO-17"), placement(Grid.CENTRE)
    points = np.random.default_rng(3).uniform(40, 320, (17, 2)).astype(np.float32)
    maps = CODEC.encode(output, [pose(points)], where)
    (person,) = decoded(np.ascontiguousarray(output.mirror.apply(maps)), where, output).people
    assert person.pose is not None
    expected = points[list(COCO17.mirror_ids)].copy()
    expected[:, 0] = PICTURE[0] - 1 - expected[:, 0]
    assert np.abs(person.pose.points - expected).max() < 0.25 * STRIDE * PICTURE[0] / where.content[0]


def test_three_peaks_of_a_tenth_are_somebody() -> None:
    output, where = Heatmaps(joints="COCO-17"), placement(Grid.CENTRE)
    maps = np.zeros((17, 24, 40), np.float32)
    maps[:, 5, 7], maps[:2, 5, 7] = 0.099, 0.1
    assert decoded(maps, where, output).people == ()
    maps[2, 5, 7], maps[2, 9, 11] = 0, 0.3
    (person,) = decoded(maps, where, output).people
    assert person.pose is not None
    assert person.pose.scores.tolist() == pytest.approx([0.1, 0.1, 0.3, *[0] * 14])
    assert person.score == pytest.approx(0.5 / 3)
    np.testing.assert_allclose(person.pose.points[:3], where.to_picture([(7, 5), (7, 5), (11, 9)]))


@pytest.mark.parametrize("background", [False, True])
def test_a_map_is_a_gaussian_of_one_cell_and_beside_a_background_ends_at_a_hundredth(
    background: bool,
) -> None:
    output, where = Heatmaps(joints="COCO-17", background=background), placement(Grid.CENTRE)
    one = np.arange(17) < 1
    poses = [
        pose(np.tile(where.to_picture(cell), (17, 1)).astype(np.float32), one.astype(np.float32))
        for cell in ((10, 6), (11.5, 6))
    ]
    maps = CODEC.encode(output, poses, where)
    y, x = np.mgrid[:24, :40]
    squares = np.minimum((x - 10) ** 2, (x - 11.5) ** 2) + (y - 6) ** 2
    expected = np.exp(-squares / 2)
    if background:
        expected[expected < 0.01] = 0
        np.testing.assert_allclose(maps[17], 1 - expected, atol=1e-6)
    np.testing.assert_allclose(maps[0], expected, rtol=1e-4, atol=1e-9)
    assert not maps[1:17].any()
