"""The Factored ConvNet: trunk → factor (foreground/background) → head (31 parts + background).

The factor stands at a known place and can be replaced between two frames (P0 §3, methods §1.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.blocks import Bottleneck, activation, encoder, init_weights, norm, stage128
from models.families import Activation, Concat, ZooRow
from models.network import Network

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


class PlainHead(nn.Module):
    """A head whose first bottleneck takes all 130 channels and passes on the features (methods §1.2)."""

    def __init__(self, classes: int, act: Activation) -> None:
        super().__init__()
        joined, stage = FEATURES + 2, stage128(act)
        first = Bottleneck(joined, FEATURES, "regular", act=act)  # its skip: the features alone
        self.stage = nn.Sequential(norm(joined), activation(act, joined), first, *list(stage)[1:])
        self.classify = nn.Conv2d(FEATURES, classes, 1)

    def forward(self, features: Tensor, person: Tensor) -> Tensor:
        """As `Head`."""
        y: Tensor = self.classify(self.stage(torch.cat((features, person, 1 - person), dim=1)))
        return y


class FactoredConvNet(Network):
    """Trunk, factor and head composed; 505 742 parameters with PReLU and 32 classes."""

    def __init__(self, classes: int = 32, act: Activation = "relu", concat: Concat = "block") -> None:
        super().__init__()
        self.act: Activation = act
        self.trunk = nn.Sequential(*encoder(act), stage128(act))
        self.factor = Factor(act)
        heads: dict[Concat, type[Head | PlainHead]] = {"block": Head, "plain": PlainHead}
        self.head = heads[concat](classes, act)
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

    def stages(self) -> dict[str, nn.Module]:
        """Trunk, factor and head."""
        modules = {
            "trunk": TrunkStage(self.trunk),
            "factor": FactorStage(self.factor),
            "head": (HeadStage if isinstance(self.head, Head) else PlainHeadStage)(self.head),
        }
        return {name: m.train(self.training) for name, m in modules.items()}


class BaselineConvNet(Network):
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

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": NetworkStage(self).train(self.training)}


def person_probability(fb_logits: Tensor) -> Tensor:
    """Factor logits (b, 2, h, w) → P(person) (b, 1, h, w)."""
    return fb_logits.softmax(dim=1)[:, 1:]


def normalise(rgb: Tensor) -> Tensor:
    """(…) 0..255 → the network's input range."""
    return (rgb / 255 - INPUT_MEAN) / INPUT_STD


def enet(classes: int = 32, act: Activation = "relu") -> BaselineConvNet:
    """The ENet encoder with its prediction at stride 8: the paper's comparison row (342 284 parameters)."""
    return BaselineConvNet(classes, act, stages=1)


def build_factored(row: ZooRow) -> FactoredConvNet:
    """The Factored ConvNet of a row."""
    return FactoredConvNet(row.part_set.classes, row.activation, row.concat)


def build_baseline(row: ZooRow) -> BaselineConvNet:
    """The baseline of a row."""
    return BaselineConvNet(row.part_set.classes, row.activation)


def build_enet(row: ZooRow) -> BaselineConvNet:
    """The ENet encoder of a row."""
    return enet(row.part_set.classes, row.activation)


class TrunkStage(nn.Module):
    """`image` → `features`."""

    def __init__(self, trunk: nn.Sequential) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 RGB → (b, 128, h/8, w/8)."""
        features: Tensor = self.trunk(normalise(channels_first(image, precision(self))))
        return features


class FactorStage(nn.Module):
    """`features` → `person`."""

    def __init__(self, factor: Factor) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h/8, w/8) → P(person) (b, 1, h/8, w/8)."""
        return person_probability(self.factor(features))


class HeadStage(nn.Module):
    """`features`, `person` → `parts`, `labels`."""

    def __init__(self, head: Head | PlainHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 128, h, w), P(person) (b, 1, h, w) → parts (b, classes, h, w) and uint8 labels (b, h, w)."""
        return probabilities_and_labels(self.head(features, person))


class PlainHeadStage(HeadStage):
    """The same of a `PlainHead`, which is exported as it is."""


class NetworkStage(nn.Module):
    """`image` → `parts`, `labels`, for a network without a factor."""

    def __init__(self, network: BaselineConvNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(b, h, w, 3) uint8 RGB → probabilities (b, classes, h/8, w/8), uint8 labels (b, h/8, w/8)."""
        return probabilities_and_labels(self.network(normalise(channels_first(image, precision(self)))))


def channels_first(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(b, h, w, 3) uint8 → (b, 3, h, w) floating point, still 0..255."""
    return image.permute(0, 3, 1, 2).to(dtype)


def precision(module: nn.Module) -> torch.dtype:
    """The type of a module's weights: float32, or float64 where parity asks how far float32 rounds."""
    return next(module.parameters()).dtype


def probabilities_and_labels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (b, classes, h, w) → their softmax, and its argmax: the two outputs can never disagree."""
    parts = logits.softmax(dim=1)
    return parts, parts.argmax(dim=1).to(torch.uint8)
