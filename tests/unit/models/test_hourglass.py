"""Hourglasses and VGG: sizes and numbers of weights as published, any size of picture, ONNX."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from export.graphs import to_onnx
from export.parity import session
from models.blocks import init_weights
from models.hourglass import (
    Form,
    HourglassEncoder,
    HourglassLevel,
    HourglassShape,
    HourglassStage,
    HourglassStem,
    Residual,
    StageInput,
)
from models.outputs import SharedFeatures
from models.spec import IMAGE, StageSpec
from models.vgg import vgg16_conv4, vgg16_fcn
from runtime.model_files.graph import check_structure


class Features(nn.Module):
    """`image` → the last stack's features."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.encoder = HourglassEncoder(1, 3, HourglassShape(channels=16, levels=2, form=form))
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.encoder(image.permute(0, 3, 1, 2).float() / 255)[0]
        return y


def weights(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_newells_stacks_have_the_published_number_of_weights() -> None:
    """A public reimplementation with 16 joints has 6.73 million with two stacks and 25.59 with eight."""
    with torch.device("meta"):
        two, eight = (weights(HourglassEncoder(n, 16, HourglassShape(form="newell"))) for n in (2, 8))
    assert round((eight - two) / 6e6, 2) == round((25.59 - 6.73) / 6, 2)


@pytest.mark.parametrize("form", ["newell", "niexc"])
@pytest.mark.parametrize("units", [1, 2])
def test_representation_and_early_predictions_have_stride_four(form: Form, units: int) -> None:
    with torch.device("meta"):
        encoder = HourglassEncoder(3, 17, HourglassShape(units, form=form))
        last, early = encoder(torch.zeros(2, 3, 256, 192))
    assert last.shape == (2, 256, 64, 48)
    assert [e.shape for e in early] == [(2, 17, 64, 48)] * 2


@pytest.mark.parametrize(
    ("form", "units", "residuals"), [("newell", 1, 13), ("newell", 2, 26), ("niexc", 1, 9), ("niexc", 2, 18)]
)
def test_four_halvings_with_residuals_where_the_form_has_them(form: Form, units: int, residuals: int) -> None:
    """Newell's: three at each level, of which one is the skip's, and one below; PIL's: two, and one below."""
    shape = HourglassShape(units, channels=16, form=form)
    level = HourglassLevel(shape, shape.levels)
    assert sum(isinstance(m, Residual) for m in level.modules()) == residuals
    assert sum(isinstance(m, nn.MaxPool2d) for m in level.modules()) == 4
    assert (HourglassShape().channels, HourglassShape().form, HourglassShape().units) == (256, "niexc", 1)
    stage = HourglassStage(shape)
    assert [type(m) for m in stage.finish][-2:] == [nn.BatchNorm2d, nn.ReLU]
    assert len(stage.finish) == (4 if form == "newell" else 2)


@torch.no_grad()
def test_a_level_adds_its_skip_to_what_is_seen_below() -> None:
    """In Newell's form with residuals of its own and nearest cells, in PIL's the way down is the skip."""
    torch.manual_seed(0)
    x = torch.randn(1, 16, 6, 8)
    newell, niexc = (
        HourglassLevel(HourglassShape(channels=16, form=f), 1).eval() for f in ("newell", "niexc")
    )
    low = newell.up(newell.below(newell.down(newell.pool(x))))
    expected = newell.skip(x) + low.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(newell(x), expected)
    down = niexc.down(x)
    low = interpolate(niexc.below(niexc.pool(down)), scale_factor=2, mode="bilinear")
    torch.testing.assert_close(niexc(x), niexc.up(down + low))


@torch.no_grad()
def test_a_residual_halves_its_width_and_is_activated_before_or_behind() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 8, 5, 5)
    for post, kinds in ((False, [nn.BatchNorm2d, nn.ReLU, nn.Conv2d] * 3),
                        (True, ([nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 3)[:-1])):  # fmt: skip
        block = Residual(8, 12, post=post).eval()
        assert [type(m) for m in block.main] == kinds
        shapes = [tuple(m.weight.shape) for m in block.main if isinstance(m, nn.Conv2d)]
        assert shapes == [(6, 8, 1, 1), (6, 6, 3, 3), (12, 6, 1, 1)]
        whole = block.main(x) + block.skip(x)
        torch.testing.assert_close(block(x), whole.clamp(min=0) if post else whole)
        assert isinstance(Residual(8, 8, post=post).skip, nn.Identity)


@pytest.mark.onnx
@pytest.mark.parametrize("form", ["newell", "niexc"])
@torch.no_grad()
def test_a_graph_takes_sides_that_all_halvings_divide_and_is_admitted(form: Form) -> None:
    net = Features(form).eval()
    stages = (StageSpec("network", (IMAGE,), (SharedFeatures(count=16, stride=4),)),)
    model = to_onnx(net, stages, "network").SerializeToString()
    check_structure(model)  # nothing in it computes a size
    runs = session(model)
    for shape in ((1, 32, 32), (3, 64, 96), (1, 160, 288)):
        image = torch.randint(0, 256, (*shape, 3), dtype=torch.uint8)
        expected = net(image).numpy()
        got = runs.run(None, {"image": image.numpy()})[0]
        np.testing.assert_allclose(got, expected, atol=2e-5 * float(np.abs(expected).max()))


def test_vgg_has_stride_eight_and_the_published_number_of_weights() -> None:
    with torch.device("meta"):
        ten, thirteen = vgg16_conv4(), vgg16_fcn()
        assert ten(torch.zeros(1, 3, 64, 96)).shape == (1, 512, 8, 12)
        assert thirteen(torch.zeros(1, 3, 64, 96)).shape == (1, 512, 8, 12)
    assert (weights(ten), weights(thirteen)) == (7_635_264, 14_714_688)


@pytest.mark.parametrize("form", ["newell", "niexc"])
def test_pictures_are_halved_twice_before_the_first_hourglass(form: Form) -> None:
    """A 7x7 convolution with norm, and residuals to 128, 128, 256 channels; 250 px halve to 125 and 62."""
    with torch.device("meta"):
        stem = HourglassStem(256, form)
        assert stem(torch.zeros(1, 3, 256, 250)).shape == (1, 256, 64, 62)
        first = [Residual(64, 128, post=form == "niexc"), Residual(128, 128), Residual(128, 256)]
    assert weights(stem) == 3 * 64 * 49 + 64 + 2 * 64 + sum(map(weights, first))


@torch.no_grad()
def test_a_stack_is_shown_the_input_features_and_predictions_of_the_one_before() -> None:
    torch.manual_seed(0)
    encoder = HourglassEncoder(2, 3, HourglassShape(channels=8, levels=1)).eval()
    x = torch.randn(1, 3, 32, 48)
    last, (early,) = encoder(x)
    seen = encoder.stem(x)
    features = encoder.stages[0](seen)
    torch.testing.assert_close(early, encoder.classify[0](features))
    onward = encoder.inputs[0]
    assert isinstance(onward, StageInput)
    added = onward.from_features(features) + onward.from_predictions[0](early)
    torch.testing.assert_close(onward(seen, features, early), seen + added)
    torch.testing.assert_close(last, encoder.stages[1](seen + added))
    both = StageInput(8, (3, 2), identity=False)
    more = torch.randn(1, 2, 8, 12)
    expected = both.from_features(features) + both.from_predictions[0](early) + both.from_predictions[1](more)
    torch.testing.assert_close(both(seen, features, early, more), expected)
