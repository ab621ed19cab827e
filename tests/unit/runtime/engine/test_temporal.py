"""Still places calm down, moving ones are followed at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import Request
from runtime.engine.temporal import Smoother
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


def test_a_finer_output_is_averaged_on_its_own_grid() -> None:
    smoother = Smoother()
    before, now = np.zeros((2, 72, 128), np.float32), np.ones((2, 72, 128), np.float32)
    smoother.step(request(TEXTURE, 0), 1).average("heatmaps", before)
    averaged = smoother.step(request(TEXTURE, 1), 1).average("heatmaps", now)
    assert averaged.shape == now.shape
    assert averaged.max() < 0.2, "nothing moved: the past counts most"
