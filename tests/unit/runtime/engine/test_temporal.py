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
        smoother.look(still(i), 1)
        smoothed = smoother.person(person)
        parts = smoother.parts(as_parts(person))
        assert np.allclose(parts.sum(0), 1, atol=1e-5)
        if i >= 10:
            raw.append(as_parts(person).argmax(0))
            calm.append(parts.argmax(0))
            assert smoothed.std() < 0.6 * person.std()
    flips = [float(np.mean([a != b for a, b in pairwise(s)])) for s in (raw, calm)]
    assert flips[1] < 0.2 * flips[0]
    assert smoother.resets == 1


def test_a_moving_person_is_followed_within_two_frames() -> None:
    """One cell (8 px) a frame: the smoothed mask is never two frames behind, and none of it stays behind."""
    smoother = Smoother()
    for i in range(40):
        smoother.look(request(scene(5 + i), i), 1)
        person = smoother.person(square(5 + i))
        body = 1 - smoother.parts(as_parts(square(5 + i)))[0]
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
        smoother.look(request(image, i), 1)
        smoothed = smoother.person(person)
        centre = [float((p[15] * np.arange(64)).sum() / p[15].sum()) * 8 for p in (person, smoothed)]
        lags.append(centre[0] - centre[1])
    assert max(lags) < 2.0, "px, at one px per frame"


def test_a_person_who_appears_at_once_is_shown_at_once() -> None:
    smoother = Smoother()
    for i in range(5):
        smoother.look(still(i), 1)
        smoother.person(np.zeros((36, 64), np.float32))
        smoother.parts(as_parts(np.zeros((36, 64), np.float32)))
    smoother.look(request(scene(20), 5), 1)
    assert smoother.person(square(20))[12:18, 22:28].min() > 0.9
    assert (1 - smoother.parts(as_parts(square(20)))[0])[12:18, 22:28].min() > 0.9


def test_margin_a_label_changes_only_when_it_wins_clearly() -> None:
    def after(second: float) -> int:
        smoother = Smoother(memory_s=1e-6)
        for i, share in enumerate((0.55, second)):
            parts = np.zeros((3, 36, 64), np.float32)
            parts[1], parts[2] = share, 1 - share
            smoother.look(request(TEXTURE, i), 1)
            smoother.person(parts[1])
            decided = smoother.parts(parts)
        return int(decided.argmax(0)[5, 5])

    assert after(0.47) == 1, "a narrow loss is not enough"
    assert after(0.30) == 2


def test_it_starts_anew_when_it_must() -> None:
    def resets(second: Request, engine_id: int = 1) -> int:
        smoother = Smoother()
        smoother.look(still(10), 1)
        smoother.person(square(3))
        smoother.parts(as_parts(square(3)))
        smoother.look(second, engine_id)
        fresh = smoother.person(square(30))
        if smoother.resets == 2:
            assert (fresh == square(30)).all()
        return smoother.resets

    assert resets(still(11)) == 1
    assert resets(still(11), engine_id=2) == 2, "another engine"
    assert resets(still(40)) == 2, "a gap in time"
    assert resets(still(3)) == 2, "backwards"
    assert resets(request(255 - TEXTURE, 11)) == 2, "a cut"
    small = crafted.frame(256, 256, index=11, pts_s=0.44)
    box = Letterbox.fit(small.size, NetworkSize(512))
    assert resets(Request(small, box, box.apply(small.image), {})) == 2, "another picture size"
    smoother = Smoother()
    smoother.look(still(0), 1)
    smoother.person(square(3))
    smoother.reset()
    smoother.look(still(1), 1)
    assert (smoother.person(square(30)) == square(30)).all()
