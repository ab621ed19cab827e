"""Dense labels from a teacher and from joints, on teachers and bodies whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.factored import FactoredConvNet
from models.labels import IGNORE, LSP14, S31
from training.photos import DataError, Photo
from training.pseudolabels import label, likelihood, teach, with_labels, without_others, write
from training.scribbles import Skeleton
from training.targets import SET_CODES

# LSP order, seen from in front: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, …
JOINTS = np.array(
    [[78, 250], [82, 200], [86, 145], [114, 145], [118, 200], [122, 250], [40, 120], [50, 95], [75, 68],
     [125, 68], [150, 95], [160, 120], [100, 58], [100, 15]],
    np.float32,
)  # fmt: skip
WIDTH, HEIGHT = 200, 280
MIRROR = S31.mirror()[: S31.classes].astype(np.int64)


@pytest.fixture(scope="module")
def front():
    return Skeleton(JOINTS, np.full(14, 2, np.int8))


@pytest.fixture(scope="module")
def behind():
    return Skeleton(JOINTS[list(LSP14.mirror_ids)], np.full(14, 2, np.int8))


def photo(skeleton=None, codes=None):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    unknown = np.full((HEIGHT, WIDTH), IGNORE, np.uint8)
    return Photo("a.jpg", image, unknown if codes is None else codes, skeleton)


def believing(ids, strength=0.9):
    """A teacher that gives each place of an id map this much of its belief."""
    maps = np.full((S31.classes, *ids.shape), (1 - strength) / (S31.classes - 1), np.float32)
    np.put_along_axis(maps, ids[None].astype(np.int64), strength, axis=0)
    return maps


def fitting(skeleton):
    """The part that fits each place best; background where nobody is near."""
    fit = likelihood(skeleton, (WIDTH, HEIGHT))
    near = cv2.dilate((fit.max(0) > 0).astype(np.uint8), np.ones((3, 3))) > 0
    return np.where(near, fit.argmax(0) + 1, 0).astype(np.uint8)


def test_each_joint_fits_its_own_part(front, behind):
    for skeleton in (front, behind):
        fit = likelihood(skeleton, (WIDTH, HEIGHT))
        for side, other in ("rl", "lr"):
            for joint in ("wrist", "elbow", "knee", "ankle"):
                x, y = skeleton.at(f"{side}_{joint}").astype(int)
                assert fit[S31.id(side + joint) - 1, y, x] == 1
                assert fit[S31.id(other + joint) - 1, y, x] < 0.05


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_a_mirrored_body_fits_mirrored_places(seed):
    rng = np.random.default_rng(seed)
    xy = (JOINTS + rng.normal(0, 9, JOINTS.shape)).astype(np.float32)
    visible = rng.choice([0, 2, 2, 2], 14).astype(np.int8)
    order = list(LSP14.mirror_ids)
    turned = Skeleton(np.stack((WIDTH - 1 - xy[:, 0], xy[:, 1]), 1)[order], visible[order])
    one, other = (likelihood(s, (WIDTH, HEIGHT)) for s in (Skeleton(xy, visible), turned))
    assert np.allclose(other[:, :, ::-1][MIRROR[1:] - 1], one, atol=1e-3)


def test_a_teacher_that_takes_a_back_for_a_front_is_put_right(front, behind):
    wrong = believing(fitting(front))
    codes = label(wrong, photo(behind))
    sides_apart = [S31.id(s + p) for s in "rl" for p in ("larm", "uarm", "elbow", "uleg", "lleg", "knee")]
    told = np.isin(codes, sides_apart)
    truth = fitting(behind)
    assert told.sum() > 800
    assert (codes[told] == truth[told]).mean() > 0.97
    without = label(wrong, photo())
    assert (without[told] == truth[told]).mean() < 0.05  # nothing but the joints can know


def test_what_is_known_stays_and_a_set_becomes_only_what_it_allows(front):
    ids = np.full((HEIGHT, WIDTH), S31.id("rfoot"), np.uint8)
    codes = np.full((HEIGHT, WIDTH), SET_CODES["trousers"], np.uint8)
    codes[:40] = 0
    codes[40:60] = S31.id("luleg")
    codes[60:80] = SET_CODES["foot"]
    fresh = label(believing(ids), photo(codes=codes))
    assert (fresh[:40] == 0).all()
    assert (fresh[40:60] == S31.id("luleg")).all()
    assert (fresh[60:80] == S31.id("rfoot")).all()
    assert (fresh[80:] == SET_CODES["trousers"]).all()  # a foot is no trousers, and the rest is a guess


def test_a_limb_the_teacher_has_lost_is_no_background(front):
    nobody = believing(np.zeros((HEIGHT, WIDTH), np.uint8), strength=0.99)
    codes = label(nobody, photo(front))
    for name in LSP14.names:
        x, y = front.at(name).astype(int)
        assert codes[y, x] != 0
    assert (codes[:, :20] == 0).all()


def test_doubt_teaches_nothing():
    even = np.full((S31.classes, HEIGHT, WIDTH), 1 / S31.classes, np.float32)
    even[0, :100] = 0.5
    even[1:, :100] = 0.5 / 31
    codes = label(even, photo())
    assert (codes[:100] == IGNORE).all()
    assert (codes[100:] == SET_CODES["person"]).all()  # 31 of 32 parts: somebody, no more


def test_a_teacher_says_the_mirrored_of_a_mirrored_picture():
    torch.manual_seed(1)
    net = FactoredConvNet().eval()
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    one = teach(net, image, (96, 192))
    other = teach(net, np.ascontiguousarray(image[:, ::-1]), (96, 192))
    assert one.shape == (S31.classes, 64, 96)
    assert np.allclose(one.sum(0), 1, atol=1e-4)
    assert np.allclose(other[MIRROR][:, :, ::-1], one, atol=1e-4)


def test_labels_are_written_once_read_back_and_refused_at_another_size(tmp_path, caplog):
    torch.manual_seed(1)
    net = FactoredConvNet().eval()
    small = Photo("a.jpg", np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 5, np.uint8))
    write(net, [small], (64,), tmp_path)
    assert np.array_equal(with_labels([small], tmp_path)[0].codes, small.codes)
    marked = np.full((64, 64), 7, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), marked)
    write(net, [small], (64,), tmp_path)  # what is there is kept: a stopped run goes on
    assert np.array_equal(with_labels([small], tmp_path)[0].codes, marked)
    assert with_labels([photo()], tmp_path)[0].codes.shape == (HEIGHT, WIDTH)
    assert "not a map of the size of a.jpg" in caplog.text
    with pytest.raises(DataError, match="no such folder"):
        with_labels([small], tmp_path / "none")


def test_other_people_are_not_called_background() -> None:
    codes = np.zeros((100, 100), np.uint8)
    codes[40:60, 10:30] = 5
    belief = np.zeros((32, 100, 100), np.float32)
    belief[0] = 1
    for where in (np.s_[40:60, 31:34], np.s_[40:60, 70:90]):  # at the person's own edge, and far from it
        belief[0][where], belief[3][where] = 0.3, 0.7
    found = without_others(codes, belief)
    assert (found[40:60, 70:90] == IGNORE).all()
    assert (found == IGNORE).sum() == 400
