"""Where the pictures of a batch come from, and what of a photo is shown."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError
from functools import partial

import cv2
import numpy as np
import pytest

from models.labels import IGNORE, S31
from tests.unit.training.test_augment import UNCHANGED, Chance
from training.augment import Ranges, affine, warp, warp_codes
from training.photos import Photo
from training.scribbles import Skeleton
from training.stream import (
    _DRAW,
    PAPER_RANGES,
    Batch,
    BatchShape,
    Mixture,
    Packed,
    Sources,
    Stream,
    _draw,
    make_batch,
)
from training.targets import SET_CODES
from training.workers import WorkerStream

NECK = S31.id("neck")  # in the middle: a mirror leaves it
SHAPE = BatchShape(40, 64, 4)


def codes_of(sources: Sources, shape: BatchShape = SHAPE) -> np.ndarray:
    return make_batch(sources, Mixture(), shape, seed=3, step=5).targets["codes"]


def photo(codes: np.ndarray, skeleton: Skeleton | None = None) -> Photo:
    return Photo("a.jpg", np.full((*codes.shape, 3), 90, np.uint8), codes, skeleton)


@pytest.mark.parametrize(("augmentation", "outside"), [("ours", IGNORE), ("paper", 0)])
def test_beyond_a_photo_nobody_knows_and_beyond_the_papers_is_nobody(augmentation, outside) -> None:  # type: ignore[no-untyped-def]
    filled = photo(np.full((300, 400), NECK, np.uint8))
    shape = BatchShape(12, 64, 4, augmentation=augmentation)
    assert set(np.unique(codes_of(Sources(silhouettes=[filled]), shape))) == {NECK, outside}


def test_every_batch_has_the_same_mixture() -> None:
    filled = photo(np.full((64, 64), NECK, np.uint8))
    sources = Sources(silhouettes=[filled], backgrounds=[np.full((64, 64, 3), 90, np.uint8)])
    mixture = Mixture(synthetic=0, silhouettes=0.3, sport=0, composites=0.7, own=0)
    for step in range(4):
        codes = make_batch(sources, mixture, SHAPE, seed=1, step=step).targets["codes"]
        assert abs(int((codes == NECK).any(axis=(1, 2)).sum()) - 12) <= 1


def test_a_background_fills_most_of_its_picture_whatever_its_shape() -> None:
    chequered = (np.indices((40, 200)).sum(0) % 2 * 255).astype(np.uint8)
    wide = np.repeat(chequered.repeat(4, 0).repeat(4, 1)[..., None], 3, axis=2)
    for background in (wide, wide.transpose(1, 0, 2)):
        made = make_batch(
            Sources(backgrounds=[np.ascontiguousarray(background)]), Mixture(), SHAPE, seed=0, step=0
        )
        assert min(float(p.std()) for p in made.images) > 5, "a picture without its background"
        assert made.targets["codes"].shape == (40, 16, 16)
        assert not made.targets["codes"].any()


def _sources() -> Sources:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (90, 60, 3), dtype=np.uint8)
    photo = Photo("a", image, np.full((90, 60), 5, dtype=np.uint8))
    people = [
        Packed(rng.integers(0, 255, (n, 64, 64, 3), dtype=np.uint8), np.full((n, 64, 64), 7, np.uint8))
        for n in (1, 3)
    ]
    cutout = Photo("c", np.dstack((image, image[..., :1])), photo.codes)
    return Sources(people, [photo], [photo], [cutout], [image])


def test_batches_are_the_same_for_the_same_seed_and_step() -> None:
    shape = BatchShape(8, 64, 4)
    a, b = (make_batch(_sources(), Mixture(), shape, seed=1, step=7) for _ in range(2))
    other = make_batch(_sources(), Mixture(), shape, seed=1, step=8)
    assert (a.images == b.images).all()
    assert (a.targets["codes"] == b.targets["codes"]).all()
    assert (a.images != other.images).any()
    assert a.images.shape == (8, 64, 64, 3)
    assert a.targets["codes"].shape == (8, 16, 16)


def test_stream_starts_where_it_is_told_and_ends() -> None:
    stream = Stream(partial(make_batch, _sources(), Mixture(), BatchShape(4, 32, 8), seed=1), start=5)
    try:
        first = next(iter(stream))
    finally:
        stream.close()
    assert (
        first.images == make_batch(_sources(), Mixture(), BatchShape(4, 32, 8), seed=1, step=5).images
    ).all()


def test_no_data_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="--data"):
        make_batch(Sources(), Mixture(), BatchShape(2, 32, 4), seed=0, step=0)


def test_worker_processes_give_the_same_batches_in_order() -> None:
    people = Packed(
        np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), dtype=np.uint8),
        np.ones((4, 32, 32), np.uint8),
    )
    sources, shape = Sources((people,)), BatchShape(2, 32, 4)
    made = WorkerStream(partial(make_batch, sources, Mixture(), shape, seed=3), start=5, steps=9, workers=2)
    for step, batch in zip(range(5, 9), made, strict=True):
        expected = make_batch(sources, Mixture(), shape, seed=3, step=step)
        assert (batch.images == expected.images).all()
        assert (batch.targets["codes"] == expected.targets["codes"]).all()
    made.close()


def coloured(value: int, code: int, side: int = 64) -> Photo:
    return Photo(str(code), np.full((side, side, 3), value, np.uint8), np.full((side, side), code, np.uint8))


def test_sources_have_their_shares_where_they_are_there() -> None:
    one, scene = [coloured(9, 1)], [np.zeros((9, 9, 3), np.uint8)]
    packed = Packed(np.zeros((1, 9, 9, 3), np.uint8), np.zeros((1, 9, 9), np.uint8))
    mixture = Mixture(synthetic=1, silhouettes=2, sport=3, composites=4, own=6)
    whole = Sources([packed], one, one, one, scene, one, {"lip": (one, 4)})
    names, shares = whole.shares(mixture)
    assert names == ("synthetic", "silhouettes", "sport", "composites", "own", "lip")
    assert shares == pytest.approx(np.array([1, 2, 3, 4, 6, 4]) / 20)
    names, shares = Sources(sport=one, cutouts=one).shares(mixture)
    assert names == ("synthetic", "silhouettes", "sport", "composites")
    assert shares.tolist() == [0, 0, 1, 0]
    assert Mixture() == Mixture(0.38, 0.2, 0.34, 0.08, 0.3)
    with pytest.raises(
        ValueError, match=r"^no training data: give --data DIR, --synthetic FILE or --own DIR$"
    ):
        Sources(sport=one).shares(Mixture(sport=0))


def test_every_picture_of_every_packed_set_is_drawn_as_often() -> None:
    """Sets of 1, 2 and 5 pictures whose codes count them; and sets of one's own and published ones."""
    sets, first = [], 1
    for count in (1, 2, 5):
        labels = np.arange(first, first + count, dtype=np.uint8).repeat(64 * 64).reshape(count, 64, 64)
        sets.append(Packed(np.zeros((count, 64, 64, 3), np.uint8), labels))
        first += count
    mixture, seen = Mixture(), np.zeros(256, int)
    for step in range(8):
        batch = make_batch(Sources(sets), mixture, BatchShape(60, 32, 4, "paper"), seed=1, step=step)
        for codes in batch.targets["codes"]:
            seen[int(codes[codes > 0].max())] += 1
    mirror = S31.mirror()
    together = [seen[i] + (seen[mirror[i]] if mirror[i] > 8 else 0) for i in range(1, 9)]
    assert sum(together) == 480
    assert min(together) > 30, "of 60"


def test_kinds_come_from_their_own_sources() -> None:
    """Codes tell which: a neck in the street, somebody in sports, a head of one's own, published hands."""
    names = ("silhouettes", "sport", "own", "lip")
    codes = dict(zip(names, (NECK, SET_CODES["person"], SET_CODES["head"], SET_CODES["hand"]), strict=True))
    photos = {name: [coloured(90, code)] for name, code in codes.items()}
    sources = Sources(
        (), photos["silhouettes"], photos["sport"], own=photos["own"], published={"lip": (photos["lip"], 0.4)}
    )
    made = make_batch(sources, Mixture(0, 0.1, 0.2, 0, 0.3), BatchShape(100, 64, 4), seed=1, step=2).targets[
        "codes"
    ]
    counted = [int((made == code).any(axis=(1, 2)).sum()) for code in codes.values()]
    assert counted == [pytest.approx(v, abs=1) for v in (10, 20, 30, 40)]


def test_the_papers_ranges_are_of_its_pictures_of_512_px() -> None:
    assert (PAPER_RANGES.scale, PAPER_RANGES.angle, 512 * PAPER_RANGES.shift) == ((0.8, 1.2), 80, 200)
    assert (PAPER_RANGES.flip, PAPER_RANGES.even, PAPER_RANGES.wild_angle) == (0.5, True, 0)


def test_a_stream_passes_on_why_it_ended_and_closes_while_it_waits() -> None:
    def failing(*, step: int) -> None:
        raise OSError(f"no picture at {step}")

    stream = Stream(failing, start=7)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="no picture at 7"):
        next(iter(stream))
    stream.close()
    steps: list[int] = []

    def counted(*, step: int) -> Batch:
        steps.append(step)
        return Batch(np.zeros(0, np.uint8), {})

    waiting = Stream(counted, start=3)
    assert next(iter(waiting)) is not None
    waiting.close()
    assert steps == list(range(3, 3 + len(steps)))
    assert len(steps) <= 12


def test_a_stream_makes_four_batches_ahead() -> None:
    steps: list[int] = []

    def counted(*, step: int) -> Batch:
        steps.append(step)
        return Batch(np.zeros(0, np.uint8), {})

    stream, ended = Stream(counted, start=3), time.monotonic() + 5
    while len(steps) < 5 and time.monotonic() < ended:
        time.sleep(0.005)
    time.sleep(0.05)
    assert steps == [3, 4, 5, 6, 7], "four wait, and the fifth for a place"
    stream.close()


GRAIN = np.random.default_rng(0).integers(0, 255, (90, 60, 3), dtype=np.uint8)
PARTS = (np.indices((90, 60)).sum(0) % 31 + 1).astype(np.uint8)


def moved(rng, ranges, size=(60, 90), centre=None):  # type: ignore[no-untyped-def]
    m = affine(rng, size, 64, ranges, centre)
    return warp(GRAIN, m, 64), warp_codes(PARTS, m, 64, 4, IGNORE)


@pytest.mark.parametrize(
    ("kind", "ranges"),
    [
        ("synthetic", Ranges(scale=(0.85, 1.35), angle=6, wild_angle=0.08, shift=0.12)),
        ("silhouettes", Ranges(scale=(0.8, 2.0), angle=12, wild_angle=0.12, shift=0.22)),
        ("sport", Ranges(scale=(0.85, 1.8), angle=18, wild_angle=0.2, shift=0.15)),
        ("own", Ranges(scale=(0.8, 2.0), angle=12, wild_angle=0.12, shift=0.22)),
    ],
)
def test_each_kind_of_picture_is_moved_within_its_ranges(kind: str, ranges: Ranges) -> None:
    packed, photos = Packed(GRAIN[None], PARTS[None]), [Photo("a", GRAIN, PARTS)]
    sources = Sources([packed], photos, photos, own=photos)
    for wild in (ranges.wild_angle, np.nextafter(ranges.wild_angle, 0)):
        for share in (0.0, 0.5, 1.0):
            made = _DRAW[kind](Chance(wild, 0.4, share=share), sources, SHAPE)
            for got, wanted in zip(made, moved(Chance(wild, 0.4, share=share), ranges), strict=True):
                assert np.array_equal(got, wanted)


@pytest.mark.parametrize(("chance", "share", "joint"), [(0.5, 0, None), (0.499, 0, 3), (0.499, 1, 5)])
def test_a_joint_that_is_known_is_looked_at(chance: float, share: float, joint: int | None) -> None:
    xy, visible = np.arange(28, dtype=np.float32).reshape(14, 2), np.zeros(14, np.int8)
    visible[3:6:2] = 1, 2
    sources = Sources(sport=[Photo("a", GRAIN, PARTS, Skeleton(xy, visible))])
    made = _DRAW["sport"](Chance(chance, 0.9, 0.9, share=share), sources, SHAPE)
    ranges = Ranges(scale=(0.85, 1.8), angle=18, wild_angle=0.2, shift=0.15)
    centre = None if joint is None else xy[joint]
    wanted = moved(Chance(0.9, 0.9, share=share), ranges, centre=centre)
    assert all(np.array_equal(got, want) for got, want in zip(made, wanted, strict=True))
    paper = Chance(0.0, share=share)
    _DRAW["sport"](paper, sources, BatchShape(1, 64, 4, "paper"))
    assert paper.told == [], "asked once, for a mirror"


@pytest.mark.parametrize(("kind", "asked"), [("sport", True), ("lip", True), ("composites", False)])
def test_a_patch_is_laid_over_all_but_scenes(kind: str, asked: bool) -> None:
    """In the paper's augmentation, where light stays; a scene is asked for its turn and its mirror."""
    one = [coloured(250, NECK)]
    sources = Sources(sport=one, backgrounds=[np.zeros((64, 64, 3), np.uint8)], published={"lip": (one, 1)})
    shape = BatchShape(1, 48, 4, "paper")
    first = (0.9, 0.9) if kind == "composites" else (0.9,)
    for chance, covered in ((0.12, False), (float(np.nextafter(0.12, 0)), True)):
        rng = Chance(*first, chance)
        picture, codes = _draw(rng, sources, kind, shape)
        assert rng.told == ([] if asked else [chance])
        if asked:
            plain = _draw(Chance(*first, 0.9), sources, kind, shape)
            assert np.array_equal(codes, plain[1]) != covered
            assert np.array_equal(picture, plain[0]) != covered


def test_light_is_changed_at_last() -> None:
    sources, moved_only = Sources(sport=[Photo("a", GRAIN, PARTS)]), Chance(0.9, 0.9, share=0.3)
    plain = _DRAW["sport"](moved_only, sources, SHAPE)
    for chances, brighter in ((UNCHANGED, False), ((0.0, 0.9, *UNCHANGED[1:]), True)):
        rng = Chance(0.9, 0.9, *chances, share=0.3)
        picture, codes = _draw(rng, sources, "sport", SHAPE)
        assert rng.told == []
        assert np.array_equal(codes, plain[1])
        assert np.array_equal(picture, plain[0]) != brighter


@pytest.mark.parametrize(
    ("share", "people"),
    [(0.249, 0), (0.251, 1), (0.449, 1), (0.451, 2), (0.629, 2), (0.631, 3), (0.769, 3), (0.771, 4),
     (0.869, 4), (0.871, 5), (0.949, 5), (0.951, 6), (1, 6)],
)  # fmt: skip
@pytest.mark.parametrize("dark", [0.12, 0.1199])
def test_a_scene_is_people_laid_over_a_background_one_after_the_other(
    share: float, people: int, dark: float
) -> None:
    side, shape = 40, BatchShape(1, 64, 4)
    alpha = np.full((side, side), 255, np.uint8)
    alpha[:5] = 0
    cutout = Photo("c", np.dstack((GRAIN[:side, :side], alpha)), PARTS[:side, :side] * (alpha > 0))
    ground = GRAIN.repeat(2, axis=0).repeat(2, axis=1)
    chances = [0.9, 0.9, *[0.5, 0.9, dark] * people]
    rng = Chance(*chances, share=share)
    picture, target = _DRAW["composites"](rng, Sources(cutouts=[cutout], backgrounds=[ground]), shape)
    assert rng.told == []

    told = Chance(*chances, share=share)
    m = affine(told, (120, 180), 64, Ranges(scale=(1.3, 2.5), angle=4, shift=0.3))
    wanted, codes = warp(ground, m, 64), np.zeros((16, 16), np.uint8)
    largest = 1.6 if people < 3 else 3.2 / people
    for _ in range(people):
        m = affine(
            told, (side, side), 64, Ranges(scale=(0.25, largest), angle=12, wild_angle=0.15, shift=0.4)
        )
        laid = warp(cutout.image, m, 64)
        told.random()
        light = np.float32(told.uniform(*((0.15, 0.6) if dark < 0.12 else (0.75, 1.15))))
        soft = cv2.GaussianBlur(laid[..., 3], (0, 0), 0.7)[..., None].astype(np.float32) / 255
        wanted = (soft * np.minimum(light * laid[..., :3], 255) + (1 - soft) * wanted).astype(np.uint8)
        own = warp_codes(cutout.codes, m, 64, 4, 0)
        codes[own > 0] = own[own > 0]
    assert np.array_equal(picture, wanted)
    assert np.array_equal(target, codes)


def test_what_batches_are_drawn_from_cannot_be_changed() -> None:
    images = np.zeros((1, 4, 4, 3), np.uint8)
    for held, name in (
        (Mixture(), "own"),
        (Packed(images, images[..., 0]), "images"),
        (Sources(), "own"),
        (Batch(images, {}), "images"),
        (SHAPE, "crop"),
        (PAPER_RANGES, "angle"),
        (coloured(1, 1), "codes"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(held, name, None)
