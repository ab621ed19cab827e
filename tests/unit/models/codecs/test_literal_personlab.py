"""The decoder beside its literal reading, on drawn and on random maps; and on maps that are nonsense."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.codecs.codec import PictureContext, Placement
from models.codecs.decoding import OURS, PAPER, Decoding
from models.codecs.greedy_poses import Poses, decode_poses
from models.codecs.hough import vote
from models.codecs.instance_masks import memberships
from models.codecs.personlab import PersonLabCodec
from models.codecs.vector_fields import Fields
from models.grid import Grid
from models.labels import COCO17
from models.outputs import JointDisks
from models.results import Result
from tests.unit.models.codecs.literal_personlab import LiteralDecoder
from tests.unit.models.codecs.test_personlab import maps_of, standing

CHANNELS = {"disks": 17, "short": 34, "mid": 64, "long": 34, "person": 1}


def drawn(placement: Placement, radius_px: float, seed: int) -> dict[str, NDArray]:
    """Maps of three people, two of them overlapping, a little wrong everywhere."""
    rng = np.random.default_rng(seed)
    people = [standing(40, 50, 4.3), standing(57, 54, 4.9), standing(118, 47, 3.7)]
    maps = maps_of(people, placement, noise=seed, radius_px=radius_px)
    for name in ("short", "mid", "long"):
        maps[name] = (maps[name] + rng.normal(0, 1, maps[name].shape)).astype(np.float32)
    maps["disks"] = (maps["disks"] * rng.uniform(0.6, 1, maps["disks"].shape)).astype(np.float32)
    return maps


def noise(placement: Placement, radius_px: float, seed: int) -> dict[str, NDArray]:
    """Random vectors; short ones lead to places that are strewn for each joint, so that votes meet."""
    rng = np.random.default_rng(seed)
    columns, rows = placement.cells
    maps = {n: rng.normal(0, 9, (c, rows, columns)).astype(np.float32) for n, c in CHANNELS.items()}
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)))
    pixels = placement.grid.to_pixel(cells, placement.stride)
    for k in range(17):
        each = 1.6 * radius_px
        away = (pixels - rng.uniform(0, each, (2, 1, 1))) % each - each / 2
        maps["short"][2 * k : 2 * k + 2] = maps["short"][2 * k : 2 * k + 2] / 6 - away
    maps["disks"] = rng.random(maps["disks"].shape).astype(np.float32) ** 2
    maps["person"] = rng.random((1, rows, columns)).astype(np.float32)
    return maps


def fast(
    maps: dict[str, NDArray], placement: Placement, radius_px: float, decoding: Decoding
) -> tuple[Poses, Fields]:
    steps = 2 if decoding.refinement else 0
    fields = Fields(maps["short"], maps["mid"], maps["long"], placement, steps)
    hough = vote(maps["disks"], maps["short"], placement, radius_px)
    poses = decode_poses(COCO17, maps["disks"], fields, hough, radius_px, decoding)
    return poses.of(poses.people >= decoding.least_score), fields


@pytest.mark.parametrize(
    ("stride", "grid", "radius_px", "decoding"),
    [
        (8, Grid.CENTRE, 16.0, OURS),
        (8, Grid.CORNER, 32.0, PAPER),
        (16, Grid.CENTRE, 32.0, OURS),
        (16, Grid.CORNER, 32.0, OURS),
        (8, Grid.CENTRE, 16.0, Decoding(refinement=False)),
        (8, Grid.CENTRE, 32.0, Decoding(keep=2)),
    ],
)
@pytest.mark.parametrize("random", [False, True])
def test_people_scores_and_masks_are_those_of_the_literal_reading(
    stride: int, grid: Grid, radius_px: float, decoding: Decoding, random: bool
) -> None:
    width, height = (96, 64) if random else (160, 96)
    size = (width, height) if grid is Grid.CENTRE else (width + 1, height + 1)
    placement = Placement(size, size, stride, grid)
    if random:
        decoding = replace(decoding, least_score=1e-4, keep=1000)
    maps = noise(placement, radius_px, 5) if random else drawn(placement, radius_px, 5)
    literal = LiteralDecoder(maps, placement, radius_px, decoding)
    votes = vote(maps["disks"], maps["short"], placement, radius_px).density
    np.testing.assert_allclose(votes, literal.hough(), atol=1e-6)
    slow = literal.poses()
    found, fields = fast(maps, placement, radius_px, decoding)
    assert len(found.people) == len(slow) >= 2
    np.testing.assert_allclose(found.people, [s[0] for s in slow], atol=2e-3)
    order = match(found, slow)
    np.testing.assert_allclose(found.points[order], [s[2] for s in slow], atol=0.05)
    np.testing.assert_allclose(found.scores[order], [s[1] for s in slow], atol=2e-3)
    belongs = memberships(maps["person"], maps["disks"], fields, found, decoding)[order]
    columns, rows = placement.cells
    for person, (_, _, points) in zip(belongs, slow[:3], strict=False):
        exact = [[literal.membership(points, u, v) for u in range(columns)] for v in range(rows)]
        assert np.mean(np.abs(person - exact) > 0.02) < 0.01  # a vote may turn at the very edge


def match(found: Poses, slow: list) -> list[int]:
    """Order of those found as the literal reading has them; equal scores change places."""
    return [int(np.abs(found.points - np.array(s[2])).max(axis=(1, 2)).argmin()) for s in slow]


def nonsense(kind: str, placement: Placement) -> dict[str, NDArray]:
    columns, rows = placement.cells
    rng = np.random.default_rng(1)
    maps = {n: rng.normal(0, 40, (c, rows, columns)).astype(np.float32) for n, c in CHANNELS.items()}
    for name in ("disks", "person"):
        maps[name] = rng.random(maps[name].shape).astype(np.float32)
    if kind == "all one":
        maps = {n: np.ones_like(m) for n, m in maps.items()}
    elif kind in {"nan", "inf", "-inf"}:
        maps = {n: np.full_like(m, float(kind)) for n, m in maps.items()}
    elif kind == "some nan":
        for m in maps.values():
            m[rng.random(m.shape) < 0.2] = np.nan
    elif kind == "far":
        maps = {n: m * 1e30 if n in {"short", "mid", "long"} else m for n, m in maps.items()}
    elif kind == "zero":
        maps = {n: np.zeros_like(m) for n, m in maps.items()}
    return maps


def decoded(maps: dict[str, NDArray], placement: Placement, decoding: Decoding = OURS) -> Result:
    blank = np.zeros((placement.picture[1], placement.picture[0], 3), np.uint8)
    output = JointDisks(joints=COCO17.name, radius_px=16)
    return PersonLabCodec(decoding).decode(output, maps, PictureContext(placement, blank, blank, (512, 288)))


@pytest.mark.parametrize("kind", ["random", "all one", "nan", "inf", "-inf", "some nan", "far", "zero"])
@pytest.mark.parametrize("decoding", [OURS, Decoding(scoring="hough", nms="hard", masks="distance")])
def test_nonsense_is_decoded_in_bounded_time(kind: str, decoding: Decoding) -> None:
    placement = Placement((1024, 576), (512, 288), 8)
    begin = time.process_time()
    with np.errstate(all="raise", under="ignore"):
        result = decoded(nonsense(kind, placement), placement, decoding)
    assert time.process_time() - begin < 1
    assert len(result.people) <= decoding.keep
    if kind in {"nan", "-inf", "zero"}:
        assert result.people == ()
    for person in result.people:
        assert person.pose is not None
        assert np.isfinite(person.pose.points).all()
        assert np.isfinite(person.box).all()


@pytest.mark.parametrize("cells", [(1, 1), (1, 5), (6, 1)])
def test_a_grid_of_one_row_or_column_is_decoded(cells: tuple[int, int]) -> None:
    size = cells[0] * 8, cells[1] * 8
    placement = Placement(size, size, 8)
    result = decoded(nonsense("random", placement), placement)
    assert all(p.mask is not None and p.mask.shape == (size[1] // 2, size[0] // 2) for p in result.people)


def test_people_come_best_first() -> None:
    placement = Placement((512, 288), (512, 288), 8)
    scores = [p.score for p in decoded(nonsense("random", placement), placement).people]
    assert all(a >= b for a, b in pairwise(scores))


def test_somebody_whose_joints_are_all_outside_the_picture_is_nobody() -> None:
    placement = Placement((512, 288), (512, 288), 8)
    assert decoded(maps_of([standing(-400, -400)], placement, radius_px=16), placement).people == ()
