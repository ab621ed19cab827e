"""PIL and what it is compared with: shapes, gradients of each task, and the weights they start from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.factored import FactoredConvNet
from models.families import PIL_SMALL, ZOO
from models.joints import PRIOR_LOGIT
from models.network import Network, build
from models.pil import PartsAndJointsStage, PilNet, fusion_of
from tests.networks import seasoned

VARIANTS = [row for row in ZOO.values() if row.family == "pil" and row.encoders == PIL_SMALL.encoders]
X = torch.randn(2, 3, 64, 96)


@pytest.mark.parametrize("row", VARIANTS, ids=lambda r: r.name)
def test_every_variant_gives_parts_and_joints(row) -> None:
    network = build(row)
    assert sum(p.numel() for p in network.parameters()) == row.parameters
    with torch.no_grad():
        maps = network.eval()(X)
    assert {n: tuple(m.shape) for n, m in maps.items()} == {
        "parts": (2, 7, 8, 12),
        "heatmaps": (2, 17, 8, 12),
    }


def reached(row_name: str, output: str) -> set[str]:
    """Modules that one output teaches."""
    network = build(ZOO[row_name]).train()
    network(X)[output].square().sum().backward()
    found = {n for n, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    return {".".join(n.split(".")[:2]) if n.startswith("fusion") else n.split(".")[0] for n in found}


def test_joints_teach_the_parsing_encoder_through_the_adapter_alone() -> None:
    """Adapter, U and V have the pose's gradient, the parsing encoder that of both tasks (methods §5.4)."""
    induced = {"parsing_encoder", "fusion.adapter", "fusion.convolution"}
    assert reached("pil-small", "heatmaps") == induced | {"pose_encoder", "classify_joints"}
    assert reached("pil-small", "parts") == {"parsing_encoder", "classify_parts"}
    assert reached("pil-small-base", "heatmaps") == {"pose_encoder", "classify_joints"}
    assert reached("pil-small-mtl", "parts") == {"pose_encoder", "classify_parts"}


@pytest.mark.parametrize(("kind", "expected"), [("base", 2.0), ("mtl", 2.0), ("add", 5.0), ("multi", 6.0)])
def test_plain_fusions(kind, expected) -> None:
    fused = fusion_of(kind, 4, 3, normed=True)(torch.full((1, 4, 2, 2), 2.0), torch.full((1, 4, 2, 2), 3.0))
    assert (fused == expected).all()


def test_pose_follows_the_parsing_features_in_pil_and_not_in_self() -> None:
    pose, a, b = torch.randn(1, 8, 8, 8), torch.randn(1, 8, 8, 8), torch.randn(1, 8, 8, 8)
    for kind, differs in (("pil", True), ("self", False)):
        fusion = fusion_of(kind, 8, 3, normed=True).eval()
        with torch.no_grad():
            assert (fusion(pose, a) - fusion(pose, b)).abs().max().gt(1e-4) == differs


def test_both_encoders_start_as_the_factored_network_with_everybody_shown() -> None:
    parser = seasoned(FactoredConvNet())
    network = build(ZOO["pil-small"])
    network.load_state_dict(network.start(parser.state_dict()))
    assert isinstance(network, PilNet)
    network.eval()
    with torch.no_grad():
        features = parser.trunk(X)
        shown = parser.head.concat(torch.cat((features, torch.ones_like(features[:, :1]),
                                              torch.zeros_like(features[:, :1])), dim=1))  # fmt: skip
        expected = parser.head.stage(shown)
        for encoder in (network.pose_encoder, network.parsing_encoder):
            assert encoder is not None
            torch.testing.assert_close(encoder(X)[0], expected, atol=1e-4, rtol=1e-4)


def test_a_variant_starts_from_what_fits_of_another() -> None:
    whole, base = build(ZOO["pil-small"]), build(ZOO["pil-small-base"])
    started = base.start(whole.state_dict())
    assert torch.equal(started["classify_joints.weight"], whole.state_dict()["classify_joints.weight"])
    assert set(started) == set(base.state_dict())


def test_networks_of_ones_own_begin_with_hardly_any_joint_and_kernels_that_average() -> None:
    small = build(ZOO["pil-small"])
    assert isinstance(small, PilNet)
    assert set(small.classify_joints.bias.tolist()) == {PRIOR_LOGIT}
    assert small.classify_joints.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert small.state_dict()["fusion.adapter.leave.bias"].tolist() == pytest.approx([1 / 49] * 128)
    assert small.parsing_encoder is not None
    assert PilNet.stages(build(ZOO["pil-small-mtl"])).keys() == {"network"}  # type: ignore[arg-type]
    for other in ("vgg19", "enet", "hg-2s", "a-hg-2s-1u"):
        with pytest.raises(
            ValueError, match=rf"^no encoder is named '{other}'; known are factored, vgg16 and hg-ms-nu$"
        ):
            build(replace(PIL_SMALL, encoders=(other, other)))


@pytest.mark.parametrize(
    ("name", "kernel", "norms"), [("pil-vgg16", 3, 0), ("pil-hg2", 7, 1), ("pil-small", 7, 1)]
)
def test_kernels_and_norms_of_the_fusion(name: str, kernel: int, norms: int) -> None:
    """64 cells of an hourglass give 7 by 7, 32 of VGG 3 by 3, whose branch has no norm."""
    with torch.device("meta"):
        fusion = build(ZOO[name]).get_submodule("fusion")
        channels = 512 if norms == 0 else 256 if name == "pil-hg2" else 128
        assert fusion.get_submodule("adapter")(torch.zeros(1, channels, 64, 64)).shape[2:] == (kernel, kernel)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in fusion.modules()) == norms


@torch.no_grad()
def test_heat_maps_are_shown_as_probabilities_regressed_or_not() -> None:
    class Given(Network):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {
                "parts": torch.randn(1, 7, 2, 2),
                "heatmaps": torch.tensor([-1.0, 0.5, 2]).view(1, 3, 1, 1),
            }

        def stages(self) -> dict[str, torch.nn.Module]:
            return {}

        def start(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return weights

    image = torch.zeros(1, 16, 16, 3, dtype=torch.uint8)
    parts, labels, logits = PartsAndJointsStage(Given())(image)
    torch.testing.assert_close(logits.flatten(), torch.tensor([-1.0, 0.5, 2]).sigmoid())
    torch.testing.assert_close(parts.sum(1), torch.ones(1, 2, 2))
    assert torch.equal(labels.long(), parts.argmax(1))
    assert PartsAndJointsStage(Given(), linear=True)(image)[2].flatten().tolist() == [0, 0.5, 1]


def test_earlier_stacks_of_hourglasses_predict_too() -> None:
    with torch.device("meta"):
        maps = build(ZOO["pil-hg2"]).eval()(torch.zeros(1, 3, 64, 64))
    assert {n: tuple(m.shape[1:]) for n, m in maps.items()} == {
        "parts": (7, 16, 16), "heatmaps": (17, 16, 16), "stage1_heatmaps": (17, 16, 16)
    }  # fmt: skip


@torch.no_grad()
def test_fusions_with_layers_add_to_the_pose_or_join_it() -> None:
    torch.manual_seed(0)
    pose, parsing = torch.randn(1, 8, 6, 6), torch.randn(1, 8, 6, 6)
    own = fusion_of("self", 8, 3, normed=True).eval()
    torch.testing.assert_close(own(pose, parsing), pose + own.get_submodule("branch")(pose))
    induced = fusion_of("pil", 8, 3, normed=True).eval()
    kernels = induced.get_submodule("adapter")(parsing)
    expected = pose + induced.get_submodule("convolution")(pose, kernels)
    torch.testing.assert_close(induced(pose, parsing), expected)
    side = fusion_of("concat", 8, 3, normed=True)
    expected = side.get_submodule("join")(torch.cat((pose, parsing), dim=1))
    torch.testing.assert_close(side(pose, parsing), expected)
    normed = {n: [sum(isinstance(m, torch.nn.BatchNorm2d) for m in fusion_of(kind, 8, 3, normed=n).modules())
                  for kind in ("self", "pil")] for n in (True, False)}  # fmt: skip
    assert normed == {True: [1, 1], False: [0, 0]}
