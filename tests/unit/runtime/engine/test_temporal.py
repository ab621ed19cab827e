"""Still places calm down, moving ones are followed at once."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import Request
from runtime.engine.temporal import Smoother, Step
from tests.unit.runtime.model_files import crafted

BOX = Letterbox.fit((512, 288), NetworkSize(512))
TEXTURE = np.random.default_rng(1).integers(60, 200, (36, 64, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)


def request(image: np.ndarray, index: int, fps: float = 25.0) -> Request:
    frame = crafted.picture(image, index)
    frame = type(frame)(frame.image, index, index / fps, 0.0)
    return Request(frame, BOX, BOX.apply(frame.image), {})


def still(index: int) -> Request:
    noise = np.random.default_rng(index).standard_normal(TEXTURE.shape) * 3
    return request(np.clip(TEXTURE + noise, 0, 255).astype(np.uint8), index)


def square(x: int) -> np.ndarray:
    """P(person) of a square of 10x10 cells at cell x."""
    person = np.full((36, 64), 0.02, np.float32)
    person[10:20, x : x + 10] = 0.98
    return person


def scene(x: int) -> np.ndarray:
    image = TEXTURE.copy()
    image[80:160, 8 * x : 8 * (x + 10)] = (230, 30, 30)
    return image


def follow(step: Step, person: np.ndarray, name: str = "person") -> np.ndarray:
    return step.follow(name, person, np.square(2 * person - 1))


def shifted(px: float, noise: int = 0) -> np.ndarray:
    """The texture moved to the right, smooth as pictures are."""
    smooth = cv2.GaussianBlur(TEXTURE, (0, 0), 6)
    moved = cv2.warpAffine(
        smooth, np.array([[1, 0, px], [0, 1, 0]], np.float32), (512, 288), borderMode=cv2.BORDER_REFLECT
    )
    return np.clip(moved + np.random.default_rng(noise).standard_normal(moved.shape) * 2, 0, 255).astype(
        np.uint8
    )


def as_parts(person: np.ndarray) -> np.ndarray:
    parts = np.zeros((4, *person.shape), np.float32)
    parts[0], parts[1], parts[2] = 1 - person, 0.6 * person, 0.4 * person
    return parts


def test_flicker_on_a_still_picture_is_damped() -> None:
    rng, smoother = np.random.default_rng(0), Smoother()
    raw, calm = [], []
    for i in range(40):
        person = np.clip(0.5 + 0.15 * rng.standard_normal((36, 64)), 0, 1).astype(np.float32)
        step = smoother.step(still(i), 1)
        smoothed = step.average("person", person)
        parts = step.decide("parts", as_parts(person))
        assert np.allclose(parts.sum(0), 1, atol=1e-5)
        if i >= 10:
            raw.append(as_parts(person).argmax(0))
            calm.append(parts.argmax(0))
            assert smoothed.std() < 0.6 * person.std()
    flips = [float(np.mean([a != b for a, b in pairwise(s)])) for s in (raw, calm)]
    assert flips[1] < 0.2 * flips[0]


def test_a_moving_person_is_followed_within_two_frames() -> None:
    """One cell (8 px) a frame: the smoothed mask is never two frames behind, and none of it stays behind."""
    smoother = Smoother()
    for i in range(40):
        step = smoother.step(request(scene(5 + i), i), 1)
        person = step.average("person", square(5 + i))
        body = 1 - step.decide("parts", as_parts(square(5 + i)))[0]
        if i < 3:
            continue
        for values in (person, body):
            columns = np.flatnonzero(values[15] >= 0.5)
            assert columns.max() >= 5 + i + 9 - 1
            assert columns.min() >= 5 + i - 1
    exact = np.abs(person - square(44)).max()
    assert exact < 0.05


def test_a_slow_person_is_followed() -> None:
    """One pixel a frame: the grid's probabilities change gradually, and stay within two frames' worth."""
    smoother = Smoother()
    lags = []
    for i in range(60):
        image = TEXTURE.copy()
        image[80:160, 40 + i : 120 + i] = (230, 30, 30)
        mask = np.zeros((288, 512), np.uint8)
        mask[80:160, 40 + i : 120 + i] = 255
        person = BOX.pool(mask)
        step = smoother.step(request(image, i), 1)
        smoothed = step.average("person", person)
        centre = [float((p[15] * np.arange(64)).sum() / p[15].sum()) * 8 for p in (person, smoothed)]
        lags.append(centre[0] - centre[1])
    assert max(lags) < 2.0, "px, at one px per frame"


def test_a_person_who_appears_at_once_is_shown_at_once() -> None:
    smoother = Smoother()
    for i in range(5):
        step = smoother.step(still(i), 1)
        step.average("person", np.zeros((36, 64), np.float32))
        step.decide("parts", as_parts(np.zeros((36, 64), np.float32)))
    step = smoother.step(request(scene(20), 5), 1)
    assert step.average("person", square(20))[12:18, 22:28].min() > 0.9
    assert (1 - step.decide("parts", as_parts(square(20)))[0])[12:18, 22:28].min() > 0.9


def test_margin_a_label_changes_only_when_it_wins_clearly() -> None:
    def after(second: float) -> int:
        smoother = Smoother(memory_s=1e-6)
        for i, share in enumerate((0.55, second)):
            parts = np.zeros((3, 36, 64), np.float32)
            parts[1], parts[2] = share, 1 - share
            step = smoother.step(request(TEXTURE, i), 1)
            step.average("person", parts[1])
            decided = step.decide("parts", parts)
        return int(decided.argmax(0)[5, 5])

    assert after(0.47) == 1, "a narrow loss is not enough"
    assert after(0.30) == 2


def test_it_starts_anew_when_it_must() -> None:
    def anew(second: Request, engine_id: int = 1) -> bool:
        smoother = Smoother()
        step = smoother.step(still(10), 1)
        step.average("person", square(3))
        step.decide("parts", as_parts(square(3)))
        step = smoother.step(second, engine_id)
        parts = step.decide("parts", as_parts(square(30)))
        return bool(
            (step.average("person", square(30)) == square(30)).all() and (parts == as_parts(square(30))).all()
        )

    assert not anew(still(11))
    assert anew(still(11), engine_id=2), "another engine"
    assert anew(still(40)), "a gap in time"
    assert anew(still(3)), "backwards"
    assert anew(request(255 - TEXTURE, 11)), "a cut"
    small = crafted.frame(256, 256, index=11, pts_s=0.44)
    box = Letterbox.fit(small.size, NetworkSize(512))
    assert anew(Request(small, box, box.apply(small.image), {})), "another picture size"
    smoother = Smoother()
    step = smoother.step(still(0), 1)
    step.average("person", square(3))
    smoother.reset()
    step = smoother.step(still(1), 1)
    assert (step.average("person", square(30)) == square(30)).all()


def test_steps_may_all_begin_before_any_is_averaged() -> None:
    """As in a batch: the result is that of one frame after the other, also over a cut."""
    requests = [still(0), still(1), request(255 - TEXTURE, 2), request(255 - TEXTURE, 3)]
    maps = [as_parts(square(3 + i)) for i in range(4)]
    alone, together = Smoother(), Smoother()
    expected = [alone.step(r, 1).decide("parts", m) for r, m in zip(requests, maps, strict=True)]
    steps = [together.step(r, 1) for r in requests]
    for step, values, one in zip(steps, maps, expected, strict=True):
        assert (step.decide("parts", values) == one).all()


def test_a_frame_without_result_leaves_no_past_that_the_motion_does_not_reach() -> None:
    smoother, person = Smoother(), square(10)
    follow(smoother.step(still(0), 1), 1 - person)
    smoother.step(still(1), 1)  # the network failed on this frame
    assert np.array_equal(follow(smoother.step(still(2), 1), person), person)
    assert not np.array_equal(follow(smoother.step(still(3), 1), 1 - person), 1 - person)


def test_a_finer_output_is_averaged_on_its_own_grid() -> None:
    smoother = Smoother()
    before, now = np.zeros((2, 72, 128), np.float32), np.ones((2, 72, 128), np.float32)
    smoother.step(request(TEXTURE, 0), 1).average("heatmaps", before)
    averaged = smoother.step(request(TEXTURE, 1), 1).average("heatmaps", now)
    assert averaged.shape == now.shape
    assert averaged.max() < 0.2, "nothing moved: the past counts most"


def test_noise_goes_along_a_moving_picture() -> None:
    """Six pixels a frame: averages follow, where those of cells that stand still would smear or stop."""
    rng, smoother = np.random.default_rng(0), Smoother()
    raw, followed = [], []
    for i in range(24):
        mask = np.zeros((288, 512), np.uint8)
        mask[64:224, 60 + 6 * i : 220 + 6 * i] = 255
        truth = BOX.pool(mask)
        noisy = np.clip(truth + 0.25 * rng.standard_normal(truth.shape), 0, 1).astype(np.float32)
        smoothed = follow(smoother.step(request(shifted(6 * i, i), i), 1), noisy)
        if i > 6:
            place = slice(8, 28), slice(6, 56)
            raw.append(np.abs(noisy - truth)[place].mean())
            followed.append(np.abs(smoothed - truth)[place].mean())
    assert np.mean(followed) < 0.6 * np.mean(raw)


@pytest.mark.parametrize("step_px", [1, 3, 8, 60])
def test_a_moving_person_does_not_lag(step_px: int) -> None:
    """A square of smooth colours before a smooth wall, slow or in jumps: never half a cell behind."""
    smoother, lags = Smoother(), []
    figure = cv2.GaussianBlur(TEXTURE[:, ::-1], (0, 0), 5)[:80, :80]
    for i in range(min(25, 320 // step_px)):
        x, image, mask = 40 + step_px * i, shifted(0, i), np.zeros((288, 512), np.uint8)
        image[80:160, x : x + 80], mask[80:160, x : x + 80] = figure, 255
        person = BOX.pool(mask)
        step = smoother.step(request(image, i), 1)
        body = 1 - step.decide("parts", as_parts(person))[0]
        for values in (follow(step, person), body):
            centre = [float((p[15] * np.arange(64)).sum() / p[15].sum()) * 8 for p in (person, values)]
            lags.append(centre[0] - centre[1])
    assert max(np.abs(lags)) < 4


def test_what_an_arm_uncovers_is_background_at_once() -> None:
    smoother = Smoother()
    for i, x in enumerate((100, 100, 100, 160)):
        image, person = shifted(0, i), np.full((36, 64), 0.02, np.float32)
        image[80:160, x : x + 40] = (230, 30, 30)
        person[10:20, x // 8 : x // 8 + 5] = 0.98
        smoothed = follow(smoother.step(request(image, i), 1), person)
    assert smoothed[12:18, 13:16].max() < 0.3


def test_an_unsure_frame_does_not_outvote_sure_ones() -> None:
    """Motion blur for two frames: the label stays; a sure frame of the other label wins within three."""
    smoother, at = Smoother(), []
    for i, p in enumerate([0.95] * 6 + [0.4] * 2 + [0.02] * 4):
        person = np.full((36, 64), p, np.float32)
        at.append(float(follow(smoother.step(request(shifted(0, i), i), 1), person)[15, 30]))
    assert at[7] > 0.8
    assert at[11] < at[8] < at[7]


def test_weights_stay_probabilities_on_any_picture() -> None:
    """Unrelated noise and flat pictures of any size, also smaller than the flow can see."""
    rng = np.random.default_rng(3)
    for width, height in ((8, 8), (512, 8), (16, 300), (64, 64), (200, 120)):
        smoother, box = Smoother(), Letterbox.fit((width, height), NetworkSize(256))
        across, down = box.cells
        for i in range(3):
            image = (
                rng.integers(90, 130, (height, width, 3)) if i else np.full((height, width, 3), 110)
            ).astype(np.uint8)
            frame = crafted.picture(image, i)
            frame = type(frame)(frame.image, i, i / 25, 0.0)
            step = smoother.step(Request(frame, box, box.apply(frame.image), {}), 1)
            person = rng.random(box.grid[::-1], np.float32)
            parts = as_parts(person[:down, :across])
            smoothed, decided = follow(step, person), step.decide("parts", parts)
            assert smoothed.shape == person.shape
            assert 0 <= smoothed.min() <= smoothed.max() <= 1
            assert np.allclose(decided.sum(0), 1, atol=1e-5)
            assert (smoothed[down:] == person[down:]).all(), "padding has no past"


def test_a_silhouette_from_outside_keeps_to_pictures_that_stand_still() -> None:
    """A mask file that says otherwise while the picture moves on is believed at once."""
    smoother = Smoother()
    for i in range(6):
        step = smoother.step(request(shifted(6 * i), i), 1, follows=False)
        person = square(5) if i < 5 else square(30)
        smoothed = follow(step, person)
    assert np.abs(smoothed - person)[8:28, 10:].max() < 0.1
