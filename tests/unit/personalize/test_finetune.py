"""What a factor learns from, what it refuses, and that it never gets worse on the way (row H01)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from export.stages import ExportError
from personalize import factor as factors
from personalize import finetune
from personalize.edges import ColourGuides
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


def seen_dataset():
    """Guided pictures with padding and unknown pixels; one person is so small that background counts less."""
    made, random = dataset(), np.random.default_rng(5)
    codes = np.array(made.codes)
    codes[:, 0], codes[3] = 255, 0
    codes[3, 4:8, 8:12] = 1
    pictures = random.integers(0, 255, (12, 8 * ROWS, 8 * COLUMNS, 3)).astype(np.uint8)
    features = np.pad(made.features, ((0, 0), (0, 0), (0, 1), (0, 2)))
    return FrameDataset(features, codes, ColourGuides.of(pictures, (COLUMNS, ROWS)))


def loss_by_hand(factor, clip, which):
    """Mean over pictures of 1/4 of the answer's cross-entropy and 3/4 of the written silhouette's."""
    losses = []
    for k in which:
        odds = factors.logits(factor, torch.from_numpy(clip.features[[k]]).float())[:, :ROWS, :COLUMNS]
        fine = torch.nn.functional.interpolate(odds[None], scale_factor=4, mode="bilinear")[0, 0]
        written = 16 * (clip.guides.written(odds.sigmoid(), np.array([k]))[0] - 0.5)
        person = torch.from_numpy(clip.codes[k] == 1)
        weight = torch.from_numpy(clip.codes[k] != 255).float()
        weight[~person] *= min(1, 10 * person.sum() / weight[~person].sum())
        costs = [torch.nn.functional.softplus(torch.where(person, -a, a)) for a in (fine, written)]
        losses.append(((costs[0] + 3 * costs[1]) / 4 * weight).sum() / weight.sum())
    return sum(losses) / len(losses)


def test_the_loss_by_hand(base, monkeypatch):
    monkeypatch.setattr(finetune, "has_bf16", lambda: False)
    clip = seen_dataset()
    with torch.no_grad():
        expected = [float(loss_by_hand(base.eval(), clip, [k])) for k in range(12)]
    assert loss_on(base, clip, [3]) == pytest.approx(expected[3], rel=1e-4)
    assert loss_on(base, clip, range(12)) == pytest.approx(np.mean(expected), rel=1e-4)
    assert loss_on(base, clip, [*range(8), 0]) == pytest.approx(
        np.mean([*expected[:8], expected[0]]), rel=1e-4
    )


def test_a_course_by_hand(base, monkeypatch):
    """Three steps of AdamW, slower along half a cosine, of a gradient that is held short."""
    monkeypatch.setattr(finetune, "has_bf16", lambda: False)
    clip, others = seen_dataset(), replay()
    data = FinetuneData(clip, range(1, 7), (), others)
    config = replace(
        QUICK, epochs=1, batch=2, rate=1e-2, weight_decay=0.5, longest_gradient=0.01, replay_weight=0.4
    )
    learner = deepcopy(base).train()
    optimiser = torch.optim.AdamW(learner.parameters(), weight_decay=0.5)
    for (which, of_others, _), rate in zip(draw(data, config, 3), (0.01, 0.0075, 0.0025), strict=True):
        optimiser.param_groups[0]["lr"] = rate
        now = factors.logits(learner, torch.from_numpy(others.features[of_others]).float())
        said = torch.from_numpy(others.person[of_others])
        change = (torch.nn.functional.softplus(now) - said * now).mean()
        optimiser.zero_grad()
        (loss_by_hand(learner, clip, which) + 0.4 * change).backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 0.01)
        optimiser.step()
    made = learn(base, data, config, seed=3)
    assert (made.losses, made.best_epoch, made.ended) == ([0.0], 0, "")
    start = weights(base)
    for name, value in weights(learner).items():
        moved, expected = made.factor.state_dict()[name] - start[name], value - start[name]
        assert torch.linalg.norm(moved - expected) <= 0.01 * torch.linalg.norm(expected) + 1e-5, name


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
    everybody = replace(data, replay=replay(6))
    others = [others for _, others, _ in draw(everybody, FinetuneConfig(batch=1), 0)]
    assert {o.shape for o in others} == {(2,)}
    assert set(np.concatenate(others)) == set(range(6))
    assert [len(draw(FinetuneData(dataset(), range(n)), FinetuneConfig(), 0)) for n in (8, 81)] == [16, 160]
    few = draw(data, replace(QUICK, epochs=10**9, most_steps=4), 0)
    assert [last for _, _, last in few] == [False, False, True, True]
    assert all((a == b).all() for (a, _, _), (b, _, _) in zip(few, whole[:4], strict=True))


def test_personalising_learns_with_the_settings_that_were_chosen():
    assert FinetuneConfig(
        epochs=16, rate=5e-4, batch=8, replayed=2, replay_weight=0.3, weight_decay=2e-4, patience=4,
        most_steps=160, longest_gradient=5.0,
    ) == CONFIG  # fmt: skip


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


@pytest.mark.parametrize(("changed", "patience"), [({}, 4), ({"patience": 2}, 2)])
def test_it_ends_where_nothing_is_gained_any_more(base, changed, patience):
    config = replace(QUICK, epochs=9, rate=0.0, **changed)
    made = learn(base, FinetuneData(dataset(), range(8), range(8, 12)), config)
    assert made.losses == made.losses[:1] * (patience + 1)
    assert made.ended == "the held-out frames gained nothing more"
    assert (made.factor, made.best_epoch) == (base, 0)


def test_without_frames_to_watch_the_last_epoch_counts(base):
    data = FinetuneData(dataset(), range(8))
    made = [learn(base, data, replace(QUICK, epochs=9, most_steps=n)) for n in (6, 6, 5)]
    assert [m.losses for m in made] == [[0.0, -1.0, -2.0]] * 3
    assert [m.best_epoch for m in made] == [2] * 3
    assert same(*(weights(m.factor) for m in made[:2]))
    assert not same(*(weights(m.factor) for m in made[1:]))


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
    for features, codes in (
        (dataset(3).features, dataset(4).codes),
        (dataset(4).features, dataset(3).codes),
        (dataset(3).features[0], dataset(128).codes),
        (dataset(3).features[..., None], dataset(3).codes),
        (dataset(3).features, dataset(3).codes[..., 0]),
        (dataset(3).features, dataset(3).codes[..., None]),
    ):
        with pytest.raises(DatasetError, match="do not fit"):
            FrameDataset(features, codes)


def test_h01_a_hundred_thousand_frames_are_bounded_in_time(base):
    """Steps are limited, and features are read as they are needed."""
    few = dataset(4)
    many = FrameDataset(
        np.broadcast_to(few.features[:1], (100_000, 128, ROWS, COLUMNS)),
        np.broadcast_to(few.codes[:1], (100_000, 4 * ROWS, 4 * COLUMNS)),
    )
    steps, config = [], replace(QUICK, most_steps=10)
    learn(base, FinetuneData(many, range(100_000)), config, on_step=lambda *how: steps.append(how))
    assert steps == [(k, 10) for k in range(1, 11)]


def test_stop_keeps_the_best_so_far(base):
    steps = []
    data, config = (
        FinetuneData(dataset(), range(8), range(8, 12)),
        replace(QUICK, epochs=100, most_steps=1000),
    )
    ends = {"should_end": lambda: "you asked" if len(steps) >= 7 else ""}
    made = learn(base, data, config, on_step=lambda done, _: steps.append(done), **ends)
    assert (len(steps), made.ended) == (7, "you asked")
    assert made.losses[made.best_epoch] == min(made.losses)


def test_black_pictures_are_learned_from_without_harm(base):
    made = dataset()
    black = FrameDataset(np.zeros_like(made.features), made.codes)
    learned = learn(base, FinetuneData(black, range(8), range(8, 12)), QUICK)
    assert all(torch.isfinite(v).all() for v in weights(learned.factor).values())


@pytest.mark.parametrize(
    ("count", "watched", "judged"),
    [
        (2, [], [1]),
        (5, [3], [1]),
        (8, [3, 7], [1, 5]),
        (16, [6, 14], [2, 10]),
        (43, [15, 35], [5, 25]),
        (301, range(15, 300, 20), range(5, 300, 20)),
    ],
)
def test_some_frames_are_held_out_from_any_clip(count, watched, judged):
    assert held_out(count) == ([*watched], [*judged])


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


@pytest.mark.parametrize(("device", "own", "has"), [("cpu", 0, False), ("cpu", 1, True), ("cuda", 0, True)])
def test_bf16_is_for_a_graphics_card_or_a_processor_that_has_it(monkeypatch, device, own, has):
    monkeypatch.setattr(finetune, "DEVICE", torch.device(device))
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: own)
    assert finetune.has_bf16() is has
