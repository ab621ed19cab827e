"""MuLA: who adapts whom, what the next stage is shown, and where its weights may start from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from export.graphs import to_onnx
from export.parity import check
from export.rewrite import rewrite
from models.factored import FactoredConvNet, normalise
from models.families import MULA_SMALL, ZOO, Direction, MutualLearning, part_and_joint_stages
from models.hourglass import HourglassShape
from models.joints import PRIOR_LOGIT, JointsNet
from models.mula import MulaNet, build, of_hourglasses
from models.network import build as build_row
from tests.contracts.conftest import batch
from tests.networks import seasoned
from training.loop import TrainConfig, new_state, train
from training.recipes import recipe_of

CPU = torch.device("cpu")
TINY = HourglassShape(channels=16, levels=2)


def reach(loss: Tensor, net: MulaNet, task: str) -> bool:
    """True when a loss teaches the first layers of a task."""
    first = next(net.stems[task].parameters())
    net.zero_grad()
    torch.autograd.backward(loss, retain_graph=True)
    return first.grad is not None and bool(first.grad.abs().sum() > 0)


@pytest.mark.parametrize(
    ("direction", "parsing_by_pose", "pose_by_parsing"),
    [("both", True, True), ("parsing-to-pose", False, True), ("pose-to-parsing", True, False),
     ("none", False, False)],
)  # fmt: skip
def test_a_direction_says_who_adapts_whom(
    direction: Direction, parsing_by_pose: bool, pose_by_parsing: bool
) -> None:
    torch.manual_seed(0)
    net = of_hourglasses(TINY, (7, 17), MutualLearning(2, direction)).train()
    maps = net(torch.randn(2, 3, 64, 64))
    parts, heatmaps = (maps[n].square().sum() for n in ("parts", "heatmaps"))
    assert reach(parts, net, "parsing")
    assert reach(heatmaps, net, "pose")
    assert reach(parts, net, "pose") == parsing_by_pose
    assert reach(heatmaps, net, "parsing") == pose_by_parsing


def test_every_stage_predicts_in_training_and_the_last_one_alone_in_use() -> None:
    net = of_hourglasses(TINY, (7, 17), MutualLearning(3))
    x = torch.randn(1, 3, 64, 32)
    assert set(net.eval()(x)) == {"parts", "heatmaps"}
    early = {f"stage{i}_{name}" for i in (1, 2) for name in ("parts", "heatmaps")}
    maps = net.train()(x)
    assert set(maps) == {"parts", "heatmaps"} | early
    assert {m.shape[2:] for m in maps.values()} == {(16, 8)}


@pytest.mark.parametrize("form", ["paper", "release"])
def test_the_next_stage_is_shown_refined_features_as_in_the_paper_or_its_own_input_as_released(
    form: Literal["paper", "release"],
) -> None:
    torch.manual_seed(0)
    net = of_hourglasses(TINY, (7, 17), MutualLearning(2, form=form)).train()
    weights = dict(net.named_parameters())
    for name, parameter in weights.items():
        if "from_predictions" in name:
            nn.init.zeros_(parameter)
    x = torch.randn(2, 3, 64, 64)
    net(x)["parts"].square().sum().backward()
    refined = weights["mutual.0.parsing.convolve.u.0.weight"].grad
    assert refined is not None
    assert (refined.abs().sum() > 0) == (form == "paper")
    nn.init.zeros_(weights["mutual.0.parsing.onward.from_features.weight"])
    seen: list[Tensor] = []
    encode = net.get_submodule("mutual.1.parsing.encode")
    encode.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    net(x)
    assert (seen[0].std((2, 3)).max() > 0.01) == (form == "release")


@torch.no_grad()
def test_both_tasks_start_as_a_parser_and_a_network_of_joints_left_them() -> None:
    """Where nothing is adapted yet, the pose is that of the joints' network to the bit."""
    joints, parser = seasoned(JointsNet()), seasoned(FactoredConvNet(), seed=1)
    net, theirs = build(MULA_SMALL), parser.state_dict()
    net.load_state_dict(net.start(theirs))
    mine = net.state_dict()
    for a, b in (("stems.pose.0.conv", "trunk.0.conv"), ("stems.parsing.6.main.0", "trunk.6.main.0"),
                 ("mutual.1.parsing.encode.2.0.main.0", "head.stage.0.main.0")):  # fmt: skip
        assert torch.equal(mine[f"{a}.weight"], theirs[f"{b}.weight"])
    net.load_state_dict(net.start(joints.state_dict()))
    assert torch.equal(net.state_dict()["stems.parsing.0.conv.weight"], theirs["trunk.0.conv.weight"])
    for name, parameter in net.named_parameters():
        if "pose.convolve.u.1" in name:
            nn.init.zeros_(parameter)
    x = torch.randn(2, 3, 64, 96)
    torch.testing.assert_close(net.eval()(x)["heatmaps"], joints(x), atol=1e-4, rtol=1e-4)
    again = build(MULA_SMALL)
    again.load_state_dict(again.start(net.state_dict()))
    assert all(
        torch.equal(a, b) for a, b in zip(again.state_dict().values(), net.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("name", [n for n, row in ZOO.items() if row.family == "mula"])
def test_rows_have_the_stages_that_they_say(name: str) -> None:
    row = ZOO[name]
    with torch.device("meta"):
        net = build_row(row)
        assert isinstance(net, MulaNet)
        maps = net.train()(torch.zeros(2, 3, 64, 96))
    cells = (2, len(row.part_set.names) + 1, 64 // row.stride, 96 // row.stride)
    assert maps["parts"].shape == cells
    assert len(maps) == 2 * row.mutual.stages


def test_small_networks_begin_with_hardly_any_joint_and_adapt_faintly() -> None:
    values = {n: p.detach() for n, p in build(MULA_SMALL).named_parameters()}
    constant = {"pose.classify.bias": PRIOR_LOGIT, "parsing.classify.bias": 0, "convolve.u.1.weight": 0.1,
                "from_predictions.0.weight": 0, "from_predictions.0.bias": 0}  # fmt: skip
    for end, value in constant.items():
        found = [v for n, v in values.items() if n.endswith(end)]
        assert found
        assert all((v == value).all() for v in found), end
    for name, weight in values.items():
        if name.endswith("classify.weight"):
            assert weight.std().item() == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(
    ("name", "kernel", "channels", "norms"),
    [("mula-small", 5, 128, 1), ("mula-vgg16", 3, 512, 0), ("mula-hg5", 7, 256, 1)],
)
def test_kernels_of_each_network(name: str, kernel: int, channels: int, norms: int) -> None:
    with torch.device("meta"):
        net = build_row(ZOO[name])
        for task in ("parsing", "pose"):
            adapter = net.get_submodule(f"mutual.0.{task}.adapter")
            assert adapter(torch.zeros(1, channels, 36, 64)).shape == (1, channels, kernel, kernel)
            convolve = net.get_submodule(f"mutual.0.{task}.convolve")
            assert sum(isinstance(m, nn.BatchNorm2d) for m in convolve.modules()) == norms


@pytest.mark.parametrize("name", ["vgg19", "enet", "hg-s"])
def test_encoders_that_nobody_knows_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name.removeprefix("hg-")):
        build(replace(ZOO["mula-vgg16"], encoders=(name, name)))


def test_hourglasses_begin_with_kernels_that_average() -> None:
    net = of_hourglasses(TINY, (7, 17), MutualLearning(2))
    assert net.state_dict()["mutual.1.pose.adapter.leave.bias"].tolist() == pytest.approx([1 / 49] * 16)


def test_a_picture_of_ones_own_adapts_ones_own_features() -> None:
    """Kernels come from the same picture: another one beside it changes nothing."""
    net = seasoned(build(MULA_SMALL))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        both, alone = net(x)["heatmaps"], net(x[:1])["heatmaps"]
    torch.testing.assert_close(both[:1], alone, atol=1e-4, rtol=1e-4)


def test_five_stages_with_new_weights_stay_finite() -> None:
    torch.manual_seed(0)
    net = of_hourglasses(TINY, (7, 17), MutualLearning(5)).eval()
    with torch.no_grad():
        maps = net(torch.randn(1, 3, 256, 256))
    assert all(m.isfinite().all() for m in maps.values())


@pytest.mark.onnx
def test_stages_of_hourglasses_export_and_agree() -> None:
    """The papers' form, with few channels; sides that cannot be halved as often as it has levels."""
    row = replace(ZOO["mula-hg5"], mutual=MutualLearning(2))
    torch.manual_seed(0)
    net = of_hourglasses(TINY, (7, 17), row.mutual).train()
    with torch.no_grad():
        for _ in range(30):
            net(torch.randn(2, 3, 64, 64))
    net.eval()
    (stage,) = net.stages().values()
    stages = part_and_joint_stages(row)
    model = to_onnx(rewrite(stage), stages, "network").SerializeToString()
    check({"network": model}, {"network": stage}, stages)


def test_the_papers_rate_leaves_a_network_that_is_finite_in_a_test(tmp_path: Path) -> None:
    """Norms that remember the weights before the last steps would let each stage square what they miss."""
    row = ZOO["mula-hg5"]
    torch.manual_seed(0)
    net = of_hourglasses(HourglassShape(channels=16, levels=3), (7, 17), row.mutual)
    config = replace(TrainConfig.of(recipe_of(row, "mula_paper", bf16=False)), steps=2)
    state = new_state(config, row, net, CPU)
    given = batch(row)
    noise = torch.randint(0, 256, given.images.shape, generator=torch.Generator().manual_seed(1))
    train(
        state, config, [given] * 3 + [replace(given, images=noise.numpy().astype("uint8"))], tmp_path, {}, CPU
    )
    with torch.no_grad():
        maps = state.ema.eval()(normalise(noise.permute(0, 3, 1, 2).float()))
        stale = net.eval()(normalise(noise.permute(0, 3, 1, 2).float()))
    assert all(m.abs().max() < 1000 for m in maps.values())
    assert not all(m.abs().max() < 1000 for m in stale.values()), "there is nothing to mend"
