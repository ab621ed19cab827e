"""Silhouettes carried through a clip with hand-made masks, scored frame by frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from personalize.correspondence import PatchSearch, match_window
from personalize.propagation import PropagationConfig, propagate
from personalize.seeds import working_size

pytestmark = pytest.mark.slow
ERODE = np.ones((3, 3), np.uint8)


@pytest.fixture(scope="module")
def tennis(shared_data):
    """Pictures and masks at the working size."""
    folder = shared_data / "clips" / "tennis_masks"
    if not folder.is_dir():
        pytest.skip("needs clips/tennis_masks of the development data, which is not there")
    frames, masks = [], []
    for file in sorted((folder / "images").glob("*.jpg")):
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(str(folder / "silhouettes" / f"{file.stem}.png"), cv2.IMREAD_UNCHANGED)
        size = working_size(picture.shape[1], picture.shape[0])
        frames.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        masks.append(cv2.resize(mask * 255, size, interpolation=cv2.INTER_AREA) > 127)
    return frames, np.array(masks)


def eroded(mask, times=1):
    """Seeds of one frame: the mask and its surroundings without the edge between them."""
    known = np.full(mask.shape, 0.5, np.float32)
    for label, side in ((0.99, mask), (0.01, ~mask)):
        known[cv2.erode(side.astype(np.uint8), ERODE, iterations=times) > 0] = label
    return known


def per_frame_j(person, masks):
    return np.array([(p & m).sum() / (p | m).sum() for p, m in zip(person > 0.5, masks, strict=True)])


def show(seeds, j):
    print(f"J per frame from {seeds}:", np.round(j, 2).tolist())  # noqa: T201 - `pytest -rP` shows it


@pytest.fixture(scope="module")
def links(tennis):
    found = match_window(tennis[0])
    assert found.shot_changes == []
    return found


def test_the_first_silhouette_is_carried_on(tennis, links):
    """A player who turns, runs and jumps, from a single frame; certainty rightly runs out along the way."""
    frames, masks = tennis
    nothing = np.full(masks.shape[1:], 0.5, np.float32)
    known = [eroded(masks[0])] + [nothing] * (len(masks) - 1)
    result = propagate(links, known, PropagationConfig(smoothness=2.0), frames=frames)
    j = per_frame_j(result, masks)
    show("the first frame alone", j)
    assert j[:6].min() > 0.8
    assert j[:21].mean() > 0.75
    assert j[:36].mean() > 0.65
    sure = np.abs(result - 0.5).mean(axis=(1, 2))
    assert sure[0] > 0.4
    assert sure[-1] < sure[10] < sure[0]


def test_sparse_seeds_become_whole_silhouettes(tennis, links):
    """What a careful factor gives: in two frames of three the inside of the body, in the others nothing."""
    frames, masks = tennis
    known = [
        np.full(m.shape, 0.5, np.float32) if k % 3 == 2 else eroded(m, times=3) for k, m in enumerate(masks)
    ]
    before = per_frame_j(np.array(known), masks)
    result = propagate(links, known, PropagationConfig(smoothness=2.0), frames=frames)
    j = per_frame_j(result, masks)
    show("sparse seeds", j)
    assert before.mean() < 0.4
    assert j.mean() > 0.8
    assert j[2::3].mean() > 0.75
    assert j.min() > 0.65


def test_reach_and_patch_of_the_paper_work_too(tennis):
    frames, masks = tennis[0][:12], tennis[1][:12]
    known = [eroded(masks[0])] + [np.full(masks.shape[1:], 0.5, np.float32)] * 11
    person = propagate(match_window(frames, PatchSearch(patch=7)), known)
    assert per_frame_j(person, masks).mean() > 0.7
