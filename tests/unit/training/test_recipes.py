"""Recipes by family, and plain SGD in the loop."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.families import ZOO, ZooRow
from models.network import build
from models.outputs import Heatmaps, PartProbabilities
from training.__main__ import only
from training.batches import draws_a_mixture
from training.heatmap_loss import squared_loss
from training.loop import LAST, TrainConfig, learning_rate, new_state, resume, train
from training.objectives import losses_of
from training.recipes import TrainingRecipe, fits, recipe_of
from training.step import StepConfig, losses
from training.stream import Batch

CPU = torch.device("cpu")
ROW = ZOO["enet-relu"]


def test_resnets_are_trained_as_in_the_paper_unless_told_otherwise() -> None:
    paper = recipe_of(ZOO["personlab-resnet101"])
    assert (paper.optimiser, paper.lr, paper.ema, paper.batch, paper.crop) == ("sgd", 1e-3, 0.9999, 8, 801)
    config = TrainConfig(steps=paper.steps, decay_steps=paper.decay_steps, warmup_steps=paper.warmup_steps)
    assert {learning_rate(config, s) for s in (0, 10, 999_999)} == {1e-3}, "constant"
    assert recipe_of(ZOO["personlab-resnet50"], crop=401, lr=None).crop == 401
    assert recipe_of(ZOO["personlab-small"]).crop == 320
    assert recipe_of(ZOO["factored-s31"]) == TrainingRecipe()


def batches(start: int) -> list[Batch]:
    made = []
    for step in range(start, 4):
        rng = np.random.default_rng(step)
        images = rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
        made.append(Batch(images, {"codes": rng.integers(0, 32, (2, 16, 16), dtype=np.uint8)}))
    return made


def config() -> TrainConfig:
    return TrainConfig(
        steps=4,
        decay_steps=0,
        warmup_steps=0,
        checkpoint_every=2,
        optimiser="sgd",
        step=StepConfig(bf16=False),
    )


def test_a_run_by_sgd_resumes_to_the_bit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = build(ROW)
    whole, first, second = (new_state(config(), ROW, copy.deepcopy(net), CPU) for _ in range(3))
    train(whole, config(), batches(0), tmp_path / "whole", {}, CPU)
    train(first, config(), batches(0)[:2], tmp_path / "parts", {}, CPU)
    resume(second, tmp_path / "parts" / LAST)
    train(second, config(), batches(2), tmp_path / "parts", {}, CPU)
    for a, b in zip(whole.net.state_dict().values(), second.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def parts_and_joints(row: ZooRow, side: int, seed: int = 0) -> Batch:
    """A batch of noise with a target for each output of a row with parts and joints."""
    rng = np.random.default_rng(seed)
    (heatmaps,) = (o for s in row.stages for o in s.outputs if isinstance(o, Heatmaps))
    cells = side // heatmaps.stride
    targets = {
        "codes": rng.integers(0, 32, (2, side // 4, side // 4), dtype=np.uint8),
        "heatmaps": rng.random((2, heatmaps.channels, cells, cells)).astype(np.float32),
        "known": np.ones((2, len(heatmaps.joint_set.names)), bool),
    }
    return Batch(rng.integers(0, 255, (2, side, side, 3), dtype=np.uint8), targets)


def test_what_is_kept_stays_to_the_bit_and_the_rest_learns(tmp_path: Path) -> None:
    """Frozen transfer: parsing encoder and adapter of another training, the rest anew (methods §5.7)."""
    row, layers = ZOO["pil-small"], ("parsing_encoder", "fusion.adapter")
    torch.manual_seed(1)
    given = build(row).state_dict()
    torch.manual_seed(2)
    net = build(row)
    net.freeze(*layers)
    plain = TrainConfig(steps=2, decay_steps=0, warmup_steps=0, step=StepConfig(bf16=False))
    state = new_state(plain, row, net, CPU)
    kept = tuple(f"{layer}." for layer in layers)
    before = only(kept, given, {k: v.clone() for k, v in net.state_dict().items()})
    net.load_state_dict(before)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    train(state, plain, [parts_and_joints(row, 64, s) for s in range(2)], tmp_path, {}, CPU)
    for name, value in state.net.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(kept), name
    assert torch.equal(before["fusion.adapter.enter.weight"], given["fusion.adapter.enter.weight"])
    assert not torch.equal(before["pose_encoder.project.0.weight"], given["pose_encoder.project.0.weight"])
    with pytest.raises(ValueError, match="no layers 'adapter'"):
        net.freeze("adapter")


def test_regressed_maps_are_taught_by_squares_at_every_stack_and_by_rmsprop(tmp_path: Path) -> None:
    row = replace(ZOO["pil-hg2"], encoders=("hg-2s-1u", "hg-1s-1u"))
    paper = TrainConfig(
        steps=1, decay_steps=0, warmup_steps=0, optimiser="rmsprop", step=StepConfig(bf16=False)
    )
    torch.manual_seed(0)
    state = new_state(paper, row, build(row), CPU)
    batch = parts_and_joints(row, 128)
    rgb = torch.from_numpy(batch.images).permute(0, 3, 1, 2).float()
    targets = {k: torch.from_numpy(v) for k, v in batch.targets.items()}
    terms = losses(state.net, state.outputs, rgb, targets, paper.step, torch.Generator())
    assert set(terms) == {"parts", "squared", "stage1_squared"}
    train(state, paper, [batch], tmp_path, {}, CPU)
    again = new_state(paper, row, build(row), CPU)
    resume(again, tmp_path / LAST)
    assert again.step == 1


def test_the_release_weighs_parts_a_hundredth_and_has_its_own_rate_for_vgg() -> None:
    assert (recipe_of(ZOO["pil-vgg16"]).lr, recipe_of(ZOO["pil-hg2"]).lr) == (1e-4, 1.5e-3)
    assert recipe_of(ZOO["pil-small"]) == TrainingRecipe()
    assert recipe_of(ZOO["pil-small"], "pil_paper").lr == 2.5e-3
    assert recipe_of(ZOO["mula-hg5"]) == recipe_of(ZOO["mula-small"], "mula_release")
    assert recipe_of(ZOO["mula-small"], "mula_paper").milestones[-1] == (0.92, 0.0625)
    assert (recipe_of(ZOO["mula-vgg16"]).lr, recipe_of(ZOO["gpn-hg8"]).batch) == (1e-4, 30)
    (parts,) = (o for s in ZOO["pil-hg2"].stages for o in s.outputs if isinstance(o, PartProbabilities))
    maps = {"parts": torch.zeros(1, 7, 4, 4)}
    found = losses_of("nie")[PartProbabilities](parts, maps, {"codes": torch.zeros(1, 4, 4).byte()})
    assert found["parts"].item() == pytest.approx(0.01 * np.log(7))


def test_a_background_beside_an_unknown_joint_teaches_nothing() -> None:
    maps, known = torch.zeros(1, 3, 2, 2), torch.tensor([[True, False]])
    assert squared_loss(maps, torch.ones(1, 3, 2, 2), known)["squared"].item() == pytest.approx(1 / 3)
    assert squared_loss(maps, torch.ones(1, 3, 2, 2), known | True)["squared"].item() == 1


@pytest.mark.parametrize(
    ("row", "recipe"),
    [("pil-vgg16", "pil_paper"), ("mula-hg5", "mula_release"), ("paf-fcn-small", "paf_fcn_cao")],
)
def test_recipes_fit_their_own_family(row: str, recipe: str) -> None:
    assert fits(ZOO[row], recipe)


def test_compared_families_take_the_papers_recipe_and_others_do_not() -> None:
    rows = ("factored-s31", "factored-s31-paper", "baseline", "enet-relu", "people-s31", "joints-s31")
    assert [fits(ZOO[row], "factored_paper") for row in rows] == [True] * 4 + [False] * 2
    assert not fits(ZOO["baseline"], "pil_paper")


@pytest.mark.parametrize(
    ("row", "name", "values"),
    [
        ("factored-s31", None, (4, (0.08, 0.08, 0.76, 0.08), 0.3, 0.0, 5.0, True, "ours", "centre", ())),
        ("factored-s31", "factored_paper", (8, (0.25,) * 4, 0.0, None, 0.0, False, "paper", "centre", ())),
        ("gpn-hg8", None, (4, (0.08, 0.08, 0.76, 0.08), 0.3, 0.0, 5.0, True, "ours", "centre", ())),
    ],
)
def test_noise_and_regularisation_are_those_of_the_recipe(
    row: str, name: str | None, values: tuple[object, ...]
) -> None:
    r = recipe_of(ZOO[row], name)
    shown = (r.target_stride, r.setting_shares, r.true_silhouettes, r.dropout, r.clip, r.bf16)
    assert (*shown, r.augmentation, r.labels, r.milestones) == values


def test_a_mixture_is_recorded_where_one_is_drawn_from() -> None:
    mixed = {n for n, row in ZOO.items() if draws_a_mixture([o for s in row.stages for o in s.outputs])}
    assert mixed == {n for n, row in ZOO.items() if row.parts and not row.joints}


@pytest.mark.parametrize(
    ("row", "name", "values"),
    [
        ("factored-s31", None, (8000, 16, 256, 1e-3, "muon", 0.998, 2e-4, 200)),
        ("factored-s31", "factored_paper", (221_390, 8, 512, 5e-4, "rmsprop", 0, 2e-4, 0)),
        ("personlab-small", None, (12_000, 12, 320, 1e-3, "muon", 0.998, 2e-4, 200)),
        ("people-s31", None, (12_000, 12, 320, 1e-3, "muon", 0.998, 2e-4, 200)),
        ("personlab-resnet101", None, (1_000_000, 8, 801, 1e-3, "sgd", 0.9999, 0, 0)),
        ("paf-fcn-vgg16", None, (100_000, 10, 384, 1e-3, "sgd", 0.999, 5e-4, 200)),
        ("paf-fcn-vgg16", "paf_fcn_cao", (100_000, 10, 384, 4e-5, "sgd", 0.999, 5e-4, 200)),
        ("pil-hg2", None, (317_000, 24, 256, 1.5e-3, "rmsprop", 0, 0, 0)),
        ("mula-vgg16", None, (317_000, 24, 256, 1e-4, "rmsprop", 0, 0, 0)),
        ("mula-hg5", "mula_paper", (317_000, 24, 256, 2.5e-3, "rmsprop", 0, 0, 0)),
        ("gpn-hg8", None, (254_000, 30, 256, 3e-3, "rmsprop", 0, 0, 0)),
    ],
)
def test_recipes_are_those_of_the_papers(row: str, name: str | None, values: tuple[object, ...]) -> None:
    """Steps, batch, crop, learning rate, optimiser, averaging, decay of weights, warm-up."""
    r = recipe_of(ZOO[row], name)
    assert (r.steps, r.batch, r.crop, r.lr, r.optimiser, r.ema, r.weight_decay, r.warmup_steps) == values
    assert r.decay_steps == {8000: 2000, 12_000: 3000}.get(r.steps, 0)


def test_rates_fall_as_in_the_release_and_the_papers() -> None:
    falls = {"pil_release": ((0.6, 0.5), (0.68, 0.25), (0.8, 0.1), (0.92, 0.05)),
             "pil_paper": ((0.6, 0.5), (0.68, 0.25), (0.8, 0.125)),
             "mula_paper": ((0.6, 0.5), (0.68, 0.25), (0.8, 0.125), (0.92, 0.0625))}  # fmt: skip
    assert {name: recipe_of(ZOO["pil-hg2"], name).milestones for name in falls} == falls
    assert recipe_of(ZOO["gpn-hg8"]).milestones == ()
    measured = {
        name: recipe_of(ZOO[name]).agg_bn_recalibrate for name in ("pil-hg2", "gpn-hg8", "factored-s31")
    }
    assert measured == {"pil-hg2": 8, "gpn-hg8": 8, "factored-s31": 0}
    named = ("paf_fcn_report", "paf_fcn_cao", "paf_fcn_parts", "paf_fcn_limbs")
    told = [recipe_of(ZOO["paf-fcn-small"], name).objective for name in named]
    assert told == ["positive", "cao", "parts alone", "limbs alone"]
    assert recipe_of(ZOO["paf-fcn-vgg16"]).objective == recipe_of(ZOO["paf-fcn-small"]).objective == ""
    usual = [recipe_of(ZOO[name]).objective for name in ("pil-hg2", "mula-hg5", "gpn-hg8", "factored-s31")]
    assert usual == ["nie", "nie", "", ""]
