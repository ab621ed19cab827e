"""What is changed of a picture, and how far: light, colour, sharpness, place and what lies before it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.labels import IGNORE, S31
from training.augment import Ranges, affine, mirrors, occlude, photometric, warp, warp_codes

STILL = Ranges(scale=(1, 1), angle=0, shift=0, flip=0)


def changed(picture: NDArray[np.uint8], count: int = 500) -> NDArray[np.float64]:
    """(count, h, w, 3) the picture in so many lights."""
    made = (photometric(np.random.default_rng(seed), picture) for seed in range(count))
    return np.stack(list(made)).astype(float)


def test_light_changes_within_its_ranges() -> None:
    """Of mid-grey: 0.5 ± 0.1, and the gain of at most 1.4·1.12 from what a gamma of e^±0.35 leaves."""
    means = changed(np.full((12, 12, 3), 128, np.uint8)).mean(axis=(1, 2))
    assert 255 * 0.2 - 4 < means.min() < 75
    assert 165 < means.max() < 255 * 0.78 + 4
    assert np.mean(np.abs(means - 128).max(axis=1) < 1.5) == pytest.approx(0.2, abs=0.06), "a fifth is left"
    assert np.mean(np.ptp(means, axis=1) > 2) > 0.15, "channels differ"


def test_poor_light_takes_most_of_the_contrast() -> None:
    """An eighth have a gain of 0.25 to 0.6, the others of 0.65 to 1.4; times 0.88 to 1.12 of a channel."""
    halves = np.zeros((16, 16, 3), np.uint8)
    halves[:, :8], halves[:, 8:] = 96, 160
    made = changed(halves)
    contrast = (made[:, :, 12:].mean(axis=(1, 2)) - made[:, :, :4].mean(axis=(1, 2))).max(axis=1) / 64
    assert np.mean(contrast < 0.6) == pytest.approx(0.8 * 0.12, abs=0.04)
    assert contrast.min() > 0.15
    assert 1.35 < contrast.max() < 2.1


def test_colour_is_turned_faded_or_lost() -> None:
    orange = np.full((12, 12, 3), (200, 120, 60), np.uint8)
    made = changed(orange).mean(axis=(1, 2))
    grey = np.ptp(made, axis=1) < 2
    assert grey.mean() == pytest.approx(0.12, abs=0.05)
    hsv = np.stack(
        [cv2.cvtColor(c[None, None].astype(np.uint8), cv2.COLOR_RGB2HSV)[0, 0] for c in made[~grey]]
    )
    hue = ((hsv[:, 0].astype(int) + 90) % 180 - 90)[hsv[:, 1] > 60]
    assert -5 < hue.min() < 3, "12 from orange's 13, and what the channels' gains add"
    assert 22 < hue.max() < 32
    assert (hsv[:, 1] < 90).mean() == pytest.approx(0.06, abs=0.03)
    assert hsv[:, 1].max() > 240


def test_a_part_of_the_pictures_is_noisy_and_a_part_blurred() -> None:
    """Noise of 2 to 14 levels in a quarter; a blur by lens or movement in a fifth and an eighth."""
    plain = changed(np.full((24, 24, 3), 128, np.uint8))
    grain = plain.std(axis=(1, 2)).mean(axis=1)
    assert np.mean(grain > 1.5) == pytest.approx(0.25, abs=0.07)
    assert 10 < grain.max() < 15
    edge = np.zeros((40, 40, 3), np.uint8)
    edge[:, 20:] = 200
    made = changed(edge)
    steps = np.abs(np.diff(made.mean(axis=(1, 3)), axis=1))
    sharp = steps.max(axis=1) / np.ptp(made.mean(axis=(1, 3)), axis=1)
    assert np.mean(sharp < 0.8) == pytest.approx(1 - 0.8 * 0.92, abs=0.08)


def test_a_blur_keeps_the_light() -> None:
    """A white picture stays white under whatever is blurred; only its light is changed."""
    dots = np.zeros((60, 60, 3), np.uint8)
    dots[30, 30] = 255
    for seed in range(300):
        made = photometric(np.random.default_rng(seed), dots)
        rows, columns = np.nonzero(made.max(axis=2) > 100)
        if 1 < len(rows) < 200 and made[:5].max() < 30:  # it is spread, neither noisy nor bright
            assert max(np.ptp(rows), np.ptp(columns)) <= 6
            assert np.abs((rows.mean(), columns.mean()) - np.array(30)).max() < 1


@pytest.mark.parametrize("size", [(60, 40), (40, 60)])
def test_a_map_scales_the_long_side_turns_about_the_centre_and_mirrors(size: tuple[int, int]) -> None:
    rng, centre = np.random.default_rng(0), np.array((12, 30), np.float32)
    still = affine(rng, size, 121, STILL)
    assert np.allclose(still, [[121 / 60, 0, 60 - 121 / 60 * (size[0] - 1) / 2],
                               [0, 121 / 60, 60 - 121 / 60 * (size[1] - 1) / 2]])  # fmt: skip
    assert not mirrors(still)
    turned = affine(rng, size, 121, Ranges(scale=(1, 1), angle=50, shift=0, flip=0), centre)
    assert np.allclose(turned @ [12, 30, 1], 60)
    assert abs(turned[0, 1]) > 0.05
    flipped = affine(rng, size, 121, Ranges(scale=(1, 1), angle=0, shift=0, flip=1), centre)
    assert np.allclose(flipped @ [12, 30, 1], 60)
    assert np.allclose(flipped[:, :2], np.diag((-121 / 60, 121 / 60)))
    assert mirrors(flipped)


def test_scales_are_even_by_their_logarithm_and_few_are_turned_wildly() -> None:
    rng = np.random.default_rng(0)
    ranges = Ranges(scale=(0.25, 4), angle=5, wild_angle=0.3, flip=0)
    maps = np.stack([affine(rng, (50, 50), 50, ranges) for _ in range(2000)])
    scale = np.hypot(maps[:, 0, 0], maps[:, 0, 1])
    share = np.histogram(np.log2(scale), bins=4, range=(-2, 2))[0] / len(scale)
    assert share == pytest.approx(np.full(4, 0.25), abs=0.04)
    angle = np.degrees(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    assert np.mean(angle < -20) == pytest.approx(0.3 * 160 / 360, abs=0.03)
    assert np.mean(angle > 20) == pytest.approx(0.3 * 160 / 360, abs=0.03)
    assert np.ptp(angle) > 350
    assert angle[np.abs(angle) < 20].std() == pytest.approx(5, abs=1.5)
    middle = maps @ (24.5, 24.5, 1) - 24.5
    assert -7.5 <= middle.min() < -7.3
    assert 7.3 < middle.max() <= 7.5


@pytest.mark.parametrize("scale", [0.59, 0.61, 0.2, 0.04])
def test_a_picture_is_made_small_without_a_shift_or_a_pattern(scale: float) -> None:
    """A ramp stays a ramp, single columns of black and white become grey."""
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[None, :, None], (240, 240, 3)).copy()
    m = np.array([[scale, 0, 0.0], [0, scale, 0]])
    side = max(4, int(240 * scale) - 2)
    made = warp(ramp, m, side)[side // 2, :, 0].astype(float)
    assert np.abs(made - np.arange(side) / scale)[1:-1].max() < max(2.5, 0.15 / scale)
    if scale < 0.3:
        columns = np.where(ramp % 2, 255, 0).astype(np.uint8)
        assert np.ptp(warp(columns, m, side)[1:-1, 1:-1].astype(int)) < 60


def test_around_a_picture_is_its_mean_and_around_a_cutout_nothing() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32], picture[32:, :, 1] = 200, 100
    away = np.array([[1.0, 0, 500], [0, 1, 0]])
    assert warp(picture, away, 16)[8, 8].tolist() == [100, 150, 100]
    assert not warp(np.full((9, 9, 4), 255, np.uint8), away, 16).any()


def test_a_patch_of_a_background_covers_picture_and_labels_alike() -> None:
    """Cells of 4 px, 12 of them: patches of 1 to 3 cells as they are, background where it was known."""
    v, u = np.indices((30, 13))
    background = np.stack((v, u, np.full_like(v, 255)), axis=2).astype(np.uint8)
    sizes, places, corners = set(), set(), set()
    for seed in range(600):
        picture = np.zeros((48, 48, 3), np.uint8)
        target = np.full((12, 12), 7, np.uint8)
        target[5] = IGNORE
        occlude(np.random.default_rng(seed), picture, target, background)
        rows, columns = np.nonzero(picture[..., 2])
        y, x, h, w = rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1
        top, left = picture[y, x, :2].astype(int)
        assert np.array_equal(picture[y : y + h, x : x + w], background[top : top + h, left : left + w])
        assert len(rows) == h * w
        covered = np.zeros((12, 12), bool)
        covered[y // 4 : (y + h) // 4, x // 4 : (x + w) // 4] = True
        wanted = np.where(covered, 0, 7)
        wanted[5] = IGNORE
        assert np.array_equal(target, wanted)
        assert y % 4 == x % 4 == h % 4 == w % 4 == 0
        sizes |= {int(h), int(w)}
        places |= {int(48 - y - h), int(48 - x - w), int(y), int(x)}
        corners.add((int(w), int(left)))
    assert sizes == {4, 8, 12}
    assert {0, 36} <= places
    assert {left for w, left in corners if w == 12} == {0, 1}, "up to the edge of the background"


@pytest.mark.parametrize("shape", [(4, 30, 3), (30, 4, 3)])
def test_a_background_no_larger_than_its_patch_is_not_pasted(shape: tuple[int, int, int]) -> None:
    for seed in range(40):
        picture, target = np.zeros((48, 48, 3), np.uint8), np.full((12, 12), 7, np.uint8)
        occlude(np.random.default_rng(seed), picture, target, np.full(shape, 9, np.uint8))
        assert not picture.any()
        assert (target == 7).all()


def test_flip_swaps_sides_in_picture_and_labels_together() -> None:
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:, :32] = 255
    codes = np.full((64, 64), S31.id("lhand"), dtype=np.uint8)
    codes[:, :32] = S31.id("rhand")
    still = Ranges(scale=(1, 1), angle=0, shift=0, flip=1.0)
    m = affine(np.random.default_rng(0), (64, 64), 64, still)
    picture, target = warp(image, m, 64), warp_codes(codes, m, 64, 4, IGNORE)
    assert picture[32, 48].tolist() == [255] * 3
    assert target[8, 12] == S31.id("lhand"), "what was the right hand is the left one in the mirror"
    assert target[8, 4] == S31.id("rhand")


def test_labels_stay_under_their_pixels() -> None:
    """A label and its pixel go through the same map: the white square's cells carry its label."""
    rng = np.random.default_rng(3)
    image = np.zeros((200, 150, 3), dtype=np.uint8)
    codes = np.zeros((200, 150), dtype=np.uint8)
    image[60:120, 40:110] = 255
    codes[60:120, 40:110] = S31.id("neck")
    ranges = Ranges(scale=(0.4, 1.6), angle=40, wild_angle=0.3)
    for _ in range(20):
        m = affine(rng, (150, 200), 128, ranges)
        picture, target = warp(image, m, 128), warp_codes(codes, m, 128, 4, 0)
        coarse = picture[..., 0].reshape(32, 4, 32, 4).mean((1, 3)) > 127
        disagree = (coarse != (target == S31.id("neck"))).sum()
        assert disagree <= 0.12 * max(20, coarse.sum() + 60)
