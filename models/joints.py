"""Joints of one person: heat maps on the trunk of the Factored ConvNet, which stays as it was trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.blocks import activation, encoder, init_weights, norm, stage128
from models.factored import FEATURES, channels_first, normalise, precision
from models.families import Activation, ZooRow
from models.labels import JOINT_SETS
from models.network import Network

#: logit of a joint in a cell before anything was learned: one cell in 150
PRIOR_LOGIT = -5.0


class HeatmapHead(nn.Module):
    """Shared features → one logit map per joint."""

    def __init__(self, joints: int, act: Activation) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Conv2d(FEATURES, FEATURES, 1, bias=False), norm(FEATURES), activation(act, FEATURES)
        )
        self.stage = stage128(act)
        self.classify = nn.Conv2d(FEATURES, joints, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(b, 128, h, w) → logits (b, joints, h, w)."""
        y: Tensor = self.classify(self.stage(self.project(features)))
        return y


class JointsNet(Network):
    """Frozen trunk and heat-map head."""

    def __init__(self, joints: int = 17, act: Activation = "relu") -> None:
        super().__init__()
        self.trunk = nn.Sequential(*encoder(act), stage128(act))
        self.head = HeatmapHead(joints, act)
        init_weights(self)
        nn.init.normal_(self.head.classify.weight, std=0.01)
        if self.head.classify.bias is not None:
            nn.init.constant_(self.head.classify.bias, PRIOR_LOGIT)
        self.freeze("trunk")

    def forward(self, x: Tensor) -> Tensor:
        """Normalised images (b, 3, h, w) → joint logits (b, joints, h/8, w/8)."""
        with torch.no_grad():
            features = self.trunk(x)
        y: Tensor = self.head(features)
        return y

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": HeatmapStage(self).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with the trunk, and the head's stage, of a `FactoredConvNet`.

        The head of parts is shown P(person) beside the features. Here it counts as 1 everywhere.
        """
        if "head.concat.0.weight" not in weights:
            return weights
        renamed = without_person(weights)
        started = {**self.state_dict(), **{k: renamed[k] for k in self.state_dict() if k in renamed}}
        return started | self.head.classify.state_dict(prefix="head.classify.")  # of joints, not of parts


def without_person(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a `FactoredConvNet` with P(person) = 1 folded into `head.project`, once `head.concat`."""
    kernel = weights["head.concat.0.weight"]
    renamed = {k.replace("head.concat", "head.project"): v for k, v in weights.items()}
    mean = renamed["head.project.1.running_mean"] - kernel[:, FEATURES, 0, 0]
    return renamed | {
        "head.project.0.weight": kernel[:, :FEATURES].contiguous(),
        "head.project.1.running_mean": mean,
    }


class HeatmapStage(nn.Module):
    """`image` → `heatmaps`."""

    def __init__(self, network: JointsNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(b, h, w, 3) uint8 RGB → probabilities (b, joints, h/8, w/8)."""
        logits: Tensor = self.network(normalise(channels_first(image, precision(self))))
        return logits.sigmoid()


def build_joints(row: ZooRow) -> JointsNet:
    """The network of a row."""
    return JointsNet(len(JOINT_SETS[row.joints].names), row.activation)
