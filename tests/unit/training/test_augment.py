"""What is changed of a picture, and how far: light, colour, sharpness, place and what lies before it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.labels import IGNORE, LIP20, S31
from training.augment import (
    Ranges,
    _motion,
    affine,
    majority,
    mirrors,
    occlude,
    photometric,
    warp,
    warp_codes,
)

STILL = Ranges(scale=(1, 1), angle=0, shift=0, flip=0)


class Chance(np.random.Generator):
    """Draws what it is told, then 0.5; of a range the same share, every second time from its upper end."""

    def __init__(self, *told: float, share: float = 0.5) -> None:
        super().__init__(np.random.PCG64(0))
        self.told, self.share = list(told), share

    def _shares(self, size):  # type: ignore[no-untyped-def]
        if size is None:
            return self.share
        shares = np.full(size, self.share)
        shares.flat[1::2] = 1 - self.share
        return shares

    def random(self):  # type: ignore[no-untyped-def, override]
        return self.told.pop(0) if self.told else 0.5

    def uniform(self, low=0.0, high=1.0, size=None):  # type: ignore[no-untyped-def, override]
        low, high = np.asarray(low, float), np.asarray(high, float)
        return low + self._shares(_size(size, low)) * (high - low)

    def integers(self, low, high=None, size=None):  # type: ignore[no-untyped-def, override]
        low, high = (0, low) if high is None else (low, high)
        drawn = np.round(low + self._shares(size) * (high - 1 - low)).astype(int)
        return int(drawn) if size is None else drawn

    def normal(self, loc=0.0, scale=1.0, size=None):  # type: ignore[no-untyped-def, override]
        """Two deviations below at 0, two above at 1."""
        scale = np.asarray(scale, float)
        return loc + scale * (4 * self._shares(_size(size, scale)) - 2)

    def standard_normal(self, size=None, dtype=np.float64, out=None):  # type: ignore[no-untyped-def, override]
        return np.asarray(self.normal(size=size), dtype)

    def choice(self, a, size=None, replace=True, p=None, axis=0, shuffle=True):  # type: ignore[no-untyped-def, override]
        if p is None:
            return (np.arange(a) if np.ndim(a) == 0 else np.asarray(a))[-1 if self.share == 1 else 0]
        return int(np.searchsorted(np.cumsum(p), self.share, side="right").clip(max=len(p) - 1))


def _size(size, low):  # type: ignore[no-untyped-def]
    return low.shape or None if size is None else size


#: of light, grey, hue, lens, movement, noise and compression: at these chances nothing is changed
UNCHANGED = (0.8, 0.12, 0.3, 0.2, 0.12, 0.25, 0.3)


def just_below(k: int, *more: float, told: tuple[float, ...] = UNCHANGED) -> list[float]:
    """The chances at which the k-th change alone happens; `more` are asked for in it."""
    changes = [*told[:k], np.nextafter(told[k], 0), *more, *told[k + 1 :]]
    return [float(v) for v in changes]


def gradient() -> NDArray[np.uint8]:
    """All levels in rows, red and green against each other, blue a constant."""
    level = np.arange(256, dtype=np.uint8)
    return np.stack((level, level[::-1], np.full(256, 60, np.uint8)), axis=1)[None].repeat(40, axis=0)


def test_at_the_ends_of_all_chances_a_picture_stays_as_it_is() -> None:
    assert np.array_equal(photometric(Chance(*UNCHANGED), gradient()), gradient())


@pytest.mark.parametrize(
    ("dark", "share", "gain", "offset", "gamma"),
    [
        (0.12, 0.0, 0.65, -0.1, -0.35),
        (0.12, 1.0, 1.4, 0.1, 0.35),
        (np.nextafter(0.12, 0), 0.0, 0.25, -0.1, -0.35),
        (np.nextafter(0.12, 0), 1.0, 0.6, 0.1, 0.35),
    ],
)
def test_light_is_a_gain_about_the_middle_an_offset_and_a_gamma(
    dark: float, share: float, gain: float, offset: float, gamma: float
) -> None:
    made = photometric(Chance(*just_below(0, float(dark)), share=share), gradient())[0].astype(float)
    tints = np.array((0.88, 1.12, 0.88) if share == 0 else (1.12, 0.88, 1.12))
    level = gradient()[0].astype(np.float32) / 255
    wanted = ((level ** np.exp(gamma) - 0.5) * (gain * tints) + 0.5 + offset).clip(0, 1)
    assert np.abs(made - np.floor(255 * wanted)).mean() < 0.01


def test_grey_and_hue_are_changed_one_or_the_other() -> None:
    grey = photometric(Chance(0.8, np.nextafter(0.12, 0), *UNCHANGED[3:]), gradient())
    assert np.abs(grey - (gradient() @ (0.299, 0.587, 0.114))[..., None]).max() <= 1
    red = np.full((4, 4, 3), (200, 80, 80), np.uint8)  # hue 0, saturation 153 of 255
    faded = photometric(Chance(*just_below(2), share=0), red)
    turned = photometric(Chance(*just_below(2), share=1), red)
    for made, hue, saturation in ((faded, 168, 61), (turned, 12, 229)):
        hsv = np.full((1, 1, 3), (hue, saturation, 200), np.uint8)
        assert (made == cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]).all()
    full = np.full((4, 4, 3), (200, 0, 0), np.uint8)
    assert photometric(Chance(*just_below(2), share=1), full).min() == 0, "no more than full"


@pytest.mark.parametrize(("share", "sigma", "grain", "quality"), [(0, 0.4, 2, 25), (1, 1.6, 14, 89)])
def test_lens_noise_and_compression_have_their_ranges(
    share: float, sigma: float, grain: float, quality: int
) -> None:
    shown = gradient()
    blurred = photometric(Chance(*just_below(3), share=share), shown)
    assert np.array_equal(blurred, cv2.GaussianBlur(shown, (0, 0), sigma))
    noise = np.zeros(shown.size)
    noise[0::2], noise[1::2] = (-2, 2) if share == 0 else (2, -2)
    noisy = photometric(Chance(*just_below(5), share=share), shown)
    assert np.array_equal(noisy, (shown + grain * noise.reshape(shown.shape)).clip(0, 255).astype(np.uint8))
    _, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])
    compressed = photometric(Chance(*just_below(6), share=share), shown)
    assert np.array_equal(compressed, cv2.imdecode(data, cv2.IMREAD_COLOR))


def test_movement_smears_along_a_line() -> None:
    shown = gradient()
    moved = photometric(Chance(*just_below(4), share=0), shown)
    assert np.array_equal(moved, cv2.filter2D(shown, -1, _motion(Chance(share=0), 40)))


@pytest.mark.parametrize(("side", "share", "length"), [(40, 1, 3), (79, 1, 3), (100, 1, 4), (300, 0.5, 8)])
def test_a_movement_is_three_px_to_a_20th_of_the_side_long(side: int, share: float, length: int) -> None:
    """The line goes through the middle: level for an angle of 0 or π, upright for half of it."""
    kernel = _motion(Chance(share=share), side)
    reach = round(length / 2)
    half = length // 2 + 1
    assert kernel.shape == (2 * half + 1, 2 * half + 1)
    assert kernel.sum() == pytest.approx(1)
    line = kernel[:, half] if share == 0.5 else kernel[half]
    assert line.sum() > 0.9
    assert line[half - reach : half + reach + 1] == pytest.approx(1 / (2 * reach + 1), abs=0.05)


def test_maps_at_the_ends_of_their_ranges_are_the_ranges() -> None:
    """The picture is 60 by 40 px, the crop 90 px: at scale 1 a pixel is 1.5 px of the crop."""
    ranges = Ranges(scale=(0.25, 4), angle=30, wild_angle=0.2, shift=0.1, flip=0.4)

    def drawn(share: float, wild: float, flip: float, of: Ranges = ranges) -> NDArray[np.float64]:
        chances = (flip,) if of.even else (wild, flip)
        return affine(Chance(*chances, share=share), (60, 40), 90, of)

    def wanted(scale: float, degrees: float, shift: float, mirrored: bool) -> NDArray[np.float64]:
        c, s = (f(np.radians(degrees)) * scale * 1.5 for f in (np.cos, np.sin))
        turned = np.array([[c, s, 0], [-s, c, 0]])
        turned[:, 2] = (44.5 + shift, 44.5 - shift) - turned[:, :2] @ (29.5, 19.5)
        return np.diag((-1, 1)) @ turned + [[0, 0, 89], [0, 0, 0]] if mirrored else turned

    below = np.nextafter
    assert np.allclose(drawn(0, 0.2, 0.4), wanted(0.25, -60, -9, False))
    assert np.allclose(drawn(1, 0.2, below(0.4, 0)), wanted(4, 60, 9, True))
    assert np.allclose(drawn(0.5, below(0.2, 0), 0.4), wanted(1, 0, 0, False))
    assert np.allclose(drawn(0.25, below(0.2, 0), 0.4), wanted(0.5, -90, -4.5, False))
    even = Ranges(scale=(0.25, 4), angle=30, even=True)
    assert np.allclose(drawn(0.25, 0, 0.5, even), wanted(0.25 + 3.75 / 4, -15, -6.75, False))
    assert np.allclose(drawn(1, 0, below(0.5, 0), even), wanted(4, 30, 13.5, True))
    assert np.allclose(drawn(0.25, 0, 0.5, Ranges((1, 1), 30)), wanted(1, -30, -6.75, False)), "none wild"


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180, 250])
def test_a_map_is_a_mirror_by_its_handedness_however_turned(degrees: float) -> None:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    assert not mirrors(np.array([[c, s, 5.0], [-s, c, -9.0]]))
    assert mirrors(np.array([[-c, -s, 5.0], [-s, c, -9.0]]))


@pytest.mark.parametrize(("scale", "resized"), [(0.7, None), (0.6, None), (0.5, 0.65), (0.03, 0.065)])
def test_a_picture_made_small_is_first_resized_to_a_little_more(scale: float, resized: float | None) -> None:
    """By areas, to 1.3 of its final size and 0.065 at least: sampled at once it would show patterns."""
    rng, turn = np.random.default_rng(0), np.array([[0.8, 0.6], [-0.6, 0.8]])
    image = rng.integers(0, 255, (200, 160, 3), dtype=np.uint8)
    m = np.c_[scale * turn, (40.0, 70.0)]
    source, k = image, m
    if resized is not None:
        source = cv2.resize(image, None, fx=resized, fy=resized, interpolation=cv2.INTER_AREA)
        fx, fy = source.shape[1] / 160, source.shape[0] / 200
        k = np.c_[m[:, :2] / (fx, fy), m[:, :2] @ (0.5 / fx - 0.5, 0.5 / fy - 0.5) + m[:, 2]]
    mean = image[::8, ::8].mean((0, 1))
    expected = cv2.warpAffine(source, k, (120, 120), flags=cv2.INTER_LINEAR, borderValue=mean.tolist())
    assert np.abs(warp(image, m, 120) - expected.astype(float)).max() <= 1


def test_around_a_ramp_is_its_mean() -> None:
    level = np.arange(17, dtype=np.uint8)
    ramp = np.stack(np.broadcast_arrays(level[:, None], level, 3 * level), axis=2).astype(np.uint8)
    away = np.array([[1.0, 0, 500], [0, 1, 0]])
    assert warp(ramp, away, 8)[4, 4].tolist() == [8, 8, 24]


def test_a_cells_code_is_that_at_its_centre() -> None:
    """Cells of 9 px of a picture made half or twice as large: the centre of the first is crop pixel 4."""
    codes = np.arange(200, dtype=np.uint8)[None].repeat(200, axis=0)
    for scale in (0.5, 1.0):
        m = np.array([[scale, 0, 0], [0, scale, 0]])
        for turned in (codes, codes.T.copy()):
            found = warp_codes(turned, m, 81, 9, 0, part_set=LIP20)
            centres = (np.arange(4, 81, 9) / scale).astype(int)
            assert np.array_equal(found, turned[np.ix_(centres, centres)])
            assert found.shape == (9, 9)


def test_the_codes_of_another_set_change_sides_by_its_own_names() -> None:
    codes = np.full((8, 8), 14, np.uint8)  # a left arm
    mirror = np.array([[-1.0, 0, 7], [0, 1, 0]])
    found = warp_codes(codes, mirror, 8, 4, 0, part_set=LIP20)
    assert (found == 15).all()


def test_most_pixels_of_a_cell_decide_and_nothing_known_is_a_code_as_any() -> None:
    codes = np.array([[255, 255, 0, 0, 9, 9], [255, 1, 0, 255, 255, 255], [3, 3, 4, 5, 0, 255],
                      [2, 2, 4, 4, 255, 0]], np.uint8)  # fmt: skip
    assert majority(codes, 2).tolist() == [[255, 0, 9], [2, 4, 0]]
    assert majority(codes[:, :5], 1).tolist() == codes[:, :5].tolist()


@pytest.mark.parametrize(("cells", "least", "most"), [(24, 2, 7), (22, 1, 6), (11, 1, 2)])
def test_a_patch_is_a_12th_to_less_than_a_third_of_the_picture(cells: int, least: int, most: int) -> None:
    for share, wide, high in ((0, least, most), (1, most, least)):
        picture = np.zeros((2 * cells, 2 * cells, 3), np.uint8)
        target = np.ones((cells, cells), np.uint8)
        occlude(Chance(share=share), picture, target, np.full((99, 99, 3), 9, np.uint8))
        rows, columns = np.nonzero(target == 0)
        assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (wide, high)


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
