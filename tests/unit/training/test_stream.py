"""Where the pictures of a batch come from, and what of a photo is shown."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from models.labels import IGNORE, S31
from training.photos import Photo
from training.scribbles import Skeleton
from training.stream import PAPER_RANGES, Batch, BatchShape, Mixture, Packed, Sources, Stream, make_batch
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


@pytest.mark.parametrize("known", [0, 1])
def test_half_of_the_photos_with_joints_show_a_known_one_in_the_middle(known: int) -> None:
    """One joint in a corner, the others not seen; the middle is 0.15 of the crop about it."""
    codes = np.zeros((400, 400), np.uint8)
    codes[:90, :90] = NECK
    xy, visible = np.full((14, 2), 390, np.float32), np.zeros(14, np.int8)
    xy[3], visible[3] = (45, 45), 2 * known
    found = codes_of(Sources(sport=[photo(codes, Skeleton(xy, visible))]))
    rows, columns = zip(
        *(np.argwhere(c == NECK).mean(0) if (c == NECK).any() else (-9, -9) for c in found), strict=True
    )
    far = np.maximum(np.abs(np.array(rows) - 7.5), np.abs(np.array(columns) - 7.5))
    share = float(np.mean(far < 0.15 * 16 + 1))
    assert 0.25 < share < 0.75 if known else share < 0.1


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


def threads(*, step: int) -> Batch:
    return Batch(np.full((1, 1, 1, 3), torch.get_num_threads(), np.uint8), {})


def test_a_worker_takes_one_thread() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (made,) = WorkerStream(threads, start=0, steps=1, workers=1)
        assert (made.images.flat[0], torch.get_num_threads()) == (1, 2)
    finally:
        torch.set_num_threads(usual)


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


def scenes(count: int, value: int = 230, shown: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and codes of scenes with a cut-out of one grey on another."""
    side = 40
    rgba = np.dstack((np.full((side, side, 3), value, np.uint8), np.full((side, side), 255, np.uint8)))
    cutout = Photo("c", rgba, np.full((side, side), NECK, np.uint8))
    sources = Sources(cutouts=[cutout], backgrounds=[np.full((80, 80, 3), shown, np.uint8)])
    made = [make_batch(sources, Mixture(), BatchShape(50, 64, 4), seed=2, step=s) for s in range(count)]
    return np.concatenate([b.images for b in made]), np.concatenate([b.targets["codes"] for b in made])


def test_scenes_show_cutouts_where_their_codes_are() -> None:
    images, codes = scenes(6)
    there = (codes == NECK).any(axis=(1, 2))
    assert np.mean(~there) == pytest.approx(0.25 + 0.03, abs=0.06), (
        "a quarter is empty, and some stand outside"
    )
    inside = codes[there].repeat(4, axis=1).repeat(4, axis=2) == NECK
    grey = images[there].mean(axis=3)
    brighter = [
        p[m].mean() - p[~m].mean() for p, m in zip(grey, inside, strict=True) if m.any() and not m.all()
    ]
    assert np.mean(np.array(brighter) > 20) > 0.9
    assert set(np.unique(codes)) == {0, NECK}


def test_some_people_stand_against_the_light() -> None:
    """On a ground as bright as themselves an eighth are at most 0.6 as bright, nobody below 0.15."""
    images, codes = scenes(8, 200, 200)
    some = (codes == NECK).mean(axis=(1, 2))
    shares = []
    for picture, told, share in zip(images.mean(axis=3), codes == NECK, some, strict=True):
        if 0.05 < share < 0.6:
            mask = told.repeat(4, axis=0).repeat(4, axis=1)
            shares.append(picture[mask].mean() / max(1.0, picture[~mask].mean()))
    dark = np.mean(np.array(shares) < 0.55)
    assert 0.05 < dark < 0.3
    assert np.median(shares) == pytest.approx(0.95, abs=0.08)


def test_every_eighth_picture_but_scenes_has_a_patch_before_it() -> None:
    filled, dark = coloured(250, NECK), np.zeros((64, 64, 3), np.uint8)
    sources = Sources(silhouettes=[filled], backgrounds=[dark])
    made = make_batch(sources, Mixture(composites=0), BatchShape(400, 48, 4), seed=3, step=1).targets["codes"]
    assert (made == 0).any(axis=(1, 2)).mean() == pytest.approx(0.12, abs=0.04)


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
