"""Stacked hourglasses in Newell's form and in that of PIL and MuLA's release (methods §6.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.onnx.ops import symbolic

from models.families import HOURGLASS_LEVELS
from models.parameter_adapter import Attribute

Form = Literal["newell", "niexc"]
HOURGLASS_FEATURES = 256


@dataclass(frozen=True)
class HourglassShape:
    """Configuration of one hourglass.

    In `newell` each skip has residuals of its own, upsampling is nearest and n more residuals follow; in
    `niexc` the way down is the skip, residuals follow each sum, and upsampling is bilinear.
    """

    units: int = 1  #: residuals at every location ("n-unit depth")
    channels: int = HOURGLASS_FEATURES
    levels: int = HOURGLASS_LEVELS  #: halvings of the size
    form: Form = "niexc"


class Residual(nn.Module):
    """Bottleneck residual of half the width, pre-activated unless `post`; 1x1 skip where channels change."""

    def __init__(self, ci: int, co: int, *, post: bool = False) -> None:
        super().__init__()
        m = co // 2
        widths = ((ci, m, 1), (m, m, 3), (m, co, 1))
        layers: list[nn.Module] = []
        for before, after, kernel in widths:
            conv = nn.Conv2d(before, after, kernel, padding=kernel // 2)
            norm = nn.BatchNorm2d(after if post else before)
            layers += [conv, norm, nn.ReLU()] if post else [norm, nn.ReLU(), conv]
        self.main = nn.Sequential(*layers[:-1] if post else layers)
        self.skip = nn.Identity() if ci == co else nn.Conv2d(ci, co, 1)
        self.act = nn.ReLU() if post else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(b, ci, h, w) → (b, co, h, w)."""
        y: Tensor = self.act(self.main(x) + self.skip(x))
        return y


class HourglassStem(nn.Module):
    """Picture → features at stride 4, before the first hourglass."""

    def __init__(self, channels: int, form: Form) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            Residual(64, 128, post=form == "niexc"),
            nn.MaxPool2d(2, 2),
            Residual(128, 128),
            Residual(128, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Normalised (b, 3, h, w) → (b, channels, h/4, w/4)."""
        y: Tensor = self.layers(x)
        return y


class HourglassLevel(nn.Module):
    """One level of an hourglass and all below it."""

    def __init__(self, shape: HourglassShape, level: int) -> None:
        super().__init__()
        self.newell = shape.form == "newell"
        self.down, self.up = _residuals(shape), _residuals(shape)
        self.skip = _residuals(shape) if self.newell else nn.Identity()
        self.pool = nn.MaxPool2d(2, 2, ceil_mode=True)  # sides of one cell, too, have a level below
        self.below = HourglassLevel(shape, level - 1) if level > 1 else _residuals(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Any (b, channels, h, w)."""
        if self.newell:
            low: Tensor = self.up(self.below(self.down(self.pool(x))))
            skip: Tensor = self.skip(x)
            return skip + _enlarged(low, skip, "nearest")
        skip = self.down(x)
        low = _enlarged(self.below(self.pool(skip)), skip, "bilinear")
        y: Tensor = self.up(skip + low)
        return y


def _enlarged(low: Tensor, like: Tensor, mode: Literal["nearest", "bilinear"]) -> Tensor:
    """Cells (b, c, h, w) as many as those of `like`: twice each way, in a graph always.

    No graph is admitted that computes sizes, so those of pictures that it takes are halved without rest.
    """
    if not torch.compiler.is_exporting():
        return interpolate(low, like.shape[2:], mode=mode)
    how: dict[str, Attribute] = {"mode": "linear"}
    if mode == "nearest":
        how = {"mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    scales = torch.tensor((1.0, 1.0, 2.0, 2.0))
    resized: Tensor = symbolic("Resize", (low, None, scales), how, dtype=low.dtype, shape=like.shape)
    return resized


class HourglassStage(nn.Module):
    """One hourglass, and the layers between it and its 1x1 prediction."""

    def __init__(self, shape: HourglassShape) -> None:
        super().__init__()
        c = shape.channels
        self.hourglass = HourglassLevel(shape, shape.levels)
        self.finish = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())
        if shape.form == "newell":
            self.finish = nn.Sequential(_residuals(shape), nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) → its representation, of the same size."""
        y: Tensor = self.finish(self.hourglass(x))
        return y


class StageInput(nn.Module):
    """Input of the stage behind: 1x1 of the representation, 1x1 of each prediction, and the last input."""

    def __init__(self, channels: int, predictions: Sequence[int], *, identity: bool = True) -> None:
        super().__init__()
        self.identity = identity
        self.from_features = nn.Conv2d(channels, channels, 1)
        self.from_predictions = nn.ModuleList(nn.Conv2d(p, channels, 1) for p in predictions)

    def forward(self, before: Tensor, features: Tensor, *predictions: Tensor) -> Tensor:
        """The stage's input and representation (b, channels, h, w), its predictions → the next input."""
        y: Tensor = self.from_features(features)
        for layer, prediction in zip(self.from_predictions, predictions, strict=True):
            y = y + layer(prediction)
        return before + y if self.identity else y


class HourglassEncoder(nn.Module):
    """`HG-ms-nu`: stacked hourglasses, each but the last with predictions that are taught too."""

    def __init__(self, stacks: int, predictions: int, shape: HourglassShape) -> None:
        super().__init__()
        c, early = shape.channels, range(stacks - 1)
        self.stem = HourglassStem(c, shape.form)
        self.stages = nn.ModuleList(HourglassStage(shape) for _ in range(stacks))
        self.classify = nn.ModuleList(nn.Conv2d(c, predictions, 1) for _ in early)
        self.inputs = nn.ModuleList(StageInput(c, (predictions,)) for _ in early)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Normalised (b, 3, h, w) → the last stack's features, and predictions of those before.

        Both at stride 4: (b, channels, h/4, w/4), and (b, predictions, h/4, w/4) each.
        """
        x = self.stem(x)
        early: list[Tensor] = []
        for stage, classify, behind in zip(self.stages, self.classify, self.inputs, strict=False):
            features = stage(x)
            early.append(classify(features))
            x = behind(x, features, early[-1])
        return self.stages[-1](x), early


def _residuals(shape: HourglassShape) -> nn.Sequential:
    return nn.Sequential(*(Residual(shape.channels, shape.channels) for _ in range(shape.units)))
