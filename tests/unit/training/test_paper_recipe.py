"""The Factored ConvNet paper's recipe, value by value (methods §1.2, 1.4-1.6)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from export.rewrite import rewrite
from models.checkpoint import ROW as ROW_NAME
from models.checkpoint import load_checkpoint
from models.factored import BaselineConvNet, FactoredConvNet, normalise
from models.families import ZOO
from models.labels import IGNORE
from models.network import build
from tests.unit.training.datasets import made
from training.__main__ import main
from training.augment import affine, warp_codes
from training.loop import LAST, TrainConfig, learning_rate, new_state, train
from training.noise import SETTINGS
from training.recalibration import recalibrate
from training.recipes import FACTORED_PAPER, fits, recipe_of
from training.step import draw_setting, losses
from training.stream import PAPER_RANGES, Batch, BatchShape, Mixture, Packed, Sources, make_batch

CPU = torch.device("cpu")
ROW = ZOO["factored-s31-paper"]
OUTPUTS = tuple(o for stage in ROW.stages for o in stage.outputs)
CONFIG = TrainConfig.of(FACTORED_PAPER)
SHAPE = BatchShape(2, 512, 8, "paper")


def test_optimiser_dropout_and_slopes_are_the_papers() -> None:
    net = build(ROW)
    state = new_state(CONFIG, ROW, net, CPU)
    assert type(state.optimiser) is torch.optim.RMSprop
    (group,) = state.optimiser.param_groups
    wanted = {"lr": 5e-4, "weight_decay": 2e-4, "alpha": 0.99, "eps": 1e-8, "momentum": 0, "centered": False}
    assert {name: group[name] for name in wanted} == wanted
    assert {learning_rate(CONFIG, s) for s in (0, 1, 110_000, CONFIG.steps - 1)} == {5e-4}, "no schedule"
    assert CONFIG.steps == 260 * 6812 / FACTORED_PAPER.batch
    dropout = [m.p for m in state.net.modules() if isinstance(m, torch.nn.Dropout2d)]
    assert dropout == [0.01] * 5 + [0.1] * (len(dropout) - 5)
    slopes = [m.weight for m in state.net.modules() if isinstance(m, torch.nn.PReLU)]
    assert all((w == 0.25).all() for w in slopes)
    assert (CONFIG.ema, CONFIG.clip, CONFIG.step.bf16) == (0.0, 0.0, False)


def test_other_dropout_and_settings_than_the_papers_are_one_value() -> None:
    other = TrainConfig.of(replace(FACTORED_PAPER, dropout=0.3, setting_shares=(0, 0, 1, 0)))
    state = new_state(other, ROW, build(ROW), CPU)
    assert {m.p for m in state.net.modules() if isinstance(m, torch.nn.Dropout2d)} == {0.3}
    assert other.step.setting_shares == (0, 0, 1, 0)
    assert TrainConfig.of(recipe_of(ZOO["factored-s31"])) == TrainConfig(8000, 2000)


def test_settings_are_drawn_evenly() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_setting(CONFIG.step, generator) for _ in range(2000)]
    assert [drawn.count(s) / 2000 for s in SETTINGS] == pytest.approx([0.25] * 4, abs=0.03)


def test_both_losses_are_the_plain_mean_and_the_head_sees_no_true_silhouette() -> None:
    torch.manual_seed(0)
    net = FactoredConvNet(act="prelu").eval()
    rgb = torch.rand(2, 3, 64, 64) * 255
    codes = torch.randint(0, 32, (2, 8, 8), dtype=torch.uint8)
    codes[0, :3] = IGNORE
    config = replace(CONFIG.step, setting_shares=(0, 0, 1, 0))
    with torch.no_grad():
        terms = losses(net, OUTPUTS, rgb, {"codes": codes}, config, torch.Generator())
        fb, parts = net(normalise(rgb))
        ours = losses(net, OUTPUTS, rgb, {"codes": codes}, replace(config, objective=""), torch.Generator())
        told = losses(net, OUTPUTS, rgb, {"codes": codes}, replace(config, inject=1.0), torch.Generator())
    person = torch.where(codes == IGNORE, codes, codes.clamp(max=1))
    assert terms["parts"].item() == pytest.approx(cross_entropy(parts, codes.long(), ignore_index=255).item())
    assert terms["factor"].item() == pytest.approx(cross_entropy(fb, person.long(), ignore_index=255).item())
    for name in terms:
        assert abs(ours[name].item() - terms[name].item()) > 1e-3
    assert abs(told["parts"].item() - terms["parts"].item()) > 1e-4


def test_maps_are_turned_scaled_and_moved_evenly_within_the_papers_ranges() -> None:
    rng = np.random.default_rng(0)
    maps = np.stack([affine(rng, (512, 512), 512, replace(PAPER_RANGES, flip=0)) for _ in range(3000)])
    angle = np.degrees(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    scale = np.hypot(maps[:, 0, 0], maps[:, 0, 1])
    middle = np.array((255.5, 255.5, 1.0))
    shift = maps @ middle - 255.5
    for values, low, high in (
        (angle, -80, 80),
        (scale, 0.8, 1.2),
        (shift[:, 0], -200, 200),
        (shift[:, 1], -200, 200),
    ):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)
        share = np.histogram(values, bins=8, range=(low, high))[0] / len(values)
        assert share == pytest.approx(np.full(8, 1 / 8), abs=0.025)
    flipped = [np.linalg.det(affine(rng, (9, 9), 9, PAPER_RANGES)[:, :2]) < 0 for _ in range(1000)]
    assert np.mean(flipped) == pytest.approx(0.5, abs=0.05)


def test_a_batch_changes_no_light_and_is_empty_outside_the_picture() -> None:
    grey = np.full((1, 64, 64, 3), 90, np.uint8)
    people = Packed(grey, np.full((1, 64, 64), 5, np.uint8))
    paper = make_batch(Sources((people,)), Mixture(), SHAPE, seed=0, step=0)
    assert paper.targets["codes"].shape == (2, 64, 64)
    assert (paper.images == 90).all(), "outside it has the picture's mean colour"
    assert {*np.unique(paper.targets["codes"])} <= {0, 5, 18}
    assert 0 in paper.targets["codes"]
    ours = make_batch(Sources((people,)), Mixture(), BatchShape(4, 64, 8), seed=0, step=0)
    assert IGNORE in ours.targets["codes"]
    assert np.ptp(ours.images) > 0


def test_a_cell_has_the_label_of_its_centre_or_of_most_of_its_pixels() -> None:
    codes = np.zeros((16, 16), np.uint8)
    codes[3:5, 3:5] = 7  # at the centre of the first cell
    codes[:8, 8:] = 2
    codes[0, 8:] = 9
    identity = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    assert warp_codes(codes, identity, 16, 8, 0).tolist() == [[7, 2], [0, 0]]
    assert warp_codes(codes, identity, 16, 8, 0, "majority").tolist() == [[0, 2], [0, 0]]
    half = np.full((8, 8), 4, np.uint8)
    half[:4] = 3
    assert warp_codes(half, identity, 8, 8, 0, "majority").tolist() == [[3]], "the lower of two"


def test_recalibration_moves_the_statistics_of_the_head_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made_batches = [
        Batch(rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8), {"codes": np.zeros((2, 8, 8), np.uint8)})
        for _ in range(4)
    ]
    torch.manual_seed(0)
    config = replace(CONFIG, steps=1, agg_bn_recalibrate=2)
    state = new_state(config, ROW, build(ROW), CPU)
    train(state, config, made_batches, tmp_path, {}, CPU)
    before, after = state.net.state_dict(), state.ema.state_dict()  # without averaging: the same weights
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    norms = {name for name in before if name.startswith("head.") and "running_" in name}
    assert norms
    assert moved - {n for n in moved if n.endswith("num_batches_tracked")} == norms
    stored = load_checkpoint(tmp_path / LAST)[0]["ema"]
    assert all(torch.equal(stored[name], after[name]) for name in norms)
    with pytest.raises(ValueError, match="no pictures to recalibrate"):
        train(state, config, [], tmp_path, {}, CPU)


@torch.no_grad()
def test_recalibrated_statistics_are_the_mean_over_clean_batches() -> None:
    torch.manual_seed(0)
    net = FactoredConvNet(act="prelu")
    pictures = [torch.rand(2, 3, 64, 64) * 255 for _ in range(3)]
    seen: list[torch.Tensor] = []
    hook = net.head.concat[0].register_forward_hook(lambda _m, _x, y: seen.append(y.mean((0, 2, 3))))
    net.head.concat[1].momentum = 0.25
    recalibrate(net, pictures)
    hook.remove()
    norm = net.head.concat[1]
    assert torch.allclose(norm.running_mean, torch.stack(seen).mean(0), atol=1e-6)
    assert norm.momentum == 0.25, "its own"
    assert not any(m.training for m in net.modules())
    again = seen[:]
    seen.clear()
    net.head.concat[0].register_forward_hook(lambda _m, _x, y: seen.append(y.mean((0, 2, 3))))
    for rgb in pictures:  # as in a test: no noise, no dropout
        net(normalise(rgb))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(again, seen, strict=True))


@torch.no_grad()
def test_all_statistics_of_another_network_are_measured_without_dropout() -> None:
    torch.manual_seed(0)
    net = BaselineConvNet()
    pictures = [torch.rand(1, 3, 32, 32) * 255 for _ in range(2)]
    weights = {name: p.clone() for name, p in net.named_parameters()}
    recalibrate(net, iter(pictures))
    first = {name: value.clone() for name, value in net.state_dict().items()}
    recalibrate(net, iter(pictures))
    assert all(torch.equal(value, first[name]) for name, value in net.state_dict().items())
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {int(m.num_batches_tracked) for m in norms if m.num_batches_tracked is not None} == {2}
    assert {m.momentum for m in norms} == {torch.nn.BatchNorm2d(1).momentum}
    assert not any(m.training for m in net.modules())
    assert all(torch.equal(p, weights[name]) for name, p in net.named_parameters())


@torch.no_grad()
def test_a_plain_head_joins_in_its_first_bottleneck_and_passes_the_features_on() -> None:
    row = ZOO["factored-s31-paper-plain"]
    net = build(row).eval()
    assert isinstance(net, FactoredConvNet)
    assert sum(p.numel() for p in net.parameters()) == row.parameters
    features, person = torch.rand(1, 128, 4, 4), torch.rand(1, 1, 4, 4)
    both = torch.cat((features, person, 1 - person), 1)
    norm, slope, first = net.head.stage[:3]
    shown: list[torch.Tensor] = []
    norm.register_forward_hook(lambda _m, x, _y: shown.append(x[0]))
    first.register_forward_hook(lambda _m, _x, y: shown.append(y))
    first.expand[1].weight.zero_()  # its extension adds nothing
    net.head(features, person)
    assert torch.equal(shown[0], both)
    assert torch.allclose(shown[1], first.act(slope(norm(both))[:, :128]))
    stage = net.stages()["head"]
    assert rewrite(stage) is stage, "exported as it is"
    assert stage(features, person)[0].shape == (1, 32, 4, 4)


def test_the_recipe_is_of_the_papers_three_networks() -> None:
    rows = ("factored-s31", "factored-s31-paper", "factored-s31-paper-plain", "baseline", "enet")
    assert all(fits(ZOO[name], "factored_paper") for name in rows)
    assert not any(fits(ZOO[name], "factored_paper") for name in ("people-s31", "pil-small", "joints-s31"))


def up(root: Path) -> Path:
    """UP-S31's layout, with two pictures."""
    folder, lines = "31/500/pkg_dorder", []
    for i in range(5):
        made.picture(root / folder / f"{i:05d}_image.png", seed=i)
        made.stored(root / folder / f"{i:05d}_ann.png", made.blank(3 + i))
        lines.append(f"/{folder}/{i:05d}_image.png /{folder}/{i:05d}_ann.png 0.5")
    for split in ("train", "val", "test"):
        made.text(root / f"{split}_31_500_pkg_dorder.txt", *(lines if split == "train" else lines[:0]))
    return root


def test_xfactor_train_factored_paper_on_rendered_people_and_on_up(tmp_path: Path) -> None:
    np.save(tmp_path / "set.images.npy", np.full((2, 64, 64, 3), 90, np.uint8))
    np.save(tmp_path / "set.labels.npy", np.full((2, 64, 64), 3, np.uint8))
    data = ["--data", f"up-s31={up(tmp_path / 'up')}", "--synthetic", str(tmp_path / "set")]
    run = ["factored_paper", *data, "--batch", "2", "--crop", "64", "--labels", "majority"]
    short = ["--steps", "2", "--agg-bn-recalibrate", "1", "--out", str(tmp_path / "run")]
    assert main([*run, *short]) == 0
    meta = load_checkpoint(tmp_path / "run" / LAST)[1]
    assert meta[ROW_NAME] == "factored-s31-paper"
    assert meta["config"]["optimiser"] == "rmsprop"
    assert meta["config"]["step"]["setting_shares"] == [0.25] * 4
    assert meta["config"]["step"]["inject"] == 0
    assert meta["shape"]["augmentation"] == "paper"
    assert meta["shape"]["labels"] == "majority"
    assert meta["shape"]["stride"] == 8
