"""Checkpoints and the loop: resumed runs equal uninterrupted ones, and nothing good is lost."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.checkpoint import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from models.factored import FactoredConvNet
from models.families import ZOO
from models.network import build
from training.loop import LAST, DivergedError, TrainConfig, learning_rate, new_state, resume, save, train
from training.step import StepConfig
from training.stream import Batch

CPU = torch.device("cpu")


def batches(start: int, poison: int | None = None):  # type: ignore[no-untyped-def]
    step = start
    while True:
        rng = np.random.default_rng(step)
        images = rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
        yield Batch(images, {"codes": rng.integers(0, 32, (2, 16, 16), dtype=np.uint8)})
        step += 1


def config(steps: int) -> TrainConfig:
    return TrainConfig(
        steps=steps, decay_steps=2, batch=2, warmup_steps=2, checkpoint_every=2, step=StepConfig(bf16=False)
    )


@pytest.mark.parametrize("name", ["factored-s31", "baseline-relu", "enet-relu"])
def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(tmp_path, name) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    row = ZOO[name]
    net = build(row)
    start = {k: v.clone() for k, v in net.state_dict().items()}
    whole = new_state(config(4), row, copy.deepcopy(net), CPU)
    train(whole, config(4), batches(0), tmp_path / "whole", {}, CPU)
    assert any(not torch.equal(v, start[k]) for k, v in whole.net.state_dict().items())

    first = new_state(config(4), row, copy.deepcopy(net), CPU)
    half = TrainConfig(**{**config(4).__dict__, "steps": 4})
    train(first, half, (b for b, _ in zip(batches(0), range(2), strict=False)), tmp_path / "parts", {}, CPU)
    second = new_state(config(4), row, build(row), CPU)
    resume(second, tmp_path / "parts" / LAST)
    assert second.step == 2
    train(second, config(4), batches(2), tmp_path / "parts", {}, CPU)
    for (key, a), b in zip(whole.net.state_dict().items(), second.net.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    for a, b in zip(whole.ema.state_dict().values(), second.ema.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("step", "ema", "followed"), [(0, 0.998, 0.9), (5000, 0.998, 0.002), (5000, 0.5, 0.5)]
)
def test_the_averaged_weights_follow_slowly(tmp_path, step, ema, followed) -> None:  # type: ignore[no-untyped-def]
    """What ships is the average: at the beginning it keeps up, later each step moves it by 1 - ema."""
    torch.manual_seed(0)
    state = new_state(config(step + 1), ZOO["factored-s31"], FactoredConvNet(), CPU)
    state.step = step
    before = {k: v.detach().clone() for k, v in state.ema.named_parameters()}
    train(state, replace(config(step + 1), ema=ema, lr=1.0), batches(0), tmp_path, {}, CPU)
    now = {k: v.detach() for k, v in state.net.named_parameters()}
    moved = {k: (v.detach() - before[k]).norm() for k, v in state.ema.named_parameters()}
    for key, distance in moved.items():
        assert float(distance) == pytest.approx(followed * float((now[key] - before[key]).norm()), rel=0.01)
    assert max(map(float, moved.values())) > 0


def test_a_network_is_not_resumed_as_another(tmp_path) -> None:  # type: ignore[no-untyped-def]
    enet, baseline = ZOO["enet-relu"], ZOO["baseline-relu"]
    save(new_state(config(2), enet, build(enet), CPU), config(2), tmp_path / LAST, {})
    with pytest.raises(CheckpointError, match="another architecture"):
        resume(new_state(config(2), baseline, build(baseline), CPU), tmp_path / LAST)


def test_a_diverged_run_stops_and_keeps_the_last_good_checkpoint(tmp_path) -> None:  # type: ignore[no-untyped-def]
    state = new_state(config(10), ZOO["factored-s31"], FactoredConvNet(), CPU)
    train(state, config(2), batches(0), tmp_path, {}, CPU)
    good = (tmp_path / LAST).read_bytes()
    with torch.no_grad():
        state.net.head.classify.weight.fill_(float("nan"))
    with pytest.raises(DivergedError, match=LAST):
        train(state, config(10), batches(2), tmp_path, {}, CPU)
    assert (tmp_path / LAST).read_bytes() == good


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / LAST
    state = new_state(config(2), ZOO["factored-s31"], FactoredConvNet(), CPU)
    save(state, config(2), path, {})
    good = path.read_bytes()

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(state, config(2), path, {})
    assert path.read_bytes() == good
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not a checkpoint"), (b"\x80\x04pickle", "never loaded"), (b"x" * 500, "not a checkpoint")],
)
def test_broken_checkpoints_are_refused_in_words(tmp_path, content, words) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(path)


def test_another_architecture_wrong_shapes_and_nan_are_refused_in_words(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.safetensors"
    good = FactoredConvNet().state_dict()
    for bad, words in (
        ({"x": torch.zeros(1)}, "another architecture"),
        ({**good, "head.classify.weight": torch.zeros(2, 2)}, "expected"),
        (
            {**good, "head.classify.weight": torch.full_like(good["head.classify.weight"], float("nan"))},
            "NaN",
        ),
    ):
        save_checkpoint(path, {"net": bad}, {"step": 0})
        with pytest.raises(CheckpointError, match=words):
            load_weights(FactoredConvNet(), load_checkpoint(path)[0]["net"], path)


def test_learning_rate_warms_up_holds_and_falls() -> None:
    c = TrainConfig(steps=1000, decay_steps=400, lr=1.0, warmup_steps=100)
    assert learning_rate(c, 0) == pytest.approx(0.01)
    assert learning_rate(c, 300) == learning_rate(c, 600) == 1.0
    assert learning_rate(c, 800) == pytest.approx(0.505)
    assert learning_rate(c, 1000) == pytest.approx(0.01)
    falls = replace(c, steps=100, decay_steps=0, warmup_steps=0, milestones=((0.6, 0.5), (0.8, 0.1)))
    assert [learning_rate(falls, s) for s in (0, 59, 60, 79, 80, 99)] == [1, 1, 0.5, 0.5, 0.1, 0.1]


def test_the_log_has_means_since_its_last_line_and_what_was_reached(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A line every 50 steps and one at the end; pictures a second against 29 of 256 px."""
    run = replace(config(53), lr=0.5, warmup_steps=100, checkpoint_every=1000)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    state.step, state.images = 47, 94
    train(state, run, batches(47), tmp_path, {}, CPU)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(r["step"], r["images"]) for r in rows] == [(50, 100), (53, 106)]
    assert [r["lr"] for r in rows] == pytest.approx([learning_rate(run, 49), learning_rate(run, 52)])
    for row in rows:
        assert row["of_ceiling"] == pytest.approx(row["images_per_s"] * 64**2 / (29 * 256**2), abs=0.006)
        assert row["images_per_s"] > 0
        assert row["parts"] > 0
    assert (tmp_path / LAST).is_file(), "at the end, whatever is left to the next checkpoint"


def test_randomness_follows_from_seed_and_step_and_differs_between_processes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Dropout draws from torch's own state: the same for a step of a seed, another for each process."""
    seen = {}
    for seed, step, rank in ((0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 1), (0, 1, 1)):
        run = replace(config(step + 1), seed=seed)
        state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
        state.step = step
        state.net.register_forward_pre_hook(
            lambda *_, k=(seed, step, rank): seen.update({k: torch.initial_seed()})
        )
        train(state, run, batches(0), tmp_path, {}, CPU, (rank, 2))
        assert state.images == 4, "of both processes"
    assert len(set(seen.values())) == 5


@pytest.mark.parametrize(("optimiser", "kind"), [("sgd", torch.optim.SGD), ("rmsprop", torch.optim.RMSprop)])
def test_other_optimisers_are_plain(optimiser, kind) -> None:  # type: ignore[no-untyped-def]
    run = replace(config(1), optimiser=optimiser, weight_decay=0.3, lr=0.7)
    found = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU).optimiser
    assert type(found) is kind
    (group,) = found.param_groups
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (
        0.7,
        0.3,
        0.9 if optimiser == "sgd" else 0,
    )


@pytest.mark.parametrize(("clip", "moved"), [(0.0, 1.0), (1e-3, 1e-3)])
def test_long_gradients_are_shortened(tmp_path, clip, moved) -> None:  # type: ignore[no-untyped-def]
    """By SGD at a rate of 1 and without decay the weights move by the gradient."""
    run = replace(
        config(1), optimiser="sgd", weight_decay=0.0, lr=1.0, clip=clip, warmup_steps=0, decay_steps=0
    )
    torch.manual_seed(0)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    before = torch.cat([p.detach().flatten().clone() for p in state.net.parameters()])
    train(state, run, batches(0), tmp_path, {}, CPU)
    step = (torch.cat([p.detach().flatten() for p in state.net.parameters()]) - before).norm().item()
    assert step == pytest.approx(moved, rel=0.02) if clip else step > 0.1
