"""The Factored ConvNet: trunk → factor (foreground/background) → head (31 parts + background).

The factor stands at a known place and can be replaced between two frames (P0 §3, methods §1.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.blocks import Activation, activation, encoder, init_weights, norm, stage128

STRIDE = 8
FEATURES = 128
INPUT_MEAN = 0.5  # of x/255 (methods §1.5)
INPUT_STD = 0.25


class Factor(nn.Module):
    """The X factor: features → foreground/background logits."""

    def __init__(self, act: Activation) -> None:
        super().__init__()
        self.stage = stage128(act)
        self.classify = nn.Conv2d(FEATURES, 2, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h, w) → logits (b, 2, h, w), channel order background, foreground."""
        y: Tensor = self.classify(self.stage(features))
        return y


class Head(nn.Module):
    """The aggregation module: features and P(person) → part logits."""

    def __init__(self, classes: int, act: Activation) -> None:
        super().__init__()
        self.concat = nn.Sequential(
            nn.Conv2d(FEATURES + 2, FEATURES, 1, bias=False), norm(FEATURES), activation(act, FEATURES)
        )
        self.stage = stage128(act)
        self.classify = nn.Conv2d(FEATURES, classes, 1)

    def forward(self, features: Tensor, person: Tensor) -> Tensor:
        """(b, 128, h, w) and P(person) (b, 1, h, w) → logits (b, classes, h, w)."""
        both = torch.cat((features, person, 1 - person), dim=1)  # order: features, p_fg, p_bg (methods §1.2)
        y: Tensor = self.classify(self.stage(self.concat(both)))
        return y


class FactoredConvNet(nn.Module):
    """Trunk, factor and head composed; 505 742 parameters with PReLU and 32 classes."""

    def __init__(self, classes: int = 32, act: Activation = "relu") -> None:
        super().__init__()
        self.act: Activation = act
        self.trunk = nn.Sequential(*encoder(act), stage128(act))
        self.factor = Factor(act)
        self.head = Head(classes, act)
        init_weights(self)

    def forward(self, x: Tensor, person: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Parse normalised images.

        Args:
            x: (b, 3, h, w), (rgb/255 − 0.5)/0.25; h and w multiples of 32.
            person: P(person) (b, 1, h/8, w/8) to inject in place of the factor's own (methods §1.7).

        Returns:
            Factor logits (b, 2, h/8, w/8) and part logits (b, classes, h/8, w/8).
        """
        features = self.trunk(x)
        fb = self.factor(features)
        return fb, self.head(features, person_probability(fb) if person is None else person)


class BaselineConvNet(nn.Module):
    """The paper's non-factored baseline: the same stages without the sub-task (methods §1.3)."""

    def __init__(self, classes: int = 32, act: Activation = "relu", *, stages: int = 2) -> None:
        super().__init__()
        self.net = nn.Sequential(
            *encoder(act),
            stage128(act),
            *(stage128(act) for _ in range(stages)),
            nn.Conv2d(FEATURES, classes, 1),
        )
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 3, h, w) normalised → part logits (b, classes, h/8, w/8)."""
        y: Tensor = self.net(x)
        return y


def person_probability(fb_logits: Tensor) -> Tensor:
    """Factor logits (b, 2, h, w) → P(person) (b, 1, h, w)."""
    return fb_logits.softmax(dim=1)[:, 1:]


def normalise(rgb: Tensor) -> Tensor:
    """(…) 0..255 → the network's input range."""
    return (rgb / 255 - INPUT_MEAN) / INPUT_STD


def enet(classes: int = 32, act: Activation = "relu") -> BaselineConvNet:
    """The ENet encoder with its prediction at stride 8: the paper's comparison row (342 284 parameters)."""
    return BaselineConvNet(classes, act, stages=1)
