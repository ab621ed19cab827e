"""Silhouettes cut from photos with joints, on a drawn person whose silhouette is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.labels import IGNORE
from training.photos import Photo
from training.scribbles import Skeleton, scribble
from training.silhouettes import SilhouetteCut, body, cut, merged, with_silhouettes, write
from training.targets import SET_CODES

# LSP order: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, shoulder, left ones, neck, top
JOINTS = np.array(
    [[78, 250], [82, 200], [86, 145], [114, 145], [118, 200], [122, 250], [40, 120], [50, 95], [75, 68],
     [125, 68], [150, 95], [160, 120], [100, 58], [100, 15]],
    np.float32,
)  # fmt: skip
SIZE = (200, 280)


@pytest.fixture(scope="module")
def skeleton():
    return Skeleton(JOINTS, np.full(14, 2, np.int8))


@pytest.fixture(scope="module")
def drawn(skeleton):
    """A person in red and blue on a green lawn with grain, and the true mask."""
    rng = np.random.default_rng(1)
    truth = body(skeleton, SIZE)
    image = np.full((SIZE[1], SIZE[0], 3), (90, 150, 60), np.float32)
    rows = np.arange(SIZE[1])[:, None] < 150
    person = np.where(rows[..., None], (190, 60, 50), (50, 60, 140))
    image = np.where(truth[..., None] > 0, person, image) + rng.normal(0, 9, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), truth


def test_the_drawn_person_is_found(drawn, skeleton):
    image, truth = drawn
    found = cut(image, skeleton)
    assert found is not None
    assert found.plausible
    sure = found.mask != IGNORE
    assert sure.mean() > 0.9
    assert (found.mask[sure] == truth[sure]).mean() > 0.985
    person = found.mask == 1
    assert (person & (truth > 0)).sum() / (person | (truth > 0)).sum() > 0.8


def test_the_same_photo_gives_the_same_cut(drawn, skeleton):
    a, b = (cut(drawn[0], skeleton) for _ in range(2))
    assert np.array_equal(a.mask, b.mask)


def test_a_person_who_cannot_be_told_from_the_ground_is_refused(skeleton):
    rng = np.random.default_rng(2)
    found = cut(rng.integers(90, 130, (SIZE[1], SIZE[0], 3)).astype(np.uint8), skeleton)
    assert found is not None
    assert not found.plausible or (found.mask == IGNORE).mean() > 0.1


def test_nothing_is_said_without_all_joints(drawn, skeleton):
    visible = skeleton.visible.copy()
    visible[6] = 0
    assert cut(drawn[0], Skeleton(skeleton.xy, visible)) is None
    assert cut(drawn[0], Skeleton(skeleton.xy - 60, skeleton.visible)) is None


def test_scribbles_win_and_doubt_stays_unknown(skeleton):
    codes = scribble(skeleton, SIZE)
    mask = np.full(codes.shape, IGNORE, np.uint8)
    mask[:, :100], mask[:, 100:150] = 1, 0
    out = merged(codes, mask)
    said = codes != IGNORE
    assert np.array_equal(out[said], codes[said])
    assert set(np.unique(out[~said & (mask == 1)])) == {SET_CODES["person"]}
    assert set(np.unique(out[~said & (mask == 0)])) == {0}
    assert set(np.unique(out[~said & (mask == IGNORE)])) == {IGNORE}


def test_cuts_are_written_and_merged_by_name(tmp_path, drawn, skeleton, caplog):
    codes = scribble(skeleton, SIZE)
    photos = [Photo("one.jpg", drawn[0], codes, skeleton), Photo("two.jpg", drawn[0], codes)]
    assert write(photos, tmp_path) == (2, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["one.png"]
    one, two = with_silhouettes(photos, tmp_path)
    assert (one.codes == SET_CODES["person"]).sum() > (codes == SET_CODES["person"]).sum()
    assert two is photos[1]
    cv2.imwrite(str(tmp_path / "two.png"), np.zeros((3, 3), np.uint8))
    assert with_silhouettes(photos, tmp_path)[1] is photos[1]
    assert "two.png" in caplog.text


@pytest.mark.parametrize("values", [(0.2, 1, 1), (1.9, 1, 1), (1, 0.3, 1), (1, 1, 0.2)])
def test_implausible_cuts_are_left_out(values):
    assert not SilhouetteCut(np.zeros((2, 2), np.uint8), *values).plausible
