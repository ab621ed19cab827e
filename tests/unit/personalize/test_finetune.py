"""What a factor learns from, what it refuses, and that it never gets worse on the way (row H01)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from export.stages import ExportError
from personalize import factor as factors
from personalize.finetune import (
    DatasetError,
    FinetuneConfig,
    FinetuneData,
    FrameDataset,
    ReplayBuffer,
    draw,
    held_out,
    learn,
    loss_on,
)
from personalize.worker.finetune import CONFIG
from runtime.model_files.metadata import describe
from runtime.system import paths

ROWS, COLUMNS = 4, 8
QUICK = FinetuneConfig(epochs=3, batch=4, rate=2e-3)


@pytest.fixture(scope="module")
def file():
    return (paths.models_dir() / "factored-s31" / "factor.onnx").read_bytes()


@pytest.fixture(scope="module")
def base(file):
    return factors.load(file)


def dataset(count=12, seed=0):
    """Cells of two kinds, of which one is to be a person; told by the first features alone."""
    random = np.random.default_rng(seed)
    person = random.random((count, ROWS, COLUMNS)) < 0.4
    features = random.normal(0, 0.5, (count, 128, ROWS, COLUMNS)).astype(np.float16)
    features[:, :16] += np.where(person, 2.0, -2.0)[:, None].astype(np.float16)
    codes = person.astype(np.uint8).repeat(4, 1).repeat(4, 2)
    return FrameDataset(features, codes)


def weights(factor):
    return {k: v.clone() for k, v in factor.state_dict().items()}


def same(one, two):
    return all(torch.equal(one[k], two[k]) for k in one)


def test_an_epoch_is_every_frame_once_and_steps_end_where_they_are_told_to():
    data = FinetuneData(dataset(), range(2, 12))
    whole = draw(data, replace(QUICK, epochs=2, most_steps=99), 0)
    assert [last for _, _, last in whole] == [False, False, True] * 2
    for epoch in (whole[:3], whole[3:]):
        assert sorted(np.concatenate([which for which, _, _ in epoch])) == list(range(2, 12))
    few = draw(data, replace(QUICK, epochs=10**9, most_steps=4), 0)
    assert [last for _, _, last in few] == [False, False, True, True]
    assert all((a == b).all() for (a, _, _), (b, _, _) in zip(few, whole[:4], strict=True))


def test_it_learns_and_leaves_what_it_was_given_alone(base):
    before = weights(base)
    clip = dataset()
    made = learn(base, FinetuneData(clip, range(8), range(8, 12)), QUICK)
    assert made.best_epoch > 0
    assert loss_on(made.factor, clip, range(8, 12)) < made.losses[0]
    assert same(weights(base), before)
    assert not same(weights(made.factor), before)


def test_h10_same_seed_same_bits(base, file):
    data = FinetuneData(dataset(), range(8), range(8, 12), replay())
    one, two = (learn(base, data, QUICK, seed=3) for _ in range(2))
    other = learn(base, data, QUICK, seed=4)
    assert same(weights(one.factor), weights(two.factor))
    assert not same(weights(one.factor), weights(other.factor))
    spec = describe("factor.onnx", file)
    assert factors.store(one.factor, file, spec) == factors.store(two.factor, file, spec)


def replay(count=6):
    random = np.random.default_rng(9)
    features = random.normal(0, 1, (count, 128, ROWS, COLUMNS)).astype(np.float16)
    return ReplayBuffer(features, random.random((count, ROWS, COLUMNS)).astype(np.float32))


@pytest.mark.parametrize("config", [replace(QUICK, replay_weight=5.0), CONFIG])
def test_replay_keeps_what_was_said_of_others(base, config):
    """With much replay, and with as much as personalising has."""
    others = replay()
    with torch.no_grad():
        said = torch.sigmoid(factors.logits(base, torch.from_numpy(others.features).float())).numpy()
    others = replace(others, person=said)
    clip = dataset()
    alone, beside = (
        learn(base, FinetuneData(clip, range(12), (), replay), config).factor for replay in (None, others)
    )

    def change(factor):
        with torch.no_grad():
            now = torch.sigmoid(factors.logits(factor, torch.from_numpy(others.features).float())).numpy()
        return float(np.abs(now - said).mean())

    assert change(beside) < 0.8 * change(alone)


def test_only_the_frames_to_learn_from_are_learned_from(base):
    """Whatever the other frames show, the same weights come out."""
    clip = dataset()
    codes = np.array(clip.codes)
    codes[8:] = 1 - codes[8:]
    one, two = (
        learn(base, FinetuneData(replace(clip, codes=c), range(8)), QUICK).factor for c in (clip.codes, codes)
    )
    assert same(weights(one), weights(two))
    codes[7] = 1 - codes[7]
    other = learn(base, FinetuneData(replace(clip, codes=codes), range(8)), QUICK).factor
    assert not same(weights(one), weights(other))


def broken(**values):
    made = dataset()
    features = np.array(made.features)
    codes = np.array(made.codes)
    if "features" in values:
        features[3] = values["features"]
    if "codes" in values:
        codes[:] = values["codes"]
    return FrameDataset(features, codes)


@pytest.mark.parametrize("value", [np.nan, np.inf, 6e4])
def test_h01_numbers_that_are_none_end_the_run_and_keep_the_base(base, value):
    made = learn(base, FinetuneData(broken(features=value), range(8), range(8, 12)), QUICK)
    best = weights(made.factor)
    assert all(torch.isfinite(v).all() for v in best.values())
    if not np.isfinite(value):
        assert "no longer a number" in made.ended
    assert min(made.losses) <= made.losses[0]


def test_h01_an_exploding_course_keeps_the_best(base):
    made = learn(base, FinetuneData(dataset(), range(8), range(8, 12)), replace(QUICK, rate=1e3))
    assert all(torch.isfinite(v).all() for v in weights(made.factor).values())
    assert made.losses[made.best_epoch] <= made.losses[0]


@pytest.mark.parametrize(
    ("codes", "words"),
    [(255, "no pixel is surely the person"), (0, "surely the person"), (1, "surely background")],
)
def test_h01_a_single_class_teaches_nothing(base, codes, words):
    with pytest.raises(DatasetError, match=words):
        learn(base, FinetuneData(broken(codes=codes), range(8)), QUICK)


def test_h01_no_frame_and_one_frame(base):
    with pytest.raises(DatasetError, match="no frame"):
        learn(base, FinetuneData(dataset(), []), QUICK)
    assert learn(base, FinetuneData(dataset(), [0]), QUICK).best_epoch > 0


def test_h01_labels_out_of_range_and_misfits():
    with pytest.raises(DatasetError, match="0, 1 or 255"):
        broken(codes=7)
    with pytest.raises(DatasetError, match="do not fit"):
        FrameDataset(dataset(3).features, dataset(4).codes)


def test_h01_a_hundred_thousand_frames_are_bounded_in_time(base):
    """Steps are limited, and features are read as they are needed."""
    few = dataset(4)
    many = FrameDataset(
        np.broadcast_to(few.features[:1], (100_000, 128, ROWS, COLUMNS)),
        np.broadcast_to(few.codes[:1], (100_000, 4 * ROWS, 4 * COLUMNS)),
    )
    steps = []
    config = replace(QUICK, most_steps=10)
    learn(
        base,
        FinetuneData(many, range(100_000)),
        config,
        on_step=lambda done, total: steps.append((done, total)),
    )
    assert steps[-1] == (10, 10)


def test_stop_keeps_the_best_so_far(base):
    steps = []
    made = learn(
        base,
        FinetuneData(dataset(), range(8), range(8, 12)),
        replace(QUICK, epochs=100, most_steps=1000),
        on_step=lambda done, _: steps.append(done),
        should_end=lambda: "you asked" if len(steps) >= 7 else "",
    )
    assert (len(steps), made.ended) == (7, "you asked")
    assert made.losses[made.best_epoch] == min(made.losses)


def test_black_pictures_are_learned_from_without_harm(base):
    made = dataset()
    black = FrameDataset(np.zeros_like(made.features), made.codes)
    learned = learn(base, FinetuneData(black, range(8), range(8, 12)), QUICK)
    assert all(torch.isfinite(v).all() for v in weights(learned.factor).values())


@pytest.mark.parametrize("count", [2, 3, 5, 8, 16, 70, 301])
def test_some_frames_are_held_out_from_any_clip(count):
    watched, judged = held_out(count)
    assert judged
    assert not set(watched) & set(judged)
    assert len(watched) + len(judged) <= count / 2
    assert max([*watched, *judged]) < count
    if count == 301:
        assert len(watched) == len(judged) == 15


def test_a_factor_goes_to_its_file_and_back(base, file):
    spec = describe("factor.onnx", file)
    again = factors.load(factors.store(base, file, spec))
    assert same(weights(base), weights(again))
    assert describe("x", factors.described(file, replace(spec, name="ann"))).name == "ann"
    with pytest.raises(factors.FactorError, match="do not stand where"):
        factors.load((paths.models_dir() / "factored-s31" / "head.onnx").read_bytes())
    spoiled = factors.load(file)
    with torch.no_grad():
        next(spoiled.parameters()).fill_(float("nan"))
    with pytest.raises(ExportError, match="NaN"):
        factors.store(spoiled, file, spec)
