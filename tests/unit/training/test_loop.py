"""Checkpoints and the loop: resumed runs equal uninterrupted ones, and nothing good is lost."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoint import CheckpointError, load_checkpoint, load_weights, save_checkpoint
from models.factored import FactoredConvNet
from models.families import ZOO
from models.network import build
from training import loop
from training.loop import LAST, DivergedError, TrainConfig, learning_rate, new_state, resume, save, train
from training.muon import Muon
from training.recipes import FACTORED_PAPER, TrainingRecipe
from training.step import StepConfig, losses
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
    ("step", "ema", "followed"),
    [(0, 0.998, 0.9), (3, 0.998, 9 / 13), (5000, 0.998, 0.002), (5000, 0.5, 0.5)],
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
    kept = (
        rf"^step 2: the loss is {{.*}}\. The last good checkpoint is {tmp_path / LAST}; resume from it with"
    )
    with pytest.raises(DivergedError, match=rf"{kept} a lower --lr\.$"):
        train(state, config(10), batches(2), tmp_path, {}, CPU)
    assert (tmp_path / LAST).read_bytes() == good
    with pytest.raises(DivergedError, match=r"}\. Start with a lower --lr\.$"):
        train(state, config(10), batches(2), tmp_path / "other", {}, CPU)


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
    assert learning_rate(replace(c, decay_steps=1), 1000) == pytest.approx(0.01)
    assert learning_rate(replace(c, warmup_steps=1), 0) == 1.0
    falls = replace(c, steps=100, decay_steps=0, warmup_steps=0, milestones=((0.6, 0.5), (0.8, 0.1)))
    assert [learning_rate(falls, s) for s in (0, 59, 60, 79, 80, 99)] == [1, 1, 0.5, 0.5, 0.1, 0.1]


@pytest.fixture
def drawn(monkeypatch) -> list[dict[str, float]]:  # type: ignore[no-untyped-def]
    """Every step's seeds, of torch and of what is drawn for it, beside its losses."""
    rows: list[dict[str, float]] = []

    def noted(*given: Any) -> dict[str, torch.Tensor]:
        terms = losses(*given)
        seeds = {"torch": torch.initial_seed(), "drawn": given[-1].initial_seed()}
        rows.append({**seeds, **{name: value.item() for name, value in terms.items()}})
        return terms

    monkeypatch.setattr(loop, "losses", noted)
    return rows


def test_the_log_has_means_since_its_last_line_and_what_was_reached(tmp_path, monkeypatch, drawn) -> None:  # type: ignore[no-untyped-def]
    """A line every 50 steps and one at the end; pictures a second against 29 of 256 px, of two processes."""
    times = iter((5.0, 5.007, 10.0, 10.005, 20.0))
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(times)))
    run = replace(config(53), lr=0.5, warmup_steps=100, checkpoint_every=1000)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    state.step, state.images = 47, 188
    wide = (
        Batch(np.repeat(b.images, 2, 2), {"codes": np.repeat(b.targets["codes"], 2, 2)}) for b in batches(47)
    )
    train(state, run, wide, tmp_path, {}, CPU, (0, 2))
    first, last = (json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
    speeds = [{"images_per_s": rate, "of_ceiling": share} for rate, share in ((1714.3, 7.39), (2400, 10.34))]
    parts = [round(sum(row["parts"] for row in some) / 3, 4) for some in (drawn[:3], drawn[3:])]
    rate = learning_rate(run, 52)
    assert first == {"step": 50, "images": 200, "lr": 0.25, "parts": parts[0], **speeds[0]}
    assert last == {"step": 53, "images": 212, "lr": rate, "parts": parts[1], **speeds[1]}
    assert (tmp_path / LAST).is_file(), "at the end, whatever is left to the next checkpoint"


@pytest.mark.parametrize(
    ("seed", "step", "rank", "seeds"),
    [(0, 0, 0, (0, 0)), (0, 3, 1, (7, 3)), (2, 1, 0, (4_000_014, 15_839)), (2, 0, 1, (4_000_013, 15_838))],
)
def test_randomness_follows_from_seed_and_step_and_the_first_process_alone_writes(  # type: ignore[no-untyped-def]
    tmp_path, drawn, seed, step, rank, seeds
) -> None:
    """Dropout draws from torch's own state: the same for a step of a seed, another for each process."""
    run = replace(config(step + 2), seed=seed, agg_bn_recalibrate=1)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    state.step = step
    train(state, run, batches(0), tmp_path / "run", {}, CPU, (rank, 2))
    assert [state.step, state.images] == [step + 2, 8], "two steps of both processes"
    assert (drawn[0]["torch"], drawn[0]["drawn"]) == seeds
    assert len(drawn) == 2
    assert (tmp_path / "run").exists() == (rank == 0)


def test_a_checkpoint_knows_its_run_and_stands_at_every_so_many_steps(tmp_path) -> None:  # type: ignore[no-untyped-def]
    run = config(10)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    train(state, run, list(islice(batches(0), 3)), tmp_path, {"shape": "of all"}, CPU)
    meta = load_checkpoint(tmp_path / LAST)[1]
    assert (meta["step"], meta["images"], meta["shape"]) == (2, 4, "of all")
    assert meta["config"] == json.loads(json.dumps(asdict(run)))
    again = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    resume(again, tmp_path / LAST)
    assert (again.step, again.images, again.row) == (2, 4, ZOO["enet-relu"])


@pytest.mark.parametrize("step", [2, 5])
def test_after_the_end_nothing_is_learned_but_statistics_are_measured(tmp_path, step) -> None:  # type: ignore[no-untyped-def]
    """Of the averaged weights, by so many more batches; not before the end."""
    run = replace(config(2), agg_bn_recalibrate=2)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    before = {k: v.clone() for k, v in state.ema.state_dict().items()}
    train(state, replace(run, steps=9), [], tmp_path, {}, CPU)
    state.step = step
    more = batches(0)
    train(state, run, more, tmp_path, {}, CPU)
    assert np.array_equal(next(more).images, next(batches(3)).images), "one is drawn before the end is seen"
    moved = {k for k, v in state.ema.state_dict().items() if not torch.equal(v, before[k])}
    assert moved
    assert all("running_" in name or "num_batches" in name for name in moved)
    stored = load_checkpoint(tmp_path / LAST)[0]["ema"]
    assert all(torch.equal(stored[k], v) for k, v in state.ema.state_dict().items())


def test_a_run_has_its_recipes_settings_and_usual_ones_without(tmp_path) -> None:  # type: ignore[no-untyped-def]
    usual = TrainConfig(8000, 2000)
    assert TrainConfig.of(TrainingRecipe()) == usual
    assert usual.checkpoint_every == 250
    paper = TrainConfig.of(FACTORED_PAPER, 3)
    assert paper.step == StepConfig((0.25,) * 4, 0.0, bf16=False, objective="mean")
    assert (paper.seed, paper.steps, paper.dropout) == (3, 221_390, None)


@pytest.mark.parametrize(("dropout", "rates"), [(None, {0.01, 0.1}), (0.3, {0.3})])
def test_dropout_is_one_rate_or_that_of_the_blocks(dropout, rates) -> None:  # type: ignore[no-untyped-def]
    state = new_state(replace(config(1), dropout=dropout), ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    assert {m.p for m in state.net.modules() if isinstance(m, torch.nn.Dropout2d)} == rates


@pytest.mark.parametrize("optimiser", ["rmsprop", "sgd", "adamw", "muon"])
def test_every_optimiser_goes_on_from_what_it_knew(tmp_path, optimiser) -> None:  # type: ignore[no-untyped-def]
    run = replace(config(1), optimiser=optimiser)
    state = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    train(state, run, batches(0), tmp_path, {}, CPU)
    again = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU)
    resume(again, tmp_path / LAST)
    known, found = (s.optimiser.state_dict()["state"] for s in (state, again))
    assert known.keys() == found.keys()
    for i, entry in known.items():
        for name, value in entry.items():
            assert value is found[i][name] is None or torch.equal(value, found[i][name]), name


def test_an_optimiser_of_other_layers_is_not_resumed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    row, path = ZOO["factored-s31"], tmp_path / LAST
    state = new_state(config(1), row, build(row), CPU)
    train(state, config(1), batches(0), tmp_path, {}, CPU)
    net = build(row)
    net.freeze("trunk")
    words = f"^{path}: its optimiser is another. Start from its weights: --init {path}.$"
    with pytest.raises(CheckpointError, match=words):
        resume(new_state(config(1), row, net, CPU), path)


def test_what_has_no_gradient_in_a_step_does_not_decay(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Everything learns in setting 3; then, in setting 2, the head alone, and the trunk stays to the bit."""
    run = replace(config(2), optimiser="sgd", weight_decay=0.5, decay_steps=0)
    all_learn, head_learns = (
        replace(run, step=StepConfig(shares, bf16=False)) for shares in ((0, 0, 1, 0), (0, 1, 0, 0))
    )
    state = new_state(run, ZOO["factored-s31"], FactoredConvNet(), CPU)
    train(state, all_learn, list(islice(batches(0), 1)), tmp_path, {}, CPU)
    before = {k: v.detach().clone() for k, v in state.net.named_parameters()}
    train(state, head_learns, batches(1), tmp_path, {}, CPU)
    moved = {k.split(".")[0] for k, v in state.net.named_parameters() if not torch.equal(v, before[k])}
    assert moved == {"head"}


@pytest.mark.parametrize(("optimiser", "orthogonal"), [("muon", True), ("adamw", False)])
def test_large_kernels_are_orthogonal_by_muon_alone(optimiser, orthogonal) -> None:  # type: ignore[no-untyped-def]
    run = replace(config(1), optimiser=optimiser)
    found = new_state(run, ZOO["enet-relu"], build(ZOO["enet-relu"]), CPU).optimiser
    assert type(found) is Muon
    assert any(group["orthogonal"] for group in found.param_groups) == orthogonal


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
