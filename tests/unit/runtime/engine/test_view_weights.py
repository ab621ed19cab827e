"""Vectors of several views count where their disks are."""

from __future__ import annotations

import numpy as np
import pytest

from models.grid import Grid, Sides
from models.outputs import Offsets
from runtime.engine.augmentation import View, merged, weights
from runtime.engine.letterbox import Letterbox, NetworkSize

SHORT, MID = (Offsets(name=n, joints="COCO-17", over=o) for n, o in (("short", "joints"), ("mid", "bones")))


def view(zoom: float = 1.0, *, flip: bool = False) -> View:
    return View(Letterbox.fit((96, 64), NetworkSize(96), zoom=zoom), flip)


def maps(of: View, channels: int, value: float) -> np.ndarray:
    return np.full((channels, *of.letterbox.grid[::-1]), value, np.float32)


@pytest.mark.parametrize("output", [SHORT, MID])
def test_a_view_that_sees_no_disk_leaves_no_trace_beside_one_that_does(output: Offsets) -> None:
    views = [view(), view(0.5)]
    known, nothing = (maps(v, output.channels, x) for v, x in zip(views, (5, 900), strict=True))
    by = [weights(output, {"disks": maps(v, 17, p)}) for v, p in zip(views, (1, 0), strict=True)]
    assert abs(merged(views, [known, nothing], output.mirror, by) - 5).max() < 1
    assert merged(views, [known, nothing], output.mirror).min() > 400, "a plain average is between"


def test_a_mirrored_view_turns_its_vectors_and_not_their_weights() -> None:
    views = [view(), view(flip=True)]
    disks = maps(views[0], 17, 0.5)
    disks[5] = 0.1  # a left joint of the upright picture, a right one of its mirror image
    turned = disks[list(SHORT.joint_set.mirror_ids)][:, :, ::-1]
    by = [weights(SHORT, {"disks": d}) for d in (disks, turned)]
    here = maps(views[0], 34, 3)
    both = merged(views, [here, SHORT.mirror.apply(here) * 3], SHORT.mirror, by)
    assert both == pytest.approx(6)


def test_outputs_that_mean_something_everywhere_are_averaged_plainly() -> None:
    long = Offsets(name="long", joints="COCO-17")
    assert weights(long, {"disks": maps(view(), 17, 1)}) is None
    assert weights(SHORT, {}) is None


def test_maps_between_corners_come_back_onto_their_cells() -> None:
    """A map of where a cell lies, of a smaller view, says of each cell of the larger one where that lies."""
    sides = Sides(32, Grid.CORNER)
    large, small = (
        View(Letterbox.fit((321, 193), NetworkSize(321), sides=sides, zoom=z), False) for z in (1, 0.5)
    )
    across, down = small.letterbox.cells
    ramp = np.stack(np.meshgrid(np.linspace(0, 1, across), np.linspace(0, 1, down))).astype(np.float32)
    there = large.letterbox.cells
    expected = np.stack(np.meshgrid(np.linspace(0, 1, there[0]), np.linspace(0, 1, there[1])))
    assert there != (across, down)
    assert small.to_displayed(ramp, there) == pytest.approx(expected, abs=0.02)
