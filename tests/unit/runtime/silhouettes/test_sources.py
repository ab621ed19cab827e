"""Every silhouette source on a scene it must understand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import Request, Silhouette
from runtime.silhouettes.background import BackgroundPlate, MovingBackground
from runtime.silhouettes.chroma_key import GREEN, ChromaKey
from runtime.silhouettes.grabcut import Brush, Stroke
from runtime.silhouettes.mask_files import MaskPicture, MaskSequence, folder_reader, read_mask
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted

SIZE = (256, 144)
RNG = np.random.default_rng(3)
ROOM = cv2.GaussianBlur(RNG.integers(0, 256, (144, 256, 3), dtype=np.uint8), (0, 0), 6)
ROOM = cv2.normalize(ROOM, None, 40, 220, cv2.NORM_MINMAX)
TRUTH = np.zeros((144, 256), bool)
TRUTH[40:144, 100:150] = True


def request(image: np.ndarray, index: int = 0, long_side: int = 256) -> Request:
    frame = crafted.picture(image, index)
    box = Letterbox.fit(frame.size, NetworkSize(long_side))
    return Request(frame, box, box.apply(frame.image), {})


def with_person(image: np.ndarray, colour: tuple[int, int, int] = (200, 60, 60)) -> np.ndarray:
    out = image.copy()
    out[TRUTH] = colour
    return out


def noisy(image: np.ndarray, seed: int, level: float = 4.0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(image.shape) * level
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def agreement(answer: Silhouette, truth: np.ndarray = TRUTH) -> float:
    """IoU of the answer on the grid with the truth."""
    assert answer.grid is not None
    assert answer.grid.dtype == np.float32
    cells = cv2.resize(truth.astype(np.float32), answer.grid.shape[::-1], interpolation=cv2.INTER_AREA)
    cells = np.where(np.indices(cells.shape)[0] * 8 < truth.shape[0], cells, 0)
    a, b = answer.grid >= 0.5, cells >= 0.5
    return float((a & b).sum() / (a | b).sum())


# Background plate


def learned_plate() -> BackgroundPlate:
    plate = BackgroundPlate(10)
    for i in range(10):
        answer = plate.person(request(noisy(ROOM, i), i))
        assert answer.grid is None
        assert "leave the picture" in answer.notice
    assert plate.learned
    return plate


def test_the_plate_finds_who_came() -> None:
    plate = learned_plate()
    assert agreement(plate.person(request(noisy(with_person(ROOM), 99), 11))) > 0.9
    empty = plate.person(request(noisy(ROOM, 98), 12)).grid
    assert empty is not None
    assert empty.max() < 0.1


def test_the_plate_forgives_shadow_and_exposure() -> None:
    plate = learned_plate()
    shadow = ROOM.copy()
    shadow[100:, :80] = (shadow[100:, :80] * 0.82).astype(np.uint8)
    grid = plate.person(request(noisy(shadow, 97))).grid
    assert grid is not None
    assert (grid > 0.5).mean() < 0.02
    brighter = np.clip(with_person(ROOM) * 1.1, 0, 255).astype(np.uint8)
    assert agreement(plate.person(request(noisy(brighter, 96)))) > 0.85


def test_the_plate_learns_anew_when_asked_or_when_the_picture_changes_size() -> None:
    plate = learned_plate()
    plate.reset()
    assert plate.learned
    plate.relearn()
    assert not plate.learned
    plate = learned_plate()
    assert plate.person(request(cv2.resize(ROOM, (128, 128)))).grid is None


# MOG2


def test_mog2_finds_what_moves() -> None:
    source = MovingBackground()
    answers = [source.person(request(noisy(ROOM, i), i)) for i in range(40)]
    assert answers[0].grid is None
    assert "learning" in answers[0].notice
    assert agreement(source.person(request(noisy(with_person(ROOM), 77), 41))) > 0.85
    source.reset()
    assert source.person(request(ROOM)).grid is None


# Chroma key


def test_the_key_removes_the_screen_and_its_shadow() -> None:
    screen = np.empty((144, 256, 3), np.uint8)
    screen[:] = GREEN
    screen[:, 180:] = [c // 2 for c in GREEN]
    person = with_person(screen, (210, 160, 130))
    answer = ChromaKey().person(request(noisy(person, 1)))
    assert answer.fine is not None
    assert ((answer.fine > 127) != TRUTH).mean() < 0.002


@pytest.mark.parametrize(
    "colour", [(210, 160, 130), (60, 40, 30), (20, 20, 20), (250, 250, 250), (30, 60, 160), (200, 190, 40)]
)
def test_people_are_kept(colour: tuple[int, int, int]) -> None:
    grid = ChromaKey().person(request(np.full((64, 96, 3), colour, np.uint8), long_side=96)).grid
    assert grid is not None
    assert grid.min() > 0.9


def test_green_spill_on_skin_is_still_skin() -> None:
    skin, screen = np.array((210, 160, 130)), np.array(GREEN)
    for spill in (0.1, 0.2, 0.3):
        colour = ((1 - spill) * skin + spill * screen).astype(np.uint8)
        grid = ChromaKey().person(request(np.full((64, 96, 3), colour, np.uint8), long_side=96)).grid
        assert grid is not None
        assert grid.min() > 0.8, spill


def test_tolerance_grows_what_is_removed() -> None:
    ramp = (
        np.linspace(0, 1, 256)[None, :, None] * np.array(GREEN) + np.linspace(1, 0, 256)[None, :, None] * 128
    )
    image = np.repeat(ramp, 144, axis=0).astype(np.uint8)
    left = [ChromaKey(tolerance=t).person(request(image)).grid for t in (0.1, 0.4, 0.7)]
    sums = [float(g.sum()) for g in left if g is not None]
    assert sums[0] > sums[1] > sums[2] > 0


def test_the_key_is_picked_from_the_picture_and_grey_is_refused() -> None:
    image = np.full((40, 40, 3), (20, 90, 220), np.uint8)
    assert ChromaKey.picked(image, 39, 0).key == (20, 90, 220)
    with pytest.raises(Refusal, match="grey"):
        ChromaKey((120, 121, 119))


@given(
    st.tuples(*(st.integers(0, 255),) * 3),
    st.tuples(*(st.integers(0, 255),) * 3),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_key_always_gives_probabilities(
    key: tuple[int, int, int], colour: tuple[int, int, int], tolerance: float, softness: float
) -> None:
    try:
        source = ChromaKey(key, tolerance, softness)
    except Refusal:
        return
    grid = source.person(request(np.full((32, 32, 3), colour, np.uint8), long_side=32)).grid
    assert grid is not None
    assert np.isfinite(grid).all()
    assert 0 <= grid.min() <= grid.max() <= 1


# Imported masks


def write(path: Path, mask: np.ndarray) -> None:
    assert cv2.imwrite(str(path), mask)


@pytest.mark.parametrize("unit", [1, 255])
@pytest.mark.parametrize("first", [0, 1])
def test_masks_by_frame(tmp_path: Path, unit: int, first: int) -> None:
    for i in range(3):
        shifted = np.roll(TRUTH, 20 * i, axis=1)
        write(tmp_path / f"take_2_{i + first:05d}.png", shifted.astype(np.uint8) * unit)
    source = MaskSequence(tmp_path)
    for i in range(3):
        assert agreement(source.person(request(ROOM, i)), np.roll(TRUTH, 20 * i, axis=1)) > 0.9
    lost = source.person(request(ROOM, 3))
    assert lost.grid is None
    assert "no mask for frame 3" in lost.notice


def test_an_empty_first_mask_does_not_decide_the_unit(tmp_path: Path) -> None:
    write(tmp_path / "0.png", np.zeros((144, 256), np.uint8))
    write(tmp_path / "1.png", TRUTH.astype(np.uint8))
    source = MaskSequence(tmp_path)
    grids = [source.person(request(ROOM, i)).grid for i in (0, 1)]
    assert grids[0] is not None
    assert grids[0].max() == 0
    assert grids[1] is not None
    assert grids[1].max() == 1


def test_kinds_of_masks(tmp_path: Path) -> None:
    colour = np.zeros((144, 256, 3), np.uint8)
    colour[TRUTH] = (0, 0, 128)
    alpha = np.dstack((np.full((144, 256, 3), 90, np.uint8), TRUTH.astype(np.uint8) * 255))
    deep = TRUTH.astype(np.uint16) * 65535
    for name, picture in (("colour", colour), ("alpha", alpha), ("deep", deep)):
        write(tmp_path / f"{name}.png", picture)
        assert agreement(MaskPicture(tmp_path / f"{name}.png").person(request(ROOM))) > 0.9, name


def test_bad_masks_are_said_and_survived(tmp_path: Path) -> None:
    write(tmp_path / "0.png", TRUTH.astype(np.uint8) * 255)
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60))
    (tmp_path / "2.png").write_text("no picture")
    bomb = bytearray((tmp_path / "0.png").read_bytes())
    bomb[16:24] = (100_000).to_bytes(4, "big") * 2
    (tmp_path / "3.png").write_bytes(bomb)
    source = MaskSequence(tmp_path)
    assert source.person(request(ROOM, 0)).grid is not None
    for index, words in ((1, "damaged"), (2, "not a PNG"), (3, "too many")):
        answer = source.person(request(ROOM, index))
        assert answer.grid is None
        assert words in answer.notice, index
    with pytest.raises(Refusal, match="no such file"):
        read_mask(tmp_path / "absent.png")
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(Refusal, match="masks"):
            MaskSequence(folder)


def test_255_is_ignored_beside_0_and_1(tmp_path: Path) -> None:
    """Also in a picture without a person, which alone would be read as all person."""
    left_out = np.zeros(TRUTH.shape, bool)
    left_out[:8] = True
    mask = (TRUTH & ~left_out).astype(np.uint8)
    mask[left_out] = 255
    write(tmp_path / "0.png", mask)
    write(tmp_path / "1.png", left_out * np.uint8(255))
    both = MaskSequence(tmp_path)
    assert "255 ignored" in both.name
    for source, index, truth in (
        (MaskPicture(tmp_path / "0.png"), 0, TRUTH & ~left_out),
        (MaskPicture(tmp_path / "1.png", folder_reader(tmp_path)), 0, np.zeros_like(TRUTH)),
        (both, 0, TRUTH & ~left_out),
        (both, 1, np.zeros_like(TRUTH)),
    ):
        fine = source.person(request(ROOM, index)).fine
        assert fine is not None
        assert ((fine > 127) == truth).all()


def test_masks_that_could_be_part_labels_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "0.png", TRUTH.astype(np.uint8) * 17)
    for act in (lambda: MaskPicture(tmp_path / "0.png"), lambda: MaskSequence(tmp_path)):
        with pytest.raises(Refusal, match="labels of parts"):
            act()


def test_a_mask_of_another_coding_than_the_others_is_said(tmp_path: Path) -> None:
    for i in range(70):
        write(tmp_path / f"{i}.png", TRUTH.astype(np.uint8) * (255 if i == 1 else 1))
    source = MaskSequence(tmp_path)
    assert "0/255, those of the other masks 0/1" in source.person(request(ROOM, 1)).notice
    assert agreement(source.person(request(ROOM, 2)), TRUTH) > 0.9


def test_a_fine_mask_keeps_its_edge(tmp_path: Path) -> None:
    write(tmp_path / "m.png", TRUTH.astype(np.uint8) * 255)
    answer = MaskPicture(tmp_path / "m.png").person(request(ROOM))
    assert answer.fine is not None
    assert ((answer.fine > 127) == TRUTH).all()


# Brush


class Nobody:
    name = "nobody"
    sessions = ()

    def person(self, request: Request) -> Silhouette:
        return Silhouette(np.zeros(request.letterbox.grid[::-1], np.float32))

    def reset(self) -> None: ...


def test_two_strokes_cut_out_a_person() -> None:
    image = with_person(noisy(ROOM, 5), (230, 40, 40))
    brush = Brush(Nobody())
    assert brush.person(request(image, 7)).grid is not None
    brush.paint(Stroke(((125.0, 50.0), (125.0, 135.0)), 6, person=True), crafted.picture(image, 7))
    brush.paint(Stroke(((60.0, 10.0), (60.0, 140.0)), 6, person=False), crafted.picture(image, 7))
    answer = brush.person(request(image, 7))
    assert agreement(answer) > 0.9
    other = brush.person(request(image, 8))
    assert other.grid is None
    assert "frame 7" in other.notice
    brush.paint(Stroke(((20.0, 20.0),), 5, person=True), crafted.picture(image, 8))
    assert len(brush.strokes) == 1
    next_picture = replace(request(image), frame=replace(crafted.picture(image, 8), source=2))
    assert brush.person(next_picture).notice == "painted on another picture"
    brush.clear()
    empty = brush.person(request(image, 9)).grid
    assert empty is not None
    assert empty.max() == 0


def test_a_cut_is_made_once_per_change(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = cv2.grabCut
    monkeypatch.setattr(cv2, "grabCut", lambda *a: (calls.append(1), real(*a))[1])
    brush = Brush(Nobody())
    asked = request(with_person(ROOM), 0)
    brush.paint(Stroke(((125.0, 50.0), (125.0, 135.0)), 6, person=True), asked.frame)
    first = brush.person(asked)
    assert brush.person(asked) is first
    brush.paint(Stroke(((60.0, 10.0), (60.0, 140.0)), 6, person=False), asked.frame)
    assert brush.person(asked) is not first
    assert len(calls) == 2
    del asked
    for _ in range(5):  # of frames that are gone, another one takes the place in memory
        brush.person(request(with_person(ROOM), 0))
    assert len(calls) == 7


def test_a_mask_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(Refusal, match="not a regular file"):
            read_mask(tmp_path / name)
