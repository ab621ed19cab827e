"""Where the pictures of a batch come from, and what of a photo is shown."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from models.labels import IGNORE, S31
from training.photos import Photo
from training.scribbles import Skeleton
from training.stream import BatchShape, Mixture, Packed, Sources, Stream, make_batch
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
